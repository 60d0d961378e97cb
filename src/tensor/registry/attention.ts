/** The attention family: forward, both sides of the backward pass, and decoding over a ring. */
import naiveKeyLink from '../../../shaders/versions/attention_backward_key_naive.wgsl?link';
import naiveQueryLink from '../../../shaders/versions/attention_backward_query_naive.wgsl?link';
import naiveLink from '../../../shaders/versions/attention_naive.wgsl?link';
import naiveRingLink from '../../../shaders/versions/ring_naive.wgsl?link';
import { type Conditions, halfCache, type Precision } from '../../gpu/device.ts';
import type { Tensor } from '../graph.ts';
import { type Dispatch, specialise } from '../kernel.ts';
import {
  attention,
  boundedLayout,
  causalLayout,
  type Half,
  type Heads,
  maskBits,
  openLayout,
  type Ring,
  ringAttention,
  ringText,
  ropeTable,
  type SequenceLayout,
  spaceLayout,
  timeLayout,
} from '../ops/attention.ts';
import { attentionReference, ringReference, spaceKeys, timeKeys } from '../reference/attention.ts';
import {
  floats,
  type KernelCase,
  type KernelEntry,
  random,
  smallSubgroups,
  type Trial,
  type Variant,
  words,
} from './entry.ts';
import { packBfloats, packHalves, roundToHalf } from './halves.ts';
import { constantOf, keptVersion, slower } from './kept.ts';
import { pullBack } from './pull-back.ts';
import { TOLERANCE } from './tolerance.ts';

/** Every element of such a batch row sees itself only. */
const IMAGE = 0xffffffff;

/** A layout with the mask that it reads, and what that mask means. */
export interface AttentionCase {
  name: string;
  layout: SequenceLayout;
  mask: Uint32Array<ArrayBuffer>;
  heads: Heads;
  keys: (row: number) => number[];
}

const grouped = { heads: 4, kvHeads: 2, dim: 8 };
type Starts = number[];

export const space = (
  name: string,
  frames: number,
  slots: number,
  cap: number,
  allowed: (q: number, k: number) => boolean,
  heads: Heads = grouped,
): AttentionCase => ({
  name,
  layout: spaceLayout(frames, slots, cap),
  mask: maskBits(slots, allowed),
  heads,
  keys: spaceKeys(slots, allowed),
});

/** All slots of a frame see each other; the mask is not read. */
export const open = (name: string, frames: number, slots: number, cap: number, heads: Heads): AttentionCase => ({
  ...space(name, frames, slots, cap, () => true, heads),
  layout: openLayout(frames, slots, cap),
  mask: new Uint32Array(4),
});

export const time = (
  name: string,
  b: number,
  t: number,
  s: number,
  window: number,
  cap: number,
  starts: Starts,
  heads: Heads = grouped,
): AttentionCase => ({
  name,
  layout: timeLayout(b, t, s, window, cap),
  mask: Uint32Array.from(starts),
  heads,
  keys: timeKeys(t, s, window, starts),
});

const causal = (
  name: string,
  b: number,
  t: number,
  window: number,
  cap: number,
  starts: Starts,
  heads: Heads = grouped,
): AttentionCase => ({
  name,
  layout: causalLayout(b, t, window, cap),
  mask: Uint32Array.from(starts),
  heads,
  keys: timeKeys(t, 1, window, starts),
});

/** Every row sees the keys lo..hi-1 of its own sequence. */
const bounded = (
  name: string,
  b: number,
  t: number,
  cap: number,
  isCausal: boolean,
  see: (b: number, i: number) => [number, number],
): AttentionCase => {
  const mask = new Uint32Array(b * t * 2);
  for (let row = 0; row < b * t; row++) mask.set(see(Math.floor(row / t), row % t), 2 * row);
  return {
    name,
    layout: boundedLayout(b, t, isCausal, cap),
    mask,
    heads: grouped,
    keys: (row) => {
      const base = Math.floor(row / t) * t;
      return Array.from({ length: mask[2 * row + 1] - mask[2 * row] }, (_, i) => base + mask[2 * row] + i);
    },
  };
};

