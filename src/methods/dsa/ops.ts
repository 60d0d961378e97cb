/**
 * Operations of DeepSeek Sparse Attention over its own kernels (dsa.md sections 1.2-1.5, 2.4): rotation, Hadamard transform,
 * 8-bit codes with block scales, all of them in one for decoding, lightning indexer, per-head products, and the indexer's loss
 * with its derivative.
 */

import hadamardLink from '../../../shaders/methods/dsa/hadamard.wgsl?link';
import headLink from '../../../shaders/methods/dsa/head_matmul.wgsl?link';
import backwardKeyLink from '../../../shaders/methods/dsa/index_backward_key.wgsl?link';
import backwardQueryLink from '../../../shaders/methods/dsa/index_backward_query.wgsl?link';
import keyLink from '../../../shaders/methods/dsa/index_key.wgsl?link';
import keysLink from '../../../shaders/methods/dsa/index_keys.wgsl?link';
import klLink from '../../../shaders/methods/dsa/index_kl.wgsl?link';
import productsLink from '../../../shaders/methods/dsa/index_products.wgsl?link';
import productsBackwardLink from '../../../shaders/methods/dsa/index_products_backward.wgsl?link';
import queryLink from '../../../shaders/methods/dsa/index_query.wgsl?link';
import scoresLink from '../../../shaders/methods/dsa/index_scores.wgsl?link';
import codesLink from '../../../shaders/methods/dsa/index_scores_codes.wgsl?link';
import targetLink from '../../../shaders/methods/dsa/index_target.wgsl?link';
import targetScoresLink from '../../../shaders/methods/dsa/index_target_scores.wgsl?link';
import quantiseLink from '../../../shaders/methods/dsa/quantise.wgsl?link';
import rotateLink from '../../../shaders/methods/dsa/rotate.wgsl?link';
import type { Tensor } from '../../tensor/graph.ts';
import { type LatentShape, nothing } from '../../tensor/ops/latent-shape.ts';
import { launch } from '../../tensor/ops/launch.ts';
import { matmul } from '../../tensor/ops/matmul.ts';
import { NORM_EPS } from '../../tensor/ops/norm.ts';
import { productScores, scoresByProducts } from '../../tensor/ops/product-attention.ts';
import { meanOf } from '../../tensor/ops/reduce.ts';

/** Rotates the first `turned` channels of x [rows, heads, dim] by table [rows, turned]; `half`: pairs (i, i + turned/2). */
export function rotate(
  x: Tensor,
  table: Tensor,
  shape: { heads: number; dim: number; half: boolean },
  sign = 1,
): Tensor {
  const { heads, dim, half } = shape;
  const rows = x.size / (heads * dim);
  const turned = table.size / rows;
  if (!Number.isInteger(rows) || !Number.isInteger(turned) || turned % 2 !== 0 || turned > dim) {
    throw new Error(`rotate: [${x.shape}] and table [${table.shape}] do not fit ${heads} heads of ${dim}`);
  }
  return launch(x.graph, {
    label: 'rotate',
    link: rotateLink,
    entryPoint: 'rotate',
    inputs: [x, table],
    outputs: [x.shape],
    uniforms: [rows, heads, dim, turned, Number(half), { f: sign }],
    threads: x.size,
    flopsEach: 3,
    backward: ([dy]) => [dy && rotate(dy, table, shape, -sign), null],
  })[0];
}

/** Rows of `dim` channels (a power of two) times the orthonormal Hadamard matrix. */
export function hadamard(x: Tensor, dim: number): Tensor {
  if (dim < 2 || (dim & (dim - 1)) !== 0) throw new Error(`hadamard: ${dim} is not a power of two`);
  const rows = x.size / dim;
  return launch(x.graph, {
    label: 'hadamard',
    link: hadamardLink,
    entryPoint: 'hadamard',
    inputs: [x],
    outputs: [x.shape],
    uniforms: [rows, { f: 1 / Math.sqrt(dim) }],
    constants: { D: dim },
    threads: rows,
    flopsEach: Math.log2(dim) + 1,
    backward: ([dy]) => [dy && hadamard(dy, dim)],
  })[0];
}

