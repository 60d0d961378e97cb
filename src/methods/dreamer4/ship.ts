/** From a training checkpoint to the file that ships: averaged weights in half precision, statistics in f32. Needs no GPU. */
import * as v from 'valibot';
import { readSafetensors, type TensorToWrite, toFloat32, writeSafetensors } from '../../data/safetensors.ts';
import { CheckpointError } from '../../train/checkpoint.ts';
import { type DreamerConfig, presets } from './config.ts';
import { parseConfig } from './config-file.ts';

export interface Shipped {
  bytes: Uint8Array<ArrayBuffer>;
  /** What the card says about the run. */
  run: {
    seed: number;
    tokenizerSteps: number;
    dynamicsSteps: number;
    flops: number;
    origin: string | null;
    config: DreamerConfig;
  };
}

/** Nothing but what a reader needs: an exported model may also say how it came about. */
const shippedFile = (tensors: Map<string, TensorToWrite>, config: string, title: string): Uint8Array<ArrayBuffer> =>
  writeSafetensors(tensors, { method: 'dreamer4', kind: 'model', config, title });

/** An exported model with the record of its run, where the training checkpoint itself is not at hand. */
export function shipExported(model: Uint8Array<ArrayBuffer>, record: unknown, title: string): Shipped {
  const { metadata, tensors } = readSafetensors(model);
  if (metadata.method !== 'dreamer4' || metadata.kind !== 'model') {
    throw new CheckpointError('This file is not an exported model of Dreamer 4.');
  }
  const config = parseConfig(metadata.config ?? '');
  const { seed, flops } = v.parse(RunFacts, record);
  const { tokenizer, dynamics } = config.phases;
  const out = new Map<string, TensorToWrite>();
  for (const [name, t] of tensors) {
    out.set(name, { shape: t.shape, values: toFloat32(t), dtype: t.dtype as TensorToWrite['dtype'] });
  }
  return {
    bytes: shippedFile(out, metadata.config, title),
    run: { seed, tokenizerSteps: tokenizer.steps, dynamicsSteps: dynamics.steps, flops, origin: null, config },
  };
}

/** `1 - share` of every number of the first model and `share` of the second's. Throws CheckpointError unless they have the same tensors. */
export function blend(
  first: ReturnType<typeof readSafetensors>,
  second: ReturnType<typeof readSafetensors>,
  share: number,
): Map<string, TensorToWrite> {
  const out = new Map<string, TensorToWrite>();
  for (const [name, t] of first.tensors) {
    const twin = second.tensors.get(name);
    if (twin?.dtype !== t.dtype || twin.shape.join() !== t.shape.join()) {
      throw new CheckpointError(`No mean of these models: they differ in ${name}.`);
    }
    const [a, b] = [toFloat32(t), toFloat32(twin)];
    const values = a.map((x, i) => (1 - share) * x + share * b[i]);
    out.set(name, { shape: t.shape, values, dtype: t.dtype as TensorToWrite['dtype'] });
  }
  if (second.tensors.size !== first.tensors.size) throw new CheckpointError('No mean: one model has more tensors.');
  return out;
}

/** The mean of two models that one training led to along two ways (model soups, arXiv 2203.05482). */
export function meanOf(shipped: Shipped, other: Uint8Array<ArrayBuffer>): Shipped {
  const first = readSafetensors(shipped.bytes);
  const { config, title } = first.metadata;
  return { ...shipped, bytes: shippedFile(blend(first, readSafetensors(other), 0.5), config, title) };
}

/** What a run's record must say. */
const RunFacts = v.object({ seed: v.number(), flops: v.number() });

/** The run's command: its preset, and every value that is not the preset's. */
export function commandOf(config: DreamerConfig, seed: number): string {
  const changes: string[] = [];
  const compare = (own: unknown, preset: unknown, path: string): void => {
    if (typeof own === 'object' && own !== null) {
      for (const [key, value] of Object.entries(own)) {
        compare(value, (preset as Record<string, unknown> | undefined)?.[key], path ? `${path}.${key}` : key);
      }
    } else if (own !== preset) changes.push(` --set ${path}=${own}`);
  };
  compare(config, presets[config.rung], '');
  return `npm run lab -- run dreamer4 --preset ${config.rung} --seed ${seed}${changes.join('')} --out runs/${config.rung}`;
}

const AVERAGES = /^(?:tokenizer|dynamics)\/average\/(.+)$/;

/** Throws CheckpointError if the file is no training checkpoint or its dynamics has not begun. */
export function shipCheckpoint(training: Uint8Array<ArrayBuffer>, title: string): Shipped {
  const { metadata, tensors } = readSafetensors(training);
  if (metadata.method !== 'dreamer4' || metadata.kind !== 'training') {
    throw new CheckpointError('This file is not a training checkpoint of Dreamer 4.');
  }
  if (!(Number(metadata.dynamicsStep) > 0)) throw new CheckpointError('The dynamics of this run has not begun.');
  const out = new Map<string, TensorToWrite>();
  for (const [name, t] of tensors) {
    const parameter = AVERAGES.exec(name)?.[1];
    if (parameter === undefined) continue;
    const dtype = parameter.startsWith('latent.') ? 'F32' : 'F16';
    out.set(parameter, { shape: t.shape, values: toFloat32(t), dtype });
  }
  return {
    bytes: shippedFile(out, metadata.config, title),
    run: {
      seed: Number(metadata.seed),
      tokenizerSteps: Number(metadata.tokenizerStep),
      dynamicsSteps: Number(metadata.dynamicsStep),
      flops: Number(metadata.flops),
      origin: metadata.origin ?? null,
      config: parseConfig(metadata.config),
    },
  };
}
