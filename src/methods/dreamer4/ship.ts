/** From a training checkpoint to the file that ships: averaged weights in half precision, statistics in f32. Needs no GPU. */
import { readSafetensors, type TensorToWrite, toFloat32, writeSafetensors } from '../../data/safetensors.ts';
import { CheckpointError } from '../../train/checkpoint.ts';

export interface Shipped {
  bytes: Uint8Array<ArrayBuffer>;
  /** What the card says about the run. */
  run: {
    seed: number;
    tokenizerSteps: number;
    dynamicsSteps: number;
    flops: number;
    origin: string | null;
    config: unknown;
  };
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
    bytes: writeSafetensors(out, { method: 'dreamer4', kind: 'model', config: metadata.config, title }),
    run: {
      seed: Number(metadata.seed),
      tokenizerSteps: Number(metadata.tokenizerStep),
      dynamicsSteps: Number(metadata.dynamicsStep),
      flops: Number(metadata.flops),
      origin: metadata.origin ?? null,
      config: JSON.parse(metadata.config),
    },
  };
}
