/**
 * What a token costs by its position (dsa.md section 7): one layer's attention with random contents, dense against sparse,
 * for decoding (one query) and prefill (a chunk of queries). Dense decoding is attention over latents split over the keys,
 * dense prefill the MHA form; sparse is the token's own indexer vectors, as codes into their cache -> scores -> top-k -> gather.
 * Left out is what both sides pay alike at any position: the latents with their cache, the queries, the up-projections (absorbed
 * or expanded: the same FLOPs a token) and the output projection. Runs alternate in one process; medians.
 */
import type { Gpu } from '../../gpu/device.ts';
import { Scope } from '../../nn/layers.ts';
import { normals, ParamStore } from '../../nn/params.ts';
import { Graph, type Tensor } from '../../tensor/graph.ts';
import { type LatentView, latentAttention } from '../../tensor/ops/latent-attention.ts';
import { latentWidth } from '../../tensor/ops/latent-shape.ts';
import { topK } from '../../tensor/ops/topk.ts';
import { compile, type Program } from '../../tensor/program.ts';
import type { DsaShape } from './config.ts';
import type { ResultTable } from './eval.ts';
import { cachedIndexVectors, mhaShape, mqaShape } from './model.ts';
import { indexScoresOfCodes } from './ops.ts';

/** Queries of a prefill chunk, and sequences that decode a token each at a time: a GPU is idle with what fills a processor. */
const WORK = { software: { chunk: 64, sequences: 1 }, gpu: { chunk: 512, sequences: 32 } };
/** Bytes of all caches of a decode measurement, unless told otherwise: sequences become fewer where caches are long. */
const CACHE_BYTES = 2 ** 28;
/** Keys that one invocation of split attention takes at most on a processor, and invocations that fill a GPU. */
const STRETCH = 256;
const LANES = 2 ** 16;

export interface CostPoint {
  position: number;
  /** Tokens of a measurement: queries of a chunk, or sequences that decode one each. */
  tokens: number;
  /** Milliseconds per token. */
  dense: number;
  /** The sum of the four parts that follow. */
  sparse: number;
  /** Indexer query, head weights and key of the token itself, codes, and their place in the cache: the same at any position. */
  prepare: number;
  scores: number;
  select: number;
  attend: number;
}

const PARTS = ['dense', 'prepare', 'scores', 'select', 'attend'] as const;
type Part = (typeof PARTS)[number];

interface Parts {
  programs: Record<Part, Program>;
  dispose(): void;
}

/** `some`, again and again: contents do not change the work. */
function repeated<T extends Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(some: T, out: T): T {
  out.set(some);
  for (let done = some.length; done < out.length; done *= 2) out.copyWithin(done, 0, Math.min(done, out.length - done));
  return out;
}
const SOME = 9973;
const fill = (n: number, salt: number): Float32Array<ArrayBuffer> =>
  repeated(normals(salt, 11, Math.min(n, SOME)), new Float32Array(n));
const words = (n: number, salt: number): Uint32Array<ArrayBuffer> => {
  const some = normals(salt, 11, SOME);
  // Codes below 0x70: no NaN.
  const code = (i: number): number => Math.floor(Math.abs(some[i % SOME]) * 28) % 0x70;
  const word = (i: number): number => code(i) | (code(i + 3) << 8) | (code(i + 5) << 16) | (code(i + 7) << 24);
  return repeated(
    Uint32Array.from({ length: Math.min(n, SOME) }, (_, i) => word(i)),
    new Uint32Array(n),
  );
};

const input = (
  g: Graph,
  name: string,
  shape: readonly number[],
  data: () => Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
): Tensor => g.table(name, shape, data);