/** All with grouped heads of 8 channels, so that one text of each variant serves them. */
const LAYOUTS: AttentionCase[] = [
  space('space, everything visible', 3, 11, 0, () => true),
  space('space, modality mask, cap 50', 2, 11, 50, (q, k) => q < 4 || k >= 4),
  open('space, open', 2, 21, 3, grouped),
  space('space over two mask words, cap 2', 2, 45, 2, (q, k) => q >= 40 || k < 40),
  space('space, one slot', 3, 1, 0, () => true),
  time('time with a window', 2, 13, 3, 5, 0, [0, 0]),
  time('time with episode starts, cap 50', 2, 13, 3, 20, 50, [4, 12]),
  time('time, a window of one frame', 1, 9, 2, 1, 0, [0]),
  time('time, an image row beside a normal one', 2, 10, 2, 6, 0, [IMAGE, 0]),
  time('time, a window longer than what a lane holds', 1, 43, 3, 40, 0, [0]),
  causal('causal, long', 2, 70, 70, 0, [0, 3]),
  causal('causal, long with a window, cap 5', 1, 70, 19, 5, [0]),
  causal('causal, one element', 2, 1, 1, 0, [0, IMAGE]),
  bounded('bounds, packed documents', 2, 45, 0, true, (b, i) => [i < 17 + b ? 0 : i < 40 ? 17 + b : 40, i + 1]),
  bounded('bounds, left padding and a length', 2, 21, 3, false, (b) => [2 * b, 21 - 9 * b]),
  bounded('bounds, a prefix that sees itself whole', 1, 37, 0, false, (_, i) => [0, Math.max(12, i + 1)]),
];

/** One of each kind: the cases of the query side check dk and dv on all of them. */
const KEY_LAYOUTS = LAYOUTS.filter((c) =>
  ['space, modality mask, cap 50', 'space, open', 'time with episode starts, cap 50'].includes(c.name),
).concat(LAYOUTS.slice(-1));

/** The length and width of the reference GPT's big sister: what a language model trains on. */
export const causalBench = (length: number): AttentionCase =>
  causal(`causal ${length}, 4 heads of 32`, 1, length, length, 0, [0], { heads: 4, kvHeads: 4, dim: 32 });

/** Straight from the formula; eight invocations to a workgroup, heads of the width that `d` is for. */
export const naive = (
  file: string,
  link: () => string,
  words: Pick<Variant, 'idea' | 'lost' | 'takes'>,
  workgroups: (d: Dispatch) => Dispatch['workgroups'],
  entryPoint = 'naive',
): Variant =>
  keptVersion(file, { name: 'naive', entryPoint, ...words }, (d) => ({
    code: specialise(link(), { DH4: constantOf(d, 'DH4') }),
    workgroups: workgroups(d),
  }));

/** Every kind of mask, caps, and bits over two words: enough for a text that nobody runs. */
const few: Variant['takes'] = ({ L }) => [11, 13, 45].includes(L) || L > 100;

const NAIVE: Record<Kind, Variant> = {
  forward: naive(
    'attention_naive',
    naiveLink,
    {
      idea: 'Three passes over the keys (largest score, sum, values), every score computed three times.',
      lost: `${slower(40, 30, 'causal 256')}: three times the products, all loads scalar.`,
      takes: few,
    },
    ({ uniforms: [length, heads], workgroups: [, , count] }) => [Math.ceil(length / 8), heads, count],
  ),
  backward_query: naive(
    'attention_backward_query_naive',
    naiveQueryLink,
    {
      idea: 'One invocation per query and head, one number at a time; query, gradient and dq stay in memory.',
      lost: `${slower(13, 15, 'causal 256')}: all loads scalar, dq read and written for every key.`,
      takes: few,
    },
    ({ uniforms: [length, heads], workgroups: [, , count] }) => [Math.ceil(length / 8), heads, count],
    'naive_query',
  ),
  backward_key: naive(
    'attention_backward_key_naive',
    naiveKeyLink,
    {
      idea: 'One invocation per key and key head, one number at a time; key, value, dk and dv stay in memory.',
      lost: `${slower(15, 16, 'causal 256')}: all loads scalar, dk and dv read and written for every query.`,
    },
    ({ uniforms: [length, , kv], workgroups: [, , count] }) => [Math.ceil(length / 8), kv, count],
    'naive_key',
  ),
};

