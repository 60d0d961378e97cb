/** Attention over latents: every mode and grouping of one family against the float64 reference, with ragged bounds. */
import naiveKeyLink from '../../../shaders/versions/latent_backward_key_naive.wgsl?link';
import naiveQueryLink from '../../../shaders/versions/latent_backward_query_naive.wgsl?link';
import naiveLink from '../../../shaders/versions/latent_naive.wgsl?link';
import type { Tensor } from '../graph.ts';
import { specialise } from '../kernel.ts';
import { latentAttention } from '../ops/latent-attention.ts';
import { type LatentShape, latentWidth } from '../ops/latent-shape.ts';
import { swapAxes } from '../ops/swap.ts';
import { NONE, selectionBits } from '../ops/topk.ts';
import { latentReference } from '../reference/latent-attention.ts';
import { casesOf, type KernelEntry, random, single, type Trial, type Variant, type Want, words } from './entry.ts';
import { constantOf, keptVersion, slower } from './kept.ts';
import { pullBack } from './pull-back.ts';
import { TOLERANCE } from './tolerance.ts';

const FAMILY = 'attention';

/** mode 0 dense, 1 masked, 2 gather; `values`: where the value begins (0: latents, the value is a prefix of the key). */
type Sizes = {
  sequences: number;
  per: number;
  length: number;
  heads: number;
  groups: number;
  key: number;
  value: number;
  values: number;
  mode: number;
  k: number;
  splits: number;
};

const shapeOf = (s: Sizes): LatentShape => ({
  heads: s.heads,
  groups: s.groups,
  key: s.key,
  value: s.value,
  offset: s.values,
  scale: 1 / Math.sqrt(s.key),
});

/** What row r sees: causal where rows are as many as keys, else all but the last keys of some. */
const boundsOf = (s: Sizes, row: number): [lo: number, hi: number] => {
  const t = row % s.per;
  if (s.per === s.length) return [t > 3 ? t % 3 : 0, t + 1];
  return [0, Math.max(1, s.length - (row % 3))];
};

/** Every third key of the bounds, at most k of them. */
function keysOf(s: Sizes, row: number): number[] {
  const [lo, hi] = boundsOf(s, row);
  const all = Array.from({ length: hi - lo }, (_, i) => lo + i);
  return s.mode === 0 ? all : all.filter((c) => (c + row) % 3 === 0 || c === hi - 1).slice(-s.k);
}

const trial = (s: Sizes): Trial => {
  const rows = s.sequences * s.per;
  const shape = shapeOf(s);
  const q = random([rows, s.heads, s.key], 1);
  const kv = random([s.sequences, s.length, s.groups, latentWidth(shape)], 2);
  const probe = random([rows, s.heads, s.value], 3);
  const all = Array.from({ length: rows }, (_, r) => r);
  const list = all.flatMap((r) => {
    const keys = keysOf(s, r);
    return [...keys, ...new Array(Math.max(0, s.k - keys.length)).fill(NONE)];
  });
  const train = s.splits === 1;
  return {
    inputs: {
      q,
      kv,
      bounds: words(
        [rows, 2],
        all.flatMap((r) => boundsOf(s, r)),
      ),
      chosen: words([rows, s.k], s.mode === 0 ? new Array(rows * s.k).fill(NONE) : list),
      probe,
    },
    build: (t, graph): Record<string, Tensor> => {
      const gather = { kind: 'gather', chosen: t.chosen } as const;
      const masked = (): { kind: 'masked'; bits: typeof t.chosen } => ({
        kind: 'masked',
        bits: selectionBits(t.chosen, s.length),
      });
      const choice = s.mode === 0 ? undefined : s.mode === 1 ? masked() : gather;
      const view = { bounds: t.bounds, choice, causal: s.per === s.length, splits: s.splits };
      const { out, lse } = latentAttention(t.q, t.kv, shape, { sequences: s.sequences, view });
      if (!train) return { out };
      const [dq, dkv] = pullBack(graph, out, t.probe, [t.q, t.kv]);
      return { out, lse, dq, dkv };
    },
    want: (): Record<string, Want> => {
      const sizes = { ...shape, per: s.per, length: s.length };
      const want = latentReference(q.data, kv.data, (r) => keysOf(s, r), sizes, probe.data);
      const share = TOLERANCE.f32.attention;
      const out = { values: want.out, share };
      if (!train) return { out };
      const grad = share * 4;
      return {
        out,
        lse: { values: want.lse, share },
        dq: { values: want.dq, share: grad },
        dkv: { values: want.dkv, share: grad },
      };
    },
  };
};

