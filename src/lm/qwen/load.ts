/**
 * Loads a Qwen3 directory onto the GPU for inference. Everything is checked before a byte of weights is read (check.ts);
 * weights travel in pieces, so host memory stays small. Tensors that the model does not need are left alone.
 */
import type { ModelFiles } from '../../data/model-files.ts';
import { toFloat32 } from '../../data/safetensors.ts';
import type { Gpu } from '../../gpu/device.ts';
import type { Scope } from '../../nn/layers.ts';
import { PackedScope, PackedWeights } from '../../nn/packed-weights.ts';
import type { Graph } from '../../tensor/graph.ts';
import type { LmConfig } from '../config.ts';
import type { JsonTokenizer } from '../tokenizers/json.ts';
import { type CheckedQwen, checkQwen } from './check.ts';
import { interleaveRows } from './tensors.ts';

export interface LoadedModel {
  config: LmConfig;
  tokenizer: JsonTokenizer;
  stop: number[];
  /** Bytes of weights on the GPU. */
  bytes: number;
  /** For cachedModel(). */
  scopeOf(graph: Graph): Scope;
  dispose(): void;
}

export interface UploadOptions {
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface LoadOptions extends UploadOptions {
  /** Most positions (prompt and answer); 4096 by default. */
  context?: number;
}

/** Read at once: enough for a disk to be quick, little for memory. */
const PIECE = 32 << 20;

/** Throws ModelFileError (or SafetensorsError, TokenizerError) with one sentence; the GPU is left as it was. */
export async function loadQwen(gpu: Gpu, files: ModelFiles, options: LoadOptions = {}): Promise<LoadedModel> {
  return uploadQwen(gpu, await checkQwen(files, options.context ?? 4096), options);
}

/** Throws an Error with one sentence where the weights do not fit the adapter; the GPU is left as it was. */
export async function uploadQwen(
  gpu: Gpu,
  { files, config, tokenizer, stop, matrices, vectors }: CheckedQwen,
  { onProgress, signal }: UploadOptions = {},
): Promise<LoadedModel> {
  const weights = new PackedWeights(gpu);
  try {
    for (const { name, source } of vectors) weights.vectors.declare(name, source.shape, { kind: 'ones' }, false);
    weights.vectors.allocate(gpu, 0, false);
    for (const { name, parts } of matrices) {
      const rows = parts.reduce((sum, p) => sum + p.source.shape[0], 0);
      weights.declare(name, rows, parts[0].source.shape[1]);
    }
    for (const { name, source, place } of vectors) {
      const bytes = await files.read(place.file, place.from, place.to);
      const width = bytes.length / source.shape[0];
      const ordered = source.interleave ? interleaveRows(bytes, width, source.interleave) : bytes;
      weights.vectors.write('value', name, toFloat32({ ...place, bytes: ordered }));
    }
    const total = weights.bytes;
    let done = 0;
    for (const { name, parts } of matrices) {
      let row = 0;
      for (const { source, place } of parts) {
        const [rows, columns] = source.shape;
        const width = columns * 2;
        const unit = source.interleave ?? 1;
        const each = Math.max(unit, Math.floor(PIECE / width / unit) * unit);
        for (let at = 0; at < rows; at += each) {
          signal?.throwIfAborted();
          const count = Math.min(each, rows - at);
          const from = place.from + at * width;
          const bytes = await files.read(place.file, from, from + count * width);
          weights.write(name, row + at, source.interleave ? interleaveRows(bytes, width, source.interleave) : bytes);
          done += bytes.length;
          onProgress?.(done, total);
        }
        row += rows;
      }
    }
    // A full memory shows itself only when the device is asked.
    await gpu.device.queue.onSubmittedWorkDone();
    if (gpu.error !== null) throw new Error(`The weights do not fit this GPU: ${gpu.error}`);
  } catch (error) {
    weights.dispose();
    throw error;
  }
  return {
    config,
    tokenizer,
    stop,
    bytes: weights.bytes,
    scopeOf: (graph) => new PackedScope(graph, weights),
    dispose: () => weights.dispose(),
  };
}