export type Quant = 'f32' | 'e4m3' | 'i8';
/** As the kernels have it. */
const MODE: Readonly<Record<Quant, number>> = { f32: 0, e4m3: 1, i8: 2 };

export interface Quantised {
  /** u32 [rows, dim / 4] and f32 [rows]. */
  codes: Tensor;
  scales: Tensor;
  /** What the codes stand for, of x's shape; the derivative goes straight through. */
  values: Tensor;
}

export function quantise(x: Tensor, dim: number, quant: Exclude<Quant, 'f32'>): Quantised {
  if (dim % 4 !== 0) throw new Error(`quantise: ${dim} channels are no multiple of 4`);
  const rows = x.size / dim;
  const [codes, scales, values] = launch(x.graph, {
    label: 'quantise',
    link: quantiseLink,
    entryPoint: 'quantise',
    inputs: [x],
    outputs: [[rows, dim / 4], [rows], x.shape],
    uniforms: [rows, dim / 4, MODE[quant]],
    threads: rows,
    flops: 4 * x.size,
    backward: ([, , dy]) => [dy],
  });
  return { codes, scales, values };
}

/** Constant factor of the head weights. */
export const headFactor = (heads: number, dim: number): number => 1 / Math.sqrt(heads * dim);

/** What becomes of an indexer's projection. */
export interface IndexFormat {
  /** Channels of a head: a power of two, at least 16. */
  dim: number;
  hadamard: boolean;
  quant: Quant;
}

/** Size and work of the launch that finishes `vectors` vectors, as many in each of the rows of turn [rows, turned]. */
function finishing(turn: Tensor, rows: number, vectors: number, { dim, hadamard, quant }: IndexFormat) {
  const turned = turn.size / rows;
  if (dim < 16 || (dim & (dim - 1)) !== 0) throw new Error(`indexer: ${dim} channels are no power of two from 16 on`);
  if (!Number.isInteger(turned) || turned % 2 !== 0 || turned > dim) {
    throw new Error(`indexer: rotations [${turn.shape}] do not fit ${rows} rows of ${dim} channels`);
  }
  const each = 3 * turned + (hadamard ? dim * (Math.log2(dim) + 1) : 0) + (quant === 'f32' ? 0 : 4 * dim);
  return {
    pairs: turned / 2,
    spread: { f: hadamard ? 1 / Math.sqrt(dim) : 0 },
    spec: { constants: { D: dim }, threads: vectors, flops: vectors * each },
  };
}

/**
 * Rotate (half-split), hadamard and quantise in one launch, without derivative: of projections raw [rows, heads * dim] what
 * their codes stand for, [rows, heads, dim], and of weights [rows, heads] the weights of the heads with their constant factor.
 * turn [rows, turned]: (cos, sin) pairs.
 */
export function indexQueries(
  raw: Tensor,
  weights: Tensor,
  turn: Tensor,
  format: IndexFormat,
): { q: Tensor; w: Tensor } {
  const heads = weights.shape[weights.shape.length - 1];
  const rows = weights.size / heads;
  if (raw.size !== weights.size * format.dim) {
    throw new Error(`indexer: [${raw.shape}] is not ${format.dim} channels for every weight of [${weights.shape}]`);
  }
  const { pairs, spread, spec } = finishing(turn, rows, rows * heads, format);
  const [q, w] = launch(raw.graph, {
    ...spec,
    label: 'index query',
    link: queryLink,
    entryPoint: 'prepare_query',
    inputs: [turn, raw, weights],
    outputs: [[rows, heads, format.dim], weights.shape],
    uniforms: [rows, heads, pairs, MODE[format.quant], spread, { f: headFactor(heads, format.dim) }],
    flops: spec.flops + rows * heads,
  });
  return { q, w };
}

/** Keys of the indexer by sequence and position. */
export interface IndexCache {
  /** u32 [sequences, capacity, dim / 4]; of an f32 indexer the channels, f32 [sequences, capacity, dim]. */
  codes: Tensor;
  /** f32 [sequences, capacity, 1]; an f32 indexer has none. */
  scales?: Tensor;
}

/**
 * LayerNorm, rotate (half-split), hadamard, quantise and storeRows in one launch, without derivative: projections raw [rows, dim]
 * as codes into the cache at positions `at` u32 [rows]; >= capacity: not kept. What reads the cache takes the result as `after`.
 */
