/**
 * Attention over keys and values that are kept from one run to the next, addressed by position: prefill in chunks,
 * token-by-token decoding, and caches of bidirectional models whose rows are replaced in place. Inference only.
 * Training over whole rows is attention() with boundedLayout; rings that forget are ringAttention.
 */
import link from '../../../shaders/attention/cache_attention.wgsl?link';
import softwareLink from '../../../shaders/attention/cache_attention_software.wgsl?link';
import { halfCache } from '../../gpu/device.ts';
import type { Tensor } from '../graph.ts';
import { cover, type Dispatch, pack, specialise, textConditions, unrollLoops } from '../kernel.ts';
import { type Heads, headTile, tiledText } from './attention.ts';

export interface CacheRows {
  /** [sequences, capacity, 2, G, dh], on a buffer that outlives the program; of f16, dh / 2 words (`halfCache`). */
  cache: Tensor;
  /** u32 [rows]: position that a row's keys and values replace; >= capacity = they are not kept. */
  at: Tensor;
  /** u32 [rows, 2]: first position that a row sees and one past its last, after the replacement. */
  bounds: Tensor;
}

/** `qkv` [rows, (H+2G)*dh], normalised and rotated; rows of one sequence lie together. Gives [rows, H*dh]. */
export function cacheAttention(qkv: Tensor, { cache, at, bounds }: CacheRows, shape: Heads, cap = 0): Tensor {
  const { heads, kvHeads, dim } = shape;
  const { graph } = qkv;
  const rows = qkv.size / ((heads + 2 * kvHeads) * dim);
  const [sequences, capacity] = cache.shape;
  const half = halfCache(graph.conditions);
  if (cache.size !== (sequences * capacity * 2 * kvHeads * dim) / (half ? 2 : 1)) {
    throw new Error(`cacheAttention: cache [${cache.shape}] does not hold ${kvHeads} heads of ${dim}`);
  }
  if (!Number.isInteger(rows / sequences) || at.size !== rows || bounds.size !== 2 * rows) {
    throw new Error(
      `cacheAttention: ${rows} rows do not fit ${sequences} sequences, positions [${at.shape}], bounds [${bounds.shape}]`,
    );
  }
  const { software } = graph.conditions;
  const tiled = tiledText(textConditions(graph.conditions), softwareLink, shape);
  const plain = specialise(link(textConditions(graph.conditions)), { DH4: dim / 4 });
  const code = software ? unrollLoops(plain, 'DH4') : plain;
  const uniforms = pack(rows, rows / sequences, heads, kvHeads, capacity, { f: 1 / Math.sqrt(dim) }, { f: cap });
  const dispatch = (entryPoint: string, rule: Tensor, out: Tensor, workgroups: [number, number, number]): Dispatch => ({
    label: `cache ${entryPoint}`,
    code,
    entryPoint,
    bindings: [qkv, cache, rule, out],
    uniforms,
    workgroups,
    flops: entryPoint === 'append' ? 0 : 4 * rows * heads * dim * capacity,
    bytes: entryPoint === 'append' ? rows * 2 * kvHeads * dim * (half ? 6 : 8) : cache.size * 4,
  });
  const [written] = graph.add({
    name: 'cache append',
    inputs: [qkv, cache, at],
    outputs: [[4]],
    effect: true,
    dispatch: ([unused]) => [dispatch('append', at, unused, cover(rows * 2 * kvHeads, 8))],
  });
  // `written` is an input so that reading comes after writing whatever happens to the order of nodes.
  const attend = (o: Tensor): Dispatch => {
    if (!software) return dispatch('spread', bounds, o, cover(rows * heads, 1));
    if (!tiled) return dispatch('serial', bounds, o, cover(rows * heads, 8));
    return { ...dispatch('tiled', bounds, o, [heads / headTile(shape), rows, 1]), code: tiled };
  };
  const [out] = graph.add({
    name: 'cache attention',
    inputs: [qkv, cache, bounds, written],
    outputs: [[rows, heads * dim]],
    dispatch: ([o]) => [attend(o)],
  });
  return out;
}
