/**
 * One way of attending over one set of weights, run on rows that no training used: right answers, bits per token, and how much
 * of the dense attention the chosen keys hold. What is compared with what stands in eval.ts.
 */
import type { Gpu } from '../../gpu/device.ts';
import { mix32, uniform01 } from '../../gpu/rng.ts';
import { lmHidden, lmLogits } from '../../lm/model.ts';
import { Scope } from '../../nn/layers.ts';
import type { ParamStore } from '../../nn/params.ts';
import { NONE } from '../../tensor/ops/topk.ts';
import { compile, type InputData, type Program } from '../../tensor/program.ts';
import { type DsaConfig, trunk } from './config.ts';
import { type AttentionPlan, type Chooser, DENSE, dsaMixer, type Taps } from './model.ts';
import { type PlaceCounts, Places } from './places.ts';
import { batchOf, type Row } from './tasks.ts';

/** Rows of one pass, so that scores of long rows stay below 32 MiB. */
const passRows = (c: DsaConfig): number => Math.max(1, Math.min(32, Math.floor(2 ** 23 / c.time ** 2)));

export interface Scores {
  /** Share of right answers of every row, and bits per token that is asked for. */
  rows: number[];
  bits: number[];
  accuracy: number;
  /** Mean bits of the tokens that call back to an earlier fact, and of all others; NaN where there are none. */
  callbackBits: number;
  otherBits: number;
  /** Over queries that have to choose, mean over layers; NaN unless the indexer chooses. */
  massRecall: number;
  /** The same over queries that are asked for something. */
  massAsked: number;
  /** The most that any k keys have. */
  massOracle: number;
  overlap: number;
  /** Ages of the chosen keys, and bits by position. */
  places: PlaceCounts;
}

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

export class Arm {
  readonly plan: AttentionPlan;
  private readonly c: DsaConfig;
  private readonly batch: number;
  private readonly program: Program;
  private readonly noise: boolean;

  constructor(gpu: Gpu, c: DsaConfig, store: ParamStore, chooser: Chooser | 'dense', k = c.k) {
    this.c = c;
    this.batch = passRows(c);
    this.noise = chooser === 'random';
    const watch = chooser === 'indexer' || chooser === 'block';
    this.plan = chooser === 'dense' ? DENSE : { path: 'maskedMHA', chooser, k, learn: false, watch };
    const taps: Taps = { losses: [], watched: [] };
    const n = this.batch * c.time;
    this.program = compile(gpu, (graph) => {
      const scope = new Scope(graph, store);
      const rows = {
        ids: graph.input('ids', [n]),
        positions: graph.input('positions', [n]),
        previous: graph.input('previous', [n]),
      };
      const at = { batch: this.batch, time: c.time, bounds: graph.input('bounds', [n, 2]) };
      const hidden = lmHidden(scope, trunk(c), rows, dsaMixer(scope, c, rows, at, this.plan, taps));
      graph.output('logits', lmLogits(scope, trunk(c), hidden));
      taps.watched.forEach((w, i) => {
        graph.output(`chosen ${i}`, w.chosen);
        graph.output(`mass ${i}`, w.mass);
        graph.output(`oracle ${i}`, w.oracle);
        graph.output(`best ${i}`, w.best);
      });
    });
  }

  /** All rows in passes; `seed` is that of random choices. */
  async run(rows: readonly Row[], seed: number): Promise<Scores> {
    const { c, batch } = this;
    const answers = { rows: [] as number[], bits: [] as number[], callback: [] as number[], other: [] as number[] };
    const places = new Places(c.layers, c.time);
    const held = { mass: [] as number[], asked: [] as number[], best: [] as number[], overlap: [] as number[] };
    for (let from = 0; from < rows.length; from += batch) {
      const part = Array.from({ length: batch }, (_, i) => rows[Math.min(from + i, rows.length - 1)]);
      const { ids, positions, previous, bounds } = batchOf(c, part);
      const inputs: Record<string, InputData> = { ids, positions, previous, bounds };
      if (this.noise) {
        const n = batch * c.time * c.time;
        inputs.noise = Float32Array.from({ length: n }, (_, i) => uniform01(mix32(seed, from, i, 0x6e6f)));
      }
      this.program.run(inputs);
      const real = part.slice(0, rows.length - from);
      judge(c, real, await this.program.read('logits'), answers, places);
      if (this.plan.watch) await this.weigh(real, held, places);
    }
    return {
      rows: answers.rows,
      bits: answers.bits,
      accuracy: mean(answers.rows),
      callbackBits: mean(answers.callback),
      otherBits: mean(answers.other),
      massRecall: mean(held.mass),
      massAsked: mean(held.asked),
      massOracle: mean(held.best),
      overlap: mean(held.overlap),
      places,
    };
  }

  private async weigh(
    rows: readonly Row[],
    held: { mass: number[]; asked: number[]; best: number[]; overlap: number[] },
    places: Places,
  ): Promise<void> {
    const { c, program } = this;
    const { k } = this.plan;
    for (let layer = 0; layer < c.layers; layer++) {
      const chosen = new Uint32Array(await program.readBytes(`chosen ${layer}`));
      const oracle = new Uint32Array(await program.readBytes(`oracle ${layer}`));
      const shares = await program.read(`mass ${layer}`);
      const most = await program.read(`best ${layer}`);
      for (let row = 0; row < rows.length * c.time; row++) {
        const t = row % c.time;
        if (t + 1 <= k) continue;
        let [sum, reach, both] = [0, 0, 0];
        // Both lists ascend: what they share is found by walking them side by side.
        for (let n = row * k, o = n; n < (row + 1) * k; n++) {
          reach += most[n];
          if (chosen[n] === NONE) continue;
          sum += shares[n];
          while (o < (row + 1) * k && oracle[o] < chosen[n]) o += 1;
          if (o < (row + 1) * k && oracle[o] === chosen[n]) both += 1;
        }
        held.mass.push(sum);
        const end = (row + 1) * k;
        places.add(layer, t, chosen.subarray(row * k, end), oracle.subarray(row * k, end));
        if (rows[Math.floor(row / c.time)].wanted.has(t)) held.asked.push(sum);
        held.best.push(reach);
        held.overlap.push(both / k);
      }
    }
  }

  dispose(): void {
    this.program.dispose();
  }
}

function judge(
  c: DsaConfig,
  rows: readonly Row[],
  logits: Float32Array,
  out: { rows: number[]; bits: number[]; callback: number[]; other: number[] },
  places: Places,
): void {
  rows.forEach(({ wanted, callbacks }, r) => {
    let [right, bits] = [0, 0];
    for (const [t, id] of wanted) {
      const at = (r * c.time + t) * c.vocab;
      let best = 0;
      for (let v = 1; v < c.vocab; v++) if (logits[at + v] > logits[at + best]) best = v;
      if (best === id) right += 1;
      let total = 0;
      for (let v = 0; v < c.vocab; v++) total += Math.exp(logits[at + v] - logits[at + best]);
      const cost = (Math.log(total) + logits[at + best] - logits[at + id]) / Math.LN2;
      bits += cost;
      places.cost(t, cost);
      if (callbacks) (callbacks.has(t) ? out.callback : out.other).push(cost);
    }
    out.rows.push(right / wanted.size);
    out.bits.push(bits / wanted.size);
  });
}
