/**
 * Roofline (Williams, Waterman and Patterson 2009) of this adapter, measured: the best matmul rate, the rate at which a copy
 * moves memory, what a dispatch and a submission cost; and every kernel by its own FLOP and byte formulas. Not a profile of
 * a model: each kernel runs alone at its benchmark size, its inputs rotated so that caches do not flatter.
 */
import type { Conditions, Gpu } from '../gpu/device.ts';
import { launchCost, race, type Timing } from '../gpu/timing.ts';
import type { KernelEntry } from '../tensor/registry/entry.ts';
import { POINTWISE, scaleCase } from '../tensor/registry/pointwise.ts';
import { kernelEntrant, SHORT, variantHere } from './measure.ts';
import { kernelNamed, kernelsOf } from './registry.ts';

export interface RooflineRoof {
  /** FLOP/s of the best batch of the best matmul form, and which that was. */
  peak: number;
  peakBy: string;
  /** Bytes/s of the best batch of y = alpha x + beta over more memory than the caches hold. */
  bandwidth: number;
  dispatchMs: number;
  submitMs: number;
}

export interface RooflinePoint {
  kernel: string;
  family: string;
  variant: string;
  case: string;
  flops: number;
  bytes: number;
  timing: Timing;
  /** Attainable time over measured time: 1 = on the roof. Above 1: its data stays in caches. */
  fraction: number;
}

/** Work that one kernel could not do faster on this roof: seconds. */
export const attainableSeconds = (roof: RooflineRoof, flops: number, bytes: number): number =>
  Math.max(flops / roof.peak, bytes / roof.bandwidth);

async function timeOne(gpu: Gpu, entry: KernelEntry, c = entry.bench) {
  const entrant = await kernelEntrant(gpu, entry, variantHere(entry, gpu.conditions), c);
  try {
    const [timing] = await race(gpu.device, [entrant], SHORT);
    return { timing, flops: entrant.flops, bytes: entrant.bytes };
  } finally {
    entrant.dispose();
  }
}

const FORMS = ['matmul nn', 'matmul nt', 'matmul tn'];

export async function measureRoof(gpu: Gpu): Promise<RooflineRoof> {
  const [scale] = POINTWISE;
  // 16 MiB in and out on CPU adapters, 128 MiB on GPUs: beyond their caches.
  const copied = await timeOne(gpu, scale, scaleCase(gpu.conditions.software ? 1 << 22 : 1 << 25));
  let peak = 0;
  let peakBy = '';
  for (const name of FORMS) {
    const entry = kernelNamed(name);
    const { timing, flops } = await timeOne(gpu, entry);
    const rate = flops / (timing.min / 1000);
    if (rate > peak) [peak, peakBy] = [rate, `${name}, ${entry.bench.name}`];
  }
  const { dispatchMs, submitMs } = await launchCost(gpu.device);
  return { peak, peakBy, bandwidth: copied.bytes / (copied.timing.min / 1000), dispatchMs, submitMs };
}

export async function measurePoint(gpu: Gpu, entry: KernelEntry, roof: RooflineRoof): Promise<RooflinePoint> {
  const { timing, flops, bytes } = await timeOne(gpu, entry);
  return {
    kernel: entry.name,
    family: entry.family,
    variant: variantHere(entry, gpu.conditions).name,
    case: entry.bench.name,
    flops,
    bytes,
    timing,
    fraction: attainableSeconds(roof, flops, bytes) / (timing.median / 1000),
  };
}

/** The kernels that the roofline places: all, or the named ones. */
export const rooflineKernels = (conditions: Conditions, only: readonly string[] = []): KernelEntry[] =>
  kernelsOf(conditions).filter((k) => only.length === 0 || only.includes(k.name));
