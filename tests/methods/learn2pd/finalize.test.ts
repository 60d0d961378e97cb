// The decision kernel at every block size, with and without confidences of its own: scores of the filter within 1e-5 of
// float64 (a decision flips between thresholds that close on both sides of it), and every n of the top-n rule.

import { expect, test } from 'vitest';
import { MASK } from '../../../src/lm/tokenizers/closed.ts';
import { applyFilter, filterColumns, newFilter } from '../../../src/methods/learn2pd/filter.ts';
import { AT, finalize, recordWords, STATE_WORDS } from '../../../src/methods/learn2pd/loop-ops.ts';
import { DECODE_DEFAULTS, packSettings } from '../../../src/methods/learn2pd/policy.ts';
import { guessOf } from '../../../src/methods/learn2pd/reference.ts';
import { compile, type Program } from '../../../src/tensor/program.ts';
import { random } from '../../support/compute.ts';
import { testGpu } from '../../support/gpu.ts';

const VOCAB = 20;
const KINDS = ['tokens', 'state'] as const;

test.each([8, 16, 32, 64].flatMap((B) => [false, true].map((split) => [B, split] as const)))(
  'block %i, confidences by another kernel: %s',
  async (B, split) => {
    const { gpu } = await testGpu();
    // The block is one short of full: the filter sees a zero in its last place.
    const n = B - 1;
    const filter = newFilter(B, 2, 7);
    const { data: logits } = random([B, VOCAB], 3);
    const guesses = Array.from({ length: n }, (_, i) => guessOf(logits.subarray(i * VOCAB, (i + 1) * VOCAB)));
    const z = applyFilter(
      filter,
      guesses.map((g) => g.c),
    );
    const buffers = new Map<string, GPUBuffer>();
    const make = (words: number): GPUBuffer => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      return gpu.device.createBuffer({ size: Math.max(256, words * 4), usage });
    };
    for (const [name, words] of [
      ['tokens', B],
      ['state', STATE_WORDS],
    ] as const)
      buffers.set(name, make(words));
    const program: Program = compile(gpu, (graph) => {
      const at = (name: string, shape: number[]) => graph.external(name, shape, () => buffers.get(name) as GPUBuffer);
      const input = (name: string, shape: number[]) => graph.input(name, shape);
      const loop = {
        settings: input('settings', [8]),
        filter: input('filter', [filter.values.length]),
        reference: input('reference', [1, B]),
        tokens: at('tokens', [1, B]),
        state: at('state', [1, STATE_WORDS]),
        trace: input('trace', [1, 1, recordWords(B)]),
      };
      finalize(input('logits', [B, VOCAB]), loop, { kind: 1, block: B, depth: 2, allRows: false, split });
    });
    /** Which positions are final after one pass. */
    const decide = async (policy: 'learn2pd' | 'static', threshold: number, top: number): Promise<number[]> => {
      const chosen = policy === 'static' ? { kind: policy, perStep: 1 } : { kind: policy, tau: 0.5, filter };
      const settings = packSettings({ ...DECODE_DEFAULTS, policy: chosen as never }, B, false);
      new Float32Array(settings.buffer)[1] = threshold;
      // As many steps as there are masks per pass wanted: `top` of them go in this one.
      settings[5] = 1;
      const state = new Uint32Array(STATE_WORDS);
      state[AT.end] = n;
      state[AT.length] = n;
      state[AT.masked] = top;
      state[AT.next] = 1;
      const tokens = new Uint32Array(B).fill(MASK);
      gpu.device.queue.writeBuffer(buffers.get('state') as GPUBuffer, 0, state);
      gpu.device.queue.writeBuffer(buffers.get('tokens') as GPUBuffer, 0, tokens);
      program.run({
        settings,
        filter: filterColumns(filter),
        reference: new Uint32Array(B),
        trace: new Uint32Array(recordWords(B)),
        logits,
      });
      const after = new Uint32Array(await read(gpu.device, buffers.get('tokens') as GPUBuffer, B * 4));
      return Array.from({ length: n }, (_, i) => i).filter((i) => after[i] !== MASK);
    };
    for (const i of [0, 1, n >> 1, n - 1]) {
      for (const [threshold, above] of [
        [z[i] - 1e-5, true],
        [z[i] + 1e-5, false],
      ] as const) {
        const found = await decide('learn2pd', threshold, 0);
        expect(found.includes(i), `position ${i}, threshold ${threshold}`).toBe(above);
        for (let j = 0; j < n; j++)
          if (Math.abs(z[j] - threshold) > 2e-5) expect(found.includes(j)).toBe(z[j] > threshold);
      }
    }
    const surest = guesses.map((_, i) => i).sort((a, b) => guesses[b].c - guesses[a].c || a - b);
    for (const top of [0, 1, n >> 1, n]) {
      expect(await decide('static', 0, top), `top ${top}`).toEqual(surest.slice(0, top).sort((a, b) => a - b));
    }
    program.dispose();
    for (const name of KINDS) buffers.get(name)?.destroy();
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
