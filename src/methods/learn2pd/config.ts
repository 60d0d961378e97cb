/** Presets of the method: the small LLaDA, what it learns at which canvas lengths, and the filter. */
import * as v from 'valibot';
import { type LmConfig, smallConfig } from '../../lm/config.ts';
import { ConfigError, checkAgainst, presetNamed, withValues } from '../config-values.ts';
import { parseTasks } from './problems.ts';

const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const real = v.pipe(v.number(), v.finite(), v.minValue(0));

const schema = v.strictObject({
  rung: v.string(),
  /** Families between commas, each with its levels: `lists:4-8,sums:2`. */
  tasks: v.string(),
  d: v.pipe(positive, v.multipleOf(16)),
  layers: positive,
  prompt: positive,
  /** Canvas of most training steps; holds the answers. */
  canvas: positive,
  /** Longest canvas that is trained: powers of two times `canvas` lie between. */
  longest: positive,
  /** Share of steps on canvases longer than `canvas`; their rows shrink so that a step feeds about equally many tokens. */
  longShare: v.pipe(real, v.maxValue(1)),
  block: v.pipe(positive, v.maxValue(64)),
  steps: positive,
  rows: positive,
  lr: real,
  /** Prompts that the filter learns from, and its own steps. */
  prompts: positive,
  filterSteps: positive,
  /** Layers of the filter: 1, 2 or 4. */
  depth: v.picklist([1, 2, 4]),
  tau: real,
  threshold: real,
  /** Problems of every task in an evaluation. */
  problems: positive,
});

export type Learn2pdConfig = v.InferOutput<typeof schema>;

// Prompts of these levels have at most 32 tokens, answers at most 34: two blocks hold them.
const SMALL: Learn2pdConfig = {
  rung: 'small',
  tasks: 'words:1-3,calculation:1-2,stack:1-2,pipelines:1-4,lists:4-16,sums:3-6',
  d: 128,
  layers: 4,
  prompt: 32,
  canvas: 64,
  longest: 1024,
  longShare: 0.12,
  block: 32,
  steps: 8000,
  rows: 96,
  lr: 2e-3,
  prompts: 4000,
  filterSteps: 10000,
  depth: 2,
  tau: 0.96,
  threshold: 0.9,
  problems: 500,
};

/** At most 40 tokens of prompt and 45 of answer. */
const HARDER = {
  tasks: 'words:1-4,calculation:1-3,stack:1-3,pipelines:1-5,lists:4-24,sums:3-8',
  prompt: 40,
};

export const presets: Readonly<Record<string, Learn2pdConfig>> = {
  nano: {
    ...SMALL,
    rung: 'nano',
    tasks: 'lists:4',
    d: 48,
    layers: 2,
    prompt: 10,
    canvas: 16,
    longest: 16,
    longShare: 0,
    block: 8,
    steps: 500,
    rows: 32,
    lr: 4e-3,
    prompts: 64,
    filterSteps: 500,
    problems: 64,
  },
  // What a CPU adapter trains within an hour or two; the shipped checkpoint.
  mini: {
    ...SMALL,
    rung: 'mini',
    tasks: 'lists:4-8,pipelines:1-2,calculation:1-2,sums:3-6',
    d: 64,
    layers: 2,
    prompt: 16,
    canvas: 32,
    longShare: 0.2,
    steps: 3000,
    rows: 40,
    lr: 4e-3,
    prompts: 2560,
    problems: 128,
  },
  small: SMALL,
  base: { ...SMALL, ...HARDER, rung: 'base', d: 192, layers: 6, steps: 12000, lr: 1.5e-3 },
  large: { ...SMALL, ...HARDER, rung: 'large', d: 256, layers: 8, steps: 20000, lr: 1e-3 },
};

/** Throws ConfigError with one sentence. */
export function checkConfig(value: unknown): Learn2pdConfig {
  const c = checkAgainst(schema, value);
  parseTasks(c.tasks);
  const times = c.longest / c.canvas;
  if (!(times >= 1) || !Number.isInteger(Math.log2(times))) {
    throw new ConfigError(`configuration longest: ${c.longest} is not a power of two times the canvas of ${c.canvas}`);
  }
  return c;
}

export const configure = (preset: string, set: Record<string, string> = {}): Learn2pdConfig =>
  checkConfig(withValues(presetNamed(presets, preset), set));

/** What a resumed run may change: everything else is part of its weights and data. */
export const CHANGEABLE = ['steps', 'prompts', 'filterSteps', 'tau', 'threshold', 'problems'] as const;

/** The configuration that a resumed run goes on with. */
export const changeConfig = (kept: Learn2pdConfig, set: Record<string, string>): Learn2pdConfig =>
  checkConfig(withValues(kept, set));

/** In words, what is different; null if that is more than a resumed run may change. */
export function changesOf(from: Learn2pdConfig, to: Learn2pdConfig): string[] | null {
  const keys = Object.keys(to).filter((k) => from[k as keyof Learn2pdConfig] !== to[k as keyof Learn2pdConfig]);
  if (keys.some((k) => !(CHANGEABLE as readonly string[]).includes(k))) return null;
  return keys.map((k) => `${k} ${from[k as keyof Learn2pdConfig]} to ${to[k as keyof Learn2pdConfig]}`);
}

/** What differs from the preset that a configuration is named after, as `--set` takes it. */
export const settingsOf = (c: Learn2pdConfig): string[] =>
  Object.entries(c)
    .filter(([key, value]) => presets[c.rung]?.[key as keyof Learn2pdConfig] !== value)
    .map(([key, value]) => `${key}=${value}`);

/** Every canvas length that is trained, the shortest first. */
export function canvasesOf(c: Learn2pdConfig): number[] {
  const out = [c.canvas];
  while (out[out.length - 1] < c.longest) out.push(out[out.length - 1] * 2);
  return out;
}

/**
 * Canvas of the filter's records: at least two blocks, so that the filter sees blocks that hold nothing but the end, and
 * those are most of what it decides on long canvases.
 */
export const recordCanvas = (c: Learn2pdConfig): number => Math.min(c.longest, Math.max(c.canvas, 2 * c.block));

/** Bidirectional, with a learned position table: rotations alone do not learn to reverse a list in reasonable time. */
export const modelConfig = (c: Learn2pdConfig, vocab: number): LmConfig => ({
  ...smallConfig(vocab, c.d, c.layers, c.prompt + c.longest),
  positions: true,
});
