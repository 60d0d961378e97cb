// Attention in every layout, forward and backward, in all three texts (CPU with subgroups, CPU without, GPU) against float64.

import { describe, expect, test } from 'vitest';
import type { Conditions } from '../../src/gpu/device.ts';
import { Graph } from '../../src/tensor/graph.ts';
import {
  attention,
  attentionFlops,
  boundedLayout,
  causalLayout,
  type Heads,
  maskBits,
  type SequenceLayout,
  spaceLayout,
  timeLayout,
} from '../../src/tensor/ops/attention.ts';
import { compute, gpuAs, pullBack, random, words } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { attentionReference } from '../support/reference.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const IMAGE = 0xffffffff;

/** Rows that a row sees, from the meaning of the layout, not from its strides. */
function timeKeys(time: number, slots: number, window: number, starts: number[]) {
  return (row: number): number[] => {
    const b = Math.floor(row / (time * slots));
    const t = Math.floor(row / slots) % time;
    const s = row % slots;
    const first = Math.max(0, t - window + 1, starts[b]);
    // An image row, and frames before the start of an episode, see themselves only.
    if (first > t) return [row];
    return Array.from({ length: t - first + 1 }, (_, i) => (b * time + first + i) * slots + s);
  };
}

function spaceKeys(slots: number, allowed: (q: number, k: number) => boolean) {
  return (row: number): number[] => {
    const base = Math.floor(row / slots) * slots;
    return Array.from({ length: slots }, (_, k) => k)
      .filter((k) => allowed(row - base, k))
      .map((k) => base + k);
  };
}

interface Case {
  layout: SequenceLayout;
  mask: Uint32Array<ArrayBuffer>;
  heads: Heads;
  keys: (row: number) => number[];
}

const grouped = { heads: 4, kvHeads: 2, dim: 8 };
const space = (
  frames: number,
  slots: number,
  cap: number,
  heads: Heads,
  allowed: (q: number, k: number) => boolean,
): Case => ({
  layout: spaceLayout(frames, slots, cap),
  mask: maskBits(slots, allowed),
  heads,
  keys: spaceKeys(slots, allowed),
});
const time = (b: number, t: number, s: number, window: number, cap: number, heads: Heads, starts: number[]): Case => ({
  layout: timeLayout(b, t, s, window, cap),
  mask: Uint32Array.from(starts),
  heads,
  keys: timeKeys(t, s, window, starts),
});
const causal = (b: number, t: number, window: number, cap: number, heads: Heads, starts: number[]): Case => ({
  layout: causalLayout(b, t, window, cap),
  mask: Uint32Array.from(starts),
  heads,
  keys: timeKeys(t, 1, window, starts),
});

/** Every row sees the keys lo..hi-1 of its own sequence. */
const bounded = (
  b: number,
  t: number,
  cap: number,
  heads: Heads,
  isCausal: boolean,
  see: (b: number, i: number) => [number, number],
): Case => {
  const mask = new Uint32Array(b * t * 2);
  for (let row = 0; row < b * t; row++) mask.set(see(Math.floor(row / t), row % t), 2 * row);
  return {
    layout: boundedLayout(b, t, isCausal, cap),
    mask,
    heads,
    keys: (row) => {
      const base = Math.floor(row / t) * t;
      return Array.from({ length: mask[2 * row + 1] - mask[2 * row] }, (_, i) => base + mask[2 * row] + i);
    },
  };
};

const CASES: Record<string, Case> = {
  'space, everything visible': space(3, 11, 0, grouped, () => true),
  'space, modality mask, cap 50': space(2, 11, 50, grouped, (q, k) => q < 4 || k >= 4),
  'space over two mask words, cap 2': space(2, 45, 2, grouped, (q, k) => q >= 40 || k < 40),
  'space, one slot': space(3, 1, 0, grouped, () => true),
  'time with a window': time(2, 13, 3, 5, 0, grouped, [0, 0]),
  'time with episode starts, cap 50': time(2, 13, 3, 20, 50, grouped, [4, 12]),
  'time, a window of one frame': time(1, 9, 2, 1, 0, grouped, [0]),
  'time, an image row beside a normal one': time(2, 10, 2, 6, 0, grouped, [IMAGE, 0]),
  'causal, long': causal(2, 70, 70, 0, grouped, [0, 3]),
  'causal, long with a window, cap 5': causal(1, 70, 19, 5, grouped, [0]),
  'bounds, packed documents': bounded(2, 45, 0, grouped, true, (b, i) => [
    i < 17 + b ? 0 : i < 40 ? 17 + b : 40,
    i + 1,
  ]),
  'bounds, left padding and a length': bounded(2, 21, 3, grouped, false, (b) => [2 * b, 21 - 9 * b]),
  'bounds, a prefix that sees itself whole': bounded(1, 37, 0, grouped, false, (_, i) => [0, Math.max(12, i + 1)]),
  'causal, one element': causal(2, 1, 1, 0, grouped, [0, IMAGE]),
};

