/**
 * Stacks of transformer layers in two dispatches a layer (tensor/ops/row-block.ts), for programs that nothing differentiates.
 * A module of its own, so that only pages on adapters that have the kernel load it.
 */
import type { Tensor } from '../tensor/graph.ts';
import { packTiles, planRowBlock } from '../tensor/kernels/row-block.ts';
import { type LeadWeights, rowBlock, type TailWeights } from '../tensor/ops/row-block.ts';
import { type FusedStack, fanIn, type LayerShape, mix, ones, type Place, quiet, rotation } from './layers.ts';
import type { ParamStore } from './params.ts';

export const fusedStack: FusedStack = (scope, layers, x, shape) => {
  const { d, hidden, heads, kvHeads, dim } = shape;
  const [attended, width] = [heads * dim, (heads + 2 * kvHeads) * dim];
  const size = { rows: x.size / d, d, attended, hidden, width, dim };
  const fits = (tail: boolean, lead: boolean): boolean =>
    planRowBlock(scope.graph.conditions, { ...size, tail, lead }) !== null;
  if (!fits(false, true) || !fits(true, true) || !fits(true, false)) return null;
  let y = x;
  let qkv: Tensor | null = null;
  for (let i = 0; i <= layers.length; i++) {
    const [before, next] = [layers[i - 1], layers[i]];
    const mixed = before && mix(before.name, qkv as Tensor, shape, before.view);
    const { weights, matrices, at } = scope.together<Partial<TailWeights & LeadWeights>>((place) => ({
      ...(before && tailWeights(place, before.name, shape)),
      ...(next && leadWeights(place, next.name, shape)),
    }));
    const tail = mixed && { mixed, at: at as TailWeights };
    const lead = next && { at: at as LeadWeights, ...rotation(next.view) };
    ({ y, qkv } = rowBlock({ weights, matrices, x: y, hidden, shape, tail, lead }));
  }
  return y;
};

// Shapes and initial values as in attentionMixer and residualLayer: whichever traces first declares them.

function leadWeights(place: Place, name: string, { d, heads, kvHeads, dim }: LayerShape): LeadWeights {
  return {
    norm1: place(`${name}.norm1.g`, [d], ones, false),
    qkv: place(`${name}.qkv.w`, [d, (heads + 2 * kvHeads) * dim], fanIn(d)),
    gainQ: place(`${name}.q.g`, [dim], ones, false),
    gainK: place(`${name}.k.g`, [dim], ones, false),
  };
}

function tailWeights(place: Place, name: string, { d, hidden, depth, heads, dim }: LayerShape): TailWeights {
  return {
    out: place(`${name}.out.w`, [heads * dim, d], fanIn(heads * dim, quiet(depth))),
    norm2: place(`${name}.norm2.g`, [d], ones, false),
    gu: place(`${name}.gu.w`, [d, 2 * hidden], fanIn(d)),
    down: place(`${name}.down.w`, [hidden, d], fanIn(hidden, quiet(depth))),
  };
}

/**
 * Lets row blocks read their matrices in 16 bits: `bits` gives those of a parameter, or null where it is not exact in them. All
 * matrices or none. To be called before programs are traced, on values that stay as they are.
 */
export function keepExactHalves(params: ParamStore, bits: (name: string) => Uint16Array | null): void {
  const halves = new Map<string, Uint16Array<ArrayBuffer>>();
  for (const { name, shape } of params.specs.values()) {
    if (shape.length !== 2 || shape.some((n) => n % 4 !== 0)) continue;
    const own = bits(name);
    if (!own) return;
    halves.set(name, packTiles(own, shape[0], shape[1]));
  }
  params.keepHalves(halves);
}
