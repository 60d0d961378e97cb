/**
 * Stacks of transformer layers for programs that nothing differentiates, on quads: norms, SwiGLU, QK norm and rotation in the
 * kernels of the products that they stand beside (tensor/ops/normed-product.ts), five dispatches a layer instead of eight.
 */
import type { Tensor } from '../tensor/graph.ts';
import { HEAD_OF_BLOCK, normedFits, pairsFit } from '../tensor/kernels/matmul.ts';
import { normedGate, normedHeads } from '../tensor/ops/normed-product.ts';
import { pairColumns, pairedLinear } from '../tensor/ops/paired-product.ts';
import { type FusedStack, fanIn, mix, ones, quiet, rotation } from './layers.ts';
import type { ParamStore } from './params.ts';

/** The matrices of these layers. */
const MATRIX = /\.(qkv|out|gu|down)\.w$/;

/**
 * Lets these stacks read their matrices with two columns in a word: `weights` gives the numbers of a parameter. To be called before
 * programs are traced, on values that stay as they are. Rounds them (tensor/ops/paired-product.ts). Heads of another width than `dim`
 * 16 have no such stacks: nothing is kept for them.
 */
export function keepPairs(params: ParamStore, dim: number, weights: (name: string) => ArrayLike<number> | null): void {
  if (dim !== HEAD_OF_BLOCK) return;
  for (const { name, shape } of params.specs.values()) {
    const [k, n] = shape;
    const own = MATRIX.test(name) && n % 32 === 0 ? weights(name) : null;
    if (own) params.keepPairs(name, pairColumns(own, k, n));
  }
}

export const normedProducts: FusedStack = (scope, layers, x, shape) => {
  const { d, hidden, heads, kvHeads, dim, depth } = shape;
  const rows = x.size / d;
  const width = (heads + 2 * kvHeads) * dim;
  const { conditions } = scope.graph;
  if (dim !== HEAD_OF_BLOCK || !normedFits(conditions, [rows, width, d], 'heads')) return null;
  if (!normedFits(conditions, [rows, 2 * hidden, d], 'gated')) return null;
  return layers.reduce((before, { name, view }) => {
    const gain = (part: string, n: number): Tensor => scope.get(`${name}.${part}.g`, [n], ones, false);
    /** Null where it is not kept in pairs. */
    const pairs = (part: string, k: number, n: number): Tensor | null =>
      pairsFit(conditions, rows, n, k) && scope.slab === 'value'
        ? scope.params.pairs(scope.graph, `${name}.${part}.w`)
        : null;
    const matrix = (part: string, n: number): Tensor =>
      pairs(part, d, n) ?? scope.get(`${name}.${part}.w`, [d, n], fanIn(d));
    /** Back into the residual stream. */
    const project = (part: string, y: Tensor, k: number, residual: Tensor): Tensor => {
      const words = pairs(part, k, d);
      if (words) return pairedLinear(y, words, residual);
      return scope.project(`${name}.${part}`, y, d, { residual, init: fanIn(k, quiet(depth)) });
    };
    const { table, position: at } = rotation(view);
    const turn = { gainQ: gain('q', dim), gainK: gain('k', dim), table, shape, at };
    const turned = normedHeads(before, gain('norm1', d), matrix('qkv', width), turn);
    const mixed = mix(name, turned, shape, view);
    const between = project('out', mixed, heads * dim, before);
    const gated = normedGate(between, gain('norm2', d), matrix('gu', 2 * hidden));
    return scope.graph.reshape(project('down', gated, hidden, between), x.shape);
  }, x);
};
