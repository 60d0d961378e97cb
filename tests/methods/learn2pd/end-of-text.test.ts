// End-of-text prediction on logits written by hand: which position is cut at, and what is lost by it.

import { expect, test } from 'vitest';
import { EOT, MASK } from '../../../src/lm/tokenizers/closed.ts';
import { DiffusionDecoder } from '../../../src/methods/learn2pd/decoder.ts';
import { DECODE_DEFAULTS, type DecodeSpec } from '../../../src/methods/learn2pd/policy.ts';
import { testGpu } from '../../support/gpu.ts';
import { ruleModel } from './support.ts';

const PROMPT = 2;
const CANVAS = 16;
const BLOCK = 4;
const VOCAB = 8;

/** Each canvas position: its token, and how much its logit stands out. */
async function decode(rules: readonly (readonly [token: number, lead: number])[], spec: Partial<DecodeSpec>) {
  const { gpu } = await testGpu();
  const rows = [...Array<[number, number]>(PROMPT).fill([2, 1]), ...rules].map(([token, lead]) =>
    Array.from({ length: VOCAB }, (_, v) => (v === token ? lead : 0)),
  );
  const decoder = new DiffusionDecoder(gpu, ruleModel(rows, 1), {
    prompt: PROMPT,
    block: BLOCK,
    canvas: CANVAS,
    depth: 2,
    perSubmission: 8,
  });
  const { results } = await decoder.decode([[3, 4]], {
    ...DECODE_DEFAULTS,
    policy: { kind: 'threshold', tau: 0.9 },
    ...spec,
  });
  decoder.dispose();
  return { ...results[0], tokens: [...results[0].tokens] };
}

/** Tokens 2.. at leads that are all sure; the end token from `end` on. */
const answer = (end: number): [number, number][] =>
  Array.from({ length: CANVAS }, (_, i) => (i < end ? [2 + (i % 6), 9] : [EOT, 9]));

test('strict: the same text up to the end token, and nothing behind it', async () => {
  for (const end of [0, 3, 4, 6, 15]) {
    const off = await decode(answer(end), { eotp: 'off' });
    const strict = await decode(answer(end), { eotp: 'strict' });
    expect(off.tokens.length).toBe(CANVAS);
    expect(strict.tokens).toEqual(off.tokens.slice(0, end + 1));
    expect(strict.cut).toBe(CANVAS - end - 1);
    expect([off.nfe, strict.nfe]).toEqual([4, Math.floor(end / BLOCK) + 1]);
  }
});

test('strict: the first of several end tokens of one pass counts, an unsure one does not', async () => {
  const rules = answer(16);
  rules[1] = [EOT, 2];
  rules[2] = [EOT, 9];
  rules[3] = [EOT, 9];
  const { tokens, nfe } = await decode(rules, { eotp: 'strict' });
  // Index 2 is final in the first pass and cuts; index 1 is decoded in the second and cuts again.
  expect(tokens).toEqual([2, EOT]);
  expect(nfe).toBe(2);
});

test('released: a finalised end token goes before a surer prediction of one', async () => {
  const rules = answer(16);
  rules[3] = [EOT, 5];
  rules[9] = [EOT, 12];
  const { tokens } = await decode(rules, { eotp: 'released' });
  expect(tokens).toEqual([2, 3, 4, EOT]);
});

test('released: else the surest prediction to the right, which may itself stay masked', async () => {
  const rules = answer(16);
  rules[6] = [EOT, 3];
  rules[9] = [EOT, 6];
  rules[12] = [EOT, 6];
  const { tokens, cut, nfe } = await decode(rules, { eotp: 'released' });
  // First pass: 9 and 12 are equally sure, the first wins and stays masked. Then 6 is found with everything else settled.
  expect(tokens).toEqual([2, 3, 4, 5, 6, 7, EOT]);
  expect(cut).toBe(CANVAS - 7);
  expect(nfe).toBe(3);
});

test('the end token can be suppressed, and the mask is never written', async () => {
  const rules = answer(2);
  rules[5] = [MASK, 20];
  const { tokens } = await decode(rules, { eotp: 'strict', suppressEot: true });
  expect(tokens.length).toBe(CANVAS);
  expect(tokens).not.toContain(EOT);
  expect(tokens).not.toContain(MASK);
});
