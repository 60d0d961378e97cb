// The indexer's vectors of new tokens: decoding makes of them in few launches what single operations make of them, and a
// decode step has no others.

import { expect, test } from 'vitest';
import { cachedDsa } from '../../../src/methods/dsa/cached.ts';
import { configure, type DsaConfig } from '../../../src/methods/dsa/config.ts';
import { cachedIndexVectors, dsaStore, indexVectors, rotations } from '../../../src/methods/dsa/model.ts';
import type { Quant } from '../../../src/methods/dsa/ops.ts';
import { blockScale, e4m3Decode, e4m3Encode } from '../../../src/methods/dsa/reference.ts';
import { Scope } from '../../../src/nn/layers.ts';
import { normals } from '../../../src/nn/params.ts';
import { Graph } from '../../../src/tensor/graph.ts';
import { compile } from '../../../src/tensor/program.ts';
import { testGpu } from '../../support/gpu.ts';

const [SEQUENCES, QUERIES, CAPACITY] = [3, 40, 48];
const ROWS = SEQUENCES * QUERIES;
/** Rows of a sequence lie backwards in its cache, behind what it held before. */
const AT = Uint32Array.from({ length: ROWS }, (_, r) => CAPACITY - 1 - (r % QUERIES));

/** Both ways of the same rows. Of the single operations what lies before the codes, of the cached way what its codes stand for. */
async function bothWays(c: DsaConfig) {
  const { gpu } = await testGpu();
  const store = dsaStore(gpu, c, 3);
  // As after training: at their start gains are 1 and biases 0.
  for (const [name, values] of await store.read('value')) {
    if (/\.k\.[gb]$/.test(name)) store.write('value', name, normals(4, name.length, values.length));
  }
  const words = c.quant === 'f32' ? c.indexDim : c.indexDim / 4;
  const program = compile(gpu, (g) => {
    const scope = new Scope(g, store);
    const x = g.input('x', [ROWS, c.d]);
    const qr = c.qLora > 0 ? g.input('qr', [ROWS, c.qLora]) : x;
    const at = g.input('at', [ROWS]);
    const turn = rotations(g, c, at);
    const { q, w, k } = indexVectors(scope, { ...c, quant: 'f32' }, 'layer.0', x, qr, turn);
    const codes = g.input('codes', [SEQUENCES, CAPACITY, words]);
    const scales = c.quant === 'f32' ? undefined : g.input('scales', [SEQUENCES, CAPACITY, 1]);
    const cached = cachedIndexVectors(scope, c, 'layer.0', x, qr, turn, at, { codes, scales });
    for (const [name, t] of Object.entries({ q, w, k, cachedQ: cached.q, cachedW: cached.w })) g.output(name, t);
  });
  const given = { at: AT, x: normals(1, 2, ROWS * c.d), ...(c.qLora > 0 && { qr: normals(1, 3, ROWS * c.qLora) }) };
  program.run(given);
  const single = { q: await program.read('q'), w: await program.read('w'), k: await program.read('k') };
  const [q, w] = [await program.read('cachedQ'), await program.read('cachedW')];
  const codes = await program.readBytes('codes');
  const scales = c.quant === 'f32' ? [] : [...(await program.read('scales'))];
  program.dispose();
  store.dispose();
  const k = new Float32Array(ROWS * c.indexDim);
  for (let r = 0; r < ROWS; r++) {
    const place = Math.floor(r / QUERIES) * CAPACITY + AT[r];
    const row = codes.slice(place * words * 4, (place + 1) * words * 4);
    const values = {
      f32: () => new Float32Array(row),
      e4m3: () => Float32Array.from(new Uint8Array(row), (code) => e4m3Decode(code) * scales[place]),
      i8: () => Float32Array.from(new Int8Array(row), (code) => code * scales[place]),
    }[c.quant]();
    k.set(values, r * c.indexDim);
  }
  return { single, cached: { q, w, k } };
}

/** What the code of x stands for under a scale. */
const CODED: Record<Quant, (x: number, scale: number) => number> = {
  f32: (x) => x,
  e4m3: (x, scale) => e4m3Decode(e4m3Encode(x / scale)) * scale,
  i8: (x, scale) => Math.max(-127, Math.min(127, Math.round(x / scale))) * scale,
};
const SCALE: Record<Quant, (block: number[]) => number> = {
  f32: () => 1,
  e4m3: blockScale,
  i8: (block) => Math.max(1e-4, ...block.map(Math.abs)) / 127,
};

