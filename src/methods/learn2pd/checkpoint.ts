/**
 * The shipped form of a run: averaged weights of the small LLaDA in half precision (`model/..`), the filter in single
 * precision (`filter/<layer>.w`, `.b`), vocabulary, configuration and what the filter learned from. The filter carries the
 * checksum of the weights whose confidences it knows.
 */
import { readSafetensors, type TensorToWrite, toFloat32, writeSafetensors } from '../../data/safetensors.ts';
import type { Gpu } from '../../gpu/device.ts';
import { newStore } from '../../lm/language-model.ts';
import { ClosedTokenizer, SPECIALS } from '../../lm/tokenizers/closed.ts';
import type { ParamStore } from '../../nn/params.ts';
import { CheckpointError, restoreShipped, shippedTensors } from '../../train/checkpoint.ts';
import { crc32 } from '../../world/hash.ts';
import type { Checkpoint } from '../contract.ts';
import { checkConfig, type Learn2pdConfig, modelConfig } from './config.ts';
import { type FilterWeights, filterSize } from './filter.ts';
import { missingTokens, parseTasks, type Task } from './problems.ts';

const KIND = 'learn2pd';

/** What the filter learned from, and how well (held-out records). */
export interface FilterProvenance {
  /** Checksum of the weights that made the records. */
  base: string;
  canvas: number;
  prompts: number;
  records: number;
  steps: number;
  bceMasked: number;
  bceConstant: number;
  auroc: number;
}

export interface Learn2pdModel {
  title: string;
  config: Learn2pdConfig;
  seed: number;
  /** What was changed while the run went on; empty for a run in one piece. */
  changes: string[];
  tasks: Task[];
  tokenizer: ClosedTokenizer;
  /** Values only; rounded to half precision. */
  store: ParamStore;
  filter: FilterWeights;
  about: FilterProvenance;
}

const inOrder = (tensors: Iterable<[string, { bytes: Uint8Array }]>): [string, { bytes: Uint8Array }][] =>
  [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));

/** CRC-32 over names and half-precision bytes of the weights. */
function checksum(tensors: Iterable<[string, { bytes: Uint8Array }]>): string {
  let sum = 0;
  for (const [name, { bytes }] of inOrder(tensors)) sum = crc32(bytes, crc32(new TextEncoder().encode(name), sum));
  return sum.toString(16).padStart(8, '0');
}

export interface FrozenBase {
  /** Values only; rounded to half precision. */
  store: ParamStore;
  /** Checksum of the weights. */
  base: string;
}

/** Weights as they ship: the average, rounded to half precision, in a store without training state. */
export async function frozenBase(gpu: Gpu, c: Learn2pdConfig, vocab: number, trained: ParamStore): Promise<FrozenBase> {
  const file = readSafetensors(writeSafetensors(await shippedTensors(trained)));
  const store = newStore(gpu, modelConfig(c, vocab), 0, false);
  restoreShipped(store, file);
  return { store, base: checksum(file.tensors) };
}

export async function writeCheckpoint(model: Learn2pdModel): Promise<Checkpoint> {
  const { config, filter } = model;
  const tensors = new Map<string, TensorToWrite>();
  for (const [name, t] of await shippedTensors(model.store, 'value')) tensors.set(`model/${name}`, t);
  const { B, depth, values } = filter;
  for (let d = 0; d < depth; d++) {
    const at = d * (B * B + B);
    tensors.set(`filter/${d}.w`, { shape: [B, B], values: values.subarray(at, at + B * B) });
    tensors.set(`filter/${d}.b`, { shape: [B], values: values.subarray(at + B * B, at + B * B + B) });
  }
  const about = {
    kind: KIND,
    title: model.title,
    config: JSON.stringify(config),
    seed: String(model.seed),
    changes: JSON.stringify(model.changes),
    tokens: JSON.stringify(model.tokenizer.tokens),
    filter: JSON.stringify(model.about),
  };
  return { name: `learn2pd-${config.rung}.safetensors`, bytes: writeSafetensors(tensors, about) };
}

function parsed<T>(metadata: Record<string, string>, name: string): T {
  try {
    return JSON.parse(metadata[name] ?? '');
  } catch {
    throw new CheckpointError(`The checkpoint has no usable '${name}' in its header.`);
  }
}

function vocabulary(tokens: unknown, tasks: readonly Task[]): ClosedTokenizer {
  if (!Array.isArray(tokens) || SPECIALS.some((t, i) => tokens[i] !== t)) {
    throw new CheckpointError(`The vocabulary of the checkpoint does not begin with ${SPECIALS.join(' ')}.`);
  }
  const tokenizer = new ClosedTokenizer(tokens.map(String));
  const missing = missingTokens(tasks, tokenizer);
  if (missing.length > 0) {
    throw new CheckpointError(
      `The vocabulary of the checkpoint lacks tokens that its tasks need: ${missing.join(' ')}`,
    );
  }
  if (tokenizer.vocab !== tokens.length) throw new CheckpointError('The vocabulary of the checkpoint repeats tokens.');
  return tokenizer;
}

/**
 * Reads an exported checkpoint. Throws SafetensorsError for a file that is none, CheckpointError or ConfigError with one
 * sentence for what does not fit; nothing is left behind then.
 */
export function readCheckpoint(gpu: Gpu, bytes: Uint8Array<ArrayBuffer>): Learn2pdModel {
  const { metadata, tensors } = readSafetensors(bytes);
  if (metadata.kind !== KIND) {
    throw new CheckpointError(`This is a checkpoint of '${metadata.kind ?? 'something else'}', not of learn2pd.`);
  }
  const config = checkConfig(parsed(metadata, 'config'));
  const tasks = parseTasks(config.tasks);
  const tokenizer = vocabulary(parsed(metadata, 'tokens'), tasks);
  const about = parsed<FilterProvenance>(metadata, 'filter');
  const changes = parsed<string[]>({ changes: '[]', ...metadata }, 'changes');
  const { block: B, depth } = config;
  const values = new Float32Array(filterSize(B, depth));
  for (let d = 0; d < depth; d++) {
    for (const [part, shape, at] of [
      ['w', [B, B], d * (B * B + B)],
      ['b', [B], d * (B * B + B) + B * B],
    ] as const) {
      const t = tensors.get(`filter/${d}.${part}`);
      if (!t) throw new CheckpointError(`The checkpoint has no tensor filter/${d}.${part}.`);
      if (t.shape.join() !== shape.join()) {
        throw new CheckpointError(`filter/${d}.${part} is [${t.shape}] in the file, [${shape}] here.`);
      }
      values.set(toFloat32(t), at);
    }
  }
  const own = new Map(
    [...tensors].filter(([name]) => name.startsWith('model/')).map(([name, t]) => [name.slice('model/'.length), t]),
  );
  const base = checksum(own);
  if (base !== about.base) {
    throw new CheckpointError(`The filter belongs to a model with checksum ${about.base}, the file holds ${base}.`);
  }
  const store = newStore(gpu, modelConfig(config, tokenizer.vocab), 0, false);
  try {
    restoreShipped(store, { metadata, tensors: own });
  } catch (error) {
    store.dispose();
    throw error;
  }
  const filter = { B, depth, values };
  const seed = Number(metadata.seed);
  return { title: metadata.title ?? '', config, seed, changes, tasks, tokenizer, store, filter, about };
}
