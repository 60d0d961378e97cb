// Axes of plots: what is shown of them, where a value lies, which values are written beside them.

export interface Axis {
  log?: boolean;
  /** The axis begins at zero. */
  zero?: boolean;
  /** It reaches at least to here. */
  until?: number;
  format: (value: number) => string;
}

export type Range = readonly [from: number, to: number];

/** Around all values; never empty. */
export function rangeOf({ log, zero, until }: Axis, values: readonly number[]): Range {
  const fit = [...values, ...(until === undefined ? [] : [until])].filter((v) => Number.isFinite(v) && (!log || v > 0));
  if (fit.length === 0) return log ? [1, 10] : [0, 1];
  const [low, high] = [Math.min(...fit), Math.max(...fit)];
  if (log) return low === high ? [low / 2, high * 2] : [low, high];
  const from = zero ? Math.min(0, low) : low;
  return from === high ? [from, from + 1] : [from, high];
}

export function scaleOf({ log }: Pick<Axis, 'log'>, [from, to]: Range, [start, end]: Range): (value: number) => number {
  const at = (v: number): number =>
    log ? Math.log(Math.max(v, 1e-30) / from) / Math.log(to / from) : (v - from) / (to - from);
  return (value) => start + at(value) * (end - start);
}

/** About `count` round values within the range. */
export function ticksOf({ log }: Pick<Axis, 'log'>, [from, to]: Range, count: number): number[] {
  if (!log) {
    const rough = (to - from) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? rough;
    const first = Math.ceil(from / step - 1e-9);
    const last = Math.floor(to / step + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) =>
      Number(((first + i) * step).toPrecision(12)),
    );
  }
  // Powers of two when they are few, of ten otherwise; every n-th of them.
  const base = Math.log2(to / from) <= 2 * count ? 2 : 10;
  const power = (v: number): number => Math.log(v) / Math.log(base);
  const [first, last] = [Math.ceil(power(from) - 1e-9), Math.floor(power(to) + 1e-9)];
  const every = Math.max(1, Math.ceil((last - first + 1) / count));
  return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => base ** (first + i * every));
}

/** The smallest powers of ten around all values, widened by `margin` decades. */
export function decades(values: readonly number[], margin = 0): Range {
  const logs = values.filter((v) => v > 0 && Number.isFinite(v)).map(Math.log10);
  if (logs.length === 0) return [0.1, 10];
  const low = Math.floor(Math.min(...logs) - margin);
  const high = Math.ceil(Math.max(...logs) + margin);
  return [10 ** low, 10 ** Math.max(high, low + 1)];
}

export function decadeTicks([from, to]: Range): number[] {
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const last = Math.floor(Math.log10(to) + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}
