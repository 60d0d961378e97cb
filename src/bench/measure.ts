/** Kernels as entrants of a race (gpu/timing.ts): real inputs in rotated copies, only the kernel's own dispatches timed. */
import type { Conditions, Gpu } from '../gpu/device.ts';
import { copiesFor, type Entrant, type RaceOptions } from '../gpu/timing.ts';
import { isOf, type KernelCase, type KernelEntry, rewriteFor, type Variant } from '../tensor/registry/entry.ts';
import { type Prepared, prepareTrial } from '../tensor/registry/run.ts';

export interface KernelEntrant extends Entrant {
  flops: number;
  bytes: number;
  /** Bytes of all copies of what it reads and writes, which runs take in turns. */
  rotated: number;
  dispose(): void;
}

/** Memory for the copies of one kernel's inputs. */
const COPIES_BYTES = 64 << 20;
/**
 * Every copy is a trial of its own, with the dispatches that make its inputs: up to 128 of them took all kernels 255 s to set up
 * instead of 108 (lavapipe, busy machine), 40 s of it one kernel. So inputs below 2 MiB stay in caches here; points say so.
 */
const MOST_COPIES = 16;

/** Short races: the lab times dozens of kernels, on a CPU adapter as well. */
export const SHORT: RaceOptions = { rounds: 5, batchMs: 15, budgetMs: 600 };

/** The variant that this adapter would run. */
export function variantHere(entry: KernelEntry, conditions: Conditions): Variant {
  const chosen = entry.variants.find((v) => v.chosen(conditions) && (v.needs?.(conditions) ?? true));
  if (!chosen) throw new Error(`${entry.name}: no variant for this adapter`);
  return chosen;
}

/** `code` replaces the text of the kernel's own dispatches: an edited kernel. */
export async function kernelEntrant(
  gpu: Gpu,
  entry: KernelEntry,
  variant: Variant,
  c: KernelCase,
  name = variant.name,
): Promise<KernelEntrant> {
  const trial = c.make(variant.force.precision);
  const rewrite = rewriteFor(entry, variant);
  const own = (d: Parameters<typeof rewrite>[0]): boolean => isOf(entry, d) || variant.entryPoint === d.entryPoint;
  const prepare = (): Prepared => prepareTrial(gpu, trial, variant.force, rewrite);
  gpu.device.pushErrorScope('validation');
  const first = prepare();
  const mine = first.dispatches.filter(own);
  const bound = new Set(mine.flatMap((d) => d.bindings.map((t) => t.storage.id)));
  const size = [...bound].reduce((sum, id) => sum + (first.slots.get(id)?.initial.byteLength ?? 0), 0);
  const copies = [first];
  while (copies.length < copiesFor(size, COPIES_BYTES, MOST_COPIES)) copies.push(prepare());
  // The dispatches before the kernel make its inputs: once for every copy.
  for (const copy of copies) {
    copy.reset();
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    copy.record(pass);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
  }
  const invalid = await gpu.device.popErrorScope();
  const dispose = (): void => {
    for (const copy of copies) copy.dispose();
  };
  if (invalid) {
    dispose();
    throw new Error(`${entry.name}, ${name}: ${invalid.message.split('\n')[0]}`);
  }
  return {
    name,
    dispatches: mine.length,
    flops: mine.reduce((sum, d) => sum + d.flops, 0),
    bytes: mine.reduce((sum, d) => sum + d.bytes, 0),
    rotated: size * copies.length,
    record: (pass, turn) => copies[turn % copies.length].record(pass, own),
    dispose,
  };
}
