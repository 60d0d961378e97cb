/** Every differentiable operation, for checks against finite differences of its own forward pass. */

import { policyLoss } from '../lm/train/policy-loss.ts';
import { blendRows } from '../methods/dreamer4/ops.ts';
import {
  hadamard,
  headDown,
  headUp,
  type IndexShape,
  indexLoss,
  indexScores,
  quantise,
  rotate,
} from '../methods/dsa/ops.ts';
import {
  attention,
  causalLayout,
  maskBits,
  qkRope,
  ropeTable,
  spaceLayout,
  timeLayout,
} from '../tensor/ops/attention.ts';
import { embedding } from '../tensor/ops/embedding.ts';
import { patchify, pyramidDown, pyramidUp, sobel, unpatchify } from '../tensor/ops/images.ts';
import { latentAttention } from '../tensor/ops/latent-attention.ts';
import type { LatentShape } from '../tensor/ops/latent-shape.ts';
import { normaliseLoss, rowLoss, softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { linear, linearTransposed } from '../tensor/ops/matmul.ts';
import { rmsNorm } from '../tensor/ops/norm.ts';
import { add, affine, mul, sigmoid, silu, square, swiglu, tanh } from '../tensor/ops/pointwise.ts';
import { productAttention } from '../tensor/ops/product-attention.ts';
import { joinSlots, spreadSlots, takeSlots } from '../tensor/ops/slots.ts';
import { swapAxes } from '../tensor/ops/swap.ts';
import { tokenLogProbs, weightedSum } from '../tensor/ops/token-logprobs.ts';
import type { GradientCheck } from './gradient-check.ts';

const heads = { heads: 4, kvHeads: 2, dim: 8 };
const width = (4 + 4) * 8;
const frame = { width: 16, height: 8, patch: 4 };
const latent: LatentShape = { heads: 4, groups: 1, key: 12, value: 8, offset: 0, scale: 0.3 };
const grouped: LatentShape = { ...latent, groups: 2, offset: 12 };
const twice = { sequences: 2 };
/** Causal bounds [rows, 2] of two sequences of n rows. */
const causal = (n: number): Uint32Array<ArrayBuffer> =>
  Uint32Array.from({ length: 4 * n }, (_, i) => (i % 2 === 0 ? 0 : ((i >> 1) % n) + 1));
/** Causal bounds of two sequences of 9 rows, and four of each row's keys. */
const past = causal(9);
const picked = Uint32Array.from({ length: 72 }, (_, i) => {
  const [t, n] = [(i >> 2) % 9, i % 4];
  if (n > t) return 0xffffffff;
  return t < 4 || n === 0 ? n : t - 3 + n;
});
/** The loss of an indexer of two heads of 8 against a constant target, over two sequences. */
const indexer = (rows: number, listed: boolean, extra: Partial<IndexShape> = {}): GradientCheck => {
  const s = { heads: 2, dim: 8, sequences: 2, ...extra };
  const n = rows / 2;
  const inputs = { q: [rows, 2, 8], w: [rows, 2], k: [2, n, 8] };
  // Two keys of every row: its own and the first; rows 0 have one.
  const list = Uint32Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? 0 : (i >> 1) % n || 0xffffffff));
  const width = listed ? 2 : n;
  const seen = (i: number): boolean => (listed ? list[i] !== 0xffffffff : i % n <= Math.floor(i / n) % n);
  const share = (row: number): number => (listed ? (row % n === 0 ? 1 : 2) : (row % n) + 1);
  const p = Float32Array.from({ length: rows * width }, (_, i) => (seen(i) ? 1 / share(Math.floor(i / width)) : 0));
  return {
    inputs,
    constants: { bounds: causal(n), list, p },
    // Scores have kinks where a product is zero.
    eps: 2e-3,
    build: (g, { q, w, k }, { bounds, list: keys, p: target }) => {
      const scores = indexScores(q, w, k, bounds, s);
      const slots = { bounds, ...(listed ? { chosen: g.reshape(keys, [rows, 2]) } : {}) };
      return indexLoss({ q, w, k, scores }, g.reshape(target, [rows, width]), slots, s);
    },
  };
};
const ids = new Uint32Array([3, 1, 4, 1, 5, 0, 2, 5]);
/** Rows 1, 3 and 4 choose no token. */
const some = ids.map((id, i) => (i === 1 || i === 3 || i === 4 ? 0xffffffff : id));

