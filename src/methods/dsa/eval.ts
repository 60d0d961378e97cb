/**
 * Evaluation on rows that no training used: accuracy of both tasks for every arm, mass recall and overlap with the oracle's
 * choice, and the parity statement of dsa.md section 4.6 from a paired bootstrap over rows. The words of the statement come
 * from the interval, never from here.
 */
import type { Gpu } from '../../gpu/device.ts';
import { mix32, uniform01 } from '../../gpu/rng.ts';
import { lmHidden, lmLogits } from '../../lm/model.ts';
import { type Interval, pairedBootstrap } from '../../lm/statistics.ts';
import { Scope } from '../../nn/layers.ts';
import type { ParamStore } from '../../nn/params.ts';
import { NONE } from '../../tensor/ops/topk.ts';
import { compile, type InputData, type Program } from '../../tensor/program.ts';
import { type DsaConfig, trunk } from './config.ts';
import { type AttentionPlan, type Chooser, DENSE, dsaMixer, type Taps } from './model.ts';
import type { Quant } from './ops.ts';
import { batchOf, type Row, rowOf, type Task } from './tasks.ts';

/** Rows of one pass, so that scores of long rows stay below 32 MiB. */
const passRows = (c: DsaConfig): number => Math.max(1, Math.min(32, Math.floor(2 ** 23 / c.time ** 2)));

export interface Scores {
  /** Share of right answers of every row. */
  rows: number[];
  accuracy: number;
  /** Over queries that have to choose, mean over layers; NaN for dense attention. */
  massRecall: number;
  /** The most that any k keys have. */
  massOracle: number;
  overlap: number;
}

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

/** A model under one way of attending. */
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
    this.plan =
      chooser === 'dense' ? DENSE : { path: 'maskedMHA', chooser, k, learn: false, watch: chooser === 'indexer' };
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

  /** Answers of every row: right or wrong, at the places that are asked about. */
  async run(rows: readonly Row[], seed: number): Promise<Scores> {
    const { c, batch } = this;
    const out: number[] = [];
    const mass: number[] = [];
    const reachable: number[] = [];
    const overlap: number[] = [];
    for (let from = 0; from < rows.length; from += batch) {
      const part = Array.from({ length: batch }, (_, i) => rows[Math.min(from + i, rows.length - 1)]);
      const { ids, positions, previous, bounds } = batchOf(c, part);
      const inputs: Record<string, InputData> = { ids, positions, previous, bounds };
      if (this.noise) {
        const n = batch * c.time * c.time;
        inputs.noise = Float32Array.from({ length: n }, (_, i) => uniform01(mix32(seed, from, i, 0x6e6f)));
      }
      this.program.run(inputs);
      const logits = await this.program.read('logits');
      part.slice(0, rows.length - from).forEach(({ wanted }, r) => {
        let right = 0;
        for (const [t, id] of wanted) {
          const at = (r * c.time + t) * c.vocab;
          let best = 0;
          for (let v = 1; v < c.vocab; v++) if (logits[at + v] > logits[at + best]) best = v;
          if (best === id) right += 1;
        }
        out.push(right / wanted.size);
      });
      if (this.plan.watch) {
        for (let layer = 0; layer < c.layers; layer++) {
          const chosen = new Uint32Array(await this.program.readBytes(`chosen ${layer}`));
          const oracle = new Uint32Array(await this.program.readBytes(`oracle ${layer}`));
          const shares = await this.program.read(`mass ${layer}`);
          const most = await this.program.read(`best ${layer}`);
          const { k } = this.plan;
          for (let row = 0; row < Math.min(batch, rows.length - from) * c.time; row++) {
            if ((row % c.time) + 1 <= k) continue;
            const best = new Set(oracle.subarray(row * k, (row + 1) * k));
            let sum = 0;
            let reach = 0;
            let both = 0;
            for (let n = row * k; n < (row + 1) * k; n++) {
              reach += most[n];
              if (chosen[n] === NONE) continue;
              sum += shares[n];
              if (best.has(chosen[n])) both += 1;
            }
            mass.push(sum);
            reachable.push(reach);
            overlap.push(both / k);
          }
        }
      }
    }
    return {
      rows: out,
      accuracy: mean(out),
      massRecall: mean(mass),
      massOracle: mean(reachable),
      overlap: mean(overlap),
    };
  }

  dispose(): void {
    this.program.dispose();
  }
}

export interface ArmOf {
  name: string;
  store: ParamStore;
  chooser: Chooser | 'dense';
  k?: number;
  /** Format of the indexer instead of the trained one. */
  format?: { quant: Quant; hadamard: boolean };
}

export interface ResultTable {
  name: string;
  columns: string[];
  rows: (number | string)[][];
}

export interface Evaluation {
  metrics: Record<string, number>;
  tables: ResultTable[];
  parity: Interval;
}

