// Logarithmic axes for the plots of the GPU tab: a scale, and ticks at powers of ten or of two.

export interface LogScale {
  (value: number): number;
  readonly domain: readonly [number, number];
}

/** Maps [from, to] on a log axis to pixels [start, end]. */
export function logScale([from, to]: readonly [number, number], [start, end]: readonly [number, number]): LogScale {
  const span = Math.log(to / from);
  const scale = (value: number): number => start + (Math.log(Math.max(value, 1e-30) / from) / span) * (end - start);
  return Object.assign(scale, { domain: [from, to] as const });
}

/** The smallest powers of ten around all values, widened by `margin` decades. */
export function decades(values: readonly number[], margin = 0): [number, number] {
  const logs = values.filter((v) => v > 0 && Number.isFinite(v)).map(Math.log10);
  if (logs.length === 0) return [0.1, 10];
  const low = Math.floor(Math.min(...logs) - margin);
  const high = Math.ceil(Math.max(...logs) + margin);
  return [10 ** low, 10 ** Math.max(high, low + 1)];
}

export function decadeTicks([from, to]: readonly [number, number]): number[] {
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const last = Math.floor(Math.log10(to) + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}
