/**
 * Arms against each other on rows that no training used, and the parity statement of dsa.md section 4.6: a paired bootstrap of
 * sparse minus dense-continued over rows, and over runs if there are several. The words of a statement come from the
 * interval, never from here.
 */
import type { Gpu } from '../../gpu/device.ts';
import { mix32, uniform01 } from '../../gpu/rng.ts';
import type { Interval } from '../../lm/statistics.ts';
import type { ParamStore } from '../../nn/params.ts';
import { Arm, type Scores } from './arm.ts';
import type { DsaConfig } from './config.ts';
import { blockOf, type Chooser } from './model.ts';
import type { Quant } from './ops.ts';
import { ageRows, positionRows } from './places.ts';
import { evalWindows } from './tasks/text.ts';
import { type Corpus, type Row, rowOf, type Task, tasksOf } from './tasks.ts';

export interface ArmOf {
  name: string;
  store: ParamStore;
  chooser: Chooser | 'dense';
  k?: number;
  /** What is different from the configuration of the weights' run. */
  change?: Partial<DsaConfig>;
}

export interface ResultTable {
  name: string;
  columns: string[];
  rows: (number | string)[][];
}

/** Scores of both sides of the parity statement: [run][row], the same rows on both sides. */
export interface Sides {
  sparse: number[][];
  dense: number[][];
}

export interface Evaluation {
  metrics: Record<string, number>;
  tables: ResultTable[];
  /** Of every task, in its unit: share of right answers, or bits per character of text. */
  sides: Map<Task, Sides>;
}

export interface EvalOptions {
  seed: number;
  /** Rows of every task for both sides of the parity statement; the other arms take at most `others` of them (128). */
  rows: number;
  others?: number;
  /** Only the arms that metrics are made of. */
  brief?: boolean;
  /** Other k of the indexer's arm. */
  sweep?: readonly number[];
  /** Every format of the indexer with and without Hadamard. */
  formats?: boolean;
  /** Needle by depth and length. */
  depths?: boolean;
  corpus?: Corpus;
  progress?: (text: string) => void;
}

/** Mean difference sparse minus dense with its 95 % interval: runs are resampled, and rows within them. */
export function parityOf({ sparse, dense }: Sides, seed: number, samples = 2000): Interval {
  const runs = sparse.map((rows, r) => rows.map((v, i) => v - dense[r][i]));
  const mean = (rows: number[]): number => rows.reduce((a, b) => a + b, 0) / rows.length;
  const value = mean(runs.map(mean));
  const means = Float64Array.from({ length: samples }, (_, s) => {
    let at = 0;
    const draw = (n: number): number => Math.floor(uniform01(mix32(seed, s, at++, 0x70617269)) * n);
    let sum = 0;
    for (let r = 0; r < runs.length; r++) {
      const own = runs[runs.length === 1 ? 0 : draw(runs.length)];
      let part = 0;
      for (let i = 0; i < own.length; i++) part += own[draw(own.length)];
      sum += part / own.length;
    }
    return sum / runs.length;
  }).sort();
  return { value, lower: means[Math.floor(0.025 * samples)], upper: means[Math.floor(0.975 * samples)] };
}

/** What the interval of sparse minus dense says, in points. */
export function parityStatement({ value, lower, upper }: Interval): string {
  const text = (x: number): string => (100 * x).toFixed(2);
  if (lower > -0.01) return `parity within 1 point (difference ${text(value)} [${text(lower)}, ${text(upper)}])`;
  return `${value < 0 ? 'lower' : 'higher'} by ${text(Math.abs(value))} points [${text(lower)}, ${text(upper)}]`;
}

/** The same for bits per character, of which fewer are better. */
export function bitsStatement({ value, lower, upper }: Interval): string {
  const range = `${value.toFixed(4)} [${lower.toFixed(4)}, ${upper.toFixed(4)}]`;
  return upper < 0.01 ? `parity within 0.01 bits (difference ${range})` : `bits per character differ by ${range}`;
}

