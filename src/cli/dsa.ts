// `lab run dsa` and `lab eval dsa`: the stages of training with checkpoints and resume; evaluation of a checkpoint with arms,
// parity and cost curves.

import { readFile } from 'node:fs/promises';
import type { Gpu } from '../gpu/device.ts';
import { configure, type DsaConfig, SPECIFIED } from '../methods/dsa/config.ts';
import { costCurves } from '../methods/dsa/cost.ts';
import { type ArmOf, type EvalOptions, evaluate, parity, type Sides, sweepOf } from '../methods/dsa/eval.ts';
import { armsOf, basesTable, DsaSession, loadModels, runOf } from '../methods/dsa/session.ts';
import { checkCorpus } from '../methods/dsa/tasks/text.ts';
import { type Corpus, isText, STORY, type Task } from '../methods/dsa/tasks.ts';
import type { ParamStore } from '../nn/params.ts';
import { adapterName, type RunRecord, type RunTable } from '../runs/run-record.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import { isPost, runPost } from './dsa-post.ts';
import {
  type EvalArguments,
  engine,
  fromCheckpoint,
  type MethodCommands,
  type RunArguments,
  readCheckpoint,
  refuseFrom,
} from './method-commands.ts';
import { gpuOrFail } from './open.ts';
import { recordFile, runSession } from './session-run.ts';

const CHECKPOINT = 'dsa-training.safetensors';

/** The file that a configuration names as its text, if it names one. */
async function corpusOf(config: DsaConfig): Promise<Corpus | undefined> {
  if (!isText(config) || config.corpus === STORY) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = await readFile(config.corpus);
  } catch {
    throw new UsageError(`--set corpus=${config.corpus}: no such file`);
  }
  const corpus = { name: config.corpus, bytes };
  checkCorpus(corpus, config.time);
  return corpus;
}

async function runDsa(args: RunArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  let corpus: Corpus | undefined;
  const { gpu, session, config, seed, last, earlierMs, write } = await runSession(args, output, {
    file: CHECKPOINT,
    runOf,
    configure: (kept) => kept ?? configure(args.preset, args.set),
    async create(context, c) {
      corpus = await corpusOf(c);
      return new DsaSession(context, c, corpus);
    },
    begin: (s) => `${s.config.rung}: ${s.stores.sparse.count} parameters`,
  });
  output.line(`checkpoint: ${await write(await session.export(`${config.rung} seed ${seed}`))}`);
  const more = armsOf(config, session.stores);
  const { metrics, tables } = await judged(
    gpu,
    config,
    [{ ...session.stores, more }],
    { seed, rows: config.evalRows, corpus },
    output,
  );
  const record: RunRecord = {
    method: 'dsa',
    preset: config.rung,
    seed,
    config,
    adapter: adapterName(gpu.report),
    engine,
    metrics: { ...last, ...metrics },
    tables: [...tables, ...basesTable(session.bases)],
    wallMs: earlierMs + performance.now() - started,
    flops: session.trainingFlops,
  };
  await write(recordFile(record));
  return record;
}

/** Evaluation of the first run, and the parity of all of them: the metrics are means over runs. */
async function judged(
  gpu: Gpu,
  config: DsaConfig,
  runs: readonly { sparse: ParamStore; dense: ParamStore; more: readonly ArmOf[] }[],
  options: EvalOptions,
  output: Output,
): Promise<{ metrics: Record<string, number>; tables: RunTable[] }> {
  const progress = (text: string): void => output.note(text);
  const first = await evaluate(gpu, config, runs[0], { ...options, progress });
  const sides = new Map<Task, Sides>(first.sides);
  const all = [first.metrics];
  for (const [i, run] of runs.slice(1).entries()) {
    // Every run meets rows of its own.
    const seed = options.seed + 1 + i;
    const next = await evaluate(
      gpu,
      config,
      { ...run, more: [] },
      { ...options, seed, brief: true, depths: false, progress },
    );
    all.push(next.metrics);
    for (const [task, { sparse, dense }] of next.sides) {
      sides.get(task)?.sparse.push(...sparse);
      sides.get(task)?.dense.push(...dense);
    }
  }
  const metrics = Object.fromEntries(
    Object.keys(first.metrics).map((name) => [name, all.reduce((sum, m) => sum + m[name], 0) / all.length]),
  );
  const tables = [...first.tables];
  if (all.length > 1) {
    const names = Object.keys(first.metrics);
    const rows = all.map((m, i) => [i + 1, ...names.map((name) => Number(m[name].toPrecision(4)))]);
    tables.push({ name: 'runs', columns: ['run', ...names], rows });
  }
  const stated = parity(sides, options.seed);
  for (const sentence of stated.sentences) output.line(`sparse minus dense-continued, ${sentence}`);
  return { metrics: { ...metrics, ...stated.metrics }, tables: [...tables, stated.table] };
}

