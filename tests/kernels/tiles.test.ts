// The measured table of matmul tiles: a choice among candidates that all give the same bits, kept per adapter and used by
// products; a broken or foreign file is as good as none.

import { describe, expect, test } from 'vitest';
import { measureTile, tileTable } from '../../src/bench/tiles.ts';
import { memoryStorage } from '../../src/data/storage.ts';
import { loadTiles, openWithTiles, saveTiles } from '../../src/data/tile-cache.ts';
import type { Conditions } from '../../src/gpu/device.ts';
import { Graph } from '../../src/tensor/graph.ts';
import { planMatmul, tileCandidates, tileClass } from '../../src/tensor/kernels/matmul.ts';
import { planRowBlock } from '../../src/tensor/kernels/row-block.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { testGpu } from '../support/gpu.ts';

const eights: Conditions = { software: true, f16: false, subgroups: true, subgroupSize: 8 };
const quads: Conditions = { ...eights, subgroupSize: 4 };

test('candidates: the rule first, none twice, none on GPUs', () => {
  for (const c of [eights, quads]) {
    for (const form of ['nn', 'nt', 'tn'] as const) {
      const found = tileCandidates(c, { form, M: 52, N: 128, K: 64 });
      expect(new Set(found.map((t) => `${t.rows} ${t.blocks}`)).size).toBe(found.length);
      const rule = planMatmul({ form, M: 52, N: 128, K: 64, software: true, subgroup: c.subgroupSize });
      const [own] = found.map((t) =>
        planMatmul({ form, M: 52, N: 128, K: 64, software: true, subgroup: c.subgroupSize, ...t }),
      );
      expect(own.code).toBe(rule.code);
      const texts = found.map(
        (t) => planMatmul({ form, M: 52, N: 128, K: 64, software: true, subgroup: c.subgroupSize, ...t }).code,
      );
      expect(new Set(texts).size).toBe(texts.length);
    }
  }
  expect(tileCandidates({ ...eights, software: false }, { form: 'nn', M: 52, N: 128, K: 64 })).toEqual([]);
});

test('products of a class take its tile, others the rule', () => {
  const traced = (tiles?: Conditions['tiles'], rows = 52): number => {
    const graph = new Graph({ ...eights, tiles });
    matmul('nn', graph.input('a', [rows, 64]), graph.input('b', [64, 128]));
    return graph.nodes[0].dispatch()[0].workgroups[1];
  };
  const tiles = { [tileClass('nn', 52, 128, 64)]: { rows: 32, blocks: 1 } };
  expect(traced()).toBe(4);
  expect(traced(tiles)).toBe(2);
  expect(traced(tiles, 4)).toBe(traced(undefined, 4));
});

describe('on this adapter', () => {
  test('every candidate gives the same bits, and one of them is chosen', { timeout: 120_000 }, async () => {
    const { gpu } = await testGpu();
    const row = await measureTile(gpu, ['nn', 52, 64, 32]);
    if (!row) {
      expect([4, 8]).not.toContain(gpu.conditions.subgroupSize);
      return;
    }
    expect(row.tiles.length).toBeGreaterThan(1);
    // NaN would mean that a tile changed a bit.
    for (const t of row.tiles) expect(t.ms).toBeGreaterThan(0);
    expect(row.tiles.map(({ rows, blocks }) => ({ rows, blocks }))).toContainEqual(row.chosen);
    expect(tileTable([row])).toEqual({ [tileClass('nn', 52, 64, 32)]: row.chosen });
  });
});

describe('kept', () => {
  const tiles = { 'nn middle middle middle': { rows: 16, blocks: 2 } };

  test('comes back for this adapter only', async () => {
    const { gpu } = await testGpu();
    const storage = memoryStorage();
    expect(await loadTiles(storage, gpu.report)).toBeNull();
    await saveTiles(storage, gpu.report, tiles, new Date(0));
    expect(await loadTiles(storage, gpu.report)).toEqual(tiles);
    expect(await loadTiles(storage, { ...gpu.report, description: 'another driver' })).toBeNull();
    const opened = await openWithTiles(
      async () => ({ ok: true, gpu: { ...gpu, conditions: { ...gpu.conditions } } }),
      async () => storage,
    );
    expect(opened.ok && opened.gpu.conditions.tiles).toEqual(tiles);
  });

  test('a damaged file or a missing storage leaves the rule', async () => {
    const { gpu } = await testGpu();
    const storage = memoryStorage();
    await saveTiles(storage, gpu.report, tiles, new Date(0));
    const [name] = await storage.list();
    for (const text of [
      '',
      '{',
      '{"version":1}',
      '{"version":1,"adapter":"x","date":"","tiles":{"a":{"rows":0,"blocks":1}}}',
    ]) {
      await storage.write(name, new TextEncoder().encode(text));
      expect(await loadTiles(storage, gpu.report)).toBeNull();
    }
    const opened = await openWithTiles(
      async () => ({ ok: true, gpu: { ...gpu, conditions: { ...gpu.conditions } } }),
      () => Promise.reject(new Error('private window')),
    );
    expect(opened.ok && opened.gpu.conditions.tiles).toBeUndefined();
  });
});

test('row blocks: the 52 rows of a played frame are two tiles; what workgroup memory cannot hold does not exist', () => {
  const micro = { rows: 52, d: 64, attended: 64, hidden: 160, width: 128, dim: 16 };
  const lavapipe = { ...eights, lavapipe: true };
  expect(planRowBlock(lavapipe, micro)).toMatchObject({ tile: 26, workgroups: [2, 1, 1] });
  // With attention within a sequence, a tile lies in one.
  expect(planRowBlock(lavapipe, { ...micro, rows: 87, open: 29 })).toMatchObject({
    tile: 15,
    tiles: 2,
    workgroups: [6, 1, 1],
  });
  expect(planRowBlock(lavapipe, { ...micro, hidden: 16_000 })).toBeNull();
  expect(planRowBlock(quads, micro)).toBeNull();
  // Another driver of that width would get a text without the barriers that it may need.
  expect(planRowBlock(eights, micro)).toBeNull();
});

test('the driver with row blocks is known by its name', async () => {
  const { gpu } = await testGpu();
  expect(gpu.conditions.lavapipe).toBe(/llvmpipe/.test(`${gpu.report.device} ${gpu.report.description}`));
});
