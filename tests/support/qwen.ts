/** A tiny randomly initialised Qwen3 directory, and the architecture in plain float64 from its own tensors and names. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelFiles } from '../../src/data/model-files.ts';
import { toBfloat, writeSafetensors } from '../../src/data/safetensors.ts';
import { normals } from '../../src/nn/params.ts';
import { normRow } from '../../src/tensor/reference/attention.ts';
import { fromBfloat } from './bfloat.ts';

export interface TinyQwen {
  config: Record<string, unknown>;
  /** As written: rounded to bfloat16. */
  tensors: Map<string, { shape: number[]; values: Float32Array<ArrayBuffer> }>;
}

export const QWEN_CONFIG = {
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  attention_bias: false,
  eos_token_id: 5,
  head_dim: 16,
  hidden_act: 'silu',
  hidden_size: 32,
  intermediate_size: 48,
  max_position_embeddings: 64,
  num_attention_heads: 4,
  num_hidden_layers: 3,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_scaling: null,
  rope_theta: 1000000,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  use_sliding_window: false,
  vocab_size: 40,
};

export function tinyQwen(changes: Record<string, unknown> = {}): TinyQwen {
  const c = { ...QWEN_CONFIG, ...changes };
  const { hidden_size: d, head_dim: dim, num_attention_heads: h, num_key_value_heads: g, intermediate_size: f } = c;
  const tensors: TinyQwen['tensors'] = new Map();
  let salt = 100;
  const put = (name: string, shape: number[], spread: number, mean = 0): void => {
    const n = shape.reduce((a, b) => a * b, 1);
    salt += 1;
    const values = normals(11, salt, n).map((v) => fromBfloat(toBfloat(mean + v * spread)));
    tensors.set(name, { shape, values: Float32Array.from(values) });
  };
  put('model.embed_tokens.weight', [c.vocab_size, d], 0.5);
  if (!c.tie_word_embeddings) put('lm_head.weight', [c.vocab_size, d], 0.3);
  for (let i = 0; i < c.num_hidden_layers; i++) {
    const at = `model.layers.${i}`;
    put(`${at}.input_layernorm.weight`, [d], 0.2, 1);
    put(`${at}.self_attn.q_proj.weight`, [h * dim, d], 0.2);
    put(`${at}.self_attn.k_proj.weight`, [g * dim, d], 0.2);
    put(`${at}.self_attn.v_proj.weight`, [g * dim, d], 0.2);
    put(`${at}.self_attn.q_norm.weight`, [dim], 0.3, 1);
    put(`${at}.self_attn.k_norm.weight`, [dim], 0.3, 1);
    put(`${at}.self_attn.o_proj.weight`, [d, h * dim], 0.15);
    put(`${at}.post_attention_layernorm.weight`, [d], 0.2, 1);
    put(`${at}.mlp.gate_proj.weight`, [f, d], 0.2);
    put(`${at}.mlp.up_proj.weight`, [f, d], 0.2);
    put(`${at}.mlp.down_proj.weight`, [d, f], 0.2);
  }
  put('model.norm.weight', [d], 0.2, 1);
  return { config: c, tensors };
}

/** Byte-level BPE over a few letters: enough of the real format to encode and decode. */
export const TINY_TOKENIZER = JSON.stringify({
  version: '1.0',
  added_tokens: [
    {
      id: 5,
      content: '<|im_end|>',
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    },
  ],
  normalizer: { type: 'NFC' },
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    vocab: { a: 0, b: 1, c: 2, Ġ: 3, ab: 4, abc: 6, Ġa: 7 },
    merges: [
      ['a', 'b'],
      ['ab', 'c'],
      ['Ġ', 'a'],
    ],
  },
});

export const CHAT_IDS = { start: 256, end: 257 };

/** A token for every byte, as Qwen3's own tokenizer has, and the marks of its chat format: every text has tokens. */
export const BYTE_TOKENIZER = JSON.stringify({
  ...JSON.parse(TINY_TOKENIZER),
  added_tokens: Object.entries(CHAT_IDS).map(([name, id]) => ({
    ...JSON.parse(TINY_TOKENIZER).added_tokens[0],
    ...{ id, content: `<|im_${name}|>` },
  })),
  model: { type: 'BPE', dropout: null, unk_token: null, vocab: byteAlphabet(), merges: [] },
});

/** GPT-2's letters for bytes: printable ones stand for themselves, the others for what follows 255. */
function byteAlphabet(): Record<string, number> {
  const vocab: Record<string, number> = {};
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    vocab[String.fromCodePoint(printable ? byte : next++)] = byte;
  }
  return vocab;
}

