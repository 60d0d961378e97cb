// The transformer of src/lm against float64: causal and packed, bidirectional with a length, every option of the configuration.

import { expect, test } from 'vitest';
import type { LmConfig } from '../../src/lm/config.ts';
import { newStore } from '../../src/lm/language-model.ts';
import { lmHidden, lmLogits, rowMixer } from '../../src/lm/model.ts';
import { packDocuments } from '../../src/lm/train/batch.ts';
import { Scope } from '../../src/nn/layers.ts';
import { compile } from '../../src/tensor/program.ts';
import { testGpu } from '../support/gpu.ts';
import { lmReference } from '../support/lm-reference.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const TINY: LmConfig = {
  vocab: 20,
  d: 24,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  hidden: 36,
  tied: false,
  ropeBase: 10000,
  context: 32,
  positions: false,
  shift: false,
};

const VARIANTS: Record<string, Partial<LmConfig>> = {
  plain: {},
  'tied head, other base': { tied: true, ropeBase: 1e6 },
  'learned positions': { positions: true },
  'token shift': { shift: true, kvHeads: 4 },
};

test.each(Object.keys(VARIANTS))('%s: packed documents see themselves only', async (name) => {
  const { gpu } = await testGpu();
  const c = { ...TINY, ...VARIANTS[name] };
  const store = newStore(gpu, c, 5, false);
  const documents = [
    [3, 1, 4, 1, 5, 9, 2],
    [6, 5, 3],
    [5, 8, 9, 7, 9, 3, 2, 3, 8],
  ];
  const [batch, time] = [2, 11];
  const { placed, batch: rows } = packDocuments(documents, batch, time, 0);
  const program = compile(gpu, (graph) => {
    const n = batch * time;
    const scope = new Scope(graph, store);
    const input = {
      ids: graph.input('ids', [n]),
      positions: graph.input('positions', [n]),
      previous: graph.input('previous', [n]),
    };
    const at = { batch, time, bounds: graph.input('bounds', [n, 2]), causal: true };
    graph.output('logits', lmLogits(scope, c, lmHidden(scope, c, input, rowMixer(scope, c, input, at))));
  });
  const { ids, positions, previous, bounds } = rows;
  program.run({ ids, positions, ...(c.shift ? { previous } : {}), bounds });
  const logits = await program.read('logits');
  const weights = await store.read('value');
  expect(placed.length).toBe(3);
  placed.forEach(({ first, length }, i) => {
    const want = lmReference(weights, c, documents[i]).logits.flat();
    expectClose(logits.subarray(first * c.vocab, (first + length) * c.vocab), want, TOLERANCE.f32.network);
  });
  program.dispose();
});

test('bidirectional with a length bound: what lies behind the bound changes nothing', async () => {
  const { gpu } = await testGpu();
  const c = { ...TINY, positions: true };
  const store = newStore(gpu, c, 6, false);
  const [n, length] = [12, 8];
  const program = compile(gpu, (graph) => {
    const scope = new Scope(graph, store);
    const input = {
      ids: graph.input('ids', [n]),
      positions: graph.input('positions', [n]),
      previous: graph.input('p', [n]),
    };
    const at = { batch: 1, time: n, bounds: graph.input('bounds', [n, 2]), causal: false };
    graph.output('logits', lmLogits(scope, c, lmHidden(scope, c, input, rowMixer(scope, c, input, at))));
  });
  const text = [7, 2, 9, 9, 1, 0, 3, 4];
  const run = async (tail: number): Promise<Float32Array> => {
    const ids = Uint32Array.from({ length: n }, (_, i) => text[i] ?? tail);
    const bounds = Uint32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 0 : length));
    program.run({ ids, positions: Uint32Array.from({ length: n }, (_, i) => i), bounds });
    return (await program.read('logits')).subarray(0, length * c.vocab);
  };
  const got = await run(5);
  const all = Array.from({ length }, (_, i) => i);
  expectClose(got, lmReference(await store.read('value'), c, text, () => all).logits.flat(), TOLERANCE.f32.network);
  expect(await run(11)).toEqual(got);
  program.dispose();
});
