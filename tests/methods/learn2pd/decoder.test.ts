// The resident loop against its float64 twin, and what must hold between policies, caches and batches.

import { expect, test } from 'vitest';
import { mix32 } from '../../../src/gpu/rng.ts';
import { EOT } from '../../../src/lm/tokenizers/closed.ts';
import { type DecodeOptions, type DecoderShape, DiffusionDecoder } from '../../../src/methods/learn2pd/decoder.ts';
import { newFilter } from '../../../src/methods/learn2pd/filter.ts';
import { DECODE_DEFAULTS, type DecodeSpec, type Policy } from '../../../src/methods/learn2pd/policy.ts';
import { decodeReference } from '../../../src/methods/learn2pd/reference.ts';
import type { StepTrace } from '../../../src/methods/learn2pd/trace.ts';
import { testGpu } from '../../support/gpu.ts';
import { BLOCK, CANVAS, forwardOf, modelOf, PROMPT, sharpStore } from './support.ts';

// With these, nothing that any decode below compares is nearer than 1e-3 to a tie: neither the two best tokens of a position,
// nor two confidences, nor a confidence and a threshold. That is asserted beside every decode.
const PROMPTS = [
  [9, 6],
  [4, 2, 7, 7, 11, 8],
  [8, 9, 2, 11],
];
const GAP = 1e-3;
const SHAPE: DecoderShape = { prompt: PROMPT, block: BLOCK, canvas: CANVAS, depth: 2, perSubmission: 8 };
const FILTER = newFilter(BLOCK, 2, 5);
const POLICIES: Policy[] = [
  { kind: 'static', perStep: 1 },
  { kind: 'static', perStep: 3 },
  { kind: 'threshold', tau: 0.5 },
  { kind: 'egp' },
  { kind: 'learn2pd', tau: 0.52, filter: FILTER },
  { kind: 'margin', m: 0.3 },
  { kind: 'random', tau: 0.52, filter: FILTER },
];
const spec = (policy: Policy, more: Partial<DecodeSpec> = {}): DecodeSpec => ({ ...DECODE_DEFAULTS, policy, ...more });

async function setUp(sequences = 3, shape: Partial<DecoderShape> = {}) {
  const { gpu } = await testGpu();
  const store = await sharpStore(gpu, 16);
  const model = modelOf(gpu, store, sequences);
  const decoder = new DiffusionDecoder(gpu, model, { ...SHAPE, ...shape });
  const run = async (s: DecodeSpec, options?: DecodeOptions) => (await decoder.decode(PROMPTS, s, options)).results;
  return { gpu, store, decoder, run };
}

const texts = (results: readonly { tokens: ArrayLike<number> }[]): number[][] =>
  results.map((r) => Array.from(r.tokens));

test.each([
  ['none', 'off'],
  ['none', 'strict'],
  ['none', 'released'],
  ['prefix', 'off'],
  ['dual', 'strict'],
] as const)('cache %s, end-of-text prediction %s: every policy decides as float64 does', async (cache, eotp) => {
  const { store, run } = await setUp();
  const weights = await store.read('value');
  const y = texts(await run(spec({ kind: 'static', perStep: 1 })));
  // A reference that is not the model's own text makes the oracle miss.
  const references = y.map((text, r) => (r === 1 ? text.map((id, i) => (i % 5 === 3 ? 2 + (id % 7) : id)) : text));
  let [guardedAll, cutAll] = [0, 0];
  for (const policy of POLICIES) {
    const found = await run(spec(policy, { eotp, cache }), { references });
    PROMPTS.forEach((prompt, r) => {
      const first = PROMPT - prompt.length;
      const padded = [...Array<number>(first).fill(EOT), ...prompt];
      const seed = mix32(1, r, 0, 0x6c327064);
      const want = decodeReference(
        forwardOf(weights, first, cache),
        padded,
        CANVAS,
        BLOCK,
        spec(policy, { eotp, cache, seed }),
        references[r],
      );
      const name = `${policy.kind}, prompt ${r}`;
      expect(want.gap, `${name}: nothing compared is a near tie`).toBeGreaterThan(GAP);
      const { tokens, nfe, byPolicy, byTop, guarded, cut } = found[r];
      guardedAll += guarded;
      cutAll += cut;
      expect({ tokens: [...tokens], nfe, byPolicy, byTop, guarded, cut }, name).toEqual({
        tokens: want.tokens,
        nfe: want.nfe,
        byPolicy: want.byPolicy,
        byTop: want.byTop,
        guarded: want.guarded,
        cut: want.cut,
      });
    });
  }
  // The inputs are such that every rule was at work.
  expect(guardedAll).toBeGreaterThan(0);
  expect(cutAll > 0).toBe(eotp !== 'off');
});

