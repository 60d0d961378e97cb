/**
 * What the filter and the decoding rules owe to each choice (learn2pd 6): depth, block, loss mask, number of records, tasks
 * it has not seen, labels without sense; strict against released end-of-text prediction; refreshing of the cache. Filters
 * are trained here, on records of fresh training prompts, and judged on the problems of the main table.
 */
import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import type { Problem } from '../../lm/tasks/task.ts';
import type { Verifier } from '../../lm/verify/verifier.ts';
import type { Learn2pdModel } from './checkpoint.ts';
import { collectRecords, promptNumbers } from './collect.ts';
import { filterSize, newFilter } from './filter.ts';
import { reportFilter } from './filter-report.ts';
import { trainFilter } from './filter-trainer.ts';
import { FILTER_TRAINING, type FilterRecord, splitRecords } from './filter-training.ts';
import { Judge, type Judged } from './judge.ts';
import { DECODE_DEFAULTS, type DecodeSpec, type Eotp } from './policy.ts';
import { problemsOf } from './problems.ts';
import { accuracyVerdict, mean, type ResultTable } from './report.ts';

const DEPTHS = [1, 2, 4] as const;
const BLOCKS = [8, 16, 32, 64];
const REFRESH = [1, 2, 4, 8, 0];
/** Blocks that end before most answers do are shorter than the model's by this factor. */
const SHORTER = 4;
const PLAIN: DecodeSpec = { ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 1 } };
/** Salt of the prompts whose records the filters learn from. */
const SALT = 0x61626c61;

export interface AblationOptions {
  seed: number;
  canvas: number;
  sequences: number;
  /** Training prompts and steps of every filter. */
  prompts: number;
  steps: number;
  progress?: (text: string) => void;
  /** Judges the answers; by default in this thread. */
  verifier?: Verifier;
}

interface Bench {
  gpu: Gpu;
  model: Learn2pdModel;
  problems: readonly Problem[];
  options: AblationOptions;
}

/** Static texts of the problems with a block of this size, and the decoders that made them. */
interface Floor {
  judge: Judge;
  base: Judged;
  records: FilterRecord[];
  /** Task of every training prompt, by its number in the records. */
  tasks: string[];
}

/** Decoders whose filters have this shape. */
const judgeOf = ({ gpu, model, options }: Bench, block: number, depth: 1 | 2 | 4): Judge =>
  new Judge(gpu, { ...model, config: { ...model.config, block, depth } }, options.verifier);

async function floorOf(bench: Bench, block: number): Promise<Floor> {
  const { model, problems, options } = bench;
  const { seed, canvas, sequences, prompts } = options;
  const judge = judgeOf(bench, block, 2);
  const base = await judge.judge(problems, PLAIN, { canvas, sequences });
  const own = problemsOf(model.tasks, model.tokenizer, model.config, { split: 'train', seed, salt: SALT }, prompts);
  const texts = judge.prompts(own);
  const { records } = await collectRecords(judge.decoder(canvas, sequences), texts, promptNumbers(texts), canvas);
  return { judge, base, records, tasks: own.map((p) => p.family) };
}

/** What a filter is judged on, whatever it learned from: the test records of the true labels, all or those of one task. */
export const heldOut = ({ records, tasks }: Pick<Floor, 'records' | 'tasks'>, only?: string): FilterRecord[] =>
  splitRecords(records).test.filter((r) => only === undefined || tasks[r.prompt] === only);

/** Fixed permutation of all labels of masked positions: nothing is left to learn but their share. */
export function shuffledLabels(records: readonly FilterRecord[], seed: number): FilterRecord[] {
  const places = records.flatMap((r, k) => [...r.label.keys()].filter((i) => r.masked[i]).map((i) => [k, i] as const));
  const order = places.map((_, n) => n).sort((a, b) => mix32(seed, a, 0, SALT) - mix32(seed, b, 0, SALT));
  const out = records.map((r) => ({ ...r, label: r.label.slice() }));
  places.forEach(([k, i], n) => {
    const [from, at] = places[order[n]];
    out[k].label[i] = records[from].label[at];
  });
  return out;
}

