/**
 * Decoding with caches (dsa.md sections 1.3, 1.5, 2.9): per token and layer one latent with its rotary part, and one packed
 * indexer key with its scale. Prefill in chunks and token-by-token decoding are the same function; everything stays on the
 * GPU. While k covers the whole capacity the layer is dense over latents, and the indexer is left out.
 */
import type { Gpu } from '../../gpu/device.ts';
import type { CachedModel, CachedRows } from '../../lm/decoder.ts';
import { lmHidden, lmLogits } from '../../lm/model.ts';
import { fanIn, type Mixer, quiet, Scope } from '../../nn/layers.ts';
import type { ParamStore } from '../../nn/params.ts';
import type { Graph, Tensor } from '../../tensor/graph.ts';
import { latentAttention } from '../../tensor/ops/latent-attention.ts';
import { storeRows } from '../../tensor/ops/store-rows.ts';
import { topK } from '../../tensor/ops/topk.ts';
import { type DsaConfig, trunk } from './config.ts';
import { cachedIndexVectors, latents, mqaForm, pinned, rotations } from './model.ts';
import { type IndexCache, indexScores, indexScoresOfCodes } from './ops.ts';

/** Bytes that a token takes in all caches of a model. */
export function cacheBytes(c: DsaConfig): { latents: number; index: number } {
  const index = c.quant === 'f32' ? 4 * c.indexDim : c.indexDim + 4;
  return { latents: 4 * c.layers * (c.dC + c.dR), index: c.layers * index };
}

interface Size {
  sequences: number;
  capacity: number;
}

/** The buffers of all layers, made when they are first asked for. */
class Caches {
  private readonly buffers = new Map<string, GPUBuffer>();
  private readonly gpu: Gpu;
  private readonly size: Size;

  constructor(gpu: Gpu, size: Size) {
    this.gpu = gpu;
    this.size = size;
  }

  tensor(graph: Graph, name: string, words: number): Tensor {
    const { sequences, capacity } = this.size;
    let buffer = this.buffers.get(name);
    if (!buffer) {
      const size = Math.max(256, sequences * capacity * words * 4);
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      buffer = this.gpu.device.createBuffer({ size, usage, label: name });
      this.buffers.set(name, buffer);
    }
    const made = buffer;
    return graph.external(name, [sequences, capacity, words], () => made);
  }

  dispose(): void {
    for (const buffer of this.buffers.values()) buffer.destroy();
    this.buffers.clear();
  }
}

function cachedMixer(scope: Scope, c: DsaConfig, k: number, rows: CachedRows, size: Size, caches: Caches): Mixer {
  const { graph } = scope;
  const { positions: at, bounds, sequences } = rows;
  const turn = rotations(graph, c, at);
  const shape = { heads: c.indexHeads, dim: c.indexDim, sequences };
  const choose = (scores: Tensor): Tensor => topK(pinned(c, scores, size.capacity, at), bounds, k);
  return (_, name, x, residual) => {
    const l = latents(scope, c, name, x, turn);
    const form = mqaForm(scope, c, name, l);
    const kv = caches.tensor(graph, `${name} latents`, c.dC + c.dR);
    const after = [storeRows(form.kv, at, kv)];
    let chosen: Tensor | null = null;
    if (k < size.capacity) {
      const prepare = (keys: IndexCache) => cachedIndexVectors(scope, c, name, x, l.qr, turn, at, keys);
      if (c.quant === 'f32') {
        const codes = caches.tensor(graph, `${name} index keys`, c.indexDim);
        const { q, w, stored } = prepare({ codes });
        chosen = choose(indexScores(q, w, codes, bounds, shape, [stored]));
      } else {
        const keys = {
          codes: caches.tensor(graph, `${name} index codes`, c.indexDim / 4),
          scales: caches.tensor(graph, `${name} index scales`, 1),
        };
        const { q, w, stored } = prepare(keys);
        chosen = choose(indexScoresOfCodes(q, w, keys, bounds, shape, c.quant, [stored]));
      }
    }
    const view = { bounds, choice: chosen ? ({ kind: 'gather', chosen } as const) : undefined, after };
    const { out } = latentAttention(form.q, kv, form.shape, { sequences, view });
    const init = fanIn(c.heads * c.dV, quiet(c.layers));
    return scope.project(`${name}.out`, form.values(out), c.d, { residual, init });
  };
}

/** A trained store as the decoder wants it. `k` >= capacity: dense attention. */
export function cachedDsa(gpu: Gpu, c: DsaConfig, store: ParamStore, size: Size, k = c.k): CachedModel {
  if (size.capacity > c.time) {
    throw new Error(`A cache of ${size.capacity} positions is longer than the ${c.time} that the model knows.`);
  }
  const caches = new Caches(gpu, size);
  return {
    vocab: c.vocab,
    ...size,
    trace(graph) {
      const scope = new Scope(graph, store);
      return {
        hidden: (rows) => lmHidden(scope, trunk(c), rows, cachedMixer(scope, c, k, rows, size, caches)),
        logits: (hidden) => lmLogits(scope, trunk(c), hidden),
      };
    },
    dispose: () => caches.dispose(),
  };
}
