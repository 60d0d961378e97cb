// Caches of a bidirectional model: a pass that feeds everything is the uncached model; one that feeds a block, or a block
// and what follows, gives the same rows while nothing else has changed, and what the stale cache says once it has.

import { expect, test } from 'vitest';
import type { Conditions, Gpu } from '../../src/gpu/device.ts';
import type { LmConfig } from '../../src/lm/config.ts';
import { smallConfig } from '../../src/lm/config.ts';
import { newStore } from '../../src/lm/language-model.ts';
import { cacheMixer, lmHidden, lmLogits } from '../../src/lm/model.ts';
import { KvCache } from '../../src/nn/kv-cache.ts';
import { Scope } from '../../src/nn/layers.ts';
import { compile } from '../../src/tensor/program.ts';
import { testGpu } from '../support/gpu.ts';
import { lmReference } from '../support/lm-reference.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const CONFIG: LmConfig = { ...smallConfig(20, 32, 2, 24), positions: true };
const TEXT = [4, 4, 7, 2, 9, 1, 1, 3, 18, 5, 0, 6];
/** Two tokens of padding on the left, a tail of two that nobody sees. */
const [FIRST, LAST] = [2, 10];

async function passes(conditions: Partial<Conditions> = {}) {
  const { gpu: opened } = await testGpu();
  const gpu = { ...opened, conditions: { ...opened.conditions, ...conditions } } as Gpu;
  const store = newStore(gpu, CONFIG, 8, false);
  const cache = new KvCache(gpu, 1, TEXT.length, { heads: CONFIG.heads, kvHeads: CONFIG.kvHeads, dim: CONFIG.headDim });
  const programs = new Map<number, ReturnType<typeof compile>>();
  /** Logits of positions from..to-1 of the text; their keys and values replace those of the cache. */
  const pass = async (text: number[], from: number, to: number): Promise<Float32Array> => {
    const n = to - from;
    let program = programs.get(n);
    if (!program) {
      program = compile(gpu, (graph) => {
        const scope = new Scope(graph, store);
        const rows = {
          ids: graph.input('ids', [n]),
          positions: graph.input('positions', [n]),
          previous: graph.input('p', [n]),
        };
        const bounds = graph.input('bounds', [n, 2]);
        const layer = (name: string) => ({ cache: cache.layer(graph, name), at: rows.positions, bounds });
        graph.output(
          'logits',
          lmLogits(scope, CONFIG, lmHidden(scope, CONFIG, rows, cacheMixer(scope, CONFIG, rows, layer))),
        );
      });
      programs.set(n, program);
    }
    program.run({
      ids: Uint32Array.from(text.slice(from, to)),
      positions: Uint32Array.from({ length: n }, (_, i) => from + i),
      bounds: Uint32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? FIRST : LAST)),
    });
    return program.read('logits');
  };
  return { pass, store, bytes: () => cache.bytes, gpu };
}

const rowsOf = (logits: Float32Array, from: number, to: number): Float32Array =>
  logits.subarray(from * CONFIG.vocab, to * CONFIG.vocab);

test('feeding everything is the uncached model', async () => {
  const { pass, store, bytes } = await passes();
  const keys = Array.from({ length: LAST - FIRST }, (_, i) => FIRST + i);
  const want = lmReference(await store.read('value'), CONFIG, TEXT, () => keys).logits;
  const got = await pass(TEXT, 0, TEXT.length);
  expectClose(rowsOf(got, FIRST, LAST), want.slice(FIRST, LAST).flat(), TOLERANCE.f32.network);
  expect(bytes()).toBe(2 * TEXT.length * 2 * CONFIG.kvHeads * CONFIG.headDim * 4);
});

test('a cache of f16 is half as large, and the model nearly the same; products stay f32 without shader-f16', async () => {
  const { pass, store, bytes } = await passes({ precision: 'f16', f16: false });
  const keys = Array.from({ length: LAST - FIRST }, (_, i) => FIRST + i);
  const want = lmReference(await store.read('value'), CONFIG, TEXT, () => keys).logits;
  const got = rowsOf(await pass(TEXT, 0, TEXT.length), FIRST, LAST);
  expectClose(got, want.slice(FIRST, LAST).flat(), TOLERANCE.f16.network);
  expect(got).not.toEqual(rowsOf(await (await passes()).pass(TEXT, 0, TEXT.length), FIRST, LAST));
  expect(bytes()).toBe(2 * TEXT.length * 2 * CONFIG.kvHeads * CONFIG.headDim * 2);
});

test('a block, or a block and its suffix, gives the bits of the full pass while nothing has changed', async () => {
  const { pass } = await passes();
  const full = (await pass(TEXT, 0, TEXT.length)).slice();
  expect(await pass(TEXT, 4, 8)).toEqual(rowsOf(full, 4, 8));
  expect(await pass(TEXT, 4, TEXT.length)).toEqual(rowsOf(full, 4, TEXT.length));
});

test('rows outside the block are as old as their last pass', async () => {
  const { pass, store } = await passes();
  await pass(TEXT, 0, TEXT.length);
  const changed = TEXT.map((id, i) => (i === 5 ? 13 : id));
  const stale = (await pass(changed, 4, 8)).slice();
  const fresh = rowsOf((await pass(changed, 0, TEXT.length)).slice(), 4, 8);
  // The block sees its own change in both; the others' keys in the second layer know of it only after a full pass.
  expect(stale).not.toEqual(fresh);
  const keys = Array.from({ length: LAST - FIRST }, (_, i) => FIRST + i);
  const want = lmReference(await store.read('value'), CONFIG, changed, () => keys).logits;
  expectClose(fresh, want.slice(4, 8).flat(), TOLERANCE.f32.network);
});

test('a cache that no buffer can hold is refused in words', async () => {
  const { gpu } = await testGpu();
  const cache = new KvCache(gpu, 100_000, 100_000, { heads: 8, kvHeads: 8, dim: 128 });
  compile(gpu, (graph) => {
    expect(() => cache.layer(graph, 'layer.0')).toThrow('100000 sequences of 100000 positions take');
    graph.output('x', graph.input('x', [1]));
  }).dispose();
});
