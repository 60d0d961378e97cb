/**
 * Loads a Qwen3 directory (config.json, tokenizer.json, one or several safetensors files in bfloat16) onto the GPU for
 * inference. All names, types and shapes are checked before a byte of weights is read; weights travel in pieces, so host
 * memory stays small. Tensors that the model does not need are left alone.
 */
import { type ModelFiles, readText } from '../../data/model-files.ts';
import { locateSafetensors, type TensorPlace, toFloat32 } from '../../data/safetensors.ts';
import type { Gpu } from '../../gpu/device.ts';
import type { Scope } from '../../nn/layers.ts';
import { PackedScope, PackedWeights } from '../../nn/packed-weights.ts';
import type { Graph } from '../../tensor/graph.ts';
import type { LmConfig } from '../config.ts';
import { JsonTokenizer } from '../tokenizers/json.ts';
import { ModelFileError, parseQwenConfig } from './config.ts';
import { interleaveRows, matrixSources, type Source, vectorSources } from './tensors.ts';

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

export interface LoadOptions {
  /** Most positions (prompt and answer); 4096 by default. */
  context?: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Read at once: enough for a disk to be quick, little for memory. */
const PIECE = 32 << 20;

interface Located extends TensorPlace {
  file: string;
}

async function locate(files: ModelFiles): Promise<Map<string, Located>> {
  const shards = files.list().filter((n) => n.endsWith('.safetensors'));
  if (shards.length === 0) throw new ModelFileError('There is no .safetensors file among the chosen files.');
  const all = new Map<string, Located>();
  for (const file of shards) {
    const places = await locateSafetensors(files.size(file), (from, to) => files.read(file, from, to));
    for (const [name, place] of places) all.set(name, { ...place, file });
  }
  return all;
}

function find(all: ReadonlyMap<string, Located>, { name, shape }: Source, dtypes: readonly string[]): Located {
  const place = all.get(name);
  if (!place) {
    throw new ModelFileError(`The files have no tensor ${name} [${shape}]. Is a shard of the model missing?`);
  }
  if (place.shape.join() !== shape.join()) {
    throw new ModelFileError(`${name} is [${place.shape}] in ${place.file}, config.json asks for [${shape}].`);
  }
  if (!dtypes.includes(place.dtype)) {
    throw new ModelFileError(
      `${name} is of type ${place.dtype} in ${place.file}; ${dtypes.join(' or ')} can be loaded.`,
    );
  }
  return place;
}

/** Throws ModelFileError (or SafetensorsError, TokenizerError) with one sentence; the GPU is left as it was. */
export async function loadQwen(gpu: Gpu, files: ModelFiles, options: LoadOptions = {}): Promise<LoadedModel> {
  const { context = 4096, onProgress, signal } = options;
  const text = async (name: string): Promise<string> => {
    const found = await readText(files, name);
    if (found === null) throw new ModelFileError(`There is no ${name} among the chosen files.`);
    return found;
  };
  const { config, stop } = parseQwenConfig(await text('config.json'), context);
  const tokenizerJson = await text('tokenizer.json');
  const tokenizer = new JsonTokenizer(tokenizerJson, (await readText(files, 'tokenizer_config.json')) ?? '{}');
  if (tokenizer.vocab > config.vocab) {
    throw new ModelFileError(`tokenizer.json has ${tokenizer.vocab} tokens, config.json only ${config.vocab}.`);
  }
  const all = await locate(files);
  const matrices = [...matrixSources(config)].map(([name, sources]) => ({
    name,
    parts: sources.map((source) => ({ source, place: find(all, source, ['BF16']) })),
  }));
  const vectors = [...vectorSources(config)].map(([name, source]) => ({
    name,
    source,
    place: find(all, source, ['BF16', 'F32', 'F16']),
  }));
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
    if (gpu.error !== null) throw new ModelFileError(`The weights do not fit this GPU: ${gpu.error}`);
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
