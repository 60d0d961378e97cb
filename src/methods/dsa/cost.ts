/**
 * What a token costs by its position (dsa.md section 7): one layer's attention with random contents, dense against sparse,
 * for decoding (one query) and prefill (a chunk of queries). Dense decoding is attention over latents split over the keys,
 * dense prefill the MHA form; sparse is codes -> scores -> top-k -> gather. Runs alternate in one process; medians.
 */
import type { Gpu } from '../../gpu/device.ts';
import { normals } from '../../nn/params.ts';
import type { Graph, Tensor } from '../../tensor/graph.ts';
import { latentAttention, latentWidth } from '../../tensor/ops/latent-attention.ts';
import { topK } from '../../tensor/ops/topk.ts';
import { compile, type Program } from '../../tensor/program.ts';
import type { DsaShape } from './config.ts';
import type { ResultTable } from './eval.ts';
import { mhaShape, mqaShape } from './model.ts';
import { indexScoresOfCodes } from './ops.ts';

/** Queries of a prefill chunk. */
const CHUNK = 64;
/** Keys that one invocation of split attention takes at most. */
const STRETCH = 256;

export interface CostPoint {
  position: number;
  /** Milliseconds per token. */
  dense: number;
  sparse: number;
  scores: number;
  select: number;
  attend: number;
}

interface Parts {
  dense: Program;
  scores: Program;
  select: Program;
  attend: Program;
}

const fill = (n: number, salt: number): Float32Array<ArrayBuffer> => {
  // Ten thousand normal numbers, again and again: contents do not change the work.
  const some = normals(salt, 11, Math.min(n, 9973));
  return Float32Array.from({ length: n }, (_, i) => some[i % some.length]);
};
const words = (n: number, salt: number): Uint32Array<ArrayBuffer> => {
  const some = fill(Math.min(n, 9973), salt);
  // Codes below 0x70: no NaN.
  const code = (i: number): number => Math.floor(Math.abs(some[i % some.length]) * 28) % 0x70;
  return Uint32Array.from(
    { length: n },
    (_, i) => code(i) | (code(i + 3) << 8) | (code(i + 5) << 16) | (code(i + 7) << 24),
  );
};

const input = (
  g: Graph,
  name: string,
  shape: readonly number[],
  data: () => Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
): Tensor => g.table(name, shape, data);

/** Programs of one position. `queries` 1: decoding, MQA over latents; more: prefill, dense in MHA form. */
function partsAt(gpu: Gpu, s: DsaShape, length: number, queries: number, k: number): Parts {
  const bounds = (g: Graph): Tensor =>
    input(g, 'bounds', [queries, 2], () =>
      Uint32Array.from({ length: 2 * queries }, (_, i) => (i % 2 === 0 ? 0 : length - queries + (i >> 1) + 1)),
    );
  const dense = queries === 1 ? mqaShape(s) : mhaShape(s);
  const sparse = mqaShape(s);
  const { indexHeads: heads, indexDim: dim } = s;
  const scoresInput = (g: Graph): Tensor => input(g, 'scores', [queries, length], () => fill(queries * length, 5));
  const output = (g: Graph, t: Tensor): void => g.output('out', t);
  return {
    dense: compile(gpu, (g) => {
      const q = input(g, 'q', [queries, s.heads, dense.key], () => fill(queries * s.heads * dense.key, 1));
      const row = dense.groups * latentWidth(dense);
      const kv = input(g, 'kv', [1, length, row], () => fill(length * row, 2));
      const splits = queries === 1 ? Math.max(1, Math.ceil(length / STRETCH)) : 1;
      output(g, latentAttention(q, kv, dense, { sequences: 1, view: { bounds: bounds(g), splits } }).out);
    }),
    scores: compile(gpu, (g) => {
      const quarter = dim / 4;
      const q = input(g, 'q', [queries, heads, dim], () => fill(queries * heads * dim, 3));
      const keys = {
        codes: input(g, 'codes', [length, quarter], () => words(length * quarter, 3)),
        scales: input(g, 'scales', [length], () => fill(length, 4).map(Math.abs)),
      };
      const w = input(g, 'w', [queries, heads], () => fill(queries * heads, 6));
      const shape = { heads, dim, sequences: 1 };
      output(g, indexScoresOfCodes(q, w, keys, bounds(g), shape, 'e4m3'));
    }),
    select: compile(gpu, (g) => output(g, topK(scoresInput(g), bounds(g), k))),
    attend: compile(gpu, (g) => {
      const q = input(g, 'q', [queries, s.heads, sparse.key], () => fill(queries * s.heads * sparse.key, 1));
      const row = latentWidth(sparse);
      const kv = input(g, 'kv', [1, length, row], () => fill(length * row, 2));
      const chosen = input(g, 'chosen', [queries, k], () =>
        Uint32Array.from({ length: queries * k }, (_, i) => Math.floor(((i % k) * (length - queries)) / k)),
      );
      const view = { bounds: bounds(g), choice: { kind: 'gather', chosen } as const };
      output(g, latentAttention(q, kv, sparse, { sequences: 1, view }).out);
    }),
  };
}

