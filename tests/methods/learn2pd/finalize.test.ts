// The decision kernel at every block size, with and without confidences of its own: scores of the filter within 1e-5 of
// float64 at every position (a decision flips between thresholds that close on both sides of it), and what every policy
// makes final together with every n of the top-n rule, in whole and in partly final blocks.

import { expect, test } from 'vitest';
import { mix32 } from '../../../src/gpu/rng.ts';
import { MASK } from '../../../src/lm/tokenizers/closed.ts';
import { applyFilter, filterColumns, newFilter } from '../../../src/methods/learn2pd/filter.ts';
import { AT, finalize, recordWords, STATE_WORDS } from '../../../src/methods/learn2pd/loop-ops.ts';
import { DECODE_DEFAULTS, type Policy, packSettings } from '../../../src/methods/learn2pd/policy.ts';
import { guessOf, policyChoice } from '../../../src/methods/learn2pd/reference.ts';
import { readTrace } from '../../../src/methods/learn2pd/trace.ts';
import { compile, type Program } from '../../../src/tensor/program.ts';
import { random } from '../../support/compute.ts';
import { testGpu } from '../../support/gpu.ts';

const VOCAB = 20;
/** Marks of a position in a trace. */
const [POLICY, TOP, MASKED, GUARDED] = [1, 2, 4, 8];
const STREAM = 0x66696c74;
const SEED = 77;

