/**
 * Layers of the transformer that all models here share: pre-norm attention (space, time, causal, or one step over a
 * ring) and SwiGLU, both with residual connections. Formulas: dreamer4 section 3.
 */
import type { Graph, Tensor } from '../tensor/graph.ts';
import {
  attention,
  type Heads,
  qkRope,
  type Ring,
  type RowPosition,
  ringAttention,
  type SequenceLayout,
} from '../tensor/ops/attention.ts';
import { linear } from '../tensor/ops/matmul.ts';
import { rmsNorm } from '../tensor/ops/norm.ts';
import { swiglu } from '../tensor/ops/pointwise.ts';
import type { Init, ParamStore, Slab } from './params.ts';

/** Where a model finds its parameters while it is traced. `slab` 'average' = exponential moving average weights. */
export class Scope {
  readonly graph: Graph;
  readonly params: ParamStore;
  readonly slab: Slab;
  private readonly cache = new Map<string, Tensor>();

  constructor(graph: Graph, params: ParamStore, slab: Slab = 'value') {
    this.graph = graph;
    this.params = params;
    this.slab = slab;
  }

  get(name: string, shape: readonly number[], init: Init, decay?: boolean): Tensor {
    let t = this.cache.get(name);
    if (!t) {
      this.params.declare(name, shape, init, decay);
      t = this.params.tensor(this.graph, name, this.slab);
      this.cache.set(name, t);
    }
    return t;
  }

  /** Every parameter touched so far, in order of first use. */
  used(): [string, Tensor][] {
    return [...this.cache.entries()];
  }
}

export const normal = (std: number): Init => ({ kind: 'normal', std });
/**
 * Weights that keep the scale of a normalised input of n channels. The usual 0.02 is this for n = 2500; the models here
 * have 32 to 512 channels and start many times too quiet with it.
 */
export const fanIn = (n: number, factor = 1): Init => normal(factor / Math.sqrt(n));
export const zeros: Init = { kind: 'zeros' };
export const ones: Init = { kind: 'ones' };

/** x [.., in] -> [.., out]. */
export function dense(scope: Scope, name: string, x: Tensor, out: number, bias = false, init?: Init): Tensor {
  const width = x.shape[x.shape.length - 1];
  const w = scope.get(`${name}.w`, [width, out], init ?? fanIn(width));
  return linear(x, w, bias ? { bias: scope.get(`${name}.b`, [out], zeros, false) } : {});
}

export function norm(scope: Scope, name: string, x: Tensor): Tensor {
  return rmsNorm(x, scope.get(`${name}.g`, [x.shape[x.shape.length - 1]], ones, false));
}

/** How the rows of an attention layer see each other. */
export type View =
  | { kind: 'sequence'; layout: SequenceLayout; mask: Tensor; table: Tensor; position: RowPosition }
  | { kind: 'ring'; ring: Ring; write: boolean; cap: number; identity: Tensor };

export interface LayerShape extends Heads {
  d: number;
  hidden: number;
  /** Layers of the whole stack: output projections start smaller by 1/sqrt(2 layers). */
  depth: number;
}

/** x + Attention(norm x), then x + SwiGLU(norm x). x [.., D]. */
export function transformerLayer(scope: Scope, name: string, x: Tensor, shape: LayerShape, view: View): Tensor {
  const { d, heads, kvHeads, dim, hidden, depth } = shape;
  const quiet = 1 / Math.sqrt(2 * depth);
  const qkv = dense(scope, `${name}.qkv`, norm(scope, `${name}.norm1`, x), (heads + 2 * kvHeads) * dim);
  const gainQ = scope.get(`${name}.q.g`, [dim], ones, false);
  const gainK = scope.get(`${name}.k.g`, [dim], ones, false);
  let mixed: Tensor;
  if (view.kind === 'sequence') {
    const rotated = qkRope(qkv, gainQ, gainK, view.table, shape, view.position);
    mixed = attention(rotated, view.mask, view.layout, shape);
  } else {
    const normed = qkRope(qkv, gainQ, gainK, view.identity, shape, { every: 1, period: 1 });
    mixed = ringAttention(normed, view.ring, shape, view.cap, view.write);
  }
  const x1 = linear(mixed, scope.get(`${name}.out.w`, [heads * dim, d], fanIn(heads * dim, quiet)), { residual: x });
  const x1s = scope.graph.reshape(x1, x.shape);
  const gu = dense(scope, `${name}.gu`, norm(scope, `${name}.norm2`, x1s), 2 * hidden);
  const x2 = linear(swiglu(gu), scope.get(`${name}.down.w`, [hidden, d], fanIn(hidden, quiet)), { residual: x1s });
  return scope.graph.reshape(x2, x.shape);
}
