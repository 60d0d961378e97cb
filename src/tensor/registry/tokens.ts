/** Copies: embedding rows, slots of tokens, and normal numbers. Copies must be exact. */
import { embedding } from '../ops/embedding.ts';
import { gaussian } from '../ops/random.ts';
import { joinSlots, spreadSlots, takeSlots } from '../ops/slots.ts';
import { gaussianReference } from '../reference/random.ts';
import { casesOf, type KernelCase, type KernelEntry, random, single, type Trial, words } from './entry.ts';
import { slower } from './kept.ts';
import { pullBack } from './pull-back.ts';
import { TOLERANCE } from './tolerance.ts';

type Table = { tokens: number; vocab: number; d: number };
const TABLES: Table[] = [
  { tokens: 1, vocab: 1, d: 4 },
  { tokens: 7, vocab: 6, d: 8 },
  { tokens: 130, vocab: 33, d: 20 },
  { tokens: 50, vocab: 9, d: 64 },
];
const TABLE_BENCH: Table = { tokens: 1024, vocab: 512, d: 256 };

const embeddingTrial = ({ tokens, vocab, d }: Table): Trial => {
  // One id lies beyond the table: it reads the last row and has no gradient.
  const ids = Array.from({ length: tokens }, (_, i) => (i === 5 ? vocab + 90 : (i * 3) % vocab));
  const table = random([vocab, d], 1);
  const probe = random([tokens, d], 2);
  return {
    inputs: { ids: words([tokens], ids), table, probe },
    build: (t, graph) => {
      const y = embedding(t.ids, t.table);
      return { y, dt: pullBack(graph, y, t.probe, [t.table])[0] };
    },
    want: () => {
      const dt = new Float64Array(vocab * d);
      ids.forEach((id, i) => {
        if (id < vocab) for (let c = 0; c < d; c++) dt[id * d + c] += probe.data[i * d + c];
      });
      const y = ids.flatMap((id) => Array.from({ length: d }, (_, c) => table.data[Math.min(id, vocab - 1) * d + c]));
      return { y: { values: y, share: 0 }, dt: { values: dt, share: TOLERANCE.f32.sum } };
    },
  };
};

type Join = { frames: number; d: number };
const PARTS = [2, 3, 1];

/** Two parts of the frame's own around a table that all frames share. */
const joinTrial = ({ frames, d }: Join): Trial => {
  const [a, table, b] = [random([frames, 2, d], 1), random([3, d], 2), random([frames, 1, d], 3)];
  const probe = random([frames, 6, d], 4);
  return {
    inputs: { a, table, b, probe },
    build: (t, graph) => {
      const whole = joinSlots([t.a, t.table, t.b], frames, d);
      const [da, dt] = pullBack(graph, whole, t.probe, [t.a, t.table]);
      return { whole, da, dt };
    },
    want: () => {
      const rows = (x: Float32Array, at: number, n: number) => Array.from(x.subarray(at * d, (at + n) * d));
      const whole: number[] = [];
      const da: number[] = [];
      const dt = new Float64Array(3 * d);
      for (let f = 0; f < frames; f++) {
        whole.push(...rows(a.data, 2 * f, 2), ...table.data, ...rows(b.data, f, 1));
        da.push(...rows(probe.data, 6 * f, 2));
        for (let i = 0; i < 3 * d; i++) dt[i] += probe.data[(6 * f + 2) * d + i];
      }
      return {
        whole: { values: whole, share: 0 },
        da: { values: da, share: 0 },
        dt: { values: dt, share: TOLERANCE.f32.sum },
      };
    },
  };
};

const takeTrial = ({ frames, d }: Join): Trial => {
  const [x, probe] = [random([frames, 6, d], 1), random([frames, 3, d], 2)];
  return {
    inputs: { x, probe },
    build: (t, graph) => {
      const y = takeSlots(t.x, 2, 3);
      return { y, dx: pullBack(graph, y, t.probe, [t.x])[0] };
    },
    want: () => {
      const y: number[] = [];
      const dx = new Float64Array(frames * 6 * d);
      for (let f = 0; f < frames; f++) {
        y.push(...x.data.subarray((6 * f + 2) * d, (6 * f + 5) * d));
        dx.set(probe.data.subarray(3 * f * d, 3 * (f + 1) * d), (6 * f + 2) * d);
      }
      return { y: { values: y, share: 0 }, dx: { values: dx, share: 0 } };
    },
  };
};

const spreadTrial = ({ frames, d }: Join): Trial => {
  const [x, probe] = [random([frames, d], 1), random([frames, 6, d], 2)];
  return {
    inputs: { x, probe },
    build: (t, graph) => {
      const y = spreadSlots(t.x, 6);
      return { y, dx: pullBack(graph, y, t.probe, [t.x])[0] };
    },
    want: () => {
      const y: number[] = [];
      const dx = new Float64Array(frames * d);
      for (let f = 0; f < frames; f++) {
        for (let s = 0; s < 6; s++) {
          y.push(...x.data.subarray(f * d, (f + 1) * d));
          for (let c = 0; c < d; c++) dx[f * d + c] += probe.data[(6 * f + s) * d + c];
        }
      }
      return { y: { values: y, share: 0 }, dx: { values: dx, share: TOLERANCE.f32.sum } };
    },
  };
};