test.each([8, 16, 32, 64].flatMap((B) => [false, true].map((split) => [B, split] as const)))(
  'block %i, confidences by another kernel: %s',
  async (B, split) => {
    const { gpu } = await testGpu();
    // The block is one short of full: the filter sees a zero in its last place.
    const n = B - 1;
    const filter = newFilter(B, 2, 7);
    const { data } = random([B, VOCAB], 3);
    const guesses = Array.from({ length: n }, (_, i) => guessOf(data.subarray(i * VOCAB, (i + 1) * VOCAB)));
    const z = applyFilter(
      filter,
      guesses.map((g) => g.c),
    );
    const make = (words: number): GPUBuffer => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      return gpu.device.createBuffer({ size: Math.max(256, words * 4), usage });
    };
    /** A pass of S sequences with the same logits. */
    const passOf = (S: number) => {
      const buffers = { tokens: make(S * B), state: make(S * STATE_WORDS), trace: make(S * recordWords(B)) };
      const program: Program = compile(gpu, (graph) => {
        const at = (name: keyof typeof buffers, shape: number[]) => graph.external(name, shape, () => buffers[name]);
        const input = (name: string, shape: number[]) => graph.input(name, shape);
        const loop = {
          settings: input('settings', [8]),
          filter: input('filter', [filter.values.length]),
          reference: input('reference', [S, B]),
          tokens: at('tokens', [S, B]),
          state: at('state', [S, STATE_WORDS]),
          trace: at('trace', [S, 1, recordWords(B)]),
        };
        finalize(input('logits', [S * B, VOCAB]), loop, { kind: 1, block: B, depth: 2, allRows: false, split });
      });
      const logits = new Float32Array(S * B * VOCAB);
      for (let row = 0; row < S; row++) logits.set(data, row * B * VOCAB);
      return { S, buffers, program, logits };
    };
    // A sequence for every number of tokens that the schedule may want; one where the number does not matter.
    const [many, single] = [passOf(n + 1), passOf(1)];

    /** One pass of all sequences, row r with the top-n rule for `tops[r]` tokens; `final`: positions that were so before. */
    const decide = async (
      { S, buffers, program, logits }: ReturnType<typeof passOf>,
      policy: Policy,
      { tops, final = [], y = [], threshold }: { tops: number[]; final?: number[]; y?: number[]; threshold?: number },
    ) => {
      const settings = packSettings({ ...DECODE_DEFAULTS, policy }, B, true);
      if (threshold !== undefined) new Float32Array(settings.buffer)[1] = threshold;
      // One step for a block with so many masks: all of them go in this one.
      settings[5] = 1;
      const state = new Uint32Array(S * STATE_WORDS);
      const tokens = new Uint32Array(S * B).fill(MASK);
      const reference = new Uint32Array(S * B);
      tops.forEach((top, row) => {
        state.set([0, n, 0, n, 0, top], row * STATE_WORDS);
        state[row * STATE_WORDS + AT.next] = 1;
        state[row * STATE_WORDS + AT.seed] = SEED;
        for (const i of final) tokens[row * B + i] = 2;
        reference.set(y, row * B);
      });
      gpu.device.queue.writeBuffer(buffers.state, 0, state);
      gpu.device.queue.writeBuffer(buffers.tokens, 0, tokens);
      program.run({ filter: filterColumns(filter), logits, settings, reference });
      const [words, after] = [
        new Uint32Array(await read(gpu.device, buffers.trace, S * recordWords(B) * 4)),
        new Uint32Array(await read(gpu.device, buffers.tokens, S * B * 4)),
      ];
      return tops.map((_, row) => ({
        decided: [...readTrace(words, row * recordWords(B), 1, B)[0].decided],
        tokens: [...after.subarray(row * B, row * B + n)],
      }));
    };

    const learned: Policy = { kind: 'learn2pd', tau: 0.5, filter };
    for (let i = 0; i < n; i++) {
      for (const [threshold, above] of [
        [z[i] - 1e-5, true],
        [z[i] + 1e-5, false],
      ] as const) {
        const [{ decided }] = await decide(single, learned, { tops: [0], threshold });
        const taken = decided.map((d) => (d & POLICY) !== 0);
        expect(taken[i], `position ${i}, threshold ${threshold}`).toBe(above);
        for (let j = 0; j < n; j++) if (Math.abs(z[j] - threshold) > 2e-5) expect(taken[j]).toBe(z[j] > threshold);
      }
    }

    const tops = Array.from({ length: n + 1 }, (_, top) => top);
    const c = guesses.map((g) => g.c).sort((a, b) => a - b);
    const margins = guesses.map((g) => g.margin).sort((a, b) => a - b);
    const between = (x: number[]): number => (x[n >> 1] + x[(n >> 1) + 1]) / 2;
    const agreeing = guesses.map((g, i) => (i % 3 === 0 ? 2 + (g.id % 7) : g.id));
    const cases: [policy: Policy, y?: number[]][] = [
      [{ kind: 'static', perStep: 1 }],
      [{ kind: 'threshold', tau: between(c) }],
      [{ kind: 'egp' }, agreeing],
      // Nothing agrees: the guard writes what stands in the reference.
      [{ kind: 'egp' }, guesses.map((g) => 2 + ((g.id + 1) % 7)).map((id, i) => (id === guesses[i].id ? id + 1 : id))],
      [learned],
      [{ kind: 'margin', m: between(margins) }],
      [{ kind: 'random', tau: 0.5, filter }],
    ];
    for (const final of [[], Array.from({ length: n }, (_, i) => i).filter((i) => i % 3 === 1)]) {
      const masked = Array.from({ length: n }, (_, i) => i).filter((i) => !final.includes(i));
      const surest = [...masked].sort((a, b) => guesses[b].c - guesses[a].c || a - b);
      for (const [policy, y = []] of cases) {
        const chosen = policyChoice(policy, guesses, masked, y, (i) => mix32(SEED, 0, i, STREAM));
        const guarded = policy.kind === 'egp' && chosen.length === 0;
        const found = await decide(many, policy, { tops, final, y });
        for (const top of tops) {
          const extra =
            policy.kind === 'egp' && !guarded ? [] : surest.slice(0, top).filter((i) => !chosen.includes(i));
          const about = `${policy.kind}, top ${top}, ${final.length} final before${guarded ? ', guarded' : ''}`;
          const marks = Array.from({ length: n }, (_, i) => {
            if (final.includes(i)) return 0;
            const byTop = extra.includes(i);
            return MASKED + (chosen.includes(i) ? POLICY : 0) + (byTop ? TOP : 0) + (byTop && guarded ? GUARDED : 0);
          });
          expect(found[top].decided, about).toEqual(marks);
          const want = marks.map((m, i) => {
            if (final.includes(i)) return 2;
            if (m === MASKED) return MASK;
            return m & GUARDED ? y[i] : guesses[i].id;
          });
          expect(found[top].tokens, about).toEqual(want);
        }
      }
    }
    for (const { program, buffers } of [many, single]) {
      program.dispose();
      for (const buffer of Object.values(buffers)) buffer.destroy();
    }
  },
  120_000,
);

async function read(device: GPUDevice, buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const out = staging.getMappedRange().slice(0);
  staging.destroy();
  return out;
}
