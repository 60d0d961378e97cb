// Command-line flags: a typed description in, typed values out, and one clear line for every mistake.
// Not a framework: no abbreviations, no clustered short flags, no prompts.

/** What a flag takes. `list` is comma-separated, `pairs` is key=value and may be repeated. */
export type FlagKind = 'boolean' | 'string' | 'integer' | 'number' | 'list' | 'pairs';

export interface Flag {
  kind: FlagKind;
  /** One line for the help text. */
  help: string;
  /** Name of the value in the help text, such as DIR. */
  value?: string;
}

export type Flags = Readonly<Record<string, Flag>>;

interface Values {
  boolean: boolean;
  string: string | undefined;
  integer: number | undefined;
  number: number | undefined;
  list: string[];
  pairs: Record<string, string>;
}

export interface Parsed<F extends Flags> {
  positionals: string[];
  flags: { [name in keyof F]: Values[F[name]['kind']] };
}

/** A mistake in the arguments: its message is one line for the user, the exit code is 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Flags of every command that runs an experiment. A command spreads those that it honours into its own. */
export const RUN_FLAGS = {
  preset: { kind: 'string', help: 'named configuration, such as nano', value: 'NAME' },
  seed: { kind: 'integer', help: 'seed of everything random', value: 'N' },
  set: { kind: 'pairs', help: 'change one value of the configuration; may be repeated', value: 'KEY=VALUE' },
  out: { kind: 'string', help: 'folder for checkpoints and the run record', value: 'DIR' },
  resume: { kind: 'string', help: 'continue the run in this folder', value: 'DIR' },
  from: { kind: 'string', help: 'shipped checkpoint whose weights a new run starts from', value: 'FILE' },
  checkpoint: { kind: 'string', help: 'checkpoint file (safetensors)', value: 'FILE' },
  json: { kind: 'boolean', help: 'exactly one JSON object on standard output' },
} as const satisfies Flags;

const SEED_LIMIT = 2 ** 32;

/** Throws a UsageError for an unknown flag, a missing or malformed value, or a flag given twice. */
export function parseArgs<const F extends Flags>(argv: readonly string[], flags: F): Parsed<F> {
  const positionals: string[] = [];
  const values: Record<string, Values[FlagKind]> = {};
  for (const [name, flag] of Object.entries(flags)) values[name] = emptyValue(flag.kind);
  const seen = new Set<string>();
  let rest = [...argv];
  while (rest.length > 0) {
    const word = rest[0];
    rest = rest.slice(1);
    if (word === '--') return { positionals: [...positionals, ...rest], flags: values as Parsed<F>['flags'] };
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word);
      continue;
    }
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const flag = name !== undefined && Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (name === undefined || flag === undefined) throw new UsageError(unknownFlag(word, Object.keys(flags)));
    if (seen.has(name) && flag.kind !== 'pairs' && flag.kind !== 'list') {
      throw new UsageError(`--${name} is given twice`);
    }
    seen.add(name);
    if (flag.kind === 'boolean') {
      if (inline !== undefined) throw new UsageError(`--${name} takes no value`);
      values[name] = true;
      continue;
    }
    const text = inline ?? rest[0];
    if (text === undefined || (inline === undefined && text.startsWith('--'))) {
      throw new UsageError(`--${name} needs a value (${flag.value ?? flag.kind})`);
    }
    if (inline === undefined) rest = rest.slice(1);
    values[name] = readValue(name, flag.kind, text, values[name]);
  }
  return { positionals, flags: values as Parsed<F>['flags'] };
}

function emptyValue(kind: FlagKind): Values[FlagKind] {
  if (kind === 'boolean') return false;
  if (kind === 'list') return [];
  // No prototype: --set __proto__=1 is an unknown setting like any other.
  return kind === 'pairs' ? Object.create(null) : undefined;
}

function readValue(name: string, kind: FlagKind, text: string, before: Values[FlagKind]): Values[FlagKind] {
  switch (kind) {
    case 'integer': {
      const value = Number(text);
      if (!/^\d+$/.test(text) || value >= SEED_LIMIT) {
        throw new UsageError(`--${name} ${text}: a whole number from 0 to ${SEED_LIMIT - 1} is needed`);
      }
      return value;
    }
    case 'number': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`--${name} ${text}: not a number`);
      return value;
    }
    case 'list':
      return [...(before as string[]), ...text.split(',').filter((part) => part !== '')];
    case 'pairs': {
      const equals = text.indexOf('=');
      if (equals < 1) throw new UsageError(`--${name} ${text}: key=value is needed`);
      const pairs = before as Record<string, string>;
      const key = text.slice(0, equals);
      if (key in pairs) throw new UsageError(`--${name} ${key} is given twice`);
      pairs[key] = text.slice(equals + 1);
      return pairs;
    }
    default:
      if (text === '') throw new UsageError(`--${name} needs a value`);
      return text;
  }
}

function unknownFlag(word: string, names: string[]): string {
  const known = names.length > 0 ? `known: ${names.map((name) => `--${name}`).join(', ')}` : 'this command takes none';
  return `unknown flag ${word.split('=')[0]} (${known})`;
}

/** Lines of a help text: one per flag. */
export function describeFlags(flags: Flags): string[] {
  const left = Object.entries(flags).map(([name, flag]) => `--${name}${flag.value ? ` ${flag.value}` : ''}`);
  const width = Math.max(0, ...left.map((text) => text.length));
  return Object.values(flags).map((flag, i) => `  ${left[i].padEnd(width)}  ${flag.help}`);
}
