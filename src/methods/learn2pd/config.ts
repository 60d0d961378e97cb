/** Presets of the method: the small LLaDA, what it learns, and the filter. */
import * as v from 'valibot';
import { checkAgainst, presetNamed, withValues } from '../config-values.ts';

const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const real = v.pipe(v.number(), v.finite(), v.minValue(0));

const schema = v.strictObject({
  /** Families between commas, and the highest level of each. */
  tasks: v.string(),
  level: positive,
  d: v.pipe(positive, v.multipleOf(16)),
  layers: positive,
  prompt: positive,
  canvas: positive,
  block: v.pipe(positive, v.maxValue(64)),
  steps: positive,
  rows: positive,
  lr: real,
  /** Prompts that the filter learns from, and its own steps. */
  prompts: positive,
  filterSteps: positive,
  tau: real,
  threshold: real,
  /** Problems of the evaluation. */
  problems: positive,
});

export type Learn2pdConfig = v.InferOutput<typeof schema>;

export const presets: Readonly<Record<string, Learn2pdConfig>> = {
  nano: {
    tasks: 'lists',
    level: 4,
    d: 48,
    layers: 2,
    prompt: 10,
    canvas: 16,
    block: 8,
    steps: 500,
    rows: 32,
    lr: 4e-3,
    prompts: 64,
    filterSteps: 500,
    tau: 0.96,
    threshold: 0.9,
    problems: 64,
  },
  small: {
    tasks: 'words,calculation,stack,pipelines,lists,sums',
    level: 4,
    d: 128,
    layers: 4,
    prompt: 96,
    canvas: 128,
    block: 32,
    steps: 4000,
    rows: 32,
    lr: 1e-3,
    prompts: 512,
    filterSteps: 3000,
    tau: 0.96,
    threshold: 0.9,
    problems: 256,
  },
};

export const checkConfig = (value: unknown): Learn2pdConfig => checkAgainst(schema, value);
export const configure = (preset: string, set: Record<string, string>): Learn2pdConfig =>
  checkConfig(withValues(presetNamed(presets, preset), set));
