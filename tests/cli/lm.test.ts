// `lab lm` as a process on a tiny Qwen3 directory: the text of the reference, one JSON object, and one line for every fault.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseArgs, UsageError } from '../../src/cli/args.ts';
import { checkMemory, lm } from '../../src/cli/lm.ts';
import { JsonTokenizer } from '../../src/lm/tokenizers/json.ts';
import { qwenContinuation, qwenFiles, TINY_TOKENIZER, tinyQwen } from '../support/qwen.ts';

const LAB = resolve(import.meta.dirname, '../../scripts/lab.mjs');
/** As many tokens as the tokenizer has: every one that is drawn has a text. */
const TINY = tinyQwen({ vocab_size: 8 });
let folder = '';
let foreign = '';

function lab(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAB, 'lm', ...args], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  return { status, stdout, stderr };
}

async function write(model: Parameters<typeof qwenFiles>[0]): Promise<string> {
  const files = qwenFiles(model);
  const path = mkdtempSync(join(tmpdir(), 'tenfold-lm-'));
  for (const name of files.list()) writeFileSync(join(path, name), await files.read(name, 0, files.size(name)));
  return path;
}

beforeAll(async () => {
  folder = await write(TINY);
  foreign = await write({ ...TINY, config: { ...TINY.config, intermediate_size: 64 } });
  // The first call bundles the command line.
  lab('--help');
}, 120_000);

afterAll(() => {
  for (const path of [folder, foreign]) rmSync(path, { recursive: true, force: true });
});

test('greedy text is that of the reference, up to the token that ends it, on standard output alone', () => {
  const tokenizer = new JsonTokenizer(TINY_TOKENIZER);
  const ids = qwenContinuation(TINY, tokenizer.encode('bbb'), 8);
  const end = ids.indexOf(TINY.config.eos_token_id as number);
  expect(end).toBe(3);
  const args = ['--model', folder, '--prompt', 'bbb', '--temperature', '0', '--tokens', '8'];
  const { status, stdout, stderr } = lab(...args);
  expect(status, stderr).toBe(0);
  expect(stdout).toBe(`${tokenizer.decode(ids.slice(0, end))}\n`);
  expect(stderr).toContain('4 tokens, ');
}, 60_000);

test('--json prints exactly one object', () => {
  const { status, stdout, stderr } = lab(
    '--model',
    folder,
    '--prompt',
    'ab',
    '--tokens',
    '20',
    '--seed',
    '3',
    '--json',
  );
  expect(status, stderr).toBe(0);
  const told = JSON.parse(stdout);
  expect(told).toMatchObject({ promptTokens: 1, seed: 3, temperature: 0.7, topP: 0.95, topK: 20, chat: false });
  expect(told.end === 'stop' ? told.tokens <= 20 : told.tokens === 20).toBe(true);
  expect(told.tokensPerSecond).toBeGreaterThan(0);
  expect(told.adapter).not.toBe('');
  expect(told.text).toMatch(/^[abc ]*$/);
}, 60_000);

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

test('a wrong argument ends the process with 2 and one line', () => {
  const { status, stdout, stderr } = lab('--model', foreign, '--prompt', 'a', '--json');
  expect(stderr).toMatch(/^lab: --model .*: model\.layers\.0\.mlp\.gate_proj\.weight is \[48,32\] .*\n$/);
  expect(stdout).toBe('');
  expect(status).toBe(2);
}, 60_000);

test('memory that does not suffice is said with both figures', () => {
  expect(() => checkMemory(1.5 * 2 ** 30, 2 ** 30)).toThrow('takes 1.5 GiB, this machine has 1.0 GiB left');
  expect(() => checkMemory(2 ** 30, 2 ** 30)).not.toThrow();
});
