// Attention with heads of several widths, loud inputs and refusals. All layouts in all texts: registry.test.ts.

import { expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { attention, attentionFlops, causalLayout, type Heads, spaceLayout } from '../../src/tensor/ops/attention.ts';
import { attentionReference, timeKeys } from '../../src/tensor/reference/attention.ts';
import { type AttentionCase, space, time } from '../../src/tensor/registry/attention.ts';
import { compute, pullBack, random, words } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const grouped = { heads: 4, kvHeads: 2, dim: 8 };
const SHAPES: Heads[] = [
  { heads: 2, kvHeads: 2, dim: 16 },
  { heads: 3, kvHeads: 1, dim: 32 },
  { heads: 1, kvHeads: 1, dim: 4 },
];

async function check({ layout, mask, heads, keys }: AttentionCase): Promise<void> {
  const { gpu } = await testGpu();
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

test.each(SHAPES)('heads %j', async (heads) => {
  await check(time('', 2, 9, 2, 6, 0, [0, 2], heads));
  await check(space('', 1, 20, 50, (q, k) => q >= k, heads));
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