export function storeIndexKeys(
  raw: Tensor,
  norm: { gain: Tensor; bias: Tensor },
  turn: Tensor,
  at: Tensor,
  cache: IndexCache,
  format: IndexFormat,
): Tensor {
  const { dim, quant } = format;
  const rows = at.size;
  const [sequences, capacity] = cache.codes.shape;
  const words = quant === 'f32' ? dim : dim / 4;
  if (raw.size !== rows * dim || cache.codes.size !== sequences * capacity * words || rows % sequences !== 0) {
    throw new Error(`indexer: [${raw.shape}] at ${rows} positions does not fit the cache [${cache.codes.shape}]`);
  }
  if ((quant === 'f32') !== (cache.scales === undefined))
    throw new Error('indexer: codes have scales, f32 keys have none');
  const { pairs, spread, spec } = finishing(turn, rows, rows, format);
  return launch(raw.graph, {
    ...spec,
    label: 'index key',
    link: keyLink,
    entryPoint: 'prepare_key',
    inputs: [turn, raw, norm.gain, norm.bias, at, cache.codes, cache.scales ?? nothing(raw.graph)],
    outputs: [[1]],
    uniforms: [rows, rows / sequences, capacity, pairs, MODE[quant], spread, { f: NORM_EPS }],
    flops: spec.flops + 7 * rows * dim,
    // Of the caches only the rows.
    bytes: 4 * (turn.size + raw.size + 2 * dim + rows * (1 + words + Number(cache.scales !== undefined)) + 1),
    effect: true,
  })[0];
}

export interface IndexShape {
  heads: number;
  dim: number;
  sequences: number;
  /** Row r of a sequence sees no key after r. */
  causal?: boolean;
}

function sizes(q: Tensor, k: Tensor, s: IndexShape): { rows: number; length: number } {
  const rows = q.size / (s.heads * s.dim);
  const length = k.size / (s.sequences * s.dim);
  if (!Number.isInteger(rows / s.sequences) || !Number.isInteger(length)) {
    throw new Error(`indexer: q [${q.shape}] and k [${k.shape}] do not fit ${s.sequences} sequences`);
  }
  return { rows, length };
}

/** Whether the indexer of these rows works on products of whole matrices, as attention does there. */
const byProducts = (q: Tensor, s: IndexShape, rows: number, length: number): boolean =>
  scoresByProducts(q.graph.conditions, { ...s, queries: rows / s.sequences, length });

/** Every query and head times every key of its sequence: [sequences, per * heads, length]. */
const indexProducts = (q: Tensor, k: Tensor, s: IndexShape, rows: number, length: number): Tensor =>
  matmul(
    'nt',
    q.graph.reshape(q, [s.sequences, (rows / s.sequences) * s.heads, s.dim]),
    q.graph.reshape(k, [s.sequences, length, s.dim]),
    s.causal ? s.heads : undefined,
  );

/** One workgroup per query and 64 keys. */
const pairGrid = (rows: number, length: number): [number, number, number] => [
  Math.ceil(length / 64),
  Math.min(rows, 65535),
  Math.ceil(rows / 65535),
];

/** Index scores [rows, length] of q [rows, heads, dim], w [rows, heads], k [sequences, length, dim]; a constant. */
export function indexScores(
  q: Tensor,
  w: Tensor,
  k: Tensor,
  bounds: Tensor,
  s: IndexShape,
  after: readonly Tensor[] = [],
): Tensor {
  const { rows, length } = sizes(q, k, s);
  if (after.length === 0 && byProducts(q, s, rows, length)) {
    return launch(q.graph, {
      label: 'index scores of products',
      link: productsLink,
      entryPoint: 'of_products',
      inputs: [indexProducts(q, k, s, rows, length), w, bounds],
      outputs: [[rows, length]],
      uniforms: [rows, s.heads, length],
      threads: (rows * length) / 4,
      flops: 3 * rows * length * s.heads,
    })[0];
  }
  return launch(q.graph, {
    label: 'index scores',
    link: scoresLink,
    entryPoint: 'of_values',
    inputs: [q, w, k, bounds],
    outputs: [[rows, length]],
    uniforms: [rows, s.heads, rows / s.sequences, length],
    constants: { D4: s.dim / 4 },
    unroll: ['D4'],
    threads: rows * length,
    workgroups: pairGrid(rows, length),
    flops: 2 * rows * length * s.heads * s.dim,
    after,
  })[0];
}