type Kind = 'forward' | 'backward_query' | 'backward_key';
type Text = 'software' | 'spread' | 'gpu';

const IDEAS: Record<Kind, Record<Text, string>> = {
  forward: {
    software: 'Online softmax in one pass; loops over channels written out, so that arrays become registers.',
    spread:
      'Every lane loads one key and one value of a block; they reach the other lanes by broadcast and serve four queries of every lane: 7.6 times faster than without on lavapipe, 4.8 on SwiftShader (causal 256). Quads take two query heads of a key head together: 1.27 times faster again (52 slots of the micro dynamics); on lavapipe 0.84 times, so there each head goes alone: 62 us instead of 74 (the same slots, launch included).',
    gpu: `Online softmax in one pass, four keys at a time; all lanes read one key, which hardware broadcasts. ${slower(10, 11, 'causal 256')}.`,
  },
  backward_query: {
    software:
      'Query, gradient and dq of an invocation in registers, as vec4s; loops over channels written out. On lavapipe 4.8, on SwiftShader 5 times faster than the naive one (causal 256).',
    spread:
      'Every lane loads one key and one value of a block; they reach the other lanes by broadcast: 2.7 times faster than without on lavapipe, 3.1 on SwiftShader (causal 256).',
    gpu: `The same maths with arrays and 64 queries to a workgroup; all lanes read one key, which hardware broadcasts. ${slower(2.4, 7.6, 'causal 256')}.`,
  },
  backward_key: {
    software:
      'Key, value, dk and dv of an invocation in registers, as vec4s; loops over channels written out. On lavapipe 5.2, on SwiftShader 4.6 times faster than the naive one (causal 256).',
    spread:
      'Every lane loads one query and its gradient; they reach the other lanes by broadcast: 2.9 times faster than without on lavapipe, 3.5 on SwiftShader (causal 256).',
    gpu: `The same maths with arrays and 64 keys to a workgroup; all lanes read one query, which hardware broadcasts. ${slower(3.1, 8.6, 'causal 256')}.`,
  },
};

/** From naive to best on CPU adapters, then what graphics processors run. */
function variants(kind: Kind): Variant[] {
  const idea = IDEAS[kind];
  return [
    NAIVE[kind],
    {
      name: 'software',
      idea: idea.software,
      when: 'CPU adapters without such subgroups',
      files: [`attention/${kind}.wgsl`],
      entryPoint: kind,
      chosen: (c) => c.software && !smallSubgroups(c),
      force: { software: true, subgroupSize: 0 },
    },
    {
      name: 'software, subgroups',
      idea: idea.spread,
      when: 'CPU adapters with subgroups of 4 or 8',
      files: [`attention/${kind}_software.wgsl`],
      entryPoint: kind,
      chosen: (c) => c.software && smallSubgroups(c),
      needs: smallSubgroups,
      force: { software: true },
    },
    {
      name: 'GPU',
      idea: idea.gpu,
      when: 'graphics processors',
      files: [`attention/${kind}.wgsl`],
      entryPoint: kind,
      chosen: (c) => !c.software,
      force: { software: false },
    },
  ];
}

function inputsOf(c: AttentionCase) {
  const rows = c.layout.count * c.layout.length;
  const { heads, kvHeads, dim } = c.heads;
  return {
    qkv: random([rows, (heads + 2 * kvHeads) * dim], 1, 2),
    mask: words([c.mask.length], c.mask),
    probe: random([rows, heads * dim], 2, 2),
  };
}

const reference = (c: AttentionCase, x: ReturnType<typeof inputsOf>) =>
  attentionReference(x.qkv.data, c.layout.count * c.layout.length, c.heads, c.layout.cap, c.keys, x.probe.data);

