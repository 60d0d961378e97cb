// `lab ship`: model and card change together or not at all, and figures are those of the model that ships. Nothing is measured.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseArgs, UsageError } from '../../src/cli/args.ts';
import { evalDreamer4 } from '../../src/cli/dreamer4.ts';
import { ship } from '../../src/cli/ship.ts';
import { writeSafetensors } from '../../src/data/safetensors.ts';
import { presets } from '../../src/methods/dreamer4/config.ts';
import { parseConfig } from '../../src/methods/dreamer4/config-file.ts';

const silent = { line: () => undefined, text: () => undefined, note: () => undefined, result: () => undefined };
/** As a file of weights gives it back. */
const config = parseConfig(JSON.stringify(presets.micro));

vi.mock('../../src/cli/open.ts', () => ({
  gpuOrFail: async () => ({ report: { vendor: 'none' } }),
  optionalFrameCache: async () => undefined,
}));
vi.mock('../../src/methods/dreamer4/play.ts', async (original) => ({
  ...(await original<object>()),
  loadModel: () => ({ config }),
}));
vi.mock('../../src/methods/dreamer4/eval.ts', () => ({
  evaluate: async () => ({ metrics: { gain1: 2 }, tables: [] }),
}));

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ship-'));
});
afterEach(() => rm(root, { recursive: true }));

const text = (...path: string[]): Promise<string> => readFile(join(root, ...path), 'utf8');
const lab = (...argv: string[]): Promise<void> => ship.run(parseArgs(argv, ship.flags), silent);
const shipDreamer = (run: string, ...more: string[]): Promise<void> =>
  lab('dreamer4', '--resume', join(root, run), '--out', join(root, 'out'), ...more);

/** A complete run whose only weight is `value`. */
async function finished(method: string, preset: string, value: number, metadata: Record<string, string>) {
  const folder = join(root, `${preset}-${value}`);
  await mkdir(folder, { recursive: true });
  const weights = new Map([['w', { shape: [1], values: Float32Array.of(value) }]]);
  await writeFile(join(folder, `${method}-${preset}.safetensors`), writeSafetensors(weights, metadata));
  const record = { preset, seed: 1, flops: 1, adapter: 'a', config: {} };
  await writeFile(join(folder, 'run.json'), JSON.stringify(record));
  return `${preset}-${value}`;
}
const dreamer = (value: number): Promise<string> =>
  finished('dreamer4', 'micro', value, { method: 'dreamer4', kind: 'model', config: JSON.stringify(config) });

/** The output folder with an old model and its card. */
async function old(method: string, preset: string): Promise<() => Promise<void>> {
  const names = [`${method}-${preset}.card.json`, `${method}-${preset}.safetensors`];
  await mkdir(join(root, 'out'));
  for (const name of names) await writeFile(join(root, 'out', name), 'old');
  return async () => {
    expect((await readdir(join(root, 'out'))).sort()).toEqual(names);
    for (const name of names) expect(await text('out', name)).toBe('old');
  };
}

test('ship learn2pd refuses what only ship dreamer4 takes', async () => {
  for (const flag of ['--mean', '--evaluation']) {
    const refused = lab('learn2pd', '--resume', '/nosuch', '--out', join(root, 'out'), flag, 'x');
    await expect(refused).rejects.toThrow(`${flag}: only ship dreamer4 takes it`);
  }
});

test('a wrong setting leaves the old model with its old card', async () => {
  const run = await dreamer(1);
  const unchanged = await old('dreamer4', 'micro');
  await expect(shipDreamer(run, '--set', 'nosuch=1')).rejects.toThrow(UsageError);
  await unchanged();
  await expect(shipDreamer(run, '--evaluation', join(root, 'nosuch'))).rejects.toThrow(UsageError);
  await unchanged();
});

test('a wrong setting leaves the old model of learn2pd with its old card', async () => {
  const run = await finished('learn2pd', 'mini', 1, { filter: '{}' });
  const unchanged = await old('learn2pd', 'mini');
  const refused = lab('learn2pd', '--resume', join(root, run), '--out', join(root, 'out'), '--set', 'nosuch=1');
  await expect(refused).rejects.toThrow(UsageError);
  await unchanged();
});

test('the card names the settings of its evaluation, measured now or elsewhere', async () => {
  const command = async (): Promise<string> =>
    JSON.parse(await text('out', 'dreamer4-micro.card.json')).evaluation.command;
  const run = await dreamer(1);
  await shipDreamer(run, '--set', 'windows=32', '--set', 'long=0');
  expect(await command()).toMatch(/ --seed 7 --set windows=32 --set long=0 --json$/);
  expect((await readdir(join(root, 'out'))).sort()).toEqual([
    'dreamer4-micro.card.json',
    'dreamer4-micro.safetensors',
    'index.json',
  ]);
  const elsewhere = { checkpoint: join(root, 'out', 'dreamer4-micro.safetensors'), seed: 8, set: { context: '96' } };
  await writeFile(join(root, 'figures.json'), JSON.stringify(await evalDreamer4(elsewhere, silent)));
  await shipDreamer(run, '--evaluation', join(root, 'figures.json'));
  expect(await command()).toMatch(/ --seed 8 --set context=96 --json$/);
  const twice = shipDreamer(run, '--evaluation', join(root, 'figures.json'), '--set', 'windows=32');
  await expect(twice).rejects.toThrow('--evaluation brings its own seed and settings');
});

test('a model that misses a bar ships with a card that says so, and with a warning', async () => {
  const said: string[] = [];
  const output = {
    ...silent,
    line: (text: string) => void said.push(text),
    note: (text: string) => void said.push(text),
  };
  const argv = ['dreamer4', '--resume', join(root, await dreamer(1)), '--out', join(root, 'out')];
  await ship.run(parseArgs(argv, ship.flags), output);
  const card = JSON.parse(await text('out', 'dreamer4-micro.card.json'));
  expect(card.holds).toBe(false);
  expect(card.bars.gain1.holds).toBe(true);
  expect(said).toContain('misses a bar: msGrowth not measured, must be <= 1.1');
  expect(said.at(-1)).toMatch(/^warning: this model misses 12 of 13 bars/);
});

test('figures of another training of the same configuration, or of nobody knows what, are refused', async () => {
  await shipDreamer(await dreamer(1));
  const model = join(root, 'out', 'dreamer4-micro.safetensors');
  const record = await evalDreamer4({ checkpoint: model, seed: 7, set: {} }, silent);
  const figures = join(root, 'figures.json');
  await writeFile(figures, JSON.stringify(record));
  await expect(shipDreamer(await dreamer(2), '--evaluation', figures)).rejects.toThrow('of other weights');
  await writeFile(figures, JSON.stringify({ ...record, checkpointSha256: undefined }));
  await expect(shipDreamer(await dreamer(1), '--evaluation', figures)).rejects.toThrow('run eval again');
});

test('an evaluation needs two streams: the wrong actions are those of another window', async () => {
  for (const streams of ['0', '1']) {
    const refused = evalDreamer4({ checkpoint: '/nosuch', seed: 7, set: { streams } }, silent);
    await expect(refused).rejects.toThrow('--set streams: at least 2');
  }
});
