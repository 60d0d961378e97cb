// Flags of the command line: what is read, and that every mistake is one clear line.

import { expect, test } from 'vitest';
import { describeFlags, type Flags, parseArgs, RUN_FLAGS, UsageError } from '../../src/cli/args.ts';

const FLAGS = {
  ...RUN_FLAGS,
  rate: { kind: 'number', help: 'a rate' },
  only: { kind: 'list', help: 'names', value: 'NAME,...' },
} as const satisfies Flags;

const read = (...argv: string[]) => parseArgs(argv, FLAGS);

function message(...argv: string[]): string {
  try {
    read(...argv);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const text = (error as UsageError).message;
    expect(text).not.toContain('\n');
    return text;
  }
  throw new Error(`accepted: ${argv.join(' ')}`);
}

test('nothing given: booleans are false, lists and pairs are empty, the rest is undefined', () => {
  const { positionals, flags } = read();
  expect(positionals).toEqual([]);
  expect(flags.json).toBe(false);
  expect(flags.seed).toBeUndefined();
  expect(flags.preset).toBeUndefined();
  expect(flags.only).toEqual([]);
  expect({ ...flags.set }).toEqual({});
});

test('every kind, both ways of giving a value, positionals in between', () => {
  const { positionals, flags } = read(
    ...['dreamer4', '--preset', 'nano', '--seed=7', '--json', 'second', '--rate', '-1e-3'],
    ...['--only', 'a,b', '--only=c', '--set', 'steps=10', '--set=name=x=y', '--set', 'empty='],
  );
  expect(positionals).toEqual(['dreamer4', 'second']);
  expect(flags.preset).toBe('nano');
  expect(flags.seed).toBe(7);
  expect(flags.json).toBe(true);
  expect(flags.rate).toBe(-0.001);
  expect(flags.only).toEqual(['a', 'b', 'c']);
  expect({ ...flags.set }).toEqual({ steps: '10', name: 'x=y', empty: '' });
});

test('after -- everything is positional; a single dash is positional', () => {
  expect(read('-', '--', '--json', '--nonsense').positionals).toEqual(['-', '--json', '--nonsense']);
});

test('unknown flags are refused and the known ones named', () => {
  expect(message('--sed', '1')).toMatch(/^unknown flag --sed \(known: --preset, --seed/);
  expect(message('--sed=1')).toMatch(/^unknown flag --sed /);
  expect(message('-s')).toMatch(/^unknown flag -s /);
  // Names that every object has are no flags.
  expect(message('--constructor', '1')).toMatch(/^unknown flag --constructor/);
  expect(message('--toString')).toMatch(/^unknown flag --toString/);
  expect(() => parseArgs(['--x'], {})).toThrow('unknown flag --x (this command takes none)');
});

test('values that are missing, malformed or given twice are refused', () => {
  expect(message('--preset')).toBe('--preset needs a value (NAME)');
  expect(message('--preset', '--json')).toBe('--preset needs a value (NAME)');
  expect(message('--out=')).toBe('--out needs a value');
  expect(message('--json=yes')).toBe('--json takes no value');
  expect(message('--preset', 'a', '--preset', 'b')).toBe('--preset is given twice');
  expect(message('--set', 'steps=1', '--set', 'steps=2')).toBe('--set steps is given twice');
});

test.each(['-1', '1.5', 'x', '4294967296', '1e3', ' 1'])('--seed %s is refused', (seed) => {
  expect(message(`--seed=${seed}`)).toMatch(/^--seed .*: a whole number from 0 to 4294967295 is needed$/);
});

test('the largest seed is accepted', () => {
  expect(read('--seed', '4294967295').flags.seed).toBe(4294967295);
});

test.each(['x', '', 'Infinity', 'NaN'])('--rate %s is refused', (rate) => {
  expect(message(`--rate=${rate}`)).toBe(`--rate ${rate}: not a number`);
});

test.each(['steps', '=3'])('--set %s is refused', (pair) => {
  expect(message('--set', pair)).toBe(`--set ${pair}: key=value is needed`);
});

test('--set cannot reach the prototype', () => {
  const { set } = read('--set', '__proto__=1').flags;
  expect(Object.keys(set)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(set)).toBeNull();
});

test('the help text has one aligned line for each flag', () => {
  const lines = describeFlags(FLAGS);
  expect(lines).toHaveLength(Object.keys(FLAGS).length);
  const starts = Object.values(FLAGS).map((flag, i) => lines[i].lastIndexOf(flag.help));
  expect(new Set(starts).size).toBe(1);
});
