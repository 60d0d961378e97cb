/**
 * Presets of DeepSeek Sparse Attention (dsa.md sections 2.2 and 4.7) and every switch. Dense feed-forward layers: a mixture
 * of experts is orthogonal to sparse attention and left out. No YaRN: nothing here is extended past its training length.
 */
import type { LmConfig } from '../../lm/config.ts';
import { ConfigError, presetNamed, withValues } from '../config-values.ts';
import type { Quant } from './ops.ts';
import { keyCount } from './tasks/alphabet.ts';

export interface DsaShape {
  vocab: number;
  d: number;
  layers: number;
  heads: number;
  hidden: number;
  /** Rank of the query latent; 0: queries straight from x. */
  qLora: number;
  /** Latent, rotary part, non-rotary head size, value head size. */
  dC: number;
  dR: number;
  dN: number;
  dV: number;
  indexHeads: number;
  indexDim: number;
  quant: Quant;
  hadamard: boolean;
  /** Spread of the attention logits of an untrained model: large, heads look at few keys from the start. */
  gain: number;
}

export interface StageSpec {
  steps: number;
  /** Rate of the main model and of the indexer; 0 freezes. */
  lr: number;
  lrIndex: number;
}

export interface DsaConfig extends DsaShape {
  rung: string;
  /** Tokens of a row and rows of a step. */
  time: number;
  batch: number;
  /** Of the rows of a batch, how many are the negative control (majority of all tokens). */
  controlRows: number;
  /** How many are other lookups; associative recall has the rest. */
  mix: { needle: number; copy: number; hops: number };
  /** Empty: the tasks above. 'story': rows of generated chronicles; anything else: of the file with this name. */
  corpus: string;
  k: number;
  /** Always chosen besides the largest scores, of the k: the first and the last keys that a query sees. */
  pinFirst: number;
  pinLast: number;
  /** Associative recall and pointers: pairs of a row and how often one is asked for. */
  pairs: number;
  queries: number;
  /** The base starts with a quarter of the pairs and has all from a third of its steps on. */
  curriculum: boolean;
  /** Before the base, dense rows of `time` tokens, as many tokens a step; 0 steps leave this out. */
  short: { steps: number; time: number };
  base: StageSpec;
  warmup: StageSpec;
  sparse: StageSpec;
  /** Rows of every task in an evaluation. */
  evalRows: number;
  /** Also train the arm without warm-up, and keep the one whose base stays frozen. */
  ablation: boolean;
  /** Also train indexers with 1, 2 and 4 heads from the same base. */
  headSweep: boolean;
}

/** The specification's default (its preset m) in every value. Cost curves are those of its layer. */
export const SPECIFIED: DsaConfig = {
  rung: 'specified',
  vocab: 256,
  d: 192,
  layers: 4,
  heads: 8,
  hidden: 512,
  qLora: 96,
  dC: 64,
  dR: 16,
  dN: 32,
  dV: 32,
  indexHeads: 4,
  indexDim: 32,
  quant: 'e4m3',
  hadamard: true,
  gain: 1,
  time: 1024,
  batch: 8,
  controlRows: 1,
  mix: { needle: 1, copy: 1, hops: 1 },
  corpus: '',
  k: 64,
  pinFirst: 0,
  pinLast: 0,
  pairs: 64,
  queries: 64,
  curriculum: true,
  short: { steps: 0, time: 0 },
  base: { steps: 2000, lr: 1e-3, lrIndex: 0 },
  warmup: { steps: 600, lr: 0, lrIndex: 1e-3 },
  sparse: { steps: 1500, lr: 1e-4, lrIndex: 1e-3 },
  evalRows: 1000,
  ablation: true,
  headSweep: false,
};

/**
 * The shape of what a CPU adapter trains in minutes. Large attention logits at the start: without them two thirds of what a query
 * pays lie outside any 16 keys after training, because heads that have nothing to look up stay spread out.
 */
const TOY: DsaConfig = {
  ...SPECIFIED,
  vocab: 64,
  d: 64,
  layers: 2,
  heads: 2,
  hidden: 128,
  qLora: 0,
  dC: 32,
  dR: 8,
  dN: 24,
  dV: 32,
  indexHeads: 4,
  indexDim: 16,
  gain: 5,
};