const mqa = { groups: 1, key: 24, value: 16, values: 0 };
const gqa = { heads: 4, groups: 2, key: 12, value: 8, values: 12 };
const mha = { heads: 4, groups: 4, key: 12, value: 8, values: 12 };
const rows = { sequences: 2, per: 13, length: 13, splits: 1 };
const cache = { sequences: 3, per: 2, length: 70, splits: 1 };

const TRAINED: Sizes[] = [
  { ...rows, ...mqa, heads: 8, mode: 0, k: 1 },
  { ...rows, ...mqa, heads: 8, mode: 1, k: 4 },
  { ...rows, ...mqa, heads: 8, mode: 2, k: 4 },
  { ...rows, ...mqa, heads: 1, mode: 2, k: 3 },
  { ...rows, ...gqa, mode: 2, k: 4 },
  { ...rows, ...gqa, mode: 1, k: 4 },
  { ...rows, ...mha, mode: 0, k: 1 },
  { ...rows, ...mha, mode: 1, k: 5 },
  { ...cache, ...mqa, heads: 4, mode: 1, k: 9 },
  { ...cache, ...mqa, heads: 4, mode: 2, k: 9 },
];
const SPLIT: Sizes[] = [
  { ...cache, ...mqa, heads: 4, mode: 0, k: 1, splits: 5 },
  { ...cache, ...mqa, heads: 4, mode: 2, k: 9, splits: 2 },
  { ...cache, ...gqa, mode: 0, k: 1, splits: 70 },
];
/** Many queries over keys in full quads: CPU adapters take them by matrix products. */
const MANY: Sizes[] = [
  { sequences: 2, per: 16, length: 16, splits: 1, ...mqa, heads: 8, mode: 0, k: 1 },
  { sequences: 2, per: 36, length: 36, splits: 1, ...gqa, mode: 1, k: 5 },
  { sequences: 3, per: 20, length: 20, splits: 1, ...mha, mode: 0, k: 1 },
  { sequences: 2, per: 18, length: 44, splits: 1, ...gqa, mode: 0, k: 1 },
  { sequences: 1, per: 68, length: 68, splits: 1, ...mha, mode: 1, k: 9 },
];
const MANY_BENCH: Sizes = { sequences: 2, per: 256, length: 256, splits: 1, ...mha, mode: 0, k: 1 };
const BENCH: Sizes = { sequences: 2, per: 256, length: 256, heads: 8, ...mqa, mode: 2, k: 32, splits: 1 };

type Swap = {
  outer: number;
  a: number;
  b: number;
  whole: number;
  begin: number;
  part: number;
};

/** Widths in channels. */
const swapTrial = ({ outer, a, b, whole, begin, part }: Swap): Trial => {
  const x = random([outer, a, b, whole], 1);
  const probe = random([outer, b, a, part], 2);
  return {
    inputs: { x, probe },
    build: (t, graph) => {
      const y = swapAxes(t.x, begin, part);
      const [dx] = pullBack(graph, y, t.probe, [t.x]);
      return { y, dx };
    },
    want: () => {
      const y = new Float32Array(probe.data.length);
      const dx = new Float32Array(x.data.length);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < a; i++) {
          for (let j = 0; j < b; j++) {
            for (let c = 0; c < part; c++) {
              const from = ((o * a + i) * b + j) * whole + begin + c;
              const to = ((o * b + j) * a + i) * part + c;
              y[to] = x.data[from];
              dx[from] = probe.data[to];
            }
          }
        }
      }
      return { y: { values: y, share: 0 }, dx: { values: dx, share: 0 } };
    },
  };
};
const SWAPS: Swap[] = [
  { outer: 2, a: 3, b: 5, whole: 12, begin: 4, part: 8 },
  { outer: 1, a: 7, b: 1, whole: 8, begin: 0, part: 8 },
];
const SWAP_BENCH: Swap = { outer: 4, a: 1024, b: 4, whole: 64, begin: 0, part: 64 };

const UNIFORM =
  'rows u32, heads u32, groups u32, per u32, length u32, width u32, mode u32, values u32, splits u32, causal u32, scale f32';