export function attentionForward(c: AttentionCase): Trial {
  const x = inputsOf(c);
  return {
    inputs: { qkv: x.qkv, mask: x.mask },
    build: (t) => ({ out: attention(t.qkv, t.mask, c.layout, c.heads) }),
    want: () => ({ out: { values: reference(c, x).out, share: TOLERANCE.f32.attention } }),
  };
}

function attentionBackward(c: AttentionCase): Trial {
  const inputs = inputsOf(c);
  return {
    inputs,
    build: (t, graph) => {
      const out = attention(t.qkv, t.mask, c.layout, c.heads);
      return { dqkv: pullBack(graph, out, t.probe, [t.qkv])[0] };
    },
    want: () => ({ dqkv: { values: reference(c, inputs).dqkv, share: TOLERANCE.f32.attention } }),
  };
}

/** Pairs as the dispatch rule counts them: of a window, all visible ones; of bits, all. */
function dims(c: AttentionCase): Record<string, number> {
  const { length, count, mask } = c.layout;
  const window = Math.min(
    length,
    mask.kind === 'window' ? mask.window : mask.kind === 'bounds' && mask.causal ? length : 0,
  );
  const pairs = window > 0 ? window * length - (window * (window - 1)) / 2 : length * length;
  return { count, L: length, pairs, H: c.heads.heads, G: c.heads.kvHeads, dh: c.heads.dim };
}

const caseOf = (c: AttentionCase, make: (c: AttentionCase) => Trial): KernelCase => ({
  name: c.name,
  dims: dims(c),
  make: () => make(c),
});

export const attentionForwardCase = (c: AttentionCase): KernelCase => caseOf(c, attentionForward);

const UNIFORM =
  'length u32, heads u32, kv u32, inner u32, outer u32, stride u32, mode u32, words u32, window u32, scale f32, cap f32, count u32';

export interface RingCase {
  name: string;
  heads: Heads;
  rows: number;
  window: number;
  capacity: number;
  cap: number;
  /** Frames that lie in the ring, and the slot that the next one takes. */
  past: number;
  next: number;
  /** Kept in bfloat16, unless f16 is asked for. */
  bfloat?: boolean;
}

const WIDE = { heads: 8, kvHeads: 2, dim: 32 };

const RINGS: RingCase[] = [
  { name: 'an empty ring', heads: grouped, rows: 3, window: 5, capacity: 5, cap: 0, past: 0, next: 0 },
  { name: 'a full ring that has wrapped', heads: grouped, rows: 3, window: 5, capacity: 5, cap: 0, past: 5, next: 3 },
  { name: 'soft cap 2', heads: grouped, rows: 3, window: 5, capacity: 5, cap: 2, past: 4, next: 1 },
  { name: 'a ring larger than the window', heads: grouped, rows: 2, window: 3, capacity: 8, cap: 0, past: 8, next: 6 },
  { name: 'a window of the new frame only', heads: grouped, rows: 1, window: 1, capacity: 2, cap: 0, past: 2, next: 0 },
  // More ages than lanes: every lane turns its rotation from age to age.
  { name: 'ages in turns, wrapped', heads: grouped, rows: 2, window: 40, capacity: 40, cap: 0, past: 40, next: 7 },
  { name: 'bfloat16', heads: grouped, rows: 3, window: 30, capacity: 30, cap: 0, past: 30, next: 4, bfloat: true },
  // Queries of a tile that take a subgroup several loads.
  { name: 'heads of 32', heads: WIDE, rows: 2, window: 21, capacity: 21, cap: 0, past: 21, next: 4 },
];

export const ringBench = (window: number): RingCase => ({
  name: `${window} cached rows, 8 + 2 x 2 heads of 32`,
  heads: WIDE,
  rows: 8,
  window,
  capacity: window,
  cap: 0,
  past: window,
  next: 1,
});

function roundTo(data: Float32Array<ArrayBuffer>, half?: Half): void {
  if (half === 'f16') roundToHalf(data);
  if (half === 'bf16') data.set(packBfloats(data).read);
}

