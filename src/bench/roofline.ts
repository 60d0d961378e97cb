/**
 * Roofline (Williams, Waterman and Patterson 2009) of this adapter, measured: the best matmul rate, the rate at which a copy
 * moves memory, what a dispatch and a submission cost; and every kernel by its own FLOP and byte formulas. Not a profile of
 * a model: each kernel runs alone at its benchmark size, its inputs in up to 16 copies that runs
 * take in turns; what still fits into a cache is marked.
 */
import type { Conditions, Gpu } from '../gpu/device.ts';
import { launchCost, race, staysCached, type Timing } from '../gpu/timing.ts';
import type { KernelEntry } from '../tensor/registry/entry.ts';
import { squareCase } from '../tensor/registry/matmul.ts';
import { POINTWISE, scaleCase } from '../tensor/registry/pointwise.ts';
import { kernelEntrant, SHORT, variantHere } from './measure.ts';
import { kernelNamed, kernelsOf } from './registry.ts';

export interface MatmulPeak {
  /** FLOP/s of the best batch of the best matmul form, and which that was. */
  peak: number;
  peakBy: string;
}

export interface RooflineRoof extends MatmulPeak {
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
  /** Its data, over all copies that runs took in turns, may have stayed in a cache. */
  cached: boolean;
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
    return { timing, flops: entrant.flops, bytes: entrant.bytes, cached: staysCached(entrant.rotated) };
  } finally {
    entrant.dispose();
  }
}

/** Sides of the matrices that a peak is looked for at. A large GPU does not fill with 512; a processor needs minutes for 4096. */
const peakSides = (software: boolean): number[] => (software ? [512] : [4096, 2048]);

/** Whether the device has room for a product of this side: asked by making its matrices. */
async function fits({ device }: Gpu, side: number): Promise<boolean> {
  const size = 4 * side * side;
  if (size > Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize)) return false;
  device.pushErrorScope('out-of-memory');
  const made = [0, 1, 2].map(() => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }));
  const full = await device.popErrorScope();
  for (const buffer of made) buffer.destroy();
  return full === null;
}

/** Throws where not even the smallest product of this adapter fits. */
export async function measurePeak(gpu: Gpu): Promise<MatmulPeak> {
  let side = 0;
  for (const candidate of peakSides(gpu.conditions.software)) {
    if (side === 0 && (await fits(gpu, candidate))) side = candidate;
  }
  if (side === 0) throw new Error('No memory for the matrix product that the peak is measured by.');
  let best: MatmulPeak = { peak: 0, peakBy: '' };
  for (const form of ['nn', 'nt', 'tn'] as const) {
    const name = `matmul ${form}`;
    const c = squareCase(form, side);
    const { timing, flops } = await timeOne(gpu, kernelNamed(name), c);
    const peak = flops / (timing.min / 1000);
    if (peak > best.peak) best = { peak, peakBy: `${name}, ${c.name}` };
  }
  return best;
}

export async function measureRoof(gpu: Gpu): Promise<RooflineRoof> {
  const [scale] = POINTWISE;
  // 16 MiB in and out on CPU adapters, 128 MiB on GPUs: beyond their caches.
  const copied = await timeOne(gpu, scale, scaleCase(gpu.conditions.software ? 1 << 22 : 1 << 25));
  const best = await measurePeak(gpu);
  const { dispatchMs, submitMs } = await launchCost(gpu.device);
  return { ...best, bandwidth: copied.bytes / (copied.timing.min / 1000), dispatchMs, submitMs };
}

export async function measurePoint(gpu: Gpu, entry: KernelEntry, roof: RooflineRoof): Promise<RooflinePoint> {
  const { timing, flops, bytes, cached } = await timeOne(gpu, entry);
  return {
    kernel: entry.name,
    family: entry.family,
    variant: variantHere(entry, gpu.conditions).name,
    case: entry.bench.name,
    flops,
    bytes,
    timing,
    cached,
    fraction: attainableSeconds(roof, flops, bytes) / (timing.median / 1000),
  };
}

/** The kernels that the roofline places: all, or the named ones. */
export const rooflineKernels = (conditions: Conditions, only: readonly string[] = []): KernelEntry[] =>
  kernelsOf(conditions).filter((k) => only.length === 0 || only.includes(k.name));