const JOINS: Join[] = [
  { frames: 1, d: 4 },
  { frames: 3, d: 8 },
  { frames: 5, d: 12 },
];

/** Slots of a frame that each kernel moves in its trial. `put` moves the first part; `take` and its gradient slots 2..4 of six. */
const MOVED = { put: PARTS[0], take: 3, embed: 6, spread: 6, fold: 1 };

const slots = (kind: keyof typeof MOVED, about: string, make: (dims: Join) => Trial): KernelEntry => {
  const withMoved = (cases: KernelCase[]): KernelCase[] =>
    cases.map((c) => ({ ...c, dims: { ...c.dims, moved: MOVED[kind] } }));
  return {
    name: `slots ${kind}`,
    family: 'tokens',
    about,
    label: `slots ${kind}`,
    bindings: 'source target_',
    uniform: 'frames u32, part u32, whole u32, offset u32, d4 u32, period u32',
    dispatch: 'One invocation per four channels of a slot.',
    flops: kind === 'fold' ? '6*frames*d' : '0',
    bytes: '8*frames*moved*d',
    variants: single('ops/slots.wgsl', kind),
    cases: withMoved(casesOf(JOINS, make)),
    bench: withMoved(casesOf([{ frames: 1024, d: 256 }], make))[0],
  };
};

type Draw = { n: number; seed: number; step: number; stream: number };
const gaussianTrial = ({ n, seed, step, stream }: Draw): Trial => ({
  inputs: { seed: words([2], [seed, step]) },
  build: (t) => ({ y: gaussian(t.seed, [n], stream) }),
  want: () => ({
    y: {
      values: Array.from({ length: n }, (_, i) => gaussianReference(seed, step, stream, i)),
      share: TOLERANCE.f32.cosine,
    },
  }),
});

export const TOKENS: readonly KernelEntry[] = [
  {
    name: 'embedding',
    family: 'tokens',
    about: 'Rows of a table chosen by ids.',
    label: 'embedding',
    bindings: 'ids source target_',
    uniform: 'tokens u32, d4 u32, vocab u32',
    dispatch: 'One invocation per four channels of a token.',
    flops: '2*tokens*d',
    bytes: '4*(tokens*d + tokens + vocab*d)',
    variants: single('ops/embedding.wgsl', 'gather'),
    cases: casesOf(TABLES, embeddingTrial),
    bench: casesOf([TABLE_BENCH], embeddingTrial)[0],
  },
  {
    name: 'embedding backward',
    family: 'tokens',
    about: 'Gradient of the table: each row summed over its tokens in order.',
    label: 'embedding',
    bindings: 'ids source target_',
    uniform: 'tokens u32, d4 u32, vocab u32',
    dispatch: 'One invocation per four channels of a table row, on CPU adapters per 32; each looks at every id.',
    flops: '2*vocab*d',
    bytes: '4*(tokens*d + tokens + vocab*d)',
    variants: [true, false].map((software) => ({
      name: software ? 'software' : 'gpu',
      when: software ? 'CPU adapters' : 'GPUs',
      idea: software
        ? 'Up to eight quads of a row for every look at the ids: there the looking is what costs.'
        : `One quad per invocation, so that there are enough of them. ${slower(7.6, 1.7, '1024 tokens, 512 rows of 256')}.`,
      files: ['ops/embedding.wgsl'],
      entryPoint: 'scatter',
      chosen: (c) => c.software === software,
      force: { software },
    })),
    cases: casesOf(TABLES, embeddingTrial),
    bench: casesOf([TABLE_BENCH], embeddingTrial)[0],
  },
  slots('put', 'Puts a part into its slots of every frame.', joinTrial),
  slots('take', 'Takes a range of slots out of every frame.', takeTrial),
  slots('embed', 'Gradient of take: the part in its slots, zero elsewhere.', takeTrial),
  slots('spread', 'One row of each frame in all of its slots.', spreadTrial),
  slots('fold', 'Gradient of spread: the sum over slots.', spreadTrial),
  {
    name: 'gaussian',
    family: 'random',
    about: 'Standard normal numbers from a counter hash (Box-Muller).',
    label: 'gaussian',
    bindings: 'seed y',
    uniform: 'n u32, stream u32',
    dispatch: 'One invocation per number.',
    flops: '20*n',
    bytes: '4*n + 8',
    variants: single('ops/gaussian.wgsl', 'gaussian'),
    cases: casesOf(
      [
        { n: 1, seed: 0, step: 0, stream: 0 },
        { n: 1000, seed: 7, step: 3, stream: 1 },
        { n: 77, seed: 0xffffffff, step: 123456, stream: 3 },
      ],
      gaussianTrial,
    ),
    bench: casesOf([{ n: 1 << 19, seed: 1, step: 1, stream: 1 }], gaussianTrial)[0],
  },
];