/** What the interval of sparse minus dense says, in points. */
export function parityStatement({ value, lower, upper }: Interval): string {
  const text = (x: number): string => (100 * x).toFixed(2);
  if (lower > -0.01) return `parity within 1 point (difference ${text(value)} [${text(lower)}, ${text(upper)}])`;
  return `${value < 0 ? 'lower' : 'higher'} by ${text(Math.abs(value))} points [${text(lower)}, ${text(upper)}]`;
}

const percent = (x: number): number => Math.round(x * 1e4) / 1e4;

/** Sparse weights under every chooser, dense weights densely, on `rows` fresh rows of both tasks. */
export async function evaluate(
  gpu: Gpu,
  c: DsaConfig,
  models: { sparse: ParamStore; dense: ParamStore; more?: readonly ArmOf[] },
  options: {
    seed: number;
    rows: number;
    sweep?: readonly number[];
    formats?: boolean;
    progress?: (text: string) => void;
  },
): Promise<Evaluation> {
  const { seed } = options;
  const sets = (['retrieval', 'control'] as const).map((task: Task) =>
    Array.from({ length: options.rows }, (_, i) => rowOf(c, task, 'eval', seed, i)),
  );
  const { sparse, dense } = models;
  const arms: ArmOf[] = [
    { name: 'dense-continued', store: dense, chooser: 'dense' },
    { name: 'DSA', store: sparse, chooser: 'indexer' },
    { name: 'DSA weights, dense attention', store: sparse, chooser: 'dense' },
    { name: 'last k', store: sparse, chooser: 'last' },
    { name: 'random k', store: sparse, chooser: 'random' },
    { name: 'oracle top-k', store: sparse, chooser: 'oracle' },
    ...(models.more ?? []),
    ...(options.sweep ?? []).map((k): ArmOf => ({ name: `DSA, k = ${k}`, store: sparse, chooser: 'indexer', k })),
  ];
  const formats = !options.formats
    ? []
    : (['f32', 'e4m3', 'i8'] as const).flatMap((quant) =>
        [true, false].map((hadamard): ArmOf & { format: { quant: Quant; hadamard: boolean } } => ({
          name: `${quant}, ${hadamard ? 'with' : 'without'} Hadamard`,
          store: sparse,
          chooser: 'indexer',
          format: { quant, hadamard },
        })),
      );
  const results = new Map<string, [retrieval: Scores, control: Scores]>();
  for (const arm of [...arms, ...formats]) {
    const runner = new Arm(gpu, { ...c, ...arm.format }, arm.store, arm.chooser, arm.k);
    results.set(arm.name, [await runner.run(sets[0], seed), await runner.run(sets[1], seed)]);
    runner.dispose();
    options.progress?.(`${arm.name}: retrieval ${results.get(arm.name)?.[0].accuracy.toFixed(4)}`);
  }
  const of = (name: string): [Scores, Scores] => {
    const found = results.get(name);
    if (!found) throw new Error(`no arm ${name}`);
    return found;
  };
  const parity = pairedBootstrap(of('DSA')[0].rows, of('dense-continued')[0].rows, seed);
  const loss = pairedBootstrap(of('DSA')[1].rows, of('dense-continued')[1].rows, seed);
  const [sparseRetrieval, sparseControl] = of('DSA');
  const metrics = {
    accuracyDense: of('dense-continued')[0].accuracy,
    accuracySparse: sparseRetrieval.accuracy,
    parityDifference: parity.value,
    parityLower95: parity.lower,
    parityUpper95: parity.upper,
    massRecall: sparseRetrieval.massRecall,
    massOracle: sparseRetrieval.massOracle,
    overlapOracle: sparseRetrieval.overlap,
    accuracyLastK: of('last k')[0].accuracy,
    accuracyRandomK: of('random k')[0].accuracy,
    accuracyOracle: of('oracle top-k')[0].accuracy,
    controlDense: of('dense-continued')[1].accuracy,
    controlSparse: sparseControl.accuracy,
    controlUpper95: loss.upper,
  };
  const table: ResultTable = {
    name: 'arms',
    columns: ['arm', 'k', 'retrieval', 'control', 'mass recall', 'of at most', 'overlap with oracle', 'rows'],
    rows: arms.map(({ name, k, chooser }) => {
      const [a, b] = of(name);
      const share = (x: number): number | string => (Number.isNaN(x) ? '' : percent(x));
      const chosen = chooser === 'dense' ? '' : (k ?? c.k);
      return [
        name,
        chosen,
        percent(a.accuracy),
        percent(b.accuracy),
        share(a.massRecall),
        share(a.massOracle),
        share(a.overlap),
        a.rows.length,
      ];
    }),
  };
  const quantisation: ResultTable = {
    name: 'quantisation',
    columns: ['format', 'Hadamard', 'retrieval', 'mass recall', 'overlap with oracle'],
    rows: formats.map(({ name, format }) => {
      const [a] = of(name);
      return [
        format.quant,
        format.hadamard ? 'yes' : 'no',
        percent(a.accuracy),
        percent(a.massRecall),
        percent(a.overlap),
      ];
    }),
  };
  return { metrics, tables: formats.length > 0 ? [table, quantisation] : [table], parity };
}