const packed = (data: Float32Array<ArrayBuffer>, half: Half): Uint32Array<ArrayBuffer> =>
  half === 'f16' ? packHalves(data) : packBfloats(data).words;

/** What lies in a ring, as a kernel reads it and as `ringReference` does, and how a frame of rows enters a slot of it. */
export function ringContents(r: Omit<RingCase, 'bfloat'>, half?: Half) {
  const { heads, kvHeads, dim } = r.heads;
  const width = (heads + 2 * kvHeads) * dim;
  const past = Array.from({ length: r.past }, (_, i) => random([r.rows, width], 10 + i, 2).data);
  for (const frame of past) roundTo(frame, half);
  // Frame of age a (1 = newest) lies at (next - a) mod capacity; only its keys and values are kept.
  const place = (frame: ArrayLike<number>, slot: number, ring: Float32Array): void => {
    for (let row = 0; row < r.rows; row++)
      for (let g = 0; g < kvHeads; g++)
        for (const part of [0, 1])
          for (let i = 0; i < dim; i++)
            ring[(((row * kvHeads + g) * r.capacity + slot) * 2 + part) * dim + i] =
              frame[row * width + (heads + part * kvHeads + g) * dim + i];
  };
  const ring = new Float32Array(r.rows * r.capacity * 2 * kvHeads * dim);
  past.forEach((frame, i) => {
    place(frame, (r.next + r.capacity - (past.length - i)) % r.capacity, ring);
  });
  const given = {
    ring: half
      ? words([r.rows, kvHeads, r.capacity, 2, dim / 2], packed(ring, half))
      : floats([r.rows, kvHeads, r.capacity, 2, dim], ring),
    table: floats([r.window, dim], ropeTable(r.window, dim)),
    clock: words([2], [r.next, r.past]),
  };
  const tensors = (t: Record<string, Tensor>): Ring => ({
    data: t.ring,
    half,
    clock: t.clock,
    table: t.table,
    capacity: r.capacity,
    window: r.window,
  });
  const visible = past.slice(Math.max(0, past.length - (r.window - 1)));
  return { ring, given, tensors, visible, place };
}

function ringTrial(r: RingCase, write: boolean, precision?: Precision): Trial {
  const { heads, kvHeads, dim } = r.heads;
  const now = random([r.rows, (heads + 2 * kvHeads) * dim], 1, 2);
  const half = precision ?? (r.bfloat ? 'bf16' : undefined);
  roundTo(now.data, half);
  const { ring, given, tensors, visible, place } = ringContents(r, half);
  return {
    inputs: { now, ...given },
    writes: write ? ['ring'] : [],
    build: (t) => ({ out: ringAttention(t.now, tensors(t), r.heads, r.cap, write) }),
    want: () => {
      const out = { values: ringReference(visible, now.data, r.rows, r.heads, r.cap), share: TOLERANCE.f32.attention };
      const after = ring.slice();
      if (write) place(now.data, r.next, after);
      return { out, ring: half ? { words: packed(after, half) } : { values: after, share: 0 } };
    },
  };
}

export const ringCase = (r: RingCase, write = false): KernelCase => ({
  name: r.name,
  dims: {
    rows: r.rows,
    W: r.window,
    H: r.heads.heads,
    G: r.heads.kvHeads,
    dh: r.heads.dim,
    bf16: Number(r.bfloat ?? false),
  },
  make: (precision) => ringTrial(r, write, precision),
});

const RING_FILES = ['attention/decode.wgsl', 'attention/kept.wgsl'];

const quads = (c: Conditions): boolean => c.subgroupSize === 4;