/** The same with packed keys; `after` as in latentAttention. */
export function indexScoresOfCodes(
  q: Tensor,
  w: Tensor,
  k: { codes: Tensor; scales: Tensor },
  bounds: Tensor,
  s: IndexShape,
  quant: Exclude<Quant, 'f32'>,
  after: readonly Tensor[] = [],
): Tensor {
  const rows = q.size / (s.heads * s.dim);
  const length = (k.codes.size * 4) / (s.sequences * s.dim);
  if (s.dim % 16 !== 0) throw new Error(`indexScoresOfCodes: ${s.dim} channels are no multiple of 16`);
  const mode = MODE[quant];
  // Not over a cache that is being filled: products take all of its places, this kernel those within the bounds.
  if (after.length === 0 && byProducts(q, s, rows, length)) {
    const [values] = launch(q.graph, {
      label: 'index keys',
      link: keysLink,
      entryPoint: 'unpack',
      inputs: [k.codes, k.scales],
      outputs: [[s.sequences, length, s.dim]],
      uniforms: [s.sequences * length, s.dim / 4, mode],
      threads: k.codes.size,
      flops: 4 * k.codes.size,
    });
    return indexScores(q, w, values, bounds, s);
  }
  return launch(w.graph, {
    label: 'index scores of codes',
    link: codesLink,
    entryPoint: 'of_codes',
    inputs: [q, w, k.codes, k.scales, bounds],
    outputs: [[rows, length]],
    uniforms: [rows, s.heads, rows / s.sequences, length, mode],
    constants: { D16: s.dim / 16 },
    unroll: ['D16'],
    threads: rows * length,
    workgroups: pairGrid(rows, length),
    flops: 2 * rows * length * s.heads * s.dim,
    after,
  })[0];
}

interface HeadShape {
  rows: number;
  heads: number;
  /** Rows of the matrix, and its columns for one head. */
  k: number;
  n: number;
}

function headProduct(form: 'up' | 'down' | 'weight', a: Tensor, b: Tensor, s: HeadShape): Tensor {
  const { rows, heads, k, n } = s;
  const shape = { up: [rows, heads, n], down: [rows, heads, k], weight: [k, heads * n] }[form];
  return launch(a.graph, {
    label: 'head matmul',
    link: headLink,
    entryPoint: form,
    inputs: [a, b],
    outputs: [shape],
    uniforms: [rows, heads, k, n],
    threads: shape.reduce((x, y) => x * y, 1),
    flops: 2 * rows * heads * k * n,
    backward: ([d]) => {
      if (!d || form === 'weight') return [];
      return form === 'up'
        ? [headProduct('down', d, b, s), headProduct('weight', a, d, s)]
        : [headProduct('up', d, b, s), headProduct('weight', d, a, s)];
    },
  })[0];
}

/** x [rows, heads, k] times the head's columns of w [k, heads * n]: [rows, heads, n]. */
export function headUp(x: Tensor, w: Tensor, heads: number): Tensor {
  const [k, columns] = w.shape;
  return headProduct('up', x, w, { rows: x.size / (heads * k), heads, k, n: columns / heads });
}

/** y [rows, heads, n] times the transpose of the head's columns of w [k, heads * n]: [rows, heads, k]. */
export function headDown(y: Tensor, w: Tensor, heads: number): Tensor {
  const [k, columns] = w.shape;
  return headProduct('down', y, w, { rows: y.size / columns, heads, k, n: columns / heads });
}

/** Slots of a row: all `length` columns, or the keys of a list [rows, k]. */
export interface Slots {
  bounds: Tensor;
  chosen?: Tensor;
}