const percent = (x: number): number => Math.round(x * 1e4) / 1e4;
const share = (x: number): number | string => (Number.isNaN(x) ? '' : percent(x));
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

/** Rows of every task for arms that are compared by eye, unless told otherwise. */
const OTHERS = 128;

const DSA = 'DSA';
const DENSE = 'dense-continued';

export interface Models {
  sparse: ParamStore;
  dense: ParamStore;
  more?: readonly ArmOf[];
}

/** Every way of attending that these weights can be judged by, the dense control first. */
export function armsFor(
  c: DsaConfig,
  models: Models,
  options: Pick<EvalOptions, 'sweep' | 'formats' | 'brief'> = {},
): { arms: ArmOf[]; formats: (ArmOf & { change: { quant: Quant; hadamard: boolean } })[] } {
  const { sparse, dense } = models;
  const arms: ArmOf[] = [
    { name: DENSE, store: dense, chooser: 'dense' },
    { name: DSA, store: sparse, chooser: 'indexer' },
    { name: 'last k', store: sparse, chooser: 'last' },
    { name: 'random k', store: sparse, chooser: 'random' },
    { name: 'oracle top-k', store: sparse, chooser: 'oracle' },
  ];
  if (options.brief) return { arms, formats: [] };
  arms.push({ name: 'DSA weights, dense attention', store: sparse, chooser: 'dense' });
  const block = blockOf(c.k);
  if (block > 1 && c.time % block === 0) {
    arms.push({ name: `blocks of ${block}, mean keys`, store: sparse, chooser: 'block' });
  }
  if (c.k > 4 && c.pinFirst === 0) {
    arms.push({ name: 'DSA, first 4 pinned', store: sparse, chooser: 'indexer', change: { pinFirst: 4 } });
  }
  arms.push(...(models.more ?? []));
  for (const k of options.sweep ?? []) arms.push({ name: `DSA, k = ${k}`, store: sparse, chooser: 'indexer', k });
  const formats = !options.formats
    ? []
    : (['f32', 'e4m3', 'i8'] as const).flatMap((quant) =>
        [true, false].map((hadamard) => ({
          name: `${quant}, ${hadamard ? 'with' : 'without'} Hadamard`,
          store: sparse,
          chooser: 'indexer' as const,
          change: { quant, hadamard },
        })),
      );
  return { arms, formats };
}

/**
 * Other k to ask trained weights with: a 32nd to four times theirs, where that is a number of keys from 2 on and below a
 * row's. The smallest belong to the negative control: layers that count what their keys have counted reach k^layers tokens.
 */
export const sweepOf = ({ k, time }: DsaConfig): number[] =>
  [k / 32, k / 16, k / 8, k / 4, k / 2, 2 * k, 4 * k].filter((n) => Number.isInteger(n) && n >= 2 && n < time);

