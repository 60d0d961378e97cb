/**
 * Layers of the transformer that all models here share: pre-norm attention (space, time, causal, or one step over a
 * ring) and SwiGLU, both with residual connections. Formulas: dreamer4 section 3.
 */
import { type Graph, sizeOf, type Tensor } from '../tensor/graph.ts';
import {
  attention,
  type Heads,
  qkRope,
  type Ring,
  type RowPosition,
  ringAttention,
  type SequenceLayout,
} from '../tensor/ops/attention.ts';
import { embedding } from '../tensor/ops/embedding.ts';
import { linear, linearTransposed } from '../tensor/ops/matmul.ts';
import { rmsNorm } from '../tensor/ops/norm.ts';
import { swiglu } from '../tensor/ops/pointwise.ts';
import type { Init, ParamStore, Slab } from './params.ts';

export interface Projection {
  bias?: boolean;
  residual?: Tensor;
  /** Default: fanIn of the input width. */
  init?: Init;
}

/** Declares a parameter and returns its place. */
export type Place = (name: string, shape: readonly number[], init: Init, decay?: boolean) => number;

/**
 * Where a model finds its parameters while it is traced. `slab` 'average' = exponential moving average weights. `fused`
 * traces stacks of layers as few kernels that have no derivative (fused-layers.ts), where it can.
 */
export class Scope {
  readonly graph: Graph;
  readonly params: ParamStore;
  readonly slab: Slab;
  readonly fused: FusedStack | null;
  private readonly cache = new Map<string, Tensor>();

  constructor(graph: Graph, params: ParamStore, slab: Slab = 'value', fused: FusedStack | null = null) {
    this.graph = graph;
    this.params = params;
    this.slab = slab;
    this.fused = fused;
  }