/** Mean over heads of the main attention's probability of every slot: [rows, slots]. A constant. */
export function indexTarget(
  q: Tensor,
  kv: Tensor,
  lse: Tensor,
  shape: LatentShape,
  slots: Slots,
  at: { sequences: number; length: number; causal?: boolean },
): Tensor {
  const rows = lse.size / shape.heads;
  const count = slots.chosen ? slots.chosen.size / rows : at.length;
  const { sequences, length } = at;
  const queries = rows / sequences;
  if (!slots.chosen && scoresByProducts(q.graph.conditions, { sequences, heads: shape.heads, queries, length })) {
    return launch(q.graph, {
      label: 'index target of scores',
      link: targetScoresLink,
      entryPoint: 'mean_probability',
      inputs: [productScores(q, kv, shape, sequences, at.causal ?? false), lse, slots.bounds],
      outputs: [[rows, length]],
      uniforms: [rows, queries, length, shape.heads, shape.groups, { f: shape.scale }],
      threads: (rows * length) / 4,
      flops: 4 * rows * length * shape.heads,
    })[0];
  }
  return launch(q.graph, {
    label: 'index target',
    link: targetLink,
    entryPoint: 'mean_probability',
    inputs: [q, kv, lse, slots.bounds, slots.chosen ?? nothing(q.graph)],
    outputs: [[rows, count]],
    uniforms: [
      ...[rows, shape.heads, shape.groups, rows / at.sequences, at.length, count, Number(slots.chosen !== undefined)],
      shape.offset,
      { f: shape.scale },
    ],
    constants: { DK4: shape.key / 4, DV4: shape.value / 4 },
    unroll: ['DK4'],
    threads: rows * count,
    flops: 2 * rows * count * shape.heads * shape.key,
  })[0];
}

/**
 * Mean over rows of KL(p || softmax(I)) over the slots. p and the scores I = indexScores(q, w, k) are constants here: the
 * derivative goes to q, w and k, that is to the indexer and to nothing else.
 */
export function indexLoss(
  indexer: { q: Tensor; w: Tensor; k: Tensor; scores: Tensor },
  p: Tensor,
  slots: Slots,
  s: IndexShape,
): Tensor {
  const { q, w, k, scores } = indexer;
  const { graph } = q;
  const { rows, length } = sizes(q, k, s);
  const count = p.size / rows;
  const listed = Number(slots.chosen !== undefined);
  const chosen = slots.chosen ?? nothing(graph);
  const [losses, slope] = launch(graph, {
    label: 'index kl',
    link: klLink,
    entryPoint: 'divergence',
    inputs: [p, scores, slots.bounds, chosen],
    outputs: [[rows], [rows, count]],
    uniforms: [rows, length, count, listed, { f: 1 / rows }],
    threads: rows,
    flops: 8 * rows * count,
  });
  const spec = {
    label: 'index backward',
    uniforms: [rows, s.heads, rows / s.sequences, length, count, listed],
    constants: { D4: s.dim / 4 },
    unroll: ['D4'],
    flops: 4 * rows * count * s.heads * s.dim,
  };
  return meanOf(losses, [q, w, k], (upstream) => {
    if (!slots.chosen && byProducts(q, s, rows, length)) {
      const z = indexProducts(q, k, s, rows, length);
      const [dz, dw] = launch(graph, {
        label: 'index products backward',
        link: productsBackwardLink,
        entryPoint: 'backward',
        inputs: [z, w, slope, upstream, slots.bounds],
        outputs: [z.shape, w.shape],
        uniforms: [rows, s.heads, length / 4],
        threads: rows * s.heads,
        flops: 4 * z.size,
      });
      const [queries, keys] = [q, k].map((x) => graph.reshape(x, [s.sequences, x.size / s.sequences / s.dim, s.dim]));
      const causal = s.causal ? s.heads : undefined;
      const dq = matmul('nn', dz, keys, causal);
      return [graph.reshape(dq, q.shape), dw, graph.reshape(matmul('tn', dz, queries, causal), k.shape)];
    }
    const [dq, dw] = launch(graph, {
      ...spec,
      link: backwardQueryLink,
      entryPoint: 'backward_query',
      inputs: [q, w, k, chosen, slope, upstream],
      outputs: [q.shape, w.shape],
      threads: rows * s.heads,
    });
    const [dk] = launch(graph, {
      ...spec,
      link: backwardKeyLink,
      entryPoint: 'backward_key',
      inputs: [q, w, k, chosen, slope, upstream],
      outputs: [k.shape],
      threads: s.sequences * length,
    });
    return [dq, dw, dk];
  });
}
