/**
 * Multi-head latent attention with the lightning indexer as a Mixer of the language model (dsa.md sections 1.2-1.7). One set
 * of weights serves the MHA form (keys and values expanded per head) and the MQA form (projections absorbed, attention over
 * latents). The indexer sees detached inputs: its loss reaches nothing else, and the language-model loss never reaches it.
 */

import type { Gpu } from '../../gpu/device.ts';
import { lmHidden, lmLogits, type TokenRows } from '../../lm/model.ts';
import { fanIn, type Mixer, norm, normal, ones, quiet, Scope, zeros } from '../../nn/layers.ts';
import { ParamStore } from '../../nn/params.ts';
import { Graph, type Tensor } from '../../tensor/graph.ts';
import { ropeTable } from '../../tensor/ops/attention.ts';
import { embedding } from '../../tensor/ops/embedding.ts';
import { type LatentView, latentAttention } from '../../tensor/ops/latent-attention.ts';
import type { LatentShape } from '../../tensor/ops/latent-shape.ts';
import { linear } from '../../tensor/ops/matmul.ts';
import { rmsNorm } from '../../tensor/ops/norm.ts';
import { add, affine } from '../../tensor/ops/pointwise.ts';
import { joinSlots } from '../../tensor/ops/slots.ts';
import { selectionBits, topK } from '../../tensor/ops/topk.ts';
import { type DsaConfig, type DsaShape, trunk } from './config.ts';
import type { Path } from './dispatch.ts';
import {
  hadamard,
  headDown,
  headFactor,
  headUp,
  type IndexCache,
  type IndexFormat,
  indexLoss,
  indexQueries,
  indexScores,
  indexTarget,
  quantise,
  rotate,
  storeIndexKeys,
} from './ops.ts';

/** Names of the indexer's parameters contain this. */
export const INDEX = '.index.';

/** How the keys of a query are chosen. The indexer's way is DSA; the others are its controls. */
export type Chooser = 'indexer' | 'last' | 'random' | 'oracle' | 'block';

/** Keys of a block when whole blocks are chosen: 16, or fewer so that k holds four of them. */
export const blockOf = (k: number): number => Math.min(16, Math.max(1, k >> 2));
/** Added to the score of a key that is chosen in any case. */
const PINNED = 1e4;

export interface AttentionPlan {
  path: Path;
  chooser: Chooser;
  k: number;
  /** The indexer's loss, over all keys (dense attention) or over the chosen ones. */
  learn: boolean;
  /** Also compare with dense attention: mass recall and the oracle's choice. */
  watch: boolean;
}

export const DENSE: AttentionPlan = { path: 'dense', chooser: 'indexer', k: 0, learn: false, watch: false };

/** What the layers leave behind, in order. */
export interface Taps {
  /** If asked for: dense attention, index scores [rows, length] each, the indexer's vectors, and what a sparse layer reads. */
  probes?: LayerTap[];
  losses: Tensor[];
  /** [rows, k] each: chosen keys and those of the largest dense attention, with their shares of it. */
  watched: { chosen: Tensor; mass: Tensor; oracle: Tensor; best: Tensor }[];
}

export interface LayerTap {
  p: Tensor;
  scores: Tensor;
  vectors: IndexVectors;
  /** Sparse attention: chosen keys and the mean attention over heads that they get, [rows, k] each. */
  sparse?: { chosen: Tensor; share: Tensor };
}

interface Rows {
  batch: number;
  time: number;
  bounds: Tensor;
}

/** Tensors side by side in every row: parts [rows, w] to [rows, sum of w]. */
function beside(rows: number, ...parts: Tensor[]): Tensor {
  const graph = parts[0].graph;
  const quads = parts.map((p) => graph.reshape(p, [rows, p.size / rows / 4, 4]));
  return graph.reshape(joinSlots(quads, rows, 4), [rows, parts.reduce((sum, p) => sum + p.size / rows, 0)]);
}

/** A copy that no derivative passes. */
const detached = (x: Tensor): Tensor => x.graph.constant(() => affine(x, 1));

interface Latents {
  /** Normed query input of the head projections: the query latent, or x itself. */
  qr: Tensor;
  /** [R, H * dN], and rotated [R, H, dR]. */
  qn: Tensor;
  qR: Tensor;
  /** Latents [R, dC] and the rotated shared key part [R, dR]. */
  c: Tensor;
  kR: Tensor;
}

/** Rotation of every row for the rotary part, [R, dR]. */
export function rotations(graph: Graph, c: DsaConfig, positions: Tensor): Tensor {
  const table = graph.table(`rotation ${c.time} ${c.dR}`, [c.time, c.dR], () => ropeTable(c.time, c.dR));
  return embedding(positions, table);
}