  /**
   * Parameters that a kernel reads through one binding: `weights` is the stretch of the buffer that holds them, `at` their places in it,
   * in elements, in the groups and by the names of `declare`. All parameters together may be more than an adapter binds at once.
   * `matrices`: the same stretch in 16 bits, if the store keeps that.
   */
  together<T extends object>(
    declare: (place: Place) => readonly T[],
  ): { weights: Tensor; matrices: Tensor | null; at: T[] } {
    let [first, end] = [Number.POSITIVE_INFINITY, 0];
    const groups = declare((name, shape, init, decay) => {
      const at = this.params.declare(name, shape, init, decay).offset / 4;
      first = Math.min(first, at);
      end = Math.max(end, at + sizeOf(shape));
      return at;
    });
    // Where bindings of 4 and of 2 bytes a number may both begin.
    first -= first % 128;
    const at = groups.map(
      (places) => Object.fromEntries(Object.entries(places).map(([name, place]) => [name, place - first])) as T,
    );
    const weights = this.params.stretch(this.graph, first, end, this.slab);
    const matrices = this.slab === 'value' ? this.params.halfStretch(this.graph, first, end) : null;
    return { weights, matrices, at };
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

  /** x [.., in] times the matrix `<name>.w`, plus `<name>.b`, plus a residual: [.., out]. */
  project(name: string, x: Tensor, out: number, options: Projection = {}): Tensor {
    const width = x.shape[x.shape.length - 1];
    const w = this.get(`${name}.w`, [width, out], options.init ?? fanIn(width));
    const bias = options.bias ? this.get(`${name}.b`, [out], zeros, false) : undefined;
    return linear(x, w, { bias, residual: options.residual });
  }

  /** Rows of the table `<name>` [vocab, D] chosen by ids: [.., D]. */
  embed(name: string, ids: Tensor, shape: [number, number], init: Init): Tensor {
    return embedding(ids, this.get(name, shape, init));
  }

  /** x [.., D] times the transpose of the table `<name>` [vocab, D]: [.., vocab]. */
  unembed(name: string, x: Tensor, shape: [number, number], init: Init): Tensor {
    return linearTransposed(x, this.get(name, shape, init));
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
  return scope.project(name, x, out, { bias, init });
}

export function norm(scope: Scope, name: string, x: Tensor): Tensor {
  return rmsNorm(x, scope.get(`${name}.g`, [x.shape[x.shape.length - 1]], ones, false));
}

/** How the rows of an attention layer see each other. */
export type View =
  | { kind: 'sequence'; layout: SequenceLayout; mask: Tensor; table: Tensor; position: RowPosition }
  | { kind: 'ring'; ring: Ring; write: boolean; cap: number; identity: Tensor }
  /**
   * Attention of the caller's own for layer `name`, so that models bring only the kernels they use. `table` holds a rotation
   * for every row, [rows, dh].
   */
  | { kind: 'own'; attend: (name: string, turned: Tensor) => Tensor; table: Tensor };

export interface LayerShape extends Heads {
  d: number;
  hidden: number;
  /** Layers of the whole stack: output projections start smaller by 1/sqrt(2 layers). */
  depth: number;
}

/**
 * What a layer does between its first norm and its first residual sum: normed rows [.., D] and the residual [.., D] to
 * residual + mixed rows. Attention of a View by default; methods put their own in.
 */
export type Mixer = (scope: Scope, name: string, normed: Tensor, residual: Tensor) => Tensor;

/** How much smaller the projections into the residual stream start. */
export const quiet = (depth: number): number => 1 / Math.sqrt(2 * depth);

/** The rotation of rows that a view asks for. */
export function rotation(view: View): { table: Tensor; position: RowPosition } {
  if (view.kind === 'sequence') return { table: view.table, position: view.position };
  if (view.kind === 'ring') return { table: view.identity, position: { every: 1, period: 1 } };
  return { table: view.table, position: { every: 1, period: view.table.shape[0] } };
}

/** Attention of packed rows that are normalised and rotated. */
export function mix(name: string, turned: Tensor, shape: LayerShape, view: View): Tensor {
  if (view.kind === 'sequence') return attention(turned, view.mask, view.layout, shape);
  if (view.kind === 'ring') return ringAttention(turned, view.ring, shape, view.cap, view.write);
  return view.attend(name, turned);
}

/** Packed projection, QK norm, rotation, attention of the view, output projection. */
export function attentionMixer(shape: LayerShape, view: View): Mixer {
  const { heads, kvHeads, dim } = shape;
  return (scope, name, normed, residual) => {
    const qkv = scope.project(`${name}.qkv`, normed, (heads + 2 * kvHeads) * dim);
    const gainQ = scope.get(`${name}.q.g`, [dim], ones, false);
    const gainK = scope.get(`${name}.k.g`, [dim], ones, false);
    const { table, position } = rotation(view);
    const mixed = mix(name, qkRope(qkv, gainQ, gainK, table, shape, position), shape, view);
    const init = fanIn(heads * dim, quiet(shape.depth));
    return scope.project(`${name}.out`, mixed, shape.d, { residual, init });
  };
}

/** Mixer(norm x), then SwiGLU(norm x), both on the residual stream. x [.., D]. */
export function residualLayer(
  scope: Scope,
  name: string,
  x: Tensor,
  shape: { d: number; hidden: number; depth: number },
  mixer: Mixer,
): Tensor {
  const x1 = scope.graph.reshape(mixer(scope, name, norm(scope, `${name}.norm1`, x), x), x.shape);
  const gu = scope.project(`${name}.gu`, norm(scope, `${name}.norm2`, x1), 2 * shape.hidden);
  const init = fanIn(shape.hidden, quiet(shape.depth));
  const x2 = scope.project(`${name}.down`, swiglu(gu), shape.d, { residual: x1, init });
  return scope.graph.reshape(x2, x.shape);
}

/** x + Attention(norm x), then x + SwiGLU(norm x). x [.., D]. */
export function transformerLayer(scope: Scope, name: string, x: Tensor, shape: LayerShape, view: View): Tensor {
  return residualLayer(scope, name, x, shape, attentionMixer(shape, view));
}

export interface StackLayer {
  name: string;
  view: View;
}

/** Layers one after the other, or null where it cannot. */
export type FusedStack = (scope: Scope, layers: readonly StackLayer[], x: Tensor, shape: LayerShape) => Tensor | null;

/** Layers one after the other. x [.., D]. */
export function transformerStack(scope: Scope, layers: readonly StackLayer[], x: Tensor, shape: LayerShape): Tensor {
  const fused = scope.fused?.(scope, layers, x, shape);
  return fused ?? layers.reduce((rows, { name, view }) => transformerLayer(scope, name, rows, shape, view), x);
}
