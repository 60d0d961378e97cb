/**
 * Where each of our weights comes from in a Qwen3 checkpoint. Matrices are [out, in] rows there and in PackedWeights; ours
 * hold several of theirs one below the other (query, key and value; gate and up).
 *
 * Rotation: Qwen3 turns channel i with channel i + dim/2, our kernels turn neighbours. Putting the rows of the query and key
 * projections (and their norms) in the order 0, dim/2, 1, dim/2 + 1, .. makes both the same; scores are dot products and do
 * not notice.
 */
import type { LmConfig } from '../config.ts';

export interface Source {
  name: string;
  shape: number[];
  /** Rows in groups of this many are put in rotation order. */
  interleave?: number;
}

/** Our name -> tensors whose rows follow one another. */
export function matrixSources(c: LmConfig): Map<string, Source[]> {
  const out = new Map<string, Source[]>();
  out.set('embed', [{ name: 'model.embed_tokens.weight', shape: [c.vocab, c.d] }]);
  if (!c.tied) out.set('head.w', [{ name: 'lm_head.weight', shape: [c.vocab, c.d] }]);
  for (let i = 0; i < c.layers; i++) {
    const at = `model.layers.${i}`;
    const attention = (part: string, heads: number): Source => ({
      name: `${at}.self_attn.${part}_proj.weight`,
      shape: [heads * c.headDim, c.d],
      ...(part === 'v' ? {} : { interleave: c.headDim }),
    });
    out.set(`layer.${i}.qkv.w`, [attention('q', c.heads), attention('k', c.kvHeads), attention('v', c.kvHeads)]);
    out.set(`layer.${i}.out.w`, [{ name: `${at}.self_attn.o_proj.weight`, shape: [c.d, c.heads * c.headDim] }]);
    out.set(`layer.${i}.gu.w`, [
      { name: `${at}.mlp.gate_proj.weight`, shape: [c.hidden, c.d] },
      { name: `${at}.mlp.up_proj.weight`, shape: [c.hidden, c.d] },
    ]);
    out.set(`layer.${i}.down.w`, [{ name: `${at}.mlp.down_proj.weight`, shape: [c.d, c.hidden] }]);
  }
  return out;
}

export function vectorSources(c: LmConfig): Map<string, Source> {
  const out = new Map<string, Source>();
  for (let i = 0; i < c.layers; i++) {
    const at = `model.layers.${i}`;
    out.set(`layer.${i}.norm1.g`, { name: `${at}.input_layernorm.weight`, shape: [c.d] });
    out.set(`layer.${i}.q.g`, { name: `${at}.self_attn.q_norm.weight`, shape: [c.headDim], interleave: c.headDim });
    out.set(`layer.${i}.k.g`, { name: `${at}.self_attn.k_norm.weight`, shape: [c.headDim], interleave: c.headDim });
    out.set(`layer.${i}.norm2.g`, { name: `${at}.post_attention_layernorm.weight`, shape: [c.d] });
  }
  out.set('norm.g', { name: 'model.norm.weight', shape: [c.d] });
  return out;
}

/** Rows of `width` bytes put in rotation order within groups of `dim`. */
export function interleaveRows(bytes: Uint8Array, width: number, dim: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length);
  for (let row = 0; row * width < bytes.length; row++) {
    const group = row - (row % dim);
    const channel = row % dim;
    const source = group + (channel % 2 === 0 ? channel / 2 : (channel - 1) / 2 + dim / 2);
    out.set(bytes.subarray(source * width, (source + 1) * width), row * width);
  }
  return out;
}
