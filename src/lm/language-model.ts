/** A language model over a key/value cache, as the decoder wants it: the model of model.ts with attention of its own. */
import type { Gpu } from '../gpu/device.ts';
import { KvCache } from '../nn/kv-cache.ts';
import { Scope } from '../nn/layers.ts';
import { ParamStore, type Slab } from '../nn/params.ts';
import { Graph, type Tensor } from '../tensor/graph.ts';
import { checkLmConfig, type LmConfig, layerShape } from './config.ts';
import type { CachedModel } from './decoder.ts';
import { cacheMixer, lmHidden, lmLogits, rowMixer } from './model.ts';

/** A model whose cache can be looked at. */
export interface CachedLm extends CachedModel {
  readonly cache: KvCache;
}

/** `scopeOf` says where a graph finds the weights: a trained store, or packed ones from a file. */
export function cachedModel(
  gpu: Gpu,
  c: LmConfig,
  scopeOf: (graph: Graph) => Scope,
  size: { sequences: number; capacity: number },
): CachedLm {
  if (size.capacity > c.context) {
    throw new Error(`A cache of ${size.capacity} positions is longer than the ${c.context} that the model knows.`);
  }
  const cache = new KvCache(gpu, size.sequences, size.capacity, layerShape(c));
  return {
    vocab: c.vocab,
    ...size,
    cache,
    trace(graph) {
      const scope = scopeOf(graph);
      return {
        hidden: (rows) => {
          const layer = (name: string) => ({
            cache: cache.layer(graph, name),
            at: rows.positions,
            bounds: rows.bounds,
          });
          return lmHidden(scope, c, rows, cacheMixer(scope, c, rows, layer));
        },
        logits: (hidden) => lmLogits(scope, c, hidden),
      };
    },
    dispose: () => cache.dispose(),
  };
}

/** A store that holds every parameter of the model, initialised with `seed`. Without `training` it has values only. */
export function newStore(gpu: Gpu, c: LmConfig, seed: number, training = true): ParamStore {
  checkLmConfig(c);
  const store = new ParamStore();
  // Parameters are declared by tracing; this graph is thrown away.
  const graph = new Graph(gpu.conditions);
  const scope = new Scope(graph, store);
  const one = (name: string): Tensor => graph.input(name, [1]);
  const rows = { ids: one('ids'), positions: one('positions'), previous: one('previous') };
  const at = { batch: 1, time: 1, bounds: graph.input('bounds', [1, 2]), causal: true };
  lmLogits(scope, c, lmHidden(scope, c, rows, rowMixer(scope, c, rows, at)));
  store.allocate(gpu, seed, training);
  return store;
}

/** The values of a store as they are now, for a policy that stays fixed (reference, teacher). */
export function frozenCopy(gpu: Gpu, c: LmConfig, store: ParamStore, slab: Slab = 'value'): ParamStore {
  const copy = newStore(gpu, c, 0, false);
  for (const [name, spec] of copy.specs) {
    if (store.specs.get(name)?.offset !== spec.offset) throw new Error(`the store has another layout at ${name}`);
  }
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(store.slab(slab), 0, copy.slab('value'), 0, copy.byteLength);
  gpu.device.queue.submit([encoder.finish()]);
  return copy;
}

/** The decoder's view of a trained store; `slab` 'average' takes the averaged weights. */
export function storeModel(
  gpu: Gpu,
  c: LmConfig,
  store: ParamStore,
  size: { sequences: number; capacity: number },
  slab: Slab = 'value',
): CachedLm {
  return cachedModel(gpu, c, (graph) => new Scope(graph, store, slab), size);
}
