/** Numbers as people read them: rates, times, shares. Three significant digits, the unit that keeps them short. */

function scaled(value: number, units: readonly (readonly [size: number, unit: string])[]): string {
  if (!Number.isFinite(value)) return '–';
  const [size, unit] = units.find(([s]) => Math.abs(value) >= s) ?? units[units.length - 1];
  const n = value / size;
  return `${Math.abs(n) >= 100 ? n.toFixed(0) : n.toPrecision(3)} ${unit}`;
}

export const ms = (value: number): string =>
  scaled(value, [
    [1000, 's'],
    [1, 'ms'],
    [1e-3, 'µs'],
    [1e-6, 'ns'],
  ]);

export const flopRate = (perSecond: number): string =>
  scaled(perSecond, [
    [1e12, 'TFLOP/s'],
    [1e9, 'GFLOP/s'],
    [1e6, 'MFLOP/s'],
  ]);

export const byteRate = (perSecond: number): string =>
  scaled(perSecond, [
    [1e9, 'GB/s'],
    [1e6, 'MB/s'],
  ]);

export const work = (flops: number): string =>
  flops === 0
    ? 'none'
    : scaled(flops, [
        [1e9, 'GFLOP'],
        [1e6, 'MFLOP'],
        [1e3, 'kFLOP'],
        [1, 'FLOP'],
      ]);

export const bytes = (n: number): string =>
  scaled(n, [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
    [1, 'B'],
  ]);

export const percent = (share: number): string =>
  Number.isFinite(share) ? `${share < 0.0995 ? (share * 100).toPrecision(2) : (share * 100).toFixed(0)} %` : '–';

export const times = (ratio: number): string => (Number.isFinite(ratio) ? `${ratio.toPrecision(3)} x` : '–');