test('limits of the thresholds: never is static decoding, always is one pass per block', async () => {
  const { run } = await setUp();
  const plain = await run(spec({ kind: 'static', perStep: 1 }));
  expect(plain.map((r) => r.nfe)).toEqual([CANVAS, CANVAS, CANVAS]);
  const never: Policy[] = [
    { kind: 'learn2pd', tau: 1, filter: FILTER },
    { kind: 'threshold', tau: 1.01 },
    { kind: 'margin', m: 1.01 },
  ];
  for (const policy of never) {
    const found = await run(spec(policy));
    expect(texts(found), policy.kind).toEqual(texts(plain));
    expect(found.map((r) => [r.nfe, r.byPolicy, r.byTop])).toEqual(plain.map(() => [CANVAS, 0, CANVAS]));
  }
  const always: Policy[] = [
    { kind: 'learn2pd', tau: 0, filter: FILTER },
    { kind: 'threshold', tau: 0 },
    { kind: 'margin', m: 0 },
    { kind: 'static', perStep: BLOCK },
  ];
  for (const policy of always) {
    const passes = (await run(spec(policy))).map((r) => r.nfe);
    expect(passes, policy.kind).toEqual(plain.map(() => CANVAS / BLOCK));
  }
});

test('the oracle with the static text of the model reproduces it in at most as many passes', async () => {
  const { run } = await setUp();
  const references = texts(await run(spec({ kind: 'static', perStep: 1 })));
  const found = await run(spec({ kind: 'egp' }), { references });
  expect(texts(found)).toEqual(references);
  for (const r of found) expect(r.nfe).toBeLessThanOrEqual(CANVAS);
});

const LEARNED: Policy = { kind: 'learn2pd', tau: 0.52, filter: FILTER };
const bare = (results: Awaited<ReturnType<DiffusionDecoder['decode']>>['results']) =>
  results.map(({ nfe, tokens, cut }) => ({ nfe, cut, tokens: [...tokens] }));

test.each(['prefix', 'dual'] as const)(
  '%s cache: refreshed in every pass it is no cache, bit for bit',
  async (cache) => {
    const { run } = await setUp();
    const one: Policy = { kind: 'static', perStep: 1 };
    const none = await run(spec(one), { trace: true });
    const fresh = await run(spec(one, { cache, refreshEvery: 1 }), { trace: true });
    expect(fresh).toEqual(none);
    // The filter too, whose passes without a cache are those of float64 (above): it finalises several tokens, and it cuts.
    const learned = await run(spec(LEARNED, { eotp: 'strict' }), { trace: true });
    expect(await run(spec(LEARNED, { eotp: 'strict', cache, refreshEvery: 1 }), { trace: true })).toEqual(learned);
    const stale = await run(spec(LEARNED, { eotp: 'strict', cache }), { trace: true });
    expect(stale.map((r) => r.trace?.[0])).toEqual(learned.map((r) => r.trace?.[0]));
    expect(learned.some((r) => r.byPolicy > 0 && r.cut > 0)).toBe(true);
    const kept = await run(spec(one, { cache }), { trace: true });
    kept.forEach((r, row) => {
      // One full pass for each block, and the first of them is the pass without a cache.
      expect(r.full).toBe(CANVAS / BLOCK);
      expect(r.trace?.map((t) => t.kind)).toEqual(Array.from({ length: CANVAS }, (_, i) => (i % BLOCK === 0 ? 1 : 2)));
      expect(r.trace?.[0]).toEqual(none[row].trace?.[0]);
    });
    // The oracle of the text that came out reaches every block with the same tokens before it and nothing in it: its first
    // pass there, without a cache, sees what the first one with a stale cache must see.
    for (const policy of [one, LEARNED]) {
      const cached = await run(spec(policy, { cache }), { trace: true });
      const oracle = await run(spec({ kind: 'egp' }), { trace: true, references: texts(cached) });
      cached.forEach((r, row) => {
        const firsts = (trace: readonly StepTrace[] = []) =>
          trace
            .filter((t, i) => t.block !== trace[i - 1]?.block)
            .map(({ block, end, length, kind, guess, c }) => ({ block, end, length, kind, guess, c }));
        const found = firsts(r.trace);
        expect(found.length).toBe(CANVAS / BLOCK);
        expect(found, `${policy.kind}, prompt ${row}`).toEqual(firsts(oracle[row].trace));
        expect(r.trace?.some((t) => t.kind === 2)).toBe(true);
      });
    }
  },
);