const SHAPES: Heads[] = [
  { heads: 2, kvHeads: 2, dim: 16 },
  { heads: 3, kvHeads: 1, dim: 32 },
  { heads: 1, kvHeads: 1, dim: 4 },
];

async function check(conditions: Partial<Conditions>, { layout, mask, heads, keys }: Case): Promise<void> {
  const gpu = await gpuAs(conditions);
  const rows = layout.count * layout.length;
  const width = (heads.heads + 2 * heads.kvHeads) * heads.dim;
  const qkv = random([rows, width], 1);
  const probe = random([rows, heads.heads * heads.dim], 2);
  const want = attentionReference(qkv.data, rows, heads, layout.cap, keys, probe.data);
  const got = await compute(gpu, { qkv, probe, mask: words([mask.length], mask) }, (t, graph) => {
    const out = attention(t.qkv, t.mask, layout, heads);
    return { out, dqkv: pullBack(graph, out, t.probe, [t.qkv])[0] };
  });
  expectClose(got.out, want.out, TOLERANCE.f32.attention);
  expectClose(got.dqkv, want.dqkv, TOLERANCE.f32.attention);
}

const TEXTS: [string, Partial<Conditions>][] = [
  ['this adapter', {}],
  ['a CPU adapter without subgroups of one size', { software: true, subgroupSize: 0 }],
  ['a GPU', { software: false }],
];

describe.each(TEXTS)('text for %s', (_, conditions) => {
  test.each(Object.keys(CASES))('%s', async (name) => {
    await check(conditions, CASES[name]);
  });
});

test.each(SHAPES)('heads %j', async (heads) => {
  await check({}, time(2, 9, 2, 6, 0, heads, [0, 2]));
  await check(
    {},
    space(1, 20, 50, heads, (q, k) => q >= k),
  );
});

test('queries and keys of very different length do not overflow', async () => {
  const { gpu } = await testGpu();
  const heads = { heads: 1, kvHeads: 1, dim: 4 };
  const qkv = random([8, 12], 5);
  const loud = { shape: qkv.shape, data: qkv.data.map((v, i) => (i % 12 < 8 ? v * 300 : v)) };
  const layout = causalLayout(1, 8, 8);
  const want = attentionReference(loud.data, 8, heads, 0, timeKeys(8, 1, 8, [0]), new Float32Array(32));
  const { out } = await compute(gpu, { qkv: loud, mask: words([1], [0]) }, (t) => ({
    out: attention(t.qkv, t.mask, layout, heads),
  }));
  // Scores near 1e5 leave 1e-2 of a unit in f32: only the winner of each row is certain.
  expectClose(out, want.out, 0.05);
});

test('rows that do not fit the layout are refused', async () => {
  const graph = new Graph((await testGpu()).gpu.conditions);
  const mask = graph.input('mask', [1]);
  expect(() => attention(graph.input('x', [9, 64]), mask, causalLayout(1, 8, 8), grouped)).toThrow(
    'has 9 rows, the layout covers 8',
  );
});

test('work counts visible pairs', () => {
  const heads = { heads: 2, kvHeads: 1, dim: 4 };
  // 4 multiply-adds x 2 for scores and for values; pairs of a causal window of 3 over 5: 1+2+3+3+3.
  expect(attentionFlops(causalLayout(1, 5, 3), heads)).toBe(4 * 12 * 2 * 4);
  expect(attentionFlops(spaceLayout(3, 5, 0), heads)).toBe(4 * 25 * 3 * 2 * 4);
});
