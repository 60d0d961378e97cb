/**
 * Stacks of transformer layers for programs that nothing differentiates: in a dispatch a layer, where it can do the attention as
 * well, or two (tensor/ops/row-block.ts), else as normed-layers.ts does. A module of its own, so that only pages on adapters that
 * have these kernels load it.
 */
import type { Tensor } from '../tensor/graph.ts';
import { packTiles, planRowBlock } from '../tensor/kernels/row-block.ts';
import { type LeadWeights, rowBlock, type TailWeights } from '../tensor/ops/row-block.ts';
import {
  type FusedStack,
  fanIn,
  type LayerShape,
  mix,
  ones,
  type Place,
  quiet,
  rotation,
  type StackLayer,
  type View,
} from './layers.ts';
import { normedProducts } from './normed-layers.ts';
import type { ParamStore } from './params.ts';

export const fusedStack: FusedStack = (scope, layers, x, shape) =>
  rowBlocks(scope, layers, x, shape) ?? normedProducts(scope, layers, x, shape);

const rowBlocks: FusedStack = (scope, layers, x, shape) => {
  const { d, hidden, heads, kvHeads, dim } = shape;
  const [attended, width] = [heads * dim, (heads + 2 * kvHeads) * dim];
  const size = { rows: x.size / d, d, attended, hidden, width, dim };
  if (!planRowBlock(scope.graph.conditions, size)) return null;
  const open = layers.map(({ view }) => openRows(view)).find((n) => n !== undefined);
  const last = layers.findLastIndex(({ view }) => view.kind === 'ring');
  // Perhaps nothing reads the last ring that is written, nor what comes behind it: then only its keys and values are needed.
  const runs = (view: View | undefined, i: number) =>
    view?.kind === 'ring' && view.cap === 0 && !(view.write && i === last) ? view : null;
  const rings = layers.map(({ view }, i) => runs(view, i)?.ring).filter((ring) => ring !== undefined);
  let y = x;
  let qkv: Tensor | null = null;
  for (let i = 0; i <= layers.length; i++) {
    const before = layers[i - 1];
    const through = runs(layers[i]?.view, i);
    const own = through ? layers[i++] : null;
    const next = layers[i];
    const lead = own ?? next;
    const { weights, matrices, at } = scope.together<Partial<Weights>>((place) => [
      { ...(before && tailWeights(place, before.name, shape)), ...(lead && leadWeights(place, lead.name, shape)) },
      {
        ...(own && tailWeights(place, own.name, shape)),
        ...(own && next && leadWeights(place, next.name, shape)),
      },
    ]);
    // What is missing in them is missing in the block too.
    const [first, second] = at as Weights[];
    ({ y, qkv } = rowBlock({
      weights,
      matrices,
      x: y,
      hidden,
      shape,
      tail: before && { ...attend(before, qkv as Tensor, shape, open), at: first },
      lead: lead && { at: first, ...rotation(lead.view) },
      ring: through
        ? { write: through.write, at: second, next: next && { at: second, ...rotation(next.view) } }
        : undefined,
      open,
      past: through?.ring ?? rings[0],
    }));
  }
  return y;
};

type Weights = TailWeights & LeadWeights;

/** Length of sequences whose rows all see each other and follow one another. */
function openRows(view: View): number | undefined {
  if (view.kind !== 'sequence') return undefined;
  const { mask, cap, length, stride, outer } = view.layout;
  return mask.kind === 'open' && cap === 0 && stride === 1 && outer === length ? length : undefined;
}

/** What the attention of a layer gave; or what the row block reads to do it itself. */
function attend(
  { name, view }: StackLayer,
  packed: Tensor,
  shape: LayerShape,
  open?: number,
): { mixed: Tensor } | { packed: Tensor } {
  const own = openRows(view);
  return own !== undefined && own === open ? { packed } : { mixed: mix(name, packed, shape, view) };
}

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