export const PRESETS: Readonly<Record<string, DsaConfig>> = {
  nano: {
    ...SPECIFIED,
    rung: 'nano',
    vocab: 64,
    d: 64,
    layers: 2,
    heads: 4,
    hidden: 128,
    qLora: 0,
    dC: 32,
    dR: 8,
    dN: 16,
    dV: 16,
    indexHeads: 2,
    indexDim: 16,
    time: 32,
    batch: 20,
    controlRows: 4,
    mix: { needle: 0, copy: 0, hops: 0 },
    curriculum: false,
    k: 4,
    pairs: 6,
    queries: 10,
    base: { steps: 400, lr: 3e-3, lrIndex: 0 },
    warmup: { steps: 400, lr: 0, lrIndex: 2e-3 },
    sparse: { steps: 80, lr: 3e-4, lrIndex: 1e-3 },
    evalRows: 128,
    ablation: false,
  },
  mini: {
    ...TOY,
    rung: 'mini',
    time: 64,
    batch: 8,
    controlRows: 1,
    mix: { needle: 1, copy: 1, hops: 0 },
    k: 16,
    pairs: 12,
    queries: 16,
    base: { steps: 700, lr: 3e-3, lrIndex: 0 },
    warmup: { steps: 400, lr: 0, lrIndex: 4e-3 },
    sparse: { steps: 300, lr: 3e-4, lrIndex: 2e-3 },
  },
  // Contexts of 1024 tokens. Attention starts sharp, and two heads of 64 channels instead of eight of 48: one list of keys
  // serves all heads, and the indexer cannot know how a row's heads compare (README). Most of the base is learned on rows of
  // 64: few pairs are found sooner, and a step has as many tokens.
  small: {
    ...SPECIFIED,
    rung: 'small',
    heads: 2,
    dN: 48,
    dV: 64,
    gain: 4,
    batch: 5,
    mix: { needle: 1, copy: 1, hops: 0 },
    queries: 192,
    short: { steps: 600, time: 64 },
    base: { steps: 200, lr: 2e-3, lrIndex: 0 },
    warmup: { steps: 240, lr: 0, lrIndex: 6e-3 },
    sparse: { steps: 120, lr: 3e-4, lrIndex: 3e-3 },
    ablation: false,
  },
  // The negative control at the length and k of the specification's default. Several layers can count through each other, since
  // a key has already counted what it saw: k keys in each of L layers reach k^L tokens. One layer cannot, and still looks up.
  control: {
    ...TOY,
    rung: 'control',
    layers: 1,
    batch: 5,
    controlRows: 2,
    mix: { needle: 1, copy: 0, hops: 0 },
    pairs: 24,
    queries: 128,
    short: { steps: 400, time: 64 },
    base: { steps: 200, lr: 3e-3, lrIndex: 0 },
    warmup: { steps: 150, lr: 0, lrIndex: 4e-3 },
    sparse: { steps: 100, lr: 3e-4, lrIndex: 2e-3 },
    evalRows: 256,
    ablation: false,
  },
  specified: SPECIFIED,
  base: {
    ...SPECIFIED,
    rung: 'base',
    d: 256,
    layers: 6,
    hidden: 704,
    qLora: 128,
    time: 4096,
    batch: 4,
    vocab: 512,
    controlRows: 1,
    mix: { needle: 0, copy: 1, hops: 1 },
    pairs: 256,
    queries: 256,
    base: { steps: 3000, lr: 6e-4, lrIndex: 0 },
    warmup: { steps: 800, lr: 0, lrIndex: 1e-3 },
    sparse: { steps: 2000, lr: 6e-5, lrIndex: 1e-3 },
    evalRows: 500,
  },
};

/** Preset with changes `key=value` (dotted paths), checked. */
export function configure(preset: string, set: Readonly<Record<string, string>> = {}): DsaConfig {
  const config = withValues(presetNamed(PRESETS, preset), set);
  checkConfig(config);
  return config;
}

/** What files from before a switch existed do not name: it was off. */
const ABSENT: Partial<DsaConfig> = {
  gain: 1,
  mix: { needle: 0, copy: 0, hops: 0 },
  corpus: '',
  pinFirst: 0,
  pinLast: 0,
  curriculum: false,
  short: { steps: 0, time: 0 },
  headSweep: false,
};

/** The configuration that a file holds. Throws ConfigError with one sentence. */
export function restoredConfig(json: string): DsaConfig {
  const config = JSON.parse(json);
  for (const [key, value] of Object.entries(ABSENT)) if (!Object.hasOwn(config, key)) config[key] = value;
  checkConfig(config);
  return config;
}