export function latents(scope: Scope, s: DsaShape, name: string, x: Tensor, turn: Tensor): Latents {
  const { heads, dR } = s;
  const qr = s.qLora > 0 ? norm(scope, `${name}.qa`, scope.project(`${name}.qa`, x, s.qLora)) : x;
  const init = fanIn(qr.size / (x.size / s.d), s.gain);
  const straight = scope.project(`${name}.qr`, qr, heads * dR, { init });
  const kr = scope.project(`${name}.kr`, x, dR);
  return {
    qr,
    qn: scope.project(`${name}.qn`, qr, heads * s.dN, { init }),
    qR: rotate(straight, turn, { heads, dim: dR, half: false }),
    c: norm(scope, `${name}.kv`, scope.project(`${name}.kv`, x, s.dC)),
    kR: rotate(kr, turn, { heads: 1, dim: dR, half: false }),
  };
}

/** Queries, keys and values in one of the two forms, and the way from the attention's output to [R, H * dV]. */
export interface Form {
  q: Tensor;
  kv: Tensor;
  shape: LatentShape;
  values(out: Tensor): Tensor;
}

export const mqaShape = (s: DsaShape): LatentShape => ({
  heads: s.heads,
  groups: 1,
  key: s.dC + s.dR,
  value: s.dC,
  offset: 0,
  scale: 1 / Math.sqrt(s.dN + s.dR),
});

export const mhaShape = (s: DsaShape): LatentShape => ({
  heads: s.heads,
  groups: s.heads,
  key: s.dN + s.dR,
  value: s.dV,
  offset: s.dN + s.dR,
  scale: 1 / Math.sqrt(s.dN + s.dR),
});

const upKey = (scope: Scope, s: DsaShape, name: string): Tensor =>
  scope.get(`${name}.uk.w`, [s.dC, s.heads * s.dN], fanIn(s.dC));
const upValue = (scope: Scope, s: DsaShape, name: string): Tensor =>
  scope.get(`${name}.uv.w`, [s.dC, s.heads * s.dV], fanIn(s.dC));

/** The key up-projection moves into the query, the value up-projection behind the attention. */
export function mqaForm(scope: Scope, s: DsaShape, name: string, l: Latents): Form {
  const { graph } = scope;
  const rows = l.c.size / s.dC;
  const absorbed = headDown(l.qn, upKey(scope, s, name), s.heads);
  return {
    q: beside(rows * s.heads, absorbed, l.qR),
    kv: beside(rows, l.c, l.kR),
    shape: mqaShape(s),
    values: (out) => graph.reshape(headUp(out, upValue(scope, s, name), s.heads), [rows, s.heads * s.dV]),
  };
}

/** Keys and values expanded for every head; the rotary part is repeated. */
export function mhaForm(scope: Scope, s: DsaShape, name: string, l: Latents): Form {
  const { graph } = scope;
  const rows = l.c.size / s.dC;
  const width = s.heads * s.dR;
  const repeat = graph.table(`repeat ${s.dR} ${s.heads}`, [s.dR, width], () =>
    Float32Array.from({ length: s.dR * width }, (_, i) => Number(Math.floor(i / width) === i % s.dR)),
  );
  const kn = linear(l.c, upKey(scope, s, name));
  const v = linear(l.c, upValue(scope, s, name));
  return {
    q: beside(rows * s.heads, l.qn, l.qR),
    kv: beside(rows * s.heads, kn, linear(l.kR, repeat), v),
    shape: mhaShape(s),
    values: (out) => graph.reshape(out, [rows, s.heads * s.dV]),
  };
}

/** What the indexer multiplies its inputs with: queries from MLA's query latent, keys and head weights from x. */
function indexProjections(scope: Scope, s: DsaShape, name: string, x: Tensor, qr: Tensor) {
  const { indexHeads: heads, indexDim: dim } = s;
  const init = normal(0.02);
  const at = `${name}${INDEX.slice(0, -1)}`;
  return {
    k: scope.project(`${at}.k`, x, dim, { init }),
    gain: scope.get(`${at}.k.g`, [dim], ones, false),
    bias: scope.get(`${at}.k.b`, [dim], zeros, false),
    q: scope.project(`${at}.q`, qr, heads * dim, { init }),
    w: scope.project(`${at}.w`, x, heads, { init }),
  };
}

export interface IndexVectors {
  /** [R, HI, dI], [R, HI] with all constant factors, [R, dI]; what the codes stand for. */
  q: Tensor;
  w: Tensor;
  k: Tensor;
}