const PAIRS = 'sequences*per*(mode == 2 ? k : length)*heads*(key + value)';
const Q = 'sequences*per*heads*key';
const KV = 'sequences*length*groups*Math.max(key, values + value)';
const OUT = 'sequences*per*heads*value';
const HEADS = 'sequences*per*heads';
const LIST = '(mode == 0 ? 4 : sequences*per*(mode == 1 ? Math.ceil(length/32) : k))';
const BITS = '(mode == 0 ? 4 : sequences*per*Math.ceil(length/32))';

/** One text, two orders of the lanes. */
const orders = (file: string, entryPoint: string, idea: string): Variant[] => [
  {
    name: 'software',
    when: 'CPU adapters',
    idea: `${idea} The heads of a row are neighbours.`,
    files: [file],
    entryPoint,
    chosen: (c) => c.software,
    force: { software: true },
  },
  {
    name: 'gpu',
    when: 'GPUs',
    idea: 'With a key per head, rows of one head are neighbours: a subgroup reads one key at a time. Otherwise as on CPUs.',
    files: [file],
    entryPoint,
    chosen: (c) => !c.software,
    force: { software: false },
  },
];

/** Every mode and grouping: enough for a text that nobody runs, of which keys of 24 take lavapipe ten seconds to compile. */
const few: Variant['takes'] = ({ groups, length }) => groups > 1 || length > 100;

const naive = (file: string, link: () => string, entryPoint: string, idea: string, lost: string): Variant =>
  keptVersion(file, { name: 'naive', entryPoint, idea, lost, takes: few }, (d) => ({
    code: specialise(link(), { DK4: constantOf(d, 'DK4'), DV4: constantOf(d, 'DV4') }),
    workgroups: d.workgroups,
  }));

const VARIANTS: Record<'forward' | 'backward query' | 'backward key', Variant[]> = {
  forward: [
    naive(
      'latent_naive',
      naiveLink,
      'naive',
      'Three passes over the keys (largest score, sum, values), every score computed three times, one number at a time.',
      `${slower(9, 7, '256 rows, 8 heads on one key of 24, 32 of 256 keys')}: three times the products, all loads scalar.`,
    ),
    ...orders(
      'attention/latent_forward.wgsl',
      'forward',
      'Online softmax in one pass, in vec4s and registers. On lavapipe 9, on SwiftShader 7 times faster than the naive one.',
    ),
  ],
  'backward query': [
    naive(
      'latent_backward_query_naive',
      naiveQueryLink,
      'naive_query',
      'Two passes over the keys, first delta, then dq, one number at a time; dq stays in memory.',
      `${slower(10, 4.1, '256 rows, 8 heads on one key of 24, 32 of 256 keys')}: every score twice, all loads scalar.`,
    ),
    ...orders(
      'attention/latent_backward_query.wgsl',
      'backward_query',
      'One pass over the keys: two sums in registers, of which dq is made when delta is known. On lavapipe 10, on SwiftShader 4.1 times faster than the naive one.',
    ),
  ],
  'backward key': [
    naive(
      'latent_backward_key_naive',
      naiveKeyLink,
      'naive_key',
      'Every row of the sequence is asked whether it sees the key, one number at a time; dk and dv stay in memory.',
      `${slower(13, 3.2, '256 rows, 8 heads on one key of 24, 32 of 256 keys')}: all loads scalar, dk and dv read and written for every row.`,
    ),
    ...orders(
      'attention/latent_backward_key.wgsl',
      'backward_key',
      'Key, value, dk and dv in registers, as vec4s; causal rows begin at the key. On lavapipe 13, on SwiftShader 3.2 times faster than the naive one.',
    ),
  ],
};

