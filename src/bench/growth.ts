/** How cost grows: time against size for four kernels, with the exponent fitted on log axes beside the expected one. */
import type { Gpu } from '../gpu/device.ts';
import { race, type Timing } from '../gpu/timing.ts';
import { attentionForwardCase, causalBench, ringBench, ringCase } from '../tensor/registry/attention.ts';
import type { KernelCase, KernelEntry } from '../tensor/registry/entry.ts';
import { squareCase } from '../tensor/registry/matmul.ts';
import { frameBench } from '../world/render/registry.ts';
import { type KernelEntrant, kernelEntrant, SHORT, variantHere } from './measure.ts';
import { kernelNamed } from './registry.ts';

export interface GrowthPoint {
  size: number;
  timing: Timing;
}

export interface GrowthCurve {
  name: string;
  /** What the size is. */
  axis: string;
  expected: number;
  /** Slope of the line through log size and log time over the points that are not launch-bound; NaN with fewer than two. */
  exponent: number;
  points: GrowthPoint[];
}

interface Sweep {
  /** What `--only` calls it: no comma. */
  name: string;
  axis: string;
  expected: number;
  kernel: string;
  sizes(software: boolean): number[];
  at(size: number): KernelCase;
}

export const SWEEPS: readonly Sweep[] = [
  {
    name: 'Causal attention',
    axis: 'sequence length',
    expected: 2,
    kernel: 'attention',
    sizes: (software) => (software ? [128, 256, 512, 1024] : [512, 1024, 2048, 4096]),
    at: (n) => attentionForwardCase(causalBench(n)),
  },
  {
    name: 'Decoding one row',
    axis: 'cached rows',
    expected: 1,
    kernel: 'ring attention',
    sizes: (software) => (software ? [128, 256, 512, 1024] : [512, 1024, 2048, 4096]),
    at: (n) => ringCase(ringBench(n)),
  },
  {
    name: 'Square matmul',
    axis: 'side of the matrices',
    expected: 3,
    kernel: 'matmul nn',
    sizes: (software) => (software ? [128, 256, 512, 1024] : [512, 1024, 2048, 4096]),
    at: (n) => squareCase('nn', n),
  },
  {
    name: 'Ray caster over pixels',
    axis: 'pixels per frame, of 4 frames',
    expected: 1,
    kernel: 'ray caster',
    sizes: () => [1, 2, 3, 4].map((k) => 64 * k * 48 * k),
    at: (n) => {
      const k = Math.round(Math.sqrt(n / (64 * 48)));
      return frameBench(64 * k, 48 * k);
    },
  },
];

/** Least-squares slope of log y over log x. */
export function fitExponent(points: readonly (readonly [x: number, y: number])[]): number {
  const n = points.length;
  if (n < 2) return Number.NaN;
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)]);
  const mx = logs.reduce((s, [x]) => s + x, 0) / n;
  const my = logs.reduce((s, [, y]) => s + y, 0) / n;
  const top = logs.reduce((s, [x, y]) => s + (x - mx) * (y - my), 0);
  return top / logs.reduce((s, [x]) => s + (x - mx) ** 2, 0);
}

export async function measureGrowth(gpu: Gpu, sweep: Sweep): Promise<GrowthCurve> {
  const entry: KernelEntry = kernelNamed(sweep.kernel);
  const sizes = sweep.sizes(gpu.conditions.software);
  const entrants: KernelEntrant[] = [];
  try {
    for (const size of sizes)
      entrants.push(await kernelEntrant(gpu, entry, variantHere(entry, gpu.conditions), sweep.at(size), `${size}`));
    const timings = await race(gpu.device, entrants, { ...SHORT, budgetMs: 900 * sizes.length });
    const points = sizes.map((size, i) => ({ size, timing: timings[i] }));
    const solid = points.filter((p) => !p.timing.launchBound);
    return {
      name: sweep.name,
      axis: sweep.axis,
      expected: sweep.expected,
      exponent: fitExponent(solid.map((p) => [p.size, p.timing.median] as const)),
      points,
    };
  } finally {
    for (const e of entrants) e.dispose();
  }
}
