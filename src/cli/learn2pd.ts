// `lab run learn2pd` and `lab eval learn2pd`: training of model and filter with checkpoints and resume; evaluation of a checkpoint.

import type { Gpu } from '../gpu/device.ts';
import { nodeVerifiers } from '../lm/verify/node-pool.ts';
import { type Learn2pdModel, readCheckpoint } from '../methods/learn2pd/checkpoint.ts';
import { CHANGEABLE, changeConfig, configure } from '../methods/learn2pd/config.ts';
import { type Evaluation, evaluate } from '../methods/learn2pd/eval.ts';
import { EVAL_DEFAULTS, type EvalOptions } from '../methods/learn2pd/report.ts';
import { Learn2pdSession, runOf, TRAINING_FILE } from '../methods/learn2pd/session.ts';
import { adapterName, type RunRecord } from '../runs/run-record.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import {
  type EvalArguments,
  engine,
  fromCheckpoint,
  type MethodCommands,
  type RunArguments,
  readCheckpoint as readCheckpointFile,
  refuseFrom,
} from './method-commands.ts';
import { gpuOrFail } from './open.ts';
import { recordFile, runSession } from './session-run.ts';

async function runLearn2pd(args: RunArguments, output: Output): Promise<RunRecord> {
  refuseFrom(args);
  const started = performance.now();
  const { gpu, session, config, seed, last, earlierMs, write } = await runSession(args, output, {
    file: TRAINING_FILE,
    runOf,
    configure: (kept) => (kept ? changeConfig(kept, args.set) : configure(args.preset, args.set)),
    create: (context, c) => new Learn2pdSession(context, c),
    begin: (s) => `${s.config.rung}: ${s.llada.store.count} parameters, canvases up to ${s.config.longest}`,
  });
  output.line(`checkpoint: ${await write(await session.export(`Learn2PD, ${config.rung}`))}`);
  const record: RunRecord = {
    method: 'learn2pd',
    preset: config.rung,
    seed,
    config,
    adapter: adapterName(gpu.report),
    engine,
    metrics: last,
    tables: [],
    wallMs: earlierMs + performance.now() - started,
    flops: session.trainingFlops,
  };
  const keep = (): Promise<string> => write(recordFile(record));
  // Before it is measured: who stops the measurement keeps the run.
  await keep();
  const model = await session.result(config.rung);
  // A first look; `lab eval` measures with all problems.
  const few = { static: 0, timed: 2, long: 4, sample: 32, rounds: 8 };
  const options = { ...EVAL_DEFAULTS, ...few, seed, problems: Math.min(128, config.problems) };
  const { metrics, tables } = await judged(gpu, model, options, output);
  for (const [name, value] of Object.entries(metrics)) output.line(`${name.padEnd(36)} ${value.toPrecision(4)}`);
  Object.assign(record.metrics, metrics);
  record.tables.push(...tables);
  record.wallMs = earlierMs + performance.now() - started;
  await keep();
  return record;
}

/** Answers are judged in threads: what hangs there is ended. */
async function judged(gpu: Gpu, model: Learn2pdModel, options: EvalOptions, output: Output): Promise<Evaluation> {
  const verifier = nodeVerifiers();
  try {
    return await evaluate(gpu, model, { ...options, verifier, progress: (text) => output.note(text) });
  } finally {
    verifier.dispose();
  }
}

/** Counts of EvalOptions that `--set` may change; `pareto` 0 leaves that table out. */
const SETTINGS: Record<string, number> = { ...EVAL_DEFAULTS, pareto: Number(EVAL_DEFAULTS.pareto) };

export async function evalLearn2pd(args: EvalArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  const settings = { ...SETTINGS };
  for (const [key, text] of Object.entries(args.set)) {
    if (!Object.hasOwn(settings, key))
      throw new UsageError(`--set ${key}: eval knows ${Object.keys(settings).join(', ')}`);
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0) throw new UsageError(`--set ${key}: '${text}' is not a whole number`);
    settings[key] = value;
  }
  for (const key of ['timed', 'long', 'sequences', 'rounds'] as const) {
    if (settings[key] < 1) throw new UsageError(`--set ${key}: at least 1 is needed`);
  }
  const bytes = await readCheckpointFile('--checkpoint', args.checkpoint);
  const gpu = await gpuOrFail();
  const model = fromCheckpoint(args.checkpoint, () => readCheckpoint(gpu, bytes));
  if (settings.canvas > model.config.longest) {
    throw new UsageError(
      `--set canvas=${settings.canvas}: this model was trained on canvases of up to ${model.config.longest} tokens`,
    );
  }
  const options = { ...EVAL_DEFAULTS, ...settings, pareto: settings.pareto !== 0, seed: args.seed };
  const { metrics, tables } = await judged(gpu, model, options, output);
  for (const [name, value] of Object.entries(metrics)) output.line(`${name.padEnd(36)} ${value.toPrecision(4)}`);
  return {
    method: 'learn2pd',
    preset: model.config.rung,
    seed: args.seed,
    config: model.config,
    adapter: adapterName(gpu.report),
    engine,
    metrics,
    tables,
    wallMs: performance.now() - started,
    flops: 0,
  };
}

export const learn2pd: MethodCommands = {
  fixed: new RegExp(`^(?!(${CHANGEABLE.join('|')})$)`),
  run: runLearn2pd,
  evaluate: evalLearn2pd,
};
