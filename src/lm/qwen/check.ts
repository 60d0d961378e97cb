/**
 * Looks through a Qwen3 directory (config.json, tokenizer.json, one or several safetensors files in bfloat16) before anything
 * is loaded: every name, type and shape that the model needs, from the files' headers. Needs no GPU.
 */
import { type ModelFiles, readText } from '../../data/model-files.ts';
import { locateSafetensors, type TensorPlace } from '../../data/safetensors.ts';
import type { LmConfig } from '../config.ts';
import { JsonTokenizer } from '../tokenizers/json.ts';
import { CHAT_TOKENS } from './chat.ts';
import { ModelFileError, parseQwenConfig } from './config.ts';
import { matrixSources, type Source, vectorSources } from './tensors.ts';

export interface Located extends TensorPlace {
  file: string;
}

export interface PlacedSource {
  source: Source;
  place: Located;
}

export interface CheckedQwen {
  files: ModelFiles;
  config: LmConfig;
  tokenizer: JsonTokenizer;
  /** Tokens that end a text. */
  stop: number[];
  /** The tokenizer knows the marks of the chat format. */
  chat: boolean;
  parameters: number;
  matrices: { name: string; parts: PlacedSource[] }[];
  vectors: (PlacedSource & { name: string })[];
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

/** End tokens of generation_config.json: chat models name more of them there than in config.json. */
async function furtherStops(files: ModelFiles): Promise<number[]> {
  try {
    const { eos_token_id: ids } = JSON.parse((await readText(files, 'generation_config.json')) ?? '{}') ?? {};
    return [ids].flat().filter((id): id is number => Number.isInteger(id));
  } catch {
    throw new ModelFileError('generation_config.json is not JSON.');
  }
}

/**
 * `context`: most positions (prompt and answer); the configuration's own limit holds as well. Throws ModelFileError,
 * LmConfigError, SafetensorsError or TokenizerError with one sentence.
 */
export async function checkQwen(files: ModelFiles, context: number): Promise<CheckedQwen> {
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
  const shapes = [...matrices.flatMap(({ parts }) => parts), ...vectors].map(({ source }) => source.shape);
  return {
    files,
    config,
    tokenizer,
    stop: [...new Set([...stop, ...(await furtherStops(files))])],
    chat: CHAT_TOKENS.every((token) => tokenizer.has(token)),
    parameters: shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0),
    matrices,
    vectors,
  };
}
