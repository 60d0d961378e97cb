/**
 * What the token inspector shows of one row: for every layer the dense attention (mean over heads), the index scores and their
 * terms per indexer head; with sparse attention also what the GPU's selector chose and the attention paid to it. Nothing of
 * this is in a training or decoding pass.
 */
import type { Gpu } from '../../gpu/device.ts';
import { lmHidden, lmLogits } from '../../lm/model.ts';
import { Scope } from '../../nn/layers.ts';
import type { ParamStore } from '../../nn/params.ts';
import { NONE } from '../../tensor/ops/topk.ts';
import { compile, type Program } from '../../tensor/program.ts';
import { type DsaConfig, trunk } from './config.ts';
import type { Path } from './dispatch.ts';
import { type AttentionPlan, DENSE, dsaMixer, type Taps } from './model.ts';
import { batchOf, type Row } from './tasks.ts';

export interface LayerProbe {
  /** [time, time]: dense attention of query t to key s on this layer's inputs. */
  p: Float32Array;
  scores: Float32Array;
  /** [time, heads, time]: w ReLU(q . k) of every indexer head. */
  terms: Float32Array;
  /** [time, time], sparse attention only: attention paid to the chosen keys, -1 where a key was not chosen. */
  paid: Float32Array | null;
}

export interface Probe {
  ids: number[];
  /** Places that are asked about, with what is wanted, what the model says and how sure it is. */
  answers: { place: number; wanted: number; said: number; probability: number }[];
  layers: LayerProbe[];
  /** The path that attention took. */
  path: Path;
}

export class Inspector {
  private readonly c: DsaConfig;
  private readonly program: Program;
  private readonly plan: AttentionPlan;

  /** `k` null: dense attention; otherwise the indexer chooses k keys in every layer. */
  constructor(gpu: Gpu, c: DsaConfig, store: ParamStore, k: number | null) {
    this.c = c;
    this.plan =
      k === null ? { ...DENSE, learn: true } : { path: 'maskedMHA', chooser: 'indexer', k, learn: true, watch: true };
    const taps: Taps = { losses: [], watched: [], probes: [] };
    this.program = compile(gpu, (graph) => {
      const scope = new Scope(graph, store);
      const n = c.time;
      const rows = {
        ids: graph.input('ids', [n]),
        positions: graph.input('positions', [n]),
        previous: graph.input('previous', [n]),
      };
      const at = { batch: 1, time: n, bounds: graph.input('bounds', [n, 2]) };
      const mixer = dsaMixer(scope, c, rows, at, this.plan, taps);
      graph.output('logits', lmLogits(scope, trunk(c), lmHidden(scope, trunk(c), rows, mixer)));
      taps.probes?.forEach(({ p, scores, vectors, sparse }, i) => {
        const named = { p, scores, q: vectors.q, w: vectors.w, k: vectors.k, ...sparse };
        for (const [name, t] of Object.entries(named)) graph.output(`${name} ${i}`, t);
      });
    });
  }

  async probe(row: Row): Promise<Probe> {
    const { c, program, plan } = this;
    const { ids, positions, previous, bounds } = batchOf(c, [row]);
    program.run({ ids, positions, previous, bounds });
    const logits = await program.read('logits');
    const answers = [...row.wanted].map(([place, wanted]) => {
      const own = logits.subarray(place * c.vocab, (place + 1) * c.vocab);
      const most = Math.max(...own);
      const total = own.reduce((sum, v) => sum + Math.exp(v - most), 0);
      return { place, wanted, said: own.indexOf(most), probability: 1 / total };
    });
    const layers: LayerProbe[] = [];
    for (let i = 0; i < c.layers; i++) {
      const read = (name: string): Promise<Float32Array> => program.read(`${name} ${i}`);
      const [p, scores, q, w, k] = [
        await read('p'),
        await read('scores'),
        await read('q'),
        await read('w'),
        await read('k'),
      ];
      const paid =
        plan.path === 'dense'
          ? null
          : spread(c.time, new Uint32Array(await program.readBytes(`chosen ${i}`)), await read('share'));
      layers.push({ p, scores, terms: terms(c, q, w, k), paid });
    }
    return { ids: row.ids, answers, layers, path: plan.path };
  }

  dispose(): void {
    this.program.dispose();
  }
}

/** Lists [time, k] of keys and their shares as [time, time]. */
function spread(time: number, chosen: Uint32Array, share: Float32Array): Float32Array {
  const out = new Float32Array(time * time).fill(-1);
  const k = chosen.length / time;
  chosen.forEach((s, n) => {
    if (s !== NONE) out[Math.floor(n / k) * time + s] = share[n];
  });
  return out;
}

function terms(c: DsaConfig, q: Float32Array, w: Float32Array, k: Float32Array): Float32Array {
  const { time, indexHeads: heads, indexDim: dim } = c;
  const out = new Float32Array(time * heads * time);
  for (let at = 0; at < time * heads; at++) {
    const t = Math.floor(at / heads);
    for (let s = 0; s <= t; s++) {
      let dot = 0;
      for (let n = 0; n < dim; n++) dot += q[at * dim + n] * k[s * dim + n];
      out[at * time + s] = w[at] * Math.max(0, dot);
    }
  }
  return out;
}