/** Keys by LayerNorm, half-split rotation first, Hadamard, 8-bit codes. */
export function indexVectors(
  scope: Scope,
  s: DsaShape,
  name: string,
  x: Tensor,
  qr: Tensor,
  turn: Tensor,
): IndexVectors {
  const { graph } = scope;
  const { indexHeads: heads, indexDim: dim, quant } = s;
  const raw = indexProjections(scope, s, name, x, qr);
  // LayerNorm = RMSNorm of the centred vector, plus a bias; centring is a product with I - 1/n.
  const centre = graph.table(`centre ${dim}`, [dim, dim], () =>
    Float32Array.from({ length: dim * dim }, (_, i) => Number(i % (dim + 1) === 0) - 1 / dim),
  );
  const normed = add(rmsNorm(linear(raw.k, centre), raw.gain), raw.bias);
  const finish = (v: Tensor, heads: number): Tensor => {
    const turned = rotate(v, turn, { heads, dim, half: true });
    const spread = s.hadamard ? hadamard(turned, dim) : turned;
    return quant === 'f32' ? spread : quantise(spread, dim, quant).values;
  };
  return { q: finish(raw.q, heads), w: affine(raw.w, headFactor(heads, dim)), k: finish(normed, 1) };
}

/**
 * The same for rows that are decoded or read ahead of decoding, in five launches without derivative: queries and head weights
 * as above, keys into the cache at positions `at` u32 [R]. What reads the cache takes `stored` as `after`.
 */
export function cachedIndexVectors(
  scope: Scope,
  s: DsaShape,
  name: string,
  x: Tensor,
  qr: Tensor,
  turn: Tensor,
  at: Tensor,
  cache: IndexCache,
): { q: Tensor; w: Tensor; stored: Tensor } {
  const raw = indexProjections(scope, s, name, x, qr);
  const format: IndexFormat = { dim: s.indexDim, hadamard: s.hadamard, quant: s.quant };
  return {
    ...indexQueries(raw.q, raw.w, turn, format),
    stored: storeIndexKeys(raw.k, raw, turn, at, cache, format),
  };
}

/** MLA over whole rows [batch, time], as a plan says. */
export function dsaMixer(
  scope: Scope,
  c: DsaConfig,
  rows: TokenRows,
  at: Rows,
  plan: AttentionPlan,
  taps: Taps,
): Mixer {
  const { graph } = scope;
  const turn = rotations(graph, c, rows.positions);
  const n = at.batch * at.time;
  const index = { heads: c.indexHeads, dim: c.indexDim, sequences: at.batch, causal: true };
  const size = { sequences: at.batch, length: at.time, causal: true };
  return (_, name, x, residual) => {
    const l = latents(scope, c, name, x, turn);
    const form = plan.path === 'gather' ? mqaForm(scope, c, name, l) : mhaForm(scope, c, name, l);
    const { q, kv, shape } = form;
    const attend = (choice?: LatentView['choice']) =>
      latentAttention(q, kv, shape, { sequences: at.batch, view: { bounds: at.bounds, choice, causal: true } });
    const uses = plan.learn || (plan.path !== 'dense' && (plan.chooser === 'indexer' || plan.chooser === 'block'));
    const vectors = uses ? indexVectors(scope, c, name, detached(x), detached(l.qr), turn) : null;
    const scores = vectors
      ? graph.constant(() => indexScores(vectors.q, vectors.w, vectors.k, at.bounds, index))
      : null;
    const dense = plan.path === 'dense' || plan.watch || plan.chooser === 'oracle' ? attend() : null;
    const whole = dense && (plan.watch || plan.chooser === 'oracle' || (plan.learn && plan.path === 'dense'));
    const p = whole ? graph.constant(() => indexTarget(q, kv, dense.lse, shape, { bounds: at.bounds }, size)) : null;
    let mixed = dense;
    if (plan.path !== 'dense') {
      const by =
        plan.chooser === 'indexer'
          ? scores && pinned(c, scores, at.time)
          : plan.chooser === 'block'
            ? vectors && blockScores(graph, vectors, at, index, blockOf(plan.k))
            : plan.chooser === 'oracle'
              ? p
              : controlScores(graph, n, at.time, plan);
      if (!by) throw new Error(`${name}: nothing to choose by`);
      const chosen = topK(by, at.bounds, plan.k);
      mixed = attend(
        plan.path === 'gather' ? { kind: 'gather', chosen } : { kind: 'masked', bits: selectionBits(chosen, at.time) },
      );
      const { lse } = mixed;
      if (plan.learn && vectors && scores) {
        const slots = { bounds: at.bounds, chosen };
        const target = graph.constant(() => indexTarget(q, kv, lse, shape, slots, size));
        taps.losses.push(indexLoss({ ...vectors, scores }, target, slots, index));
        if (p) taps.probes?.push({ p, scores, vectors, sparse: { chosen, share: target } });
      }
      if (plan.watch && p && dense) {
        const oracle = topK(p, at.bounds, plan.k);
        const share = (list: Tensor): Tensor =>
          indexTarget(q, kv, dense.lse, shape, { bounds: at.bounds, chosen: list }, size);
        taps.watched.push({ chosen, mass: share(chosen), oracle, best: share(oracle) });
      }
    } else if (plan.learn && vectors && scores && p) {
      taps.probes?.push({ p, scores, vectors });
      taps.losses.push(indexLoss({ ...vectors, scores }, p, { bounds: at.bounds }, index));
    }
    if (!mixed) throw new Error(`${name}: no attention`);
    const init = fanIn(c.heads * c.dV, quiet(c.layers));
    return scope.project(`${name}.out`, form.values(mixed.out), c.d, { residual, init });
  };
}