/** Programs of one position. Decoding: `sequences` of one query, MQA over latents; prefill: one of many, dense in MHA form. */
function partsAt(gpu: Gpu, shape: DsaShape, length: number, tokens: number, decode: boolean, k: number): Parts {
  const { software } = gpu.conditions;
  const s: DsaShape = { ...shape, quant: 'e4m3' };
  const [sequences, queries] = decode ? [tokens, 1] : [1, tokens];
  const bounds = (g: Graph): Tensor =>
    input(g, 'bounds', [tokens, 2], () =>
      Uint32Array.from({ length: 2 * tokens }, (_, i) =>
        i % 2 === 0 ? 0 : length - queries + ((i >> 1) % queries) + 1,
      ),
    );
  const dense = decode ? mqaShape(s) : mhaShape(s);
  const sparse = mqaShape(s);
  const { indexHeads: heads, indexDim: dim } = s;
  const scoresInput = (g: Graph): Tensor => input(g, 'scores', [tokens, length], () => fill(tokens * length, 5));
  const output = (g: Graph, t: Tensor): void => g.output('out', t);
  /** Stretches of `keys` that different invocations take. */
  const splitsOf = (keys: number): number => {
    if (software) return decode ? Math.max(1, Math.ceil(keys / STRETCH)) : 1;
    return Math.max(1, Math.min(Math.floor(keys / 8), Math.ceil(LANES / (tokens * s.heads))));
  };
  const attention = (g: Graph, form: typeof sparse, choice: (g: Graph) => LatentView['choice'], keys: number): void => {
    const q = input(g, 'q', [tokens, s.heads, form.key], () => fill(tokens * s.heads * form.key, 1));
    const row = form.groups * latentWidth(form);
    const kv = input(g, 'kv', [sequences, length, row], () => fill(sequences * length * row, 2));
    const view = { bounds: bounds(g), choice: choice(g), splits: splitsOf(keys) };
    output(g, latentAttention(q, kv, form, { sequences, view }).out);
  };
  const store = new ParamStore();
  const [codes, scales] = [dim / 4, 1].map((words) =>
    gpu.device.createBuffer({ size: Math.max(256, 4 * sequences * length * words), usage: GPUBufferUsage.STORAGE }),
  );
  /** The indexer's vectors of the new tokens, from the layer's input and the query latent on. */
  const prepare = (g: Graph): void => {
    const x = input(g, 'x', [tokens, s.d], () => fill(tokens * s.d, 7));
    const qr = s.qLora > 0 ? input(g, 'qr', [tokens, s.qLora], () => fill(tokens * s.qLora, 8)) : x;
    const turn = input(g, 'turn', [tokens, s.dR], () => fill(tokens * s.dR, 9));
    const at = input(g, 'at', [tokens], () =>
      Uint32Array.from({ length: tokens }, (_, i) => length - queries + (i % queries)),
    );
    const cache = {
      codes: g.external('codes', [sequences, length, dim / 4], () => codes),
      scales: g.external('scales', [sequences, length, 1], () => scales),
    };
    const { q, w } = cachedIndexVectors(new Scope(g, store), s, 'layer', x, qr, turn, at, cache);
    g.output('q', q);
    g.output('w', w);
  };
  // Parameters are declared by tracing; this graph is thrown away.
  prepare(new Graph(gpu.conditions));
  store.allocate(gpu, 11, false);
  const programs: Record<Part, Program> = {
    dense: compile(gpu, (g) => attention(g, dense, () => undefined, length)),
    prepare: compile(gpu, prepare),
    scores: compile(gpu, (g) => {
      const quarter = dim / 4;
      const q = input(g, 'q', [tokens, heads, dim], () => fill(tokens * heads * dim, 3));
      const keys = {
        codes: input(g, 'codes', [sequences * length, quarter], () => words(sequences * length * quarter, 3)),
        scales: input(g, 'scales', [sequences * length], () => fill(sequences * length, 4).map(Math.abs)),
      };
      const w = input(g, 'w', [tokens, heads], () => fill(tokens * heads, 6));
      output(g, indexScoresOfCodes(q, w, keys, bounds(g), { heads, dim, sequences }, 'e4m3'));
    }),
    select: compile(gpu, (g) => output(g, topK(scoresInput(g), bounds(g), k))),
    attend: compile(gpu, (g) => {
      const chosen = (): Tensor =>
        input(g, 'chosen', [tokens, k], () =>
          Uint32Array.from({ length: tokens * k }, (_, i) => Math.floor(((i % k) * (length - queries)) / k)),
        );
      attention(g, sparse, () => ({ kind: 'gather', chosen: chosen() }), software ? 1 : k);
    }),
  };
  return {
    programs,
    dispose() {
      for (const part of PARTS) programs[part].dispose();
      for (const buffer of [codes, scales]) buffer.destroy();
      store.dispose();
    },
  };
}