export const GRADIENTS: Record<string, GradientCheck> = {
  affine: { inputs: { x: [5, 3] }, build: (_, { x }) => affine(x, 1.7, 0.3) },
  tanh: { inputs: { x: [5, 3] }, build: (_, { x }) => tanh(x) },
  sigmoid: { inputs: { x: [5, 3] }, build: (_, { x }) => sigmoid(x) },
  silu: { inputs: { x: [5, 3] }, build: (_, { x }) => silu(x) },
  square: { inputs: { x: [5, 3] }, build: (_, { x }) => square(x) },
  'add a row': { inputs: { a: [6, 8], b: [8] }, build: (_, { a, b }) => add(a, b, 1, 2) },
  mul: { inputs: { a: [6, 8], b: [6, 8] }, build: (_, { a, b }) => mul(a, b) },
  swiglu: { inputs: { gu: [7, 24] }, build: (_, { gu }) => swiglu(gu) },
  rmsnorm: { inputs: { x: [9, 20], g: [20] }, build: (_, { x, g }) => rmsNorm(x, g) },
  'linear, bias, residual': {
    inputs: { x: [7, 12], w: [12, 20], b: [20], r: [7, 20] },
    build: (_, { x, w, b, r }) => linear(x, w, { bias: b, residual: r }),
  },
  'linear transposed': { inputs: { x: [7, 12], w: [20, 12] }, build: (_, { x, w }) => linearTransposed(x, w) },
  'join slots': {
    inputs: { a: [3, 2, 8], t: [3, 8], b: [3, 1, 8] },
    build: (_, { a, t, b }) => joinSlots([a, t, b], 3, 8),
  },
  'take slots': { inputs: { x: [3, 5, 8] }, build: (_, { x }) => takeSlots(x, 1, 3) },
  'spread slots': { inputs: { x: [3, 8] }, build: (_, { x }) => spreadSlots(x, 5) },
  'swap axes': { inputs: { x: [2, 3, 5, 12] }, build: (_, { x }) => swapAxes(x, 4, 8) },
  'blend rows': {
    inputs: { x: [6, 8], v: [8] },
    constants: { keep: new Float32Array([1, 0, 0, 1, 1, 0]) },
    build: (_, { x, v }, { keep }) => blendRows(x, keep, v),
  },
  'qk norm and rope': {
    inputs: { qkv: [6, width], q: [8], k: [8] },
    constants: { table: ropeTable(3, 8) },
    build: (g, { qkv, q, k }, { table }) => qkRope(qkv, q, k, g.reshape(table, [3, 8]), heads, { every: 2, period: 3 }),
  },
  'space attention': {
    inputs: { qkv: [2 * 11, width] },
    constants: { mask: maskBits(11, (q, k) => q >= 6 || k < 6) },
    build: (_, { qkv }, { mask }) => attention(qkv, mask, spaceLayout(2, 11, 5), heads),
  },
  'time attention': {
    inputs: { qkv: [2 * 13 * 3, width] },
    constants: { mask: new Uint32Array([0, 4]) },
    build: (_, { qkv }, { mask }) => attention(qkv, mask, timeLayout(2, 13, 3, 5, 0), heads),
  },
  'causal attention with an image row': {
    inputs: { qkv: [2 * 9, width] },
    constants: { mask: new Uint32Array([0xffffffff, 0]) },
    build: (_, { qkv }, { mask }) => attention(qkv, mask, causalLayout(2, 9, 9, 50), heads),
  },
  'latent attention, dense': {
    inputs: { q: [18, 4, 12], kv: [2, 9, 12] },
    constants: { past },
    build: (_, { q, kv }, { past: bounds }) => latentAttention(q, kv, latent, { ...twice, view: { bounds } }).out,
  },
  'latent attention, gathered keys in groups': {
    inputs: { q: [18, 4, 12], kv: [2, 9, 2, 20] },
    constants: { past, picked },
    build: (g, { q, kv }, { past: bounds, picked: list }) => {
      const choice = { kind: 'gather', chosen: g.reshape(list, [18, 4]) } as const;
      return latentAttention(q, kv, grouped, { ...twice, view: { bounds, choice } }).out;
    },
  },
  'latent attention by products': {
    inputs: { q: [32, 4, 12], kv: [2, 16, 12] },
    constants: { bounds: causal(16) },
    build: (g, { q, kv }, { bounds }) =>
      productAttention(q, kv, latent, { ...twice, causal: true, bounds: g.reshape(bounds, [32, 2]) }).out,
  },
  'index loss': indexer(14, false),
  'index loss of listed keys': indexer(18, true),
  'index loss by products': indexer(32, false, { causal: true }),
  // The derivative goes straight through, as if it changed nothing.
  ...Object.fromEntries(
    (['e4m3', 'i8'] as const).map((quant): [string, GradientCheck] => [
      `quantise, ${quant}`,
      {
        inputs: { x: [5, 16] },
        build: (_, { x }) => quantise(x, 16, quant).values,
        through: (_, { x }) => affine(x, 1, 0),
      },
    ]),
  ),
  'rotation, half-split': {
    inputs: { x: [5, 2, 16] },
    constants: { table: ropeTable(5, 8) },
    build: (_, { x }, { table }) => rotate(x, table, { heads: 2, dim: 16, half: true }),
  },
  hadamard: { inputs: { x: [5, 16] }, build: (_, { x }) => hadamard(x, 16) },
  'head matmul up': { inputs: { x: [5, 3, 8], w: [8, 12] }, build: (_, { x, w }) => headUp(x, w, 3) },
  'head matmul down': { inputs: { x: [5, 3, 4], w: [8, 12] }, build: (_, { x, w }) => headDown(x, w, 3) },
  embedding: {
    inputs: { table: [6, 8] },
    constants: { ids },
    build: (_, { table }, { ids: t }) => embedding(t, table),
  },
  'softmax cross-entropy': {
    inputs: { x: [8, 6] },
    constants: { ids },
    build: (_, { x }, { ids: t }) => softmaxCrossEntropy(x, t),
  },
  'log-probabilities of tokens': {
    inputs: { x: [8, 6] },
    constants: { some },
    build: (_, { x }, { some: t }) => tokenLogProbs(x, t).logProbs,
  },
  // As the small LLaDA learns: tokens that were not masked choose nothing, the others weigh 1 / p of their row.
  'masked loss': {
    inputs: { x: [8, 6] },
    constants: { some, w: new Float32Array([2.5, 0, 2.5, 0, 0, 1.25, 1.25, 1.25]) },
    build: (_, { x }, { some: t, w }) => weightedSum(tokenLogProbs(x, t).logProbs, w, -1),
  },
  // Ratios above, below and between the bounds, advantages of both signs; the bounds themselves have no derivative.
  'policy loss': {
    inputs: { x: [6] },
    scale: 0.1,
    constants: {
      old: new Float32Array([-0.6, -0.6, 0.6, 0.6, 0, 0]),
      ref: new Float32Array([0.1, -0.3, 0.2, 0.4, -0.5, 0.3]),
      gain: new Float32Array([1, -1, 1, -1, 0.7, -0.7]),
      w: new Float32Array([0.1, 0.2, 0.3, 0.1, 0.2, 0.1]),
    },
    build: (_, { x }, { old, ref, gain, w }) =>
      policyLoss({ logProbs: x, old, reference: ref, advantages: gain, weights: w }, { low: 0.3, high: 0.3, beta: 0.5 })
        .loss,
  },
  // The factor is a constant to the derivative; beside such a mean square the loss moves it by less than 0.1 %.
  'normalise loss': {
    inputs: { x: [1] },
    constants: { state: new Float32Array([100, 50]) },
    build: (_, { x }, { state }) => normaliseLoss(x, state, 2),
  },
  'squared loss': {
    inputs: { p: [6, 10] },
    constants: { t: new Float32Array(60).fill(0.3), w: new Float32Array([1, 2, 0, 1, 3, 1]) },
    build: (_, { p }, { t, w }) => rowLoss('squared', p, t, w)[0],
  },
  'absolute loss': {
    inputs: { p: [6, 10] },
    constants: { t: new Float32Array(60).fill(0.3), w: new Float32Array([1, 2, 0, 1, 3, 1]) },
    eps: 1e-3,
    build: (_, { p }, { t, w }) => rowLoss('absolute', p, t, w)[0],
  },
  patchify: { inputs: { x: [2, 8, 16, 3] }, build: (_, { x }) => patchify(x, frame) },
  unpatchify: { inputs: { x: [2, 8, 48] }, build: (_, { x }) => unpatchify(x, frame) },
  'pyramid down': { inputs: { x: [2, 8, 12, 3] }, build: (_, { x }) => pyramidDown(x) },
  'pyramid up': { inputs: { x: [2, 4, 6, 3] }, build: (_, { x }) => pyramidUp(x) },
  sobel: { inputs: { x: [2, 5, 6, 3] }, build: (_, { x }) => sobel(x) },
};