/** Sparse weights under every chooser, dense weights densely, on `rows` fresh rows of every task. */
export async function evaluate(gpu: Gpu, c: DsaConfig, models: Models, options: EvalOptions): Promise<Evaluation> {
  const { seed, corpus } = options;
  const tasks = tasksOf(c);
  const count = corpus ? Math.min(options.rows, evalWindows(corpus, c.time)) : options.rows;
  const sets = new Map<Task, Row[]>(
    tasks.map((task) => [task, Array.from({ length: count }, (_, i) => rowOf(c, task, 'eval', seed, i, { corpus }))]),
  );
  const { arms, formats } = armsFor(c, models, options);
  const results = new Map<string, Map<Task, Scores>>();
  for (const arm of [...arms, ...formats]) {
    const runner = new Arm(gpu, { ...c, ...arm.change }, arm.store, arm.chooser, arm.k);
    const scores = new Map<Task, Scores>();
    const most = arm.name === DSA || arm.name === DENSE ? count : (options.others ?? OTHERS);
    for (const [task, rows] of sets) scores.set(task, await runner.run(rows.slice(0, most), seed));
    runner.dispose();
    results.set(arm.name, scores);
    options.progress?.(`${arm.name}: ${[...scores].map(([t, s]) => `${t} ${s.accuracy.toFixed(4)}`).join(', ')}`);
  }
  const of = (name: string, task: Task): Scores => {
    const found = results.get(name)?.get(task);
    if (!found) throw new Error(`no arm ${name} on ${task}`);
    return found;
  };
  const lookups = tasks.filter((task) => task !== 'control');
  const over = (name: string, value: (s: Scores) => number): number =>
    mean(lookups.map((task) => value(of(name, task))));
  const text = lookups.includes('text');
  const sides = new Map<Task, Sides>(
    tasks.map((task) => {
      const rows = (name: string): number[] => (text ? of(name, task).bits : of(name, task).rows);
      return [task, { sparse: [rows(DSA)], dense: [rows(DENSE)] }];
    }),
  );
  const metrics: Record<string, number> = {
    accuracyDense: over(DENSE, (s) => s.accuracy),
    accuracySparse: over(DSA, (s) => s.accuracy),
    massRecall: over(DSA, (s) => s.massRecall),
    massRecallAsked: over(DSA, (s) => s.massAsked),
    massOracle: over(DSA, (s) => s.massOracle),
    overlapOracle: over(DSA, (s) => s.overlap),
    accuracyLastK: over('last k', (s) => s.accuracy),
    accuracyRandomK: over('random k', (s) => s.accuracy),
    accuracyOracle: over('oracle top-k', (s) => s.accuracy),
  };
  if (tasks.includes('control')) {
    metrics.controlDense = of(DENSE, 'control').accuracy;
    metrics.controlSparse = of(DSA, 'control').accuracy;
  }
  if (text) {
    for (const [name, arm] of [
      ['Dense', DENSE],
      ['Sparse', DSA],
    ]) {
      metrics[`bits${name}`] = mean(of(arm, 'text').bits);
      const { callbackBits, otherBits } = of(arm, 'text');
      if (!Number.isNaN(callbackBits)) {
        Object.assign(metrics, { [`callbackBits${name}`]: callbackBits, [`otherBits${name}`]: otherBits });
      }
    }
  }
  const tables = [armsTable(c, arms, tasks, lookups, of)];
  const places = lookups.map((task) => of(DSA, task).places);
  const offered = places.reduce((sum, p) => sum + p.offered, 0);
  if (offered > 0) metrics.sinkRate = places.reduce((sum, p) => sum + p.sinks, 0) / offered;
  tables.push({ name: 'ages', columns: ['layer', 'age from', 'age to', DSA, 'oracle top-k'], rows: ageRows(places) });
  tables.push({
    name: 'positions',
    columns: ['task', 'place from', 'place to', `${DENSE}, bits`, `${DSA}, bits`, 'answers'],
    rows: tasks.flatMap((task) => positionRows(task, of(DENSE, task).places, of(DSA, task).places)),
  });
  if (formats.length > 0) tables.push(formatsTable(formats, lookups, of));
  if (options.depths && tasks.includes('needle'))
    tables.push(await depthTable(gpu, c, models, seed, Math.min(DEPTH_ROWS, options.others ?? DEPTH_ROWS)));
  return { metrics, tables, sides };
}

type Of = (name: string, task: Task) => Scores;

function armsTable(
  c: DsaConfig,
  arms: readonly ArmOf[],
  tasks: readonly Task[],
  lookups: readonly Task[],
  of: Of,
): ResultTable {
  const text = tasks.includes('text');
  const over = (name: string, value: (s: Scores) => number): number =>
    mean(lookups.map((task) => value(of(name, task))));
  const measures = text ? ['next byte', 'bits per byte', 'callback bits', 'other bits'] : [...tasks];
  return {
    name: 'arms',
    columns: ['arm', 'k', ...measures, 'mass recall', 'of at most', 'overlap with oracle', 'rows'],
    rows: arms.map(({ name, k, chooser }) => {
      const s = of(name, tasks[0]);
      const own = text
        ? [s.accuracy, mean(s.bits), s.callbackBits, s.otherBits].map(share)
        : tasks.map((task) => percent(of(name, task).accuracy));
      return [
        name,
        chooser === 'dense' ? '' : (k ?? c.k),
        ...own,
        share(over(name, (x) => x.massRecall)),
        share(over(name, (x) => x.massOracle)),
        share(over(name, (x) => x.overlap)),
        s.rows.length,
      ];
    }),
  };
}

