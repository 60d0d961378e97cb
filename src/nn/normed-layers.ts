/**
 * Stacks of transformer layers for programs that nothing differentiates, on quads: norms, SwiGLU, QK norm and rotation in the
 * kernels of the products that they stand beside (tensor/ops/normed-product.ts), five dispatches a layer instead of eight.
 */
import type { Tensor } from '../tensor/graph.ts';
import { HEAD_OF_BLOCK, normedFits } from '../tensor/kernels/matmul.ts';
import { normedGate, normedHeads } from '../tensor/ops/normed-product.ts';
import { type FusedStack, fanIn, mix, ones, quiet, rotation } from './layers.ts';

export const normedProducts: FusedStack = (scope, layers, x, shape) => {
  const { d, hidden, heads, kvHeads, dim, depth } = shape;
  const rows = x.size / d;
  const width = (heads + 2 * kvHeads) * dim;
  const { conditions } = scope.graph;
  if (dim !== HEAD_OF_BLOCK || !normedFits(conditions, [rows, width, d], 'heads')) return null;
  if (!normedFits(conditions, [rows, 2 * hidden, d], 'gated')) return null;
  return layers.reduce((before, { name, view }) => {
    const gain = (part: string, n: number): Tensor => scope.get(`${name}.${part}.g`, [n], ones, false);
    const matrix = (part: string, n: number): Tensor => scope.get(`${name}.${part}.w`, [d, n], fanIn(d));
    const { table, position: at } = rotation(view);
    const turn = { gainQ: gain('q', dim), gainK: gain('k', dim), table, shape, at };
    const turned = normedHeads(before, gain('norm1', d), matrix('qkv', width), turn);
    const mixed = mix(name, turned, shape, view);
    const out = { residual: before, init: fanIn(heads * dim, quiet(depth)) };
    const between = scope.project(`${name}.out`, mixed, d, out);
    const gated = normedGate(between, gain('norm2', d), matrix('gu', 2 * hidden));
    const down = { residual: between, init: fanIn(hidden, quiet(depth)) };
    return scope.graph.reshape(scope.project(`${name}.down`, gated, d, down), x.shape);
  }, x);
};