/** Milliseconds of one run, measured over `times` in one submission. */
async function timed(gpu: Gpu, program: Program, times = 1): Promise<number> {
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
  { rounds = 5, cacheBytes = CACHE_BYTES } = {},
): Promise<CostPoint> {
  const work = gpu.conditions.software ? WORK.software : WORK.gpu;
  const decode = phase === 'decode';
  const limit = Math.min(cacheBytes, gpu.device.limits.maxStorageBufferBindingSize);
  const fits = Math.max(1, Math.floor(limit / (4 * position * latentWidth(mqaShape(s)))));
  const tokens = decode ? Math.min(work.sequences, fits) : Math.min(work.chunk, position);
  const { programs, dispose } = partsAt(gpu, s, position, tokens, decode, Math.min(k, position));
  try {
    const ms: Record<Part, number[]> = { dense: [], prepare: [], scores: [], select: [], attend: [] };
    const times = new Map<Part, number>();
    for (const part of PARTS) {
      // The first run compiles; the second says how many make a measurement of some milliseconds.
      await timed(gpu, programs[part]);
      times.set(part, Math.max(1, Math.min(32, Math.ceil(8 / (await timed(gpu, programs[part]))))));
    }
    for (let round = 0; round < rounds; round++) {
      for (const part of PARTS) ms[part].push(await timed(gpu, programs[part], times.get(part)));
    }
    const [dense, prepare, scores, select, attend] = PARTS.map((part) => median(ms[part]) / tokens);
    const sparse = prepare + scores + select + attend;
    return { position, tokens, dense, sparse, prepare, scores, select, attend };
  } finally {
    dispose();
  }
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
    columns: [
      'position',
      'tokens at once',
      'dense ms/token',
      'sparse ms/token',
      'prepare',
      'indexer',
      'top-k',
      'attention',
      'dense / sparse',
    ],
    rows: points.map((p) => [
      p.position,
      p.tokens,
      ...[p.dense, p.sparse, p.prepare, p.scores, p.select, p.attend, p.dense / p.sparse].map(round),
    ]),
  };
}

/** Both curves over doubling positions. Dense prefill stops where its keys and values no longer fit one binding. */
export async function costCurves(
  gpu: Gpu,
  s: DsaShape,
  options: {
    k: number;
    from: number;
    decodeTo: number;
    prefillTo: number;
    cacheBytes?: number;
    progress?: (text: string) => void;
  },
): Promise<{ tables: ResultTable[]; metrics: Record<string, number> }> {
  const tables: ResultTable[] = [];
  const metrics: Record<string, number> = {};
  const limit = gpu.device.limits.maxStorageBufferBindingSize;
  for (const phase of ['prefill', 'decode'] as const) {
    const points: CostPoint[] = [];
    const rowBytes = 4 * (phase === 'prefill' ? s.heads * latentWidth(mhaShape(s)) : latentWidth(mqaShape(s)));
    for (let at = options.from; at <= (phase === 'decode' ? options.decodeTo : options.prefillTo); at *= 2) {
      if (at * rowBytes > limit) break;
      const point = await costAt(gpu, s, at, phase, options.k, { cacheBytes: options.cacheBytes });
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
