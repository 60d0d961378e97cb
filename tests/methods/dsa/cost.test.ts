// Cost by position, measured for real at positions that take no time: what is summed, what the tables say, and that the
// programs are valid. How fast anything is is not a matter of tests.

import { expect, test } from 'vitest';
import { configure, type DsaShape, SPECIFIED } from '../../../src/methods/dsa/config.ts';
import { costAt, costCurves } from '../../../src/methods/dsa/cost.ts';
import { testGpu } from '../../support/gpu.ts';

/** What `body` gives, if the device had nothing to say against it. */
async function valid<T>(body: () => Promise<T>): Promise<T> {
  const { device } = await testGpu();
  device.pushErrorScope('validation');
  const result = await body();
  expect((await device.popErrorScope())?.message ?? '').toBe('');
  return result;
}

test.each<[string, DsaShape, 'decode' | 'prefill', number]>([
  ['the layer of the specification decodes, below k', SPECIFIED, 'decode', 48],
  ['the layer of the specification reads a prompt', SPECIFIED, 'prefill', 96],
  // No query latent, f32 indexer: the cost is that of codes all the same.
  ['a layer without query latent decodes', configure('nano', { quant: 'f32' }), 'decode', 40],
])('%s: every part takes time, and sparse is their sum', async (_, shape, phase, position) => {
  const { gpu, software } = await testGpu();
  const point = await valid(() => costAt(gpu, shape, position, phase, 64, { rounds: 1 }));
  expect(point.position).toBe(position);
  if (software) expect(point.tokens).toBe(phase === 'decode' ? 1 : 64);
  const { prepare, scores, select, attend, dense, sparse } = point;
  for (const ms of [dense, prepare, scores, select, attend]) {
    expect(Number.isFinite(ms)).toBe(true);
    expect(ms).toBeGreaterThan(0);
  }
  expect(sparse).toBeCloseTo(prepare + scores + select + attend, 12);
});

test('both curves double from the first position to their last, and say what they are', async () => {
  const { gpu } = await testGpu();
  const said: string[] = [];
  const options = { k: 4, from: 16, decodeTo: 70, prefillTo: 16, progress: (text: string) => said.push(text) };
  const { tables, metrics } = await valid(() => costCurves(gpu, configure('nano'), options));
  expect(tables.map(({ name, rows }) => [name, rows.map(([position]) => position)])).toEqual([
    ['costPrefill', [16]],
    ['costDecode', [16, 32, 64]],
  ]);
  for (const { columns, rows } of tables) {
    expect(columns.slice(0, 5)).toEqual(['position', 'tokens at once', 'dense ms/token', 'sparse ms/token', 'prepare']);
    for (const row of rows) {
      expect(row).toHaveLength(columns.length);
      const [dense, sparse, ratio] = [row[2], row[3], row[row.length - 1]].map(Number);
      expect(ratio / (dense / sparse)).toBeCloseTo(1, 2);
    }
  }
  expect(metrics).toMatchObject({ positionPrefill: 16, positionDecode: 64 });
  expect(metrics.speedupDecode).toBeGreaterThan(0);
  expect(said).toHaveLength(4);
  expect(said[0]).toMatch(/^prefill at 16: dense [\d.e-]+ ms, sparse [\d.e-]+ ms a token$/);
});
