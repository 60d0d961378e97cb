/**
 * Analytic work of a decode from its trace (learn2pd 2.7): every pass feeds what its kind says of the length that the
 * sequence then had. Not what programs launch: those take rows in steps of powers of two.
 */
import type { LmConfig } from '../../lm/config.ts';
import type { CacheKind } from './policy.ts';
import type { StepTrace } from './trace.ts';

/** Multiply-adds of the linear layers of one token, the head left out. */
const linear = (c: LmConfig): number =>
  c.layers * (c.d * c.headDim * (2 * c.heads + 2 * c.kvHeads) + 3 * c.d * c.hidden);

/** FLOPs of a pass that feeds `rows` tokens which see `keys` tokens, with the output head on `wanted` rows. */
export const passFlops = (c: LmConfig, rows: number, keys: number, wanted: number): number =>
  2 * linear(c) * rows + 4 * c.layers * rows * keys * c.heads * c.headDim + 2 * c.d * c.vocab * wanted;

/** FLOPs of the passes of one sequence whose prompt has `prompt` tokens and ends at canvas index 0 = `P`. */
export function decodeFlops(
  c: LmConfig,
  trace: readonly Pick<StepTrace, 'block' | 'end' | 'length' | 'kind'>[],
  cache: CacheKind,
  at: { P: number; prompt: number; block: number; filter: number },
): number {
  const first = at.P - at.prompt;
  return trace.reduce((sum, t) => {
    const keys = t.length - first;
    const rows = t.kind === 1 ? keys : cache === 'dual' ? t.end - t.block : t.length - t.block;
    return sum + passFlops(c, rows, keys, at.block) + 2 * at.filter;
  }, 0);
}