/** Throws ConfigError with one sentence. */
export function checkConfig(c: DsaConfig): void {
  const wrong = (text: string): never => {
    throw new ConfigError(`Sparse attention: ${text}`);
  };
  const whole = ['vocab', 'd', 'layers', 'heads', 'hidden', 'dC', 'dR', 'dN', 'dV', 'indexHeads', 'indexDim'] as const;
  for (const name of [...whole, 'time', 'batch', 'k', 'pairs', 'queries', 'evalRows'] as const) {
    if (!Number.isInteger(c[name]) || c[name] < 1) wrong(`${name} = ${c[name]} is not a positive whole number.`);
  }
  for (const name of ['d', 'hidden', 'qLora', 'dC', 'dR', 'dN', 'dV', 'indexDim'] as const) {
    if (c[name] % 4 !== 0) wrong(`${name} = ${c[name]} is not a multiple of 4.`);
  }
  if (c.indexDim < 16 || (c.indexDim & (c.indexDim - 1)) !== 0) {
    wrong(`indexDim = ${c.indexDim} is not a power of two from 16 on.`);
  }
  if (c.dR > c.indexDim) wrong(`the rotary part of ${c.dR} does not fit into ${c.indexDim} channels of the indexer.`);
  if (!['f32', 'e4m3', 'i8'].includes(c.quant)) wrong(`quant = ${c.quant} is none of f32, e4m3, i8.`);
  if (c.k > c.time) wrong(`k = ${c.k} is more than the ${c.time} tokens of a row: nothing would be selected.`);
  if (2 * (c.pairs + c.queries) > c.time) {
    wrong(`${c.pairs} pairs and ${c.queries} queries need ${2 * (c.pairs + c.queries)} tokens, a row has ${c.time}.`);
  }
  const { needle, copy, hops } = c.mix;
  const others = [c.controlRows, needle, copy, hops];
  if (others.some((n) => !Number.isInteger(n) || n < 0) || others.reduce((a, b) => a + b, 0) >= c.batch) {
    wrong(`controlRows = ${c.controlRows} and the mix of ${needle}, ${copy} and ${hops} leave no row for retrieval.`);
  }
  if (c.corpus === '' && c.pairs > keyCount(c)) {
    wrong(`${c.pairs} pairs need as many keys, a vocabulary of ${c.vocab} has ${keyCount(c)}.`);
  }
  if (c.corpus !== '' && c.vocab < 256) wrong(`vocab = ${c.vocab} has no token for every byte of a text.`);
  if (c.pinFirst < 0 || c.pinLast < 0 || c.pinFirst + c.pinLast > c.k) {
    wrong(`${c.pinFirst} first and ${c.pinLast} last keys do not fit into the ${c.k} that are chosen.`);
  }
  if (c.short.steps !== 0) {
    const { steps, time } = c.short;
    if (!Number.isInteger(steps) || steps < 0) wrong(`${steps} steps on short rows are not a count.`);
    if (!Number.isInteger(time) || time < 16 || c.time % time !== 0) {
      wrong(`short rows of ${time} tokens are not a whole part of rows of ${c.time}.`);
    }
    if (c.corpus === '') checkConfig({ ...shortRows(c), short: { steps: 0, time: 0 } });
  }
  for (const stage of [c.base, c.warmup, c.sparse]) {
    if (!Number.isInteger(stage.steps) || stage.steps < 1) wrong(`${stage.steps} steps of a stage are too few.`);
  }
}

/** What the stage on short rows trains on: rows of a part of the length with that part of the pairs, as many tokens. */
export function shortRows(c: DsaConfig): DsaConfig {
  const part = c.time / c.short.time;
  const { needle, copy, hops } = c.mix;
  return {
    ...c,
    time: c.short.time,
    batch: c.batch * part,
    controlRows: c.controlRows * part,
    mix: { needle: needle * part, copy: copy * part, hops: hops * part },
    pairs: Math.max(3, Math.round(c.pairs / part)),
    queries: Math.max(2, Math.round(c.queries / part)),
    k: Math.min(c.k, c.short.time),
    pinFirst: 0,
    pinLast: 0,
  };
}

/** The trunk around the attention; its own attention fields are not used. */
export const trunk = (c: DsaConfig): LmConfig => ({
  vocab: c.vocab,
  d: c.d,
  layers: c.layers,
  heads: c.heads,
  kvHeads: c.heads,
  headDim: c.dN + c.dR,
  hidden: c.hidden,
  tied: true,
  ropeBase: 10000,
  context: c.time,
  positions: false,
  shift: true,
});
