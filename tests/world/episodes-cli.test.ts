// `lab world`: the four actions on real files, and one clear line for each mistake.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseArgs, UsageError } from '../../src/cli/args.ts';
import { world } from '../../src/cli/world.ts';

const dir = mkdtempSync(join(tmpdir(), 'episodes-'));
const file = join(dir, 'set.d4d');
afterAll(() => rmSync(dir, { recursive: true }));

interface Said {
  lines: string[];
  result: any;
}

async function lab(...argv: string[]): Promise<Said> {
  const said: Said = { lines: [], result: undefined };
  await world.run(parseArgs(argv, world.flags), {
    line: (text) => said.lines.push(text),
    text: () => {},
    note: () => {},
    result: (value) => {
      said.result = JSON.parse(JSON.stringify(value));
    },
  });
  return said;
}

const SMALL = ['--set', 'profile=ci', '--set', 'episodes=3', '--set', 'steps=60'];
let recorded: Said;
beforeAll(async () => {
  recorded = await lab('record', '--out', file, '--seed', '9', ...SMALL);
}, 60_000);

describe('lab world', () => {
  it('records a file', () => {
    expect(recorded.result).toMatchObject({ action: 'record', file, seed: 9, episodes: 3, steps: 60, ticks: 360 });
    expect(recorded.result.bytes).toBe(readFileSync(file).length);
    expect(existsSync(`${file}.part`)).toBe(false);
    expect(recorded.lines[0]).toMatch(/^3 episodes, 360 ticks/);
  });

  it('records the same bytes again from the same seed, and others from another', async () => {
    const again = join(dir, 'again.d4d');
    await lab('record', '--out', again, '--seed', '9', ...SMALL);
    expect(readFileSync(again)).toEqual(readFileSync(file));
    await lab('record', '--out', again, '--seed', '10', ...SMALL);
    expect(readFileSync(again)).not.toEqual(readFileSync(file));
  });

  it('replays it and counts the hashes', async () => {
    const { result, lines } = await lab('replay', file);
    expect(result).toMatchObject({ episodes: 3, steps: 180, hashes: 6 });
    expect(lines[0]).toContain('all 6 hashes met');
  });

  it('renders a contact sheet and single frames', async () => {
    const out = join(dir, 'frames');
    const { result } = await lab(
      'render',
      file,
      '--out',
      out,
      '--set',
      'every=20',
      '--set',
      'columns=2',
      '--set',
      'frames=1',
      '--set',
      'scale=1',
    );
    expect(result).toMatchObject({ frames: 4, sheet: join(out, 'episode-0.png') });
    const png = new DataView(new Uint8Array(readFileSync(result.sheet)).buffer);
    // Two columns and two rows of 64 x 48.
    expect([png.getUint32(16), png.getUint32(20)]).toEqual([128, 96]);
    expect(existsSync(join(out, 'frame-00060.png'))).toBe(true);
  });

  it('checks a file and says what it covers', async () => {
    const { result, lines } = await lab('check', file);
    expect(result.checks).toMatchObject({ episodes: 3, forks: 3 });
    expect(result.coverage.steps).toBe(180);
    expect(Object.keys(result.byPlayer).sort()).toEqual(['builder', 'miner', 'rambler']);
    expect(lines.some((l) => l.startsWith('mouse'))).toBe(true);
  });

  it('checks fresh episodes when no file is given', async () => {
    const { result } = await lab(
      'check',
      '--set',
      'profile=ci',
      '--set',
      'episodes=1',
      '--set',
      'steps=40',
      '--set',
      'player=noise',
    );
    expect(result.checks.episodes).toBe(1);
    expect(result.ticksPerSecond).toBeGreaterThan(0);
  });

  it.each([
    [[], /needs one of record, replay, render, check, frames/],
    [['bake'], /world bake: needs one of/],
    [['frames', 'x'], /world frames writes to the cache/],
    [['frames', '--set', 'part=2', '--set', 'parts=2'], /part 2 of 2 does not exist/],
    [['record'], /needs --out FILE/],
    [['record', 'x', '--out', 'y'], /writes to --out FILE/],
    [['replay'], /world replay needs an episode file/],
    [['replay', 'a', 'b'], /takes one file, got 'b' too/],
    [['render', 'x'], /needs --out DIR/],
    [['record', '--out', 'x', '--set', 'foo=1'], /--set foo: unknown \(known: episodes, steps, player, profile\)/],
    [['record', '--out', 'x', '--set', 'episodes=many'], /whole number/],
    [['record', '--out', 'x', '--set', 'episodes=0'], /at least one episode/],
    [['record', '--out', 'x', '--set', 'player=bob'], /one of all, rambler/],
    [['record', '--out', 'x', '--set', 'profile=moon'], /one of ci, mini/],
    [['render', file, '--out', 'x', '--set', 'scale=0'], /scale 1 to 16/],
  ])('bad arguments %j: one line', async (argv, message) => {
    const error = await lab(...(argv as string[])).then(
      () => undefined,
      (e) => e,
    );
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(message as RegExp);
    expect(error.message).not.toContain('\n');
  });

  it('says what is wrong with a file that is not one, or not whole', async () => {
    const other = join(dir, 'other');
    writeFileSync(other, 'hello');
    await expect(lab('replay', other)).rejects.toThrow('not an episode file');
    writeFileSync(other, readFileSync(file).subarray(0, 900));
    await expect(lab('replay', other)).rejects.toThrow('truncated');
    const bad = readFileSync(file);
    bad[bad.length >> 1] ^= 4;
    writeFileSync(other, bad);
    await expect(lab('check', other)).rejects.toThrow('corrupt');
    await expect(lab('render', file, '--out', dir, '--set', 'episode=3')).rejects.toThrow('the file has 3 episodes');
  });
});
