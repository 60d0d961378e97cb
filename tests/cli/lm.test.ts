// `lab lm` as a process on a tiny Qwen3 directory: the text of the reference, one JSON object, and one line for every fault.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseArgs, UsageError } from '../../src/cli/args.ts';
import { checkMemory, lm } from '../../src/cli/lm.ts';
import { chatPrompt } from '../../src/lm/qwen/chat.ts';
import { JsonTokenizer } from '../../src/lm/tokenizers/json.ts';
import { BYTE_TOKENIZER, CHAT_IDS, qwenContinuation, TINY_TOKENIZER, tinyQwen, writeQwen } from '../support/qwen.ts';

const LAB = resolve(import.meta.dirname, '../../scripts/lab.mjs');
/** As many tokens as the tokenizer has: every one that is drawn has a text. */
const TINY = tinyQwen({ vocab_size: 8 });
const BYTES = tinyQwen({ vocab_size: 264, eos_token_id: CHAT_IDS.end, max_position_embeddings: 256 });
let folder = '';
let foreign = '';
let chat = '';

function lab(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAB, 'lm', ...args], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  return { status, stdout, stderr };
}

beforeAll(async () => {
  folder = await writeQwen(TINY);
  foreign = await writeQwen({ ...TINY, config: { ...TINY.config, intermediate_size: 64 } });
  chat = await writeQwen(BYTES, { 'tokenizer.json': BYTE_TOKENIZER });
  // The first call bundles the command line.
  lab('--help');
}, 120_000);

afterAll(() => {
  for (const path of [folder, foreign, chat]) rmSync(path, { recursive: true, force: true });
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

test('--json prints exactly one object; a chat is what the format makes of the prompt', () => {
  const args = ['--model', chat, '--prompt', 'Grüße', '--chat', '--tokens', '20', '--seed', '3', '--json'];
  const { status, stdout, stderr } = lab(...args);
  expect(status, stderr).toBe(0);
  const told = JSON.parse(stdout);
  // One token for each byte and each of the three marks.
  const marked = chatPrompt([{ role: 'user', content: 'Grüße' }]).replaceAll(/<\|im_(start|end)\|>/g, '.');
  expect(told.promptTokens).toBe(new TextEncoder().encode(marked).length);
  expect(told).toMatchObject({ seed: 3, temperature: 0.7, topP: 0.95, topK: 20, maxNew: 20 });
  expect(told.end === 'stop' ? told.tokens <= 20 : told.tokens === 20).toBe(true);
  expect(told.text).not.toBe('');
  expect(told.tokensPerSecond).toBeGreaterThan(0);
  expect(told.adapter).not.toBe('');
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
