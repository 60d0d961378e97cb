// The guessed tokens themselves, exactly: the registry's proof compares the numbers beside them.

import { expect, test } from 'vitest';
import { guessTokens } from '../../../src/methods/learn2pd/loop-ops.ts';
import { DECODE_DEFAULTS, packSettings } from '../../../src/methods/learn2pd/policy.ts';
import { guessOf } from '../../../src/methods/learn2pd/reference.ts';
import { compile } from '../../../src/tensor/program.ts';
import { random } from '../../support/compute.ts';
import { testGpu } from '../../support/gpu.ts';

test.each([48, 128, 1000, 151_936])('vocabulary %i: the surest token, of equals the lowest', async (vocab) => {
  const { gpu } = await testGpu();
  const rows = 3;
  const { data } = random([rows, vocab], 6);
  // Two equal maxima in one row; the mask and, suppressed, the end token above everything in the others.
  data[7] = 20;
  data[vocab - 2] = 20;
  data[vocab + 1] = 30;
  data[2 * vocab] = 30;
  const program = compile(gpu, (graph) => {
    graph.output('guesses', guessTokens(graph.input('logits', [rows, vocab]), graph.input('settings', [8])));
  });
  for (const suppressEot of [false, true]) {
    const spec = { ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 1 }, suppressEot } as const;
    program.run({ logits: data, settings: packSettings(spec, 1, false) });
    const found = await program.readBytes('guesses');
    for (let r = 0; r < rows; r++) {
      const want = guessOf(data.subarray(r * vocab, (r + 1) * vocab), suppressEot);
      expect(new Uint32Array(found)[3 * r]).toBe(want.id);
      expect(new Float32Array(found)[3 * r + 1]).toBeCloseTo(want.c, 5);
    }
  }
  program.dispose();
});
