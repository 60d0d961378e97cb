/** The ladders: for the hot kernels every version from naive to best, raced on this adapter in turns. */
import type { Conditions, Gpu } from '../gpu/device.ts';
import { race, type Timing } from '../gpu/timing.ts';
import { type KernelEntry, lackOf, type Variant } from '../tensor/registry/entry.ts';
import { type KernelEntrant, kernelEntrant, SHORT, variantHere } from './measure.ts';
import { kernelsOf } from './registry.ts';

export interface Rung {
  name: string;
  idea: string;
  /** Why no adapter, or not this one, runs it. */
  lost: string;
  when: string;
  /** What this adapter lacks to run it; empty when it can. */
  lacks: string;
  files: readonly string[];
  /** Null: this adapter cannot run it. */
  timing: Timing | null;
  /** Time of the version in use over its time: above 1 = faster than what is used. */
  ratio: number;
  used: boolean;
}

export interface Ladder {
  kernel: string;
  case: string;
  flops: number;
  rungs: Rung[];
}

export const ladderKernels = (conditions: Conditions): KernelEntry[] =>
  kernelsOf(conditions).filter((k) => k.variants.some((v) => v.idea));

export const ladderVariants = (entry: KernelEntry): Variant[] => entry.variants.filter((v) => v.idea);

export async function measureLadder(gpu: Gpu, entry: KernelEntry): Promise<Ladder> {
  const here = variantHere(entry, gpu.conditions);
  const variants = ladderVariants(entry);
  const size = entry.ladder?.(gpu.conditions.software) ?? entry.bench;
  const entrants = new Map<Variant, KernelEntrant>();
  try {
    for (const v of variants) {
      if (!(v.needs?.(gpu.conditions) ?? true) || !(v.takes?.(size.dims) ?? true)) continue;
      entrants.set(v, await kernelEntrant(gpu, entry, v, size));
    }
    const timings = await race(gpu.device, [...entrants.values()], { ...SHORT, budgetMs: 900 * entrants.size });
    const byVariant = new Map([...entrants.keys()].map((v, i) => [v, timings[i]]));
    const base = byVariant.get(here)?.median ?? Number.NaN;
    return {
      kernel: entry.name,
      case: size.name,
      flops: entrants.get(here)?.flops ?? 0,
      rungs: variants.map((v) => {
        const timing = byVariant.get(v) ?? null;
        return {
          name: v.name,
          idea: v.idea ?? '',
          lost: v.lost ?? '',
          when: v.when,
          lacks: lackOf(v, gpu.conditions),
          files: v.files,
          timing,
          ratio: timing ? base / timing.median : Number.NaN,
          used: v === here,
        };
      }),
    };
  } finally {
    for (const e of entrants.values()) e.dispose();
  }
}
