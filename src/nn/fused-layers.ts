/**
 * Stacks of transformer layers in two dispatches a layer (tensor/ops/row-block.ts), for programs that nothing differentiates.
 * A module of its own, so that only pages on adapters that have the kernel load it.
 */
import type { Tensor } from '../tensor/graph.ts';
import { planRowBlock } from '../tensor/kernels/row-block.ts';
import { type LeadWeights, rowBlock, type TailWeights } from '../tensor/ops/row-block.ts';
import {
  type FusedStack,
  fanIn,
  type LayerShape,
  mix,
  ones,
  quiet,
  rotation,
  type Scope,
  type StackLayer,
} from './layers.ts';

export const fusedStack: FusedStack = (scope, layers, x, shape) => {
  const { d, hidden, heads, kvHeads, dim } = shape;
  const [attended, width] = [heads * dim, (heads + 2 * kvHeads) * dim];
  const size = { rows: x.size / d, d, attended, hidden, width, dim };
  const fits = (tail: boolean, lead: boolean): boolean =>
    planRowBlock(scope.graph.conditions, { ...size, tail, lead }) !== null;
  if (!fits(false, true) || !fits(true, true) || !fits(true, false)) return null;
  const lead = ({ name, view }: StackLayer) => ({ at: leadWeights(scope, name, shape), ...rotation(view) });
  const weights = scope.everything;
  let y = x;
  let { qkv } = rowBlock({ weights, x, hidden, shape, lead: lead(layers[0]) });
  for (const [i, { name, view }] of layers.entries()) {
    const mixed = mix(name, qkv as Tensor, shape, view);
    const tail = { mixed, at: tailWeights(scope, name, shape) };
    const next = layers[i + 1];
    ({ y, qkv } = rowBlock({ weights, x: y, hidden, shape, tail, lead: next && lead(next) }));
  }
  return y;
};

// Shapes and initial values as in attentionMixer and residualLayer: whichever traces first declares them.

function leadWeights(scope: Scope, name: string, { d, heads, kvHeads, dim }: LayerShape): LeadWeights {
  return {
    norm1: scope.place(`${name}.norm1.g`, [d], ones, false),
    qkv: scope.place(`${name}.qkv.w`, [d, (heads + 2 * kvHeads) * dim], fanIn(d)),
    gainQ: scope.place(`${name}.q.g`, [dim], ones, false),
    gainK: scope.place(`${name}.k.g`, [dim], ones, false),
  };
}

function tailWeights(scope: Scope, name: string, { d, hidden, depth, heads, dim }: LayerShape): TailWeights {
  return {
    out: scope.place(`${name}.out.w`, [heads * dim, d], fanIn(heads * dim, quiet(depth))),
    norm2: scope.place(`${name}.norm2.g`, [d], ones, false),
    gu: scope.place(`${name}.gu.w`, [d, 2 * hidden], fanIn(d)),
    down: scope.place(`${name}.down.w`, [hidden, d], fanIn(hidden, quiet(depth))),
  };
}
