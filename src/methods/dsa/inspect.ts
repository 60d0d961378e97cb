/**
 * What the token inspector shows of one row: for every layer the dense attention (mean over heads), the index scores and their
 * terms per indexer head. Selecting with any k is then a matter of the host. Nothing of this is in a training or decoding pass.
 */
import type { Gpu } from '../../gpu/device.ts';
import { lmHidden, lmLogits } from '../../lm/model.ts';
import { Scope } from '../../nn/layers.ts';
import type { ParamStore } from '../../nn/params.ts';
import { compile, type Program } from '../../tensor/program.ts';
import { type DsaConfig, trunk } from './config.ts';
import { DENSE, dsaMixer, type Taps } from './model.ts';
import { batchOf, type Row } from './tasks.ts';

export interface LayerProbe {
  /** [time, time]: of query t to key s. */
  p: Float32Array;
  scores: Float32Array;
  /** [time, heads, time]: w ReLU(q . k) of every indexer head. */
  terms: Float32Array;
}

export interface Probe {
  ids: number[];
  /** Places that are asked about, with what is wanted and what the model says. */
  answers: { place: number; wanted: number; said: number }[];
  layers: LayerProbe[];
}

export class Inspector {
  private readonly c: DsaConfig;
  private readonly program: Program;

  constructor(gpu: Gpu, c: DsaConfig, store: ParamStore) {
    this.c = c;
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
      const mixer = dsaMixer(scope, c, rows, at, { ...DENSE, learn: true }, taps);
      graph.output('logits', lmLogits(scope, trunk(c), lmHidden(scope, trunk(c), rows, mixer)));
      taps.probes?.forEach(({ p, scores, vectors }, i) => {
        for (const [name, t] of Object.entries({ p, scores, q: vectors.q, w: vectors.w, k: vectors.k })) {
          graph.output(`${name} ${i}`, t);
        }
      });
    });
  }

  async probe(row: Row): Promise<Probe> {
    const { c, program } = this;
    const { ids, positions, previous, bounds } = batchOf(c, [row]);
    program.run({ ids, positions, previous, bounds });
    const logits = await program.read('logits');
    const answers = [...row.wanted].map(([place, wanted]) => {
      const own = logits.subarray(place * c.vocab, (place + 1) * c.vocab);
      return { place, wanted, said: own.indexOf(Math.max(...own)) };
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
      layers.push({ p, scores, terms: terms(c, q, w, k) });
    }
    return { ids: row.ids, answers, layers };
  }

  dispose(): void {
    this.program.dispose();
  }
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
