// The command line as a process: exit codes, what goes to which stream. One small measurement is run here, and a tiny model.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../src/data/safetensors.ts';
import { chatPrompt } from '../../src/lm/qwen/chat.ts';
import { JsonTokenizer } from '../../src/lm/tokenizers/json.ts';
import { configure } from '../../src/methods/dsa/config.ts';
import { BYTE_TOKENIZER, CHAT_IDS, qwenContinuation, TINY_TOKENIZER, tinyQwen, writeQwen } from '../support/qwen.ts';

const LAB = resolve(import.meta.dirname, '../../scripts/lab.mjs');

function lab(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAB, ...args], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  return { status, stdout, stderr };
}

// The first call bundles the command line; the tests then see the streams of the commands alone.
beforeAll(() => {
  lab('help');
}, 120_000);

test('help names every command and succeeds', () => {
  for (const args of [[], ['help'], ['--help']]) {
    const { status, stdout, stderr } = lab(...args);
    expect(status).toBe(0);
    expect(stdout).toContain('usage: npm run lab -- <command>');
    expect(stdout).toMatch(/^ {2}list /m);
    expect(stderr).toBe('');
  }
});

test('a command explains itself', () => {
  const { status, stdout } = lab('list', '--help');
  expect(status).toBe(0);
  expect(stdout).toContain('--json');
});

test('list prints ten methods', () => {
  const { status, stdout } = lab('list');
  expect(status).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(10);
  expect(stdout).toMatch(/^dreamer4 /m);
});

test('--json prints exactly one JSON object and nothing else on standard output', () => {
  const { status, stdout } = lab('list', '--json');
  expect(status).toBe(0);
  const { methods } = JSON.parse(stdout);
  expect(methods).toHaveLength(10);
  expect(methods[0]).toMatchObject({ id: 'dreamer4', arxiv: '2509.24527' });
});

test.each([
  [['dance'], /^lab: unknown command 'dance' \(known: .*list.*\)\n$/],
  [['toString'], /^lab: unknown command 'toString'/],
  [['list', '--sed', '1'], /^lab: unknown flag --sed \(known: --json\)\n$/],
  [['list', 'more'], /^lab: list takes no argument, got 'more'\n$/],
])('bad arguments %j: exit code 2 and one line', (args, expected) => {
  const { status, stdout, stderr } = lab(...args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(expected);
  expect(stderr.trimEnd()).not.toContain('\n');
});

test('f16 is a request of the environment: the report names it, and an unknown precision is a wrong argument', () => {
  try {
    process.env.TENFOLD_PRECISION = 'f16';
    const asked = lab('bench', '--only', 'proof,swiglu', '--json');
    expect(JSON.parse(asked.stdout).adapter.precision).toBe('f16');
    process.env.TENFOLD_PRECISION = 'f8';
    expect(lab('bench', '--only', 'proof,swiglu')).toMatchObject({
      status: 2,
      stderr: 'lab: TENFOLD_PRECISION=f8: f16 and f32 are known\n',
    });
  } finally {
    delete process.env.TENFOLD_PRECISION;
  }
}, 120_000);

test('a run that cannot begin leaves no folder behind', () => {
  const root = mkdtempSync(join(tmpdir(), 'tenfold-'));
  const out = join(root, 'run');
  try {
    expect(lab('run', 'dsa', '--preset', 'nosuch', '--out', out)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^lab: .*no preset 'nosuch'.*\n$/),
    });
    expect(lab('run', 'dsa', '--resume', out)).toMatchObject({
      status: 2,
      stderr: `lab: --resume ${join(out, 'dsa-training.safetensors')}: no such file\n`,
    });
    expect(readdirSync(root)).toEqual([]);
  } finally {
    rmSync(root, { recursive: true });
  }
}, 60_000);