function formatsTable(
  formats: readonly (ArmOf & { change: { quant: Quant; hadamard: boolean } })[],
  lookups: readonly Task[],
  of: Of,
): ResultTable {
  return {
    name: 'quantisation',
    columns: ['format', 'Hadamard', 'accuracy', 'mass recall', 'overlap with oracle'],
    rows: formats.map(({ name, change }) => {
      const over = (value: (s: Scores) => number): number => percent(mean(lookups.map((t) => value(of(name, t)))));
      const { quant, hadamard } = change;
      return [
        quant,
        hadamard ? 'yes' : 'no',
        over((s) => s.accuracy),
        over((s) => s.massRecall),
        over((s) => s.overlap),
      ];
    }),
  };
}

const DEPTHS = [0, 0.25, 0.5, 0.75, 1];
const DEPTH_ROWS = 64;

/** One needle at every depth of rows of a quarter of the length to all of it. */
async function depthTable(
  gpu: Gpu,
  c: DsaConfig,
  models: { sparse: ParamStore; dense: ParamStore },
  seed: number,
  count: number,
): Promise<ResultTable> {
  const table: ResultTable = { name: 'needle', columns: ['length', 'depth', DENSE, DSA, 'rows'], rows: [] };
  const arms = [new Arm(gpu, c, models.dense, 'dense'), new Arm(gpu, c, models.sparse, 'indexer')];
  for (const part of [0.25, 0.5, 0.75, 1]) {
    const time = Math.round(c.time * part);
    for (const depth of DEPTHS) {
      const rows = Array.from({ length: count }, (_, i) => rowOf(c, 'needle', 'eval', seed, i, { depth, time }));
      const [dense, sparse] = [await arms[0].run(rows, seed), await arms[1].run(rows, seed)];
      table.rows.push([time, depth, percent(dense.accuracy), percent(sparse.accuracy), count]);
    }
  }
  for (const arm of arms) arm.dispose();
  return table;
}

/** Parity of every task, and of all lookups together, as metrics, a table and sentences. */
export function parity(
  sides: ReadonlyMap<Task, Sides>,
  seed: number,
): { metrics: Record<string, number>; table: ResultTable; sentences: string[] } {
  const text = sides.has('text');
  const state = text ? bitsStatement : parityStatement;
  const table: ResultTable = {
    name: 'parity',
    columns: ['task', 'runs', 'rows', 'dense', 'DSA', 'difference', '95 % from', 'to', 'statement'],
    rows: [],
  };
  const flat = (x: number[][]): number => mean(x.flat());
  const add = (name: string, s: Sides): Interval => {
    const interval = parityOf(s, seed);
    const { value, lower, upper } = interval;
    const numbers = [flat(s.dense), flat(s.sparse), value, lower, upper].map(percent);
    table.rows.push([name, s.sparse.length, s.sparse.flat().length, ...numbers, state(interval)]);
    return interval;
  };
  const lookups = [...sides].filter(([task]) => task !== 'control');
  const intervals = lookups.map(([task, s]) => add(task, s));
  const join = (side: 'sparse' | 'dense'): number[][] =>
    lookups[0][1].sparse.map((_, run) => lookups.flatMap(([, s]) => s[side][run]));
  const all = lookups.length > 1 ? add('all lookups', { sparse: join('sparse'), dense: join('dense') }) : intervals[0];
  const metrics: Record<string, number> = {
    parityDifference: all.value,
    parityLower95: all.lower,
    parityUpper95: all.upper,
    parityWorstLower95: Math.min(...intervals.map((i) => i.lower)),
  };
  const control = sides.get('control');
  if (control) metrics.controlUpper95 = add('control', control).upper;
  return { metrics, table, sentences: table.rows.map((row) => `${row[0]}: ${row[row.length - 1]}`) };
}