/**
 * The two ways differ by the rounding of sums in other orders: of `dim` channels for the mean and the variance of LayerNorm,
 * 2^-24 of the largest value for each at most. So a value must be what its vector would be coded as after a shift within
 * that: it equals the code of the single operations, but for values that lie so near to a border between two codes.
 */
function expectSame(cached: Float32Array, single: Float32Array, dim: number, quant: Quant): number {
  let others = 0;
  for (let at = 0; at < single.length; at += dim) {
    const block = [...single.subarray(at, at + dim)];
    const reach = dim * 2 ** -24 * Math.max(...block.map(Math.abs));
    const scaleOf = (by: number): number => SCALE[quant](block.map((v) => v + Math.sign(v) * by));
    // A power of two is the same on both sides but where the largest value is as near to its border.
    const scales = [scaleOf(-reach), scaleOf(reach)];
    block.forEach((v, c) => {
      const range = scales.flatMap((scale) => [v - reach, v + reach].map((x) => CODED[quant](x, scale)));
      const rounding = quant === 'e4m3' ? 0 : reach;
      expect(cached[at + c]).toBeGreaterThanOrEqual(Math.min(...range) - rounding);
      expect(cached[at + c]).toBeLessThanOrEqual(Math.max(...range) + rounding);
      if (Math.abs(cached[at + c] - CODED[quant](v, SCALE[quant](block))) > reach) others++;
    });
  }
  return others;
}

const nano = (changes: Record<string, string>): DsaConfig => configure('nano', { time: '64', ...changes });
test.each<[string, DsaConfig]>([
  ['e4m3, heads of 16', nano({})],
  ['e4m3, heads of 32 from a query latent', nano({ qLora: '32', indexDim: '32', indexHeads: '3' })],
  ['e4m3 without Hadamard, heads of 64', nano({ hadamard: 'false', indexDim: '64' })],
  ['e4m3, heads of 128', nano({ indexDim: '128' })],
  ['int8', nano({ quant: 'i8', indexDim: '32' })],
  ['int8 without Hadamard', nano({ quant: 'i8', hadamard: 'false' })],
  ['f32', nano({ quant: 'f32', indexDim: '32' })],
])('%s: the vectors of a decode step are those of single operations', async (_, c) => {
  const { single, cached } = await bothWays(c);
  const others =
    expectSame(cached.q, single.q, c.indexDim, c.quant) + expectSame(cached.k, single.k, c.indexDim, c.quant);
  // None differs on lavapipe and SwiftShader; borders are so rare that of an adapter that rounds otherwise few can.
  expect(others).toBeLessThanOrEqual((single.q.length + single.k.length) / 1000);
  expect([...cached.w]).toEqual([...single.w]);
});

test('a decode step prepares the indexer in five launches a layer', async () => {
  const { gpu } = await testGpu();
  const c = nano({});
  const store = dsaStore(gpu, c, 3, false);
  const launches = (k: number): string[] => {
    const size = { sequences: 2, capacity: 64 };
    const model = cachedDsa(gpu, c, store, size, k);
    const graph = new Graph(gpu.conditions);
    const [ids, positions, previous] = ['ids', 'positions', 'previous'].map((name) => graph.input(name, [2]));
    const rows = { ids, positions, previous, sequences: 2, queries: 1, bounds: graph.input('bounds', [2, 2]) };
    model.trace(graph).hidden(rows);
    model.dispose();
    return graph.nodes.flatMap((node) => node.dispatch()).map((d) => d.label);
  };
  // Dense over latents has no indexer.
  const [sparse, dense] = [launches(4), launches(64)];
  const own = sparse.filter((label) => /^(index|top-k)/.test(label));
  expect(own.slice(0, own.length / c.layers)).toEqual([
    'index query',
    'index key',
    'index scores of codes',
    expect.stringMatching(/^top-k/),
  ]);
  // Three projections, then the two kernels.
  expect(sparse.length - dense.length - 2 * c.layers).toBe(5 * c.layers);
  store.dispose();
});