export async function ablate(bench: Bench): Promise<ResultTable[]> {
  const { model, problems, options } = bench;
  const { config: c } = model;
  const { seed, canvas, sequences, progress } = options;
  const rows: (number | string)[][] = [];
  const row = async (
    what: string,
    setting: number | string,
    floor: Floor,
    shape: { block: number; depth: number },
    change: { records?: readonly FilterRecord[]; allPositions?: boolean; only?: string } = {},
  ): Promise<void> => {
    const { train, validation } = splitRecords(change.records ?? floor.records);
    const settings = { ...FILTER_TRAINING, steps: options.steps, maskedOnly: !change.allPositions, seed };
    const start = newFilter(shape.block, shape.depth, seed);
    const filter = await trainFilter(bench.gpu, start, train, settings, validation);
    const { bceMasked, bceConstant, auroc } = reportFilter(filter, heldOut(floor, change.only));
    const spec: DecodeSpec = { ...DECODE_DEFAULTS, policy: { kind: 'learn2pd', tau: c.tau, filter } };
    const at = problems.map((_, i) => i).filter((i) => !change.only || problems[i].family === change.only);
    const own = at.map((i) => problems[i]);
    const references = at.map((i) => floor.base.results[i].tokens);
    const found = await floor.judge.judge(own, spec, { canvas, sequences, references });
    rows.push([
      ...[what, setting, filterSize(shape.block, shape.depth), train.length, bceMasked, bceConstant, auroc],
      ...[mean(found.nfe), canvas / mean(found.nfe), mean(found.right)],
      accuracyVerdict(
        found.right,
        at.map((i) => floor.base.right[i]),
        seed,
      ),
      mean(found.agreement),
    ]);
    progress?.(`ablation: ${what} ${setting}`);
  };
  const { block } = c;
  const shared = await floorOf(bench, block);
  for (const depth of DEPTHS) {
    // Texts and records are the model's: they do not depend on the filter.
    const floor = depth === 2 ? shared : { ...shared, judge: judgeOf(bench, block, depth) };
    const shape = { block, depth };
    await row('layers', depth, floor, shape);
    if (depth === 2) {
      await row('loss', 'all positions', floor, shape, { allPositions: true });
      await row('labels', 'shuffled', floor, shape, { records: shuffledLabels(floor.records, seed) });
      for (const share of [8, 4, 2]) {
        // Whole prompts, every share-th of each task: tasks take turns.
        const part = floor.records.filter((r) => Math.floor(r.prompt / model.tasks.length) % share === 0);
        await row('records', part.length, floor, shape, { records: part });
      }
      for (const task of model.tasks.length > 1 ? model.tasks : []) {
        const { id } = task.family;
        const others = floor.records.filter((r) => floor.tasks[r.prompt] !== id);
        await row('tested on a task it never saw', id, floor, shape, { records: others, only: id });
      }
    }
    floor.judge.dispose();
  }
  for (const other of BLOCKS.filter((b) => b !== block && b <= canvas)) {
    const floor = await floorOf(bench, other);
    await row('block', other, floor, { block: other, depth: 2 });
    floor.judge.dispose();
  }
  const filters: ResultTable = {
    name: 'filterAblations',
    columns: [
      ...['what', 'setting', 'parameters', 'records', 'loss on masked', 'best constant', 'AUROC'],
      ...['passes', 'fewer passes', 'accuracy', 'against static', 'agreement with static'],
    ],
    rows,
  };
  return [filters, await decodingTable(bench)];
}

type Entrant = readonly [what: string, setting: number | string, spec: DecodeSpec];

/**
 * Rules around the shipped filter. Where the first block holds the answer's end, the filter takes it in the first pass, and
 * strict and released cut alike; without a filter, and with blocks that end before the answer does, they differ.
 */
export async function decodingTable(bench: Bench): Promise<ResultTable> {
  const { config: c, filter } = bench.model;
  const learned: DecodeSpec = { ...DECODE_DEFAULTS, policy: { kind: 'learn2pd', tau: c.tau, filter } };
  const threshold: DecodeSpec = { ...DECODE_DEFAULTS, policy: { kind: 'threshold', tau: c.threshold } };
  const cuts = (what: string, spec: DecodeSpec, kinds: readonly Eotp[] = ['strict', 'released']): Entrant[] =>
    kinds.map((eotp) => [what, eotp, { ...spec, eotp }]);
  const own: Entrant[] = [
    ...cuts('end-of-text prediction', learned, ['off', 'strict', 'released']),
    ...cuts('end-of-text prediction without a filter', PLAIN),
    ...REFRESH.map(
      (refreshEvery): Entrant => [
        'dual cache, full pass every',
        refreshEvery || 'block',
        { ...learned, cache: 'dual', refreshEvery },
      ],
    ),
    ['end token', 'suppressed', { ...learned, suppressEot: true }],
  ];
  const short = c.block / SHORTER;
  const shortCuts = cuts(`end-of-text prediction, threshold, blocks of ${short}`, threshold);
  return {
    name: 'decodingAblations',
    columns: [
      ...['what', 'setting', 'passes', 'full passes', 'GFLOP', 'accuracy', 'against static'],
      ...['agreement with static', 'changed answers'],
    ],
    rows: [...(await decodingRows(bench, c.block, own)), ...(await decodingRows(bench, short, shortCuts))],
  };
}

/** Each entrant against static decoding with the same blocks. */
async function decodingRows(bench: Bench, block: number, entrants: readonly Entrant[]): Promise<(number | string)[][]> {
  const { problems, options } = bench;
  const { seed, canvas, sequences } = options;
  const judge = judgeOf(bench, block, bench.model.config.depth);
  try {
    const base = await judge.judge(problems, PLAIN, { canvas, sequences });
    const references = base.results.map((r) => r.tokens);
    const rows: (number | string)[][] = [];
    for (const [what, setting, spec] of entrants) {
      const found = await judge.judge(problems, spec, { canvas, sequences, references });
      const changed = found.agreement.filter((a) => a < 1).length;
      rows.push([
        ...[what, setting, mean(found.nfe), mean(found.results.map((r) => r.full)), mean(found.flops) / 1e9],
        ...[mean(found.right), accuracyVerdict(found.right, base.right, seed), mean(found.agreement), changed],
      ]);
    }
    return rows;
  } finally {
    judge.dispose();
  }
}