/** Files in memory; `shards` splits the tensors over several safetensors files. */
export function qwenFiles(model: TinyQwen, shards = 1, more: Record<string, string> = {}): ModelFiles {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const text = (name: string, content: string): void => {
    files.set(name, new TextEncoder().encode(content) as Uint8Array<ArrayBuffer>);
  };
  text('config.json', JSON.stringify(model.config));
  text('tokenizer.json', TINY_TOKENIZER);
  const names = [...model.tensors.keys()];
  for (let s = 0; s < shards; s++) {
    const part = new Map(
      names
        .filter((_, i) => i % shards === s)
        .map((name) => [
          name,
          { ...(model.tensors.get(name) as { shape: number[]; values: Float32Array }), dtype: 'BF16' as const },
        ]),
    );
    const name = shards === 1 ? 'model.safetensors' : `model-0000${s + 1}-of-0000${shards}.safetensors`;
    files.set(name, writeSafetensors(part, { format: 'pt' }));
  }
  for (const [name, content] of Object.entries(more)) text(name, content);
  return {
    list: () => [...files.keys()],
    size: (name) => files.get(name)?.length ?? 0,
    read: async (name, from, to) => (files.get(name) as Uint8Array<ArrayBuffer>).slice(from, to),
  };
}

/** The same on the disk; the path of the folder. */
export async function writeQwen(model: TinyQwen, more: Record<string, string> = {}): Promise<string> {
  const files = qwenFiles(model, 1, more);
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-qwen-'));
  for (const name of files.list()) writeFileSync(join(folder, name), await files.read(name, 0, files.size(name)));
  return folder;
}

/** Residual stream before the first layer and after each, and the logits. Channel i turns with channel i + dim/2. */
export function qwenReference(
  { config, tensors }: TinyQwen,
  ids: readonly number[],
): { stream: number[][][]; logits: number[][] } {
  const c = config as typeof QWEN_CONFIG;
  const { head_dim: dim, num_attention_heads: heads, num_key_value_heads: kv } = c;
  const get = (name: string): { shape: number[]; values: Float32Array } => tensors.get(name) as never;
  const linear = (x: readonly number[], name: string): number[] => {
    const { shape, values } = get(name);
    return Array.from({ length: shape[0] }, (_, o) => x.reduce((s, v, i) => s + v * values[o * shape[1] + i], 0));
  };
  const turn = (x: readonly number[], position: number): number[] =>
    x.map((v, i) => {
      const half = dim / 2;
      const angle = position * c.rope_theta ** (-(2 * (i % half)) / dim);
      return i < half
        ? v * Math.cos(angle) - x[i + half] * Math.sin(angle)
        : v * Math.cos(angle) + x[i - half] * Math.sin(angle);
    });
  const embed = get('model.embed_tokens.weight');
  let x = ids.map((id) => Array.from(embed.values.slice(id * c.hidden_size, (id + 1) * c.hidden_size)));
  const stream = [x];
  for (let l = 0; l < c.num_hidden_layers; l++) {
    const at = `model.layers.${l}`;
    const normed = x.map((v) => normRow(v, get(`${at}.input_layernorm.weight`).values));
    const per = (name: string, count: number, gain: string | null): number[][][] =>
      normed.map((v, i) => {
        const y = linear(v, `${at}.self_attn.${name}_proj.weight`);
        return Array.from({ length: count }, (_, h) => {
          const head = y.slice(h * dim, (h + 1) * dim);
          return gain ? turn(normRow(head, get(`${at}.self_attn.${gain}.weight`).values), i) : head;
        });
      });
    const [q, k, v] = [per('q', heads, 'q_norm'), per('k', kv, 'k_norm'), per('v', kv, null)];
    x = x.map((residual, i) => {
      const mixed = Array.from({ length: heads }, (_, h) => {
        const g = Math.floor(h / (heads / kv));
        const scores = Array.from(
          { length: i + 1 },
          (_, j) => q[i][h].reduce((s, a, n) => s + a * k[j][g][n], 0) / Math.sqrt(dim),
        );
        const top = Math.max(...scores);
        const p = scores.map((s) => Math.exp(s - top));
        const total = p.reduce((a, b) => a + b, 0);
        return Array.from({ length: dim }, (_, n) => p.reduce((s, w, j) => s + (w / total) * v[j][g][n], 0));
      }).flat();
      return linear(mixed, `${at}.self_attn.o_proj.weight`).map((y, n) => y + residual[n]);
    });
    x = x.map((residual) => {
      const y = normRow(residual, get(`${at}.post_attention_layernorm.weight`).values);
      const gate = linear(y, `${at}.mlp.gate_proj.weight`);
      const up = linear(y, `${at}.mlp.up_proj.weight`);
      const h = gate.map((a, n) => (a / (1 + Math.exp(-a))) * up[n]);
      return linear(h, `${at}.mlp.down_proj.weight`).map((o, n) => o + residual[n]);
    });
    stream.push(x);
  }
  const head = c.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return { stream, logits: x.map((v) => linear(normRow(v, get('model.norm.weight').values), head)) };
}

/** Greedy continuation by the reference. */
export function qwenContinuation(tiny: TinyQwen, prompt: number[], count: number): number[] {
  const ids = [...prompt];
  for (let i = 0; i < count; i++) {
    const logits = qwenReference(tiny, ids).logits[ids.length - 1];
    ids.push(logits.indexOf(Math.max(...logits)));
  }
  return ids.slice(prompt.length);
}