/** Scores of the controls: the place itself (last k), or noise that is the same for all layers. */
function controlScores(graph: Graph, rows: number, time: number, plan: AttentionPlan): Tensor {
  if (plan.chooser === 'last') {
    return graph.table('places', [rows, time], () => Float32Array.from({ length: rows * time }, (_, i) => i % time));
  }
  return graph.inputs.get('noise') ?? graph.input('noise', [rows, time]);
}

/**
 * Scores [R, length] with the first and the last keys that a query sees pinned, as the configuration says (rows hold one
 * document each); the same tensor where it says none. Without `positions` row r is place r % length. `positions` u32 [R]:
 * places that only a run knows; `length` is a multiple of 4 then. A constant.
 */
export function pinned(c: DsaConfig, scores: Tensor, length: number, positions?: Tensor): Tensor {
  const { graph } = scores;
  const { pinFirst, pinLast } = c;
  if (pinFirst + pinLast === 0) return scores;
  if (positions && length % 4 !== 0)
    throw new Error(`Pinned keys: a cache of ${length} positions is no multiple of 4.`);
  const rows = positions ? length : scores.size / length;
  const bonus = graph.table(`pinned ${pinFirst} ${pinLast}`, [rows, length], () =>
    Float32Array.from({ length: rows * length }, (_, i) => {
      const [t, s] = [Math.floor(i / length) % length, i % length];
      return s < pinFirst || (s <= t && s > t - pinLast) ? PINNED : 0;
    }),
  );
  return graph.constant(() => add(scores, positions ? embedding(positions, bonus) : bonus));
}

/**
 * Scores of whole blocks by the mean of their keys, [rows, time]. The block of the query is always chosen: its mean would
 * know of later keys.
 */
function blockScores(
  graph: Graph,
  v: IndexVectors,
  at: Rows,
  index: { heads: number; dim: number; sequences: number },
  block: number,
): Tensor {
  const { time, batch } = at;
  if (time % block !== 0) throw new Error(`Rows of ${time} are not whole blocks of ${block}.`);
  const width = block * index.dim;
  // Every key becomes the mean of its block: a product of the block's channels with a matrix of 1 / block.
  const mean = graph.table(`block mean ${block} ${index.dim}`, [width, width], () =>
    Float32Array.from({ length: width * width }, (_, i) =>
      Math.floor(i / width) % index.dim === i % index.dim ? 1 / block : 0,
    ),
  );
  const own = graph.table(`own block ${block}`, [batch * time, time], () =>
    Float32Array.from({ length: batch * time * time }, (_, i) => {
      const [t, s] = [Math.floor(i / time) % time, i % time];
      return Math.floor(t / block) === Math.floor(s / block) ? PINNED : 0;
    }),
  );
  return graph.constant(() => {
    const pooled = linear(graph.reshape(v.k, [(batch * time) / block, width]), mean);
    const keys = graph.reshape(pooled, [batch * time, index.dim]);
    return add(indexScores(v.q, v.w, keys, at.bounds, index), own);
  });
}

/** A store with every parameter, those of the indexer too. */
export function dsaStore(gpu: Gpu, c: DsaConfig, seed: number, training = true): ParamStore {
  const store = new ParamStore();
  // Parameters are declared by tracing; this graph is thrown away.
  const graph = new Graph(gpu.conditions);
  const scope = new Scope(graph, store);
  const one = (name: string): Tensor => graph.input(name, [1]);
  const rows = { ids: one('ids'), positions: one('positions'), previous: one('previous') };
  const at = { batch: 1, time: 1, bounds: graph.input('bounds', [1, 2]) };
  const mixer = dsaMixer(scope, c, rows, at, { ...DENSE, learn: true }, { losses: [], watched: [] });
  lmLogits(scope, trunk(c), lmHidden(scope, trunk(c), rows, mixer));
  store.allocate(gpu, seed, training);
  return store;
}
