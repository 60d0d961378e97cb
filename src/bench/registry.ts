/**
 * Every kernel of the lab in one list. It stands above the methods, because their kernels are in it; the entries lie
 * beside the operations that launch them. Loaded lazily: nothing that runs a model needs it.
 */
import type { Conditions } from '../gpu/device.ts';
import { LM } from '../lm/registry.ts';
import { PRESENT } from '../methods/dreamer4/present-check.ts';
import { DREAMER4 } from '../methods/dreamer4/registry.ts';
import { DSA } from '../methods/dsa/registry.ts';
import { LEARN2PD } from '../methods/learn2pd/registry.ts';
import { ATTENTION } from '../tensor/registry/attention.ts';
import { CACHE } from '../tensor/registry/cache.ts';
import type { KernelEntry, RenderEntry } from '../tensor/registry/entry.ts';
import { GATE } from '../tensor/registry/gate.ts';
import { IMAGES } from '../tensor/registry/images.ts';
import { LATENT } from '../tensor/registry/latent.ts';
import { LOSS } from '../tensor/registry/loss.ts';
import { MATMUL } from '../tensor/registry/matmul.ts';
import { NORM } from '../tensor/registry/norm.ts';
import { NORMED } from '../tensor/registry/normed.ts';
import { PACKED } from '../tensor/registry/packed.ts';
import { POINTWISE } from '../tensor/registry/pointwise.ts';
import { REDUCE } from '../tensor/registry/reduce.ts';
import { ROW_BLOCK } from '../tensor/registry/row-block.ts';
import { SELECTION } from '../tensor/registry/selection.ts';
import { LOGPROBS } from '../tensor/registry/token-logprobs.ts';
import { TOKENS } from '../tensor/registry/tokens.ts';
import { TRAIN } from '../train/registry.ts';
import { WORLD } from '../world/render/registry.ts';

export const KERNELS: readonly KernelEntry[] = [
  ...MATMUL,
  ...NORMED,
  ...PACKED,
  ...ATTENTION,
  ...CACHE,
  ...LATENT,
  ...ROW_BLOCK,
  ...SELECTION,
  ...NORM,
  ...POINTWISE,
  ...REDUCE,
  ...LOSS,
  ...LOGPROBS,
  ...TOKENS,
  ...IMAGES,
  ...TRAIN,
  ...LM,
  ...GATE,
  ...DREAMER4,
  ...DSA,
  ...LEARN2PD,
  ...WORLD,
];

export const RENDERS: readonly RenderEntry[] = [PRESENT];

/** The kernels that an adapter of these conditions has. */
export const kernelsOf = (conditions: Conditions): KernelEntry[] =>
  KERNELS.filter((k) => k.exists?.(conditions) ?? true);

export function kernelNamed(name: string): KernelEntry {
  const entry = KERNELS.find((k) => k.name === name);
  if (!entry) throw new Error(`no kernel named '${name}'`);
  return entry;
}
