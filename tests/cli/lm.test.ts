// `lab lm` on a tiny Qwen3 directory: one line for every fault. What it writes, as a process: lab.test.ts, which bundles once.

import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseArgs, UsageError } from '../../src/cli/args.ts';
import { checkMemory, lm } from '../../src/cli/lm.ts';
import { tinyQwen, writeQwen } from '../support/qwen.ts';

const TINY = tinyQwen();
let folder = '';
let foreign = '';

beforeAll(async () => {
  folder = await writeQwen(TINY);
  foreign = await writeQwen({ ...TINY, config: { ...TINY.config, intermediate_size: 64 } });
});

afterAll(() => {
  for (const path of [folder, foreign]) rmSync(path, { recursive: true, force: true });
});

test.each<[string, () => string[], string]>([
  ['no model', () => ['--prompt', 'a'], 'lm needs --model DIR'],
  ['no folder', () => ['--model', '/nowhere', '--prompt', 'a'], '--model /nowhere: no such folder'],
  [
    'foreign shapes',
    () => ['--model', foreign, '--prompt', 'a'],
    `model.layers.0.mlp.gate_proj.weight is [48,32] in model.safetensors, config.json asks for [64,32].`,
  ],
  [
    'a text without tokens',
    () => ['--model', folder, '--prompt', 'ax'],
    'tokenizer.json has no tokens for a part of the prompt.',
  ],
  [
    'the chat format without its tokens',
    () => ['--model', folder, '--prompt', 'a', '--chat'],
    "tokenizer.json has no token '<|im_start|>'.",
  ],
  ['too many tokens', () => ['--model', folder, '--prompt', 'a', '--tokens', '64'], 'more than the 64 positions'],
  ['an impossible draw', () => ['--model', folder, '--prompt', 'a', '--top-p', '0'], 'top-p 0 is not in (0, 1]'],
])('%s is a wrong argument', async (_, args, message) => {
  const silent = { line: () => {}, text: () => {}, note: () => {}, result: () => {} };
  const run = async (): Promise<void> => lm.run(parseArgs(args(), lm.flags), silent);
  const fault = await run().catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(UsageError);
  expect((fault as Error).message).toContain(message);
  expect((fault as Error).message).not.toContain('\n');
});

test('memory that does not suffice is said with both figures', () => {
  expect(() => checkMemory(1.5 * 2 ** 30, 2 ** 30)).toThrow('takes 1.5 GiB, this machine has 1.0 GiB left');
  expect(() => checkMemory(2 ** 30, 2 ** 30)).not.toThrow();
});