/** Milliseconds of one run, measured over `times` in one submission. */
async function timed(gpu: Gpu, program: Program, times: number): Promise<number> {
  const start = performance.now();
  program.run({}, times);
  await program.settle();
  await gpu.device.queue.onSubmittedWorkDone();
  return (performance.now() - start) / times;
}

const median = (x: number[]): number => [...x].sort((a, b) => a - b)[x.length >> 1];

/** Cost at one position: every part in turn, `rounds` times, and the medians. */
export async function costAt(
  gpu: Gpu,
  s: DsaShape,
  position: number,
  phase: 'decode' | 'prefill',
  k: number,
  rounds = 5,
): Promise<CostPoint> {
  const queries = phase === 'decode' ? 1 : Math.min(CHUNK, position);
  const parts = partsAt(gpu, s, position, queries, Math.min(k, position));
  const names = ['dense', 'scores', 'select', 'attend'] as const;
  const ms: Record<(typeof names)[number], number[]> = { dense: [], scores: [], select: [], attend: [] };
  const times: Record<string, number> = {};
  for (const name of names) {
    // The first run compiles; the second says how many make a measurement of some milliseconds.
    await timed(gpu, parts[name], 1);
    times[name] = Math.max(1, Math.min(32, Math.ceil(8 / (await timed(gpu, parts[name], 1)))));
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of names) ms[name].push(await timed(gpu, parts[name], times[name]));
  }
  for (const name of names) parts[name].dispose();
  const each = (name: (typeof names)[number]): number => median(ms[name]) / queries;
  const [scores, select, attend] = [each('scores'), each('select'), each('attend')];
  return { position, dense: each('dense'), sparse: scores + select + attend, scores, select, attend };
}

/** First position from which sparse is cheaper at all later ones, between points by straight lines; null if never. */
export function measuredBreakEven(points: readonly CostPoint[]): number | null {
  const gain = points.map((p) => p.dense - p.sparse);
  let first = points.length;
  while (first > 0 && gain[first - 1] > 0) first -= 1;
  if (first === points.length) return null;
  if (first === 0) return points[0].position;
  const [a, b] = [points[first - 1], points[first]];
  return a.position + ((b.position - a.position) * -gain[first - 1]) / (gain[first] - gain[first - 1]);
}

export function costTable(name: string, points: readonly CostPoint[]): ResultTable {
  const round = (x: number): number => Number(x.toPrecision(4));
  return {
    name,
    columns: ['position', 'dense ms/token', 'sparse ms/token', 'indexer', 'top-k', 'attention', 'dense / sparse'],
    rows: points.map((p) => [
      p.position,
      ...[p.dense, p.sparse, p.scores, p.select, p.attend, p.dense / p.sparse].map(round),
    ]),
  };
}

/** Both curves over doubling positions. Dense prefill stops where its keys and values no longer fit one binding. */
export async function costCurves(
  gpu: Gpu,
  s: DsaShape,
  options: { k: number; from: number; decodeTo: number; prefillTo: number; progress?: (text: string) => void },
): Promise<{ tables: ResultTable[]; metrics: Record<string, number> }> {
  const tables: ResultTable[] = [];
  const metrics: Record<string, number> = {};
  const limit = gpu.device.limits.maxStorageBufferBindingSize;
  for (const phase of ['prefill', 'decode'] as const) {
    const points: CostPoint[] = [];
    const rowBytes = 4 * (phase === 'prefill' ? s.heads * latentWidth(mhaShape(s)) : latentWidth(mqaShape(s)));
    for (let at = options.from; at <= (phase === 'decode' ? options.decodeTo : options.prefillTo); at *= 2) {
      if (at * rowBytes > limit) break;
      const point = await costAt(gpu, s, at, phase, options.k);
      points.push(point);
      options.progress?.(
        `${phase} at ${at}: dense ${point.dense.toPrecision(3)} ms, sparse ${point.sparse.toPrecision(3)} ms a token`,
      );
    }
    if (points.length === 0) continue;
    const title = phase === 'decode' ? 'Decode' : 'Prefill';
    tables.push(costTable(`cost${title}`, points));
    const last = points[points.length - 1];
    metrics[`position${title}`] = last.position;
    metrics[`speedup${title}`] = last.dense / last.sparse;
    const even = measuredBreakEven(points);
    if (even !== null) metrics[`breakEven${title}`] = Math.round(even);
  }
  return { tables, metrics };
}
