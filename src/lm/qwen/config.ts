/** `config.json` of a Qwen3 checkpoint to our configuration. Everything that this model cannot do is refused by name. */
import { checkLmConfig, type LmConfig } from '../config.ts';

export class ModelFileError extends Error {}

const fail = (text: string): never => {
  throw new ModelFileError(text);
};

export interface QwenConfig {
  config: LmConfig;
  /** Tokens that end a text. */
  stop: number[];
}

/** `context` limits the positions (the caches are made for it). Throws ModelFileError with one sentence. */
export function parseQwenConfig(text: string, context: number): QwenConfig {
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(text);
  } catch {
    fail('config.json is not JSON.');
  }
  if (typeof json !== 'object' || json === null) fail('config.json is not an object.');
  if (json.model_type !== 'qwen3') {
    fail(`config.json describes a model of type '${String(json.model_type)}'; only 'qwen3' can be loaded.`);
  }
  const count = (name: string): number => {
    const v = json[name];
    return Number.isInteger(v) && (v as number) > 0
      ? (v as number)
      : fail(`config.json: ${name} is ${JSON.stringify(v)}, not a count.`);
  };
  const only = (name: string, ...allowed: unknown[]): void => {
    const v = json[name] ?? null;
    if (!allowed.includes(v)) fail(`config.json: ${name} is ${JSON.stringify(v)}, which is not supported.`);
  };
  only('hidden_act', 'silu');
  only('attention_bias', false, null);
  only('rope_scaling', null);
  only('use_sliding_window', false, null);
  only('rms_norm_eps', 1e-6);
  const heads = count('num_attention_heads');
  const d = count('hidden_size');
  const config: LmConfig = {
    vocab: count('vocab_size'),
    d,
    layers: count('num_hidden_layers'),
    heads,
    kvHeads: count('num_key_value_heads'),
    headDim: json.head_dim === undefined ? d / heads : count('head_dim'),
    hidden: count('intermediate_size'),
    tied: json.tie_word_embeddings === true,
    ropeBase: Number(json.rope_theta ?? 10000),
    context: Math.min(context, count('max_position_embeddings')),
    positions: false,
    shift: false,
  };
  checkLmConfig(config);
  const stop = [json.eos_token_id ?? []].flat().filter((id): id is number => Number.isInteger(id));
  return { config, stop };
}