/** The same kernel with one age a step: its text says all that another text of it depends on. */
function anAgeAStep(d: Dispatch): Dispatch {
  const [lanes, heads] = [constantOf(d, 'LANES'), constantOf(d, 'HEADS')];
  const [f16, bf16] = [d.code.includes('unpack2x16float'), d.code.includes('65536u')];
  const texts = { software: true, subgroups: true, subgroupSize: lanes, f16, bf16 };
  const shape = { heads, kvHeads: 1, dim: 4 * constantOf(d, 'DH4') };
  const code = ringText(texts, shape, constantOf(d, 'CAPPED') === 1, 1);
  if (!code) throw new Error('no text of ring attention for these subgroups');
  return { ...d, code };
}

/** Wide heads take compilers long (naive: 27 s on lavapipe): proven in f32 in what adapters run, timed in all. */
const quick = ({ dh, W }: Readonly<Record<string, number>>): boolean => dh < 32 || W > 100;

/** Each over a ring of f32 and over one of 16 bits. */
const overBoth = (bytes: string, idea: string | undefined, variants: Variant[]): Variant[] =>
  variants.flatMap((v) => [
    { ...v, chosen: (c) => v.chosen(c) && !halfCache(c) },
    {
      ...v,
      name: `${v.name}, f16`,
      idea: v.idea && idea,
      when: `${v.when}, where a ring holds 16 bits: dreams on lavapipe, or on request (TENFOLD_PRECISION=f16)`,
      chosen: (c) => v.chosen(c) && halfCache(c),
      force: { ...v.force, precision: 'f16' },
      bytes,
      takes: (dims) => (v.takes?.(dims) ?? true) && quick(dims),
    },
  ]);

const RING_VARIANTS = (entryPoint: string): Variant[] => [
  {
    name: 'software',
    when: 'CPU adapters',
    files: RING_FILES,
    entryPoint,
    chosen: (c) => c.software,
    force: { software: true },
  },
  {
    name: 'GPU',
    when: 'graphics processors',
    files: RING_FILES,
    entryPoint,
    chosen: (c) => !c.software,
    force: { software: false },
  },
];

const RING_HALF =
  'Past keys and values are kept in 16 bits and widened on their way to registers. Half the memory, half the loads: on lavapipe 0.24 ms of processor time instead of 0.31 (52 rows of the micro dynamics); not measured elsewhere.';

const RING_UNIFORM = 'rows u32, heads u32, kv u32, capacity u32, window u32, scale f32, cap f32';
const BLOCKS = 'One invocation per row of a block and head; one workgroup per block, head and sequence.';