test('a run that began in another precision is not resumed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-'));
  try {
    const about = { kind: 'dsa training', config: JSON.stringify(configure('nano')), seed: '1', precision: 'f16' };
    const state = { phase: '0', step: '0', flops: '0' };
    writeFileSync(join(folder, 'dsa-training.safetensors'), writeSafetensors(new Map(), { ...about, ...state }));
    const { status, stderr } = lab('run', 'dsa', '--resume', folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^lab: This run began in f16 and would go on in f32, .* TENFOLD_PRECISION=f16, or begin a new run\.$/m,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);

describe('eval dreamer4', () => {
  const SHIPPED = resolve(import.meta.dirname, '../../public/models/dreamer4/dreamer4-micro.safetensors');

  test.each([
    ['windows=many', /^lab: --set windows: 'many' is not a whole number\n$/],
    ['windows=5', /^lab: --set windows must be a multiple of streams\n$/],
    ['window=4', /^lab: --set window: eval knows windows, streams, .*walk\n$/],
    ['windows', /^lab: .*--set.*\n$/],
  ])('--set %s: exit code 2 and one line', (setting, expected) => {
    const { status, stdout, stderr } = lab('eval', 'dreamer4', '--checkpoint', SHIPPED, '--set', setting);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(expected);
  });

  test('a truncated checkpoint: exit code 1 and one line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tenfold-'));
    try {
      const bytes = readFileSync(SHIPPED);
      const file = join(folder, 'half.safetensors');
      writeFileSync(file, bytes.subarray(0, bytes.length >> 1));
      const { status, stdout, stderr } = lab('eval', 'dreamer4', '--checkpoint', file, '--json');
      expect(status).toBe(1);
      expect(stdout).toBe('');
      // Dawn says on its own which limits of the adapter it cuts.
      const lines = stderr
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('Warning: max'));
      expect(lines).toEqual([expect.stringMatching(/^lab: Not a usable safetensors file: it is cut short: /)]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});

describe('lm on a tiny Qwen3 directory', () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  test('greedy text is that of the reference, up to the token that ends it, on standard output alone', async () => {
    // As many tokens as the tokenizer has: every one that is drawn has a text.
    const tiny = tinyQwen({ vocab_size: 8 });
    const folder = await writeQwen(tiny);
    folders.push(folder);
    const tokenizer = new JsonTokenizer(TINY_TOKENIZER);
    const ids = qwenContinuation(tiny, tokenizer.encode('bbb'), 8);
    const end = ids.indexOf(tiny.config.eos_token_id as number);
    expect(end).toBe(3);
    const args = ['--model', folder, '--prompt', 'bbb', '--temperature', '0', '--tokens', '8'];
    const { status, stdout, stderr } = lab('lm', ...args);
    expect(status, stderr).toBe(0);
    expect(stdout).toBe(`${tokenizer.decode(ids.slice(0, end))}\n`);
    expect(stderr).toContain('4 tokens, ');
  }, 60_000);

  test('--json prints exactly one object; a chat is what the format makes of the prompt', async () => {
    const tiny = tinyQwen({ vocab_size: 264, eos_token_id: CHAT_IDS.end, max_position_embeddings: 256 });
    const folder = await writeQwen(tiny, { 'tokenizer.json': BYTE_TOKENIZER });
    folders.push(folder);
    const args = ['--model', folder, '--prompt', 'Grüße', '--chat', '--tokens', '20', '--seed', '3', '--json'];
    const { status, stdout, stderr } = lab('lm', ...args);
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
});

test('bench proves and measures a kernel; --json prints exactly one object', () => {
  const { status, stdout, stderr } = lab('bench', '--only', 'device,proof,roofline,swiglu', '--json');
  expect(status, stderr).toBe(0);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ kind: 'tenfold bench', counts: { kernels: 1, failed: 0 } });
  expect(report.runtime).toContain('Node');
  expect(report.doctor.map((f: { what: string }) => f.what)).toContain('A kernel');
  expect(report.points.map((p: { kernel: string }) => p.kernel)).toEqual(['swiglu']);
  expect(report.points[0].timing.q3).toBeGreaterThanOrEqual(report.points[0].timing.q1);
  expect(report.roof.peak).toBeGreaterThan(1e6);
  expect(report.roof.peakBy).toMatch(report.adapter.software ? / 512 x 512$/ : / (4096 x 4096|2048 x 2048)$/);
  expect(report.wallMs).toBeGreaterThan(100);
  expect(report.roof.bandwidth).toBeGreaterThan(1e6);
  expect(stderr).toContain('roofline 1/1 swiglu');
}, 120_000);

test('bench names the parts and kernels when it does not know one', () => {
  const { status, stdout, stderr } = lab('bench', '--only', 'swigloo');
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^lab: bench: no part or kernel 'swigloo' \(parts: device, .*; kernels: .*swiglu.*\)\n$/);
});