/**
 * `rows` of each task for the parity statement, `others` for all other arms. `to`: last position of the decode curve; 0 leaves
 * the cost curves out. Their layer and k are the specification's default (a toy's own shapes say nothing about cost), with
 * `own` 1 the checkpoint's; `heads` and `indexHeads` other numbers of heads there. `sweep` 1: k from 1/32 to 4 times the
 * trained one, every format of the indexer with and without Hadamard, and needles by depth, on the same weights. `with`:
 * further checkpoints of the same configuration, separated by commas, whose runs enter the parity statement. `corpus`: where
 * the text of a text model lies.
 */
const SETTINGS = {
  rows: 0,
  others: 128,
  from: 64,
  to: 16384,
  prefill: 4096,
  own: 0,
  heads: 0,
  indexHeads: 0,
  sweep: 1,
};
const TEXTS = ['with', 'corpus'];

async function evalDsa(args: EvalArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  const settings = { ...SETTINGS };
  for (const [key, text] of Object.entries(args.set)) {
    if (TEXTS.includes(key)) continue;
    if (!Object.hasOwn(settings, key))
      throw new UsageError(`--set ${key}: eval knows ${[...Object.keys(settings), ...TEXTS].join(', ')}`);
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0) throw new UsageError(`--set ${key}: '${text}' is not a whole number`);
    settings[key as keyof typeof settings] = value;
  }
  if (settings.from < 1) throw new UsageError('--set from: positions begin at 1');
  const files = [args.checkpoint, ...(args.set.with?.split(',') ?? [])];
  const read = await Promise.all(files.map((file) => readCheckpoint('--checkpoint', file)));
  const gpu = await gpuOrFail();
  const runs = read.map((bytes, i) => fromCheckpoint(files[i], () => loadModels(gpu, bytes)));
  const { config } = runs[0];
  // Which ablations a run trained besides does not matter.
  const kind = (c: DsaConfig): string => JSON.stringify({ ...c, ablation: 0, headSweep: 0, evalRows: 0 });
  runs.forEach((run, i) => {
    if (kind(run.config) !== kind(config)) {
      throw new UsageError(`--set with: ${files[i]} is of another configuration than ${files[0]}`);
    }
  });
  const corpus = await corpusOf({ ...config, corpus: args.set.corpus ?? config.corpus });
  const rows = settings.rows || config.evalRows;
  const more = settings.sweep !== 0;
  const { others } = settings;
  const options = {
    seed: args.seed,
    rows,
    others,
    sweep: more ? sweepOf(config) : [],
    formats: more,
    depths: more,
    corpus,
  };
  const quality = await judged(gpu, config, runs, options, output);
  const shapes = { ...(settings.own ? config : SPECIFIED) };
  if (settings.heads > 0) shapes.heads = settings.heads;
  if (settings.indexHeads > 0) shapes.indexHeads = settings.indexHeads;
  const cost =
    settings.to > 0
      ? await costCurves(gpu, shapes, {
          k: shapes.k,
          from: settings.from,
          decodeTo: settings.to,
          prefillTo: settings.prefill,
          cacheBytes: 2 ** 30,
          progress: (text) => output.note(text),
        })
      : { metrics: {}, tables: [] };
  const metrics = { ...quality.metrics, ...cost.metrics };
  for (const [name, value] of Object.entries(metrics)) output.line(`${name.padEnd(20)} ${value.toPrecision(5)}`);
  return {
    method: 'dsa',
    preset: config.rung,
    seed: args.seed,
    config,
    adapter: adapterName(gpu.report),
    engine,
    metrics,
    tables: [...quality.tables, ...basesTable(runs[0].bases), ...cost.tables],
    wallMs: performance.now() - started,
    flops: 0,
  };
}

export const dsa: MethodCommands = {
  fixed: /./,
  async run(args, output) {
    refuseFrom(args);
    return (await isPost(args)) ? runPost(args, output) : runDsa(args, output);
  },
  evaluate: evalDsa,
};