test('a text depends on neither the passes of a submission nor the kernel split nor the batch', async () => {
  // All different, of every length: a row that took another's tokens, padding or end would show.
  const sixteen = Array.from({ length: 16 }, (_, n) =>
    Array.from({ length: 1 + (n % PROMPT) }, (_, i) => 2 + (mix32(n, i, 0, 1) % 10)),
  );
  expect(new Set(sixteen.map(String)).size).toBe(16);
  // Whole texts, which differ, and ends at different places.
  const specs = (['off', 'strict'] as const).map((eotp) => spec(LEARNED, { eotp, cache: 'dual' }));
  const decodeAll = async (sequences: number, shape: Partial<DecoderShape> = {}) => {
    const { decoder, store } = await setUp(sequences, shape);
    const found = [];
    for (const s of specs) found.push(bare((await decoder.decode(sixteen, s)).results));
    decoder.dispose();
    decoder.model.dispose();
    store.dispose();
    return found;
  };
  const want = await decodeAll(1);
  expect(new Set(want[0].map((r) => String(r.tokens))).size).toBeGreaterThan(8);
  expect(new Set(want[1].map((r) => r.tokens.length)).size).toBeGreaterThan(2);
  for (const [sequences, shape] of [
    [16, {}],
    [5, { perSubmission: 11 }],
    [3, { split: true }],
  ] as [number, Partial<DecoderShape>][]) {
    expect(await decodeAll(sequences, shape), `${sequences} sequences`).toEqual(want);
  }
});

test('a decode can be watched: after every submission its passes so far, in the end all of them', async () => {
  const { decoder, run } = await setUp();
  const plain = spec({ kind: 'static', perStep: 1 });
  const seen: { passes: number[]; traced: number[]; ms: number }[] = [];
  let last: unknown;
  const { results } = await decoder.decode(PROMPTS, plain, {
    trace: true,
    onSubmission: async ({ passes, ms, trace }) => {
      const traces = await trace();
      seen.push({ passes, traced: traces.map((t) => t.length), ms });
      last = traces;
    },
  });
  expect(seen.map((s) => s.passes[0])).toEqual([8, 16]);
  for (const { passes, traced } of seen) expect(traced).toEqual(passes);
  expect(seen[1].ms).toBeGreaterThan(seen[0].ms);
  expect(results.map((r) => r.trace)).toEqual(last);
  // Watching changes nothing.
  expect(results).toEqual(await run(plain, { trace: true }));
});

test('eight passes go into one submission, and what does not fit is named', async () => {
  const { decoder } = await setUp();
  const plain = spec({ kind: 'static', perStep: 1 });
  const { stats } = await decoder.decode(PROMPTS, plain);
  expect(stats).toMatchObject({ submissions: CANVAS / 8, perSubmission: 8 });
  await expect(decoder.decode([[]], plain)).rejects.toThrow('prompt 0 has 0 tokens');
  await expect(decoder.decode([[99]], plain)).rejects.toThrow('token 99 of prompt 0 is not below 12');
  await expect(decoder.decode([[2]], plain, { canvas: 17 })).rejects.toThrow('canvas of 17 is not 1 to 16');
  await expect(decoder.decode([[2]], spec({ kind: 'egp' }))).rejects.toThrow('needs reference texts');
});