export const LATENT: readonly KernelEntry[] = [
  {
    name: 'latent attention',
    family: FAMILY,
    about: 'Attention over rows that hold key and value: MLA latents, dense, masked or gathered.',
    label: 'latent attention',
    bindings: 'q kv bounds choice out lse',
    uniform: UNIFORM,
    dispatch: 'One invocation per row, split and head.',
    flops: `2*${PAIRS}`,
    bytes: `4*(${Q} + ${KV} + 2*sequences*per + ${LIST} + splits*(${OUT} + ${HEADS}))`,
    variants: VARIANTS.forward,
    cases: casesOf([...TRAINED, ...SPLIT], trial),
    bench: casesOf([BENCH], trial)[0],
  },
  {
    name: 'latent attention combine',
    family: FAMILY,
    about: 'Joins the outputs of stretches of the keys.',
    label: 'latent combine',
    bindings: 'part lse out',
    uniform: 'rows u32, heads u32, splits u32, dv4 u32',
    dispatch: 'One invocation per row, head and four channels.',
    flops: `2*${OUT}`,
    bytes: `4*(splits*(${OUT} + ${HEADS}) + ${OUT})`,
    variants: single('attention/latent_combine.wgsl', 'combine'),
    cases: casesOf(SPLIT, trial),
    bench: casesOf([{ ...BENCH, splits: 16 }], trial)[0],
  },
  {
    name: 'latent attention backward query',
    family: FAMILY,
    about: 'Derivative of attention over latents by queries.',
    label: 'latent attention backward',
    bindings: 'q kv bounds choice lse dout dq delta',
    uniform: UNIFORM,
    dispatch: 'One invocation per row and head.',
    flops: `4*${PAIRS}`,
    bytes: `4*(2*${Q} + ${KV} + 2*sequences*per + ${LIST} + 2*${HEADS} + ${OUT})`,
    variants: VARIANTS['backward query'],
    cases: casesOf(TRAINED, trial),
    bench: casesOf([BENCH], trial)[0],
  },
  {
    name: 'latent attention backward key',
    family: FAMILY,
    about: 'Derivative of attention over latents by keys and values, key-major.',
    label: 'latent attention backward',
    bindings: 'q kv bounds choice lse dout delta dkv',
    uniform: UNIFORM,
    dispatch: 'One invocation per key row and group, walking the rows that may see it.',
    flops: `4*${PAIRS}`,
    bytes: `4*(${Q} + 2*${KV} + 2*sequences*per + ${BITS} + 2*${HEADS} + ${OUT})`,
    variants: VARIANTS['backward key'],
    cases: casesOf(TRAINED, trial),
    bench: casesOf([BENCH], trial)[0],
  },
  {
    name: 'swap axes',
    family: 'pointwise',
    about: 'Two axes change places: heads to the front, so that each is a matrix.',
    label: 'swap axes',
    bindings: 'source target_',
    uniform: 'outer u32, a u32, b u32, whole u32, begin u32, part u32',
    dispatch: 'One invocation per quad of the result.',
    flops: '0',
    bytes: '8*outer*a*b*part',
    variants: single('ops/swap_axes.wgsl', 'swap'),
    cases: casesOf(SWAPS, swapTrial),
    bench: casesOf([SWAP_BENCH], swapTrial)[0],
  },
  {
    name: 'swap axes back',
    family: 'pointwise',
    about: 'Derivative of the exchange of two axes.',
    label: 'swap axes back',
    bindings: 'source target_',
    uniform: 'outer u32, a u32, b u32, whole u32, begin u32, part u32',
    dispatch: 'One invocation per quad of the result.',
    flops: '0',
    bytes: '4*outer*a*b*(whole + part)',
    variants: single('ops/swap_axes.wgsl', 'swap_back'),
    cases: casesOf(SWAPS, swapTrial),
    bench: casesOf([SWAP_BENCH], swapTrial)[0],
  },
  {
    name: 'attention weights',
    family: FAMILY,
    about: 'Softmax of the scores that a matrix product made, over what every row sees.',
    label: 'attention weights',
    bindings: 'scores bounds choice p lse',
    uniform: 'rows u32, per u32, length u32, heads u32, groups u32, mode u32, scale f32',
    dispatch: 'One invocation per row and head.',
    exists: (c) => c.software,
    flops: `8*${HEADS}*length`,
    bytes: `4*(2*${HEADS}*length + 2*sequences*per + ${HEADS} + ${LIST})`,
    variants: single('attention/weights.wgsl', 'forward'),
    cases: casesOf(MANY, trial),
    bench: casesOf([MANY_BENCH], trial)[0],
  },
  {
    name: 'attention weights backward',
    family: FAMILY,
    about: 'Derivative of that softmax by the scores.',
    label: 'attention weights backward',
    bindings: 'p dp bounds ds',
    uniform: 'rows u32, per u32, length u32, heads u32, groups u32, scale f32',
    dispatch: 'One invocation per row and head.',
    exists: (c) => c.software,
    flops: `5*${HEADS}*length`,
    bytes: `12*${HEADS}*length + 8*sequences*per`,
    variants: single('attention/weights_backward.wgsl', 'backward'),
    cases: casesOf(MANY, trial),
    bench: casesOf([MANY_BENCH], trial)[0],
  },
];