export const ATTENTION: readonly KernelEntry[] = [
  {
    name: 'attention',
    family: 'attention',
    about: 'softmax(q k / sqrt(dh)) v with online softmax: space, time, causal and bounded, grouped queries, soft cap.',
    label: 'attention',
    bindings: 'qkv mask out lse',
    uniform: UNIFORM,
    dispatch: BLOCKS,
    flops: '4*count*pairs*H*dh',
    bytes: '4*count*L*dh*(2*H + 2*G)',
    variants: variants('forward'),
    cases: LAYOUTS.map((c) => caseOf(c, attentionForward)),
    bench: caseOf(causalBench(256), attentionForward),
  },
  {
    name: 'attention backward query',
    family: 'attention',
    about: 'dq, and delta = do . o for the key side; scores come again from the kept logarithms.',
    label: 'attention backward query',
    bindings: 'qkv mask out lse dout dqkv delta',
    uniform: UNIFORM,
    dispatch: BLOCKS,
    flops: '6*count*pairs*H*dh',
    bytes: '4*count*L*dh*(4*H + 2*G)',
    variants: variants('backward_query'),
    cases: LAYOUTS.map((c) => caseOf(c, attentionBackward)),
    bench: caseOf(causalBench(256), attentionBackward),
  },
  {
    name: 'attention backward key',
    family: 'attention',
    about: 'dk and dv of one key head, summed over the query heads of its group in order.',
    label: 'attention backward key',
    bindings: 'qkv mask lse dout delta dqkv',
    uniform: UNIFORM,
    dispatch: BLOCKS,
    flops: '8*count*pairs*H*dh',
    bytes: '4*count*L*dh*(4*H + 2*G)',
    variants: variants('backward_key'),
    cases: KEY_LAYOUTS.map((c) => caseOf(c, attentionBackward)),
    bench: caseOf(causalBench(256), attentionBackward),
  },
  {
    name: 'ring attention',
    family: 'attention',
    about: 'One new row against a ring of cached keys and values, rotated by their age.',
    label: 'ring attention',
    bindings: 'qkv ring table clock out',
    uniform: RING_UNIFORM,
    dispatch: 'One subgroup per row and tile of heads that share keys, or one invocation per row and head.',
    flops: '4*rows*H*dh*W',
    bytes: '8*rows*W*G*dh/(1 + bf16)',
    variants: [
      naive(
        'ring_naive',
        naiveRingLink,
        {
          idea: 'Three passes over the ages (largest score, sum, values); every score is computed three times, its key rotated each time.',
          lost: `${slower(19, 22, '1024 rows')}: every key loaded and rotated three times, for each head that shares it.`,
          takes: (dims) => dims.bf16 === 0 && quick(dims),
        },
        ({ uniforms: [rows, heads] }) => [Math.ceil((rows * heads) / 8), 1, 1],
      ),
      ...overBoth('4*rows*W*G*dh', RING_HALF, [
        {
          name: 'software',
          idea: 'One invocation per row and head; it rotates its query anew for every age.',
          when: 'CPU adapters without such subgroups',
          files: RING_FILES,
          entryPoint: 'decode',
          chosen: (c) => c.software && !smallSubgroups(c),
          force: { software: true, subgroupSize: 0 },
        },
        {
          name: 'software, tiled, an age a step',
          idea: 'As the one in use on quads, but every age sets all sums.',
          lost: 'On SwiftShader 1.10 times slower (1024 rows): what a loop carries is masked and stored number by number whenever it is set.',
          when: 'no adapter: kept to measure against',
          files: ['attention/decode_software.wgsl', 'attention/kept.wgsl'],
          entryPoint: 'tiled',
          chosen: () => false,
          needs: quads,
          force: { software: true },
          takes: (dims) => dims.W > 21 && quick(dims),
          instead: anAgeAStep,
        },
        {
          name: 'software, tiled',
          idea: 'Lanes take turns at the ages, rotate a key once and score it for all heads that share it; they meet once, at the end: 3.4 times faster on lavapipe, about twice on SwiftShader (1024 rows). The rotation of the next age is turned from the last instead of loaded, and what all lanes need is loaded once and broadcast: 1.2 times faster again on both (52 rows of the micro dynamics). Quads take two ages before they set their sums: 1.10 times faster again on SwiftShader (1024 rows). Over bfloat16 instead of f32 a launch takes 0.57 ms there instead of 0.71 (52 rows).',
          when: 'CPU adapters with subgroups of 4 or 8',
          files: ['attention/decode_software.wgsl', 'attention/kept.wgsl'],
          entryPoint: 'tiled',
          chosen: (c) => c.software && smallSubgroups(c),
          needs: smallSubgroups,
          force: { software: true },
        },
        {
          name: 'GPU',
          idea: 'The same text on graphics processors.',
          when: 'graphics processors',
          files: RING_FILES,
          entryPoint: 'decode',
          chosen: (c) => !c.software,
          force: { software: false },
        },
      ]),
    ],
    cases: RINGS.map((r) => ringCase(r)),
    bench: ringCase(ringBench(1024)),
  },
  {
    name: 'ring append',
    family: 'attention',
    about: 'Puts the keys and values of a new row into the ring.',
    label: 'ring append',
    bindings: 'qkv ring table clock out',
    uniform: RING_UNIFORM,
    dispatch: 'One invocation per row and key or value head.',
    flops: '0',
    bytes: '(16 - 4*bf16)*rows*G*dh',
    variants: overBoth('12*rows*G*dh', undefined, RING_VARIANTS('append')),
    cases: [
      ringCase({ ...RINGS[1], name: 'a slot in the middle' }, true),
      ringCase({ ...RINGS[1], name: 'bfloat16', bfloat: true }, true),
    ],
    bench: ringCase(ringBench(1024), true),
  },
];
