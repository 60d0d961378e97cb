// `lab run dsa` and `lab eval dsa`: the stages of training with checkpoints and resume; evaluation of a checkpoint with arms,
// parity and cost curves.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SafetensorsError } from '../data/safetensors.ts';
import { folderStorage } from '../data/storage-node.ts';
import type { Gpu } from '../gpu/device.ts';
import { configure, type DsaConfig } from '../methods/dsa/config.ts';
import { costCurves } from '../methods/dsa/cost.ts';
import { type ArmOf, evaluate, parityStatement } from '../methods/dsa/eval.ts';
import { DsaSession, loadModels, runOf } from '../methods/dsa/session.ts';
import type { ParamStore } from '../nn/params.ts';
import { adapterName, type RunRecord, type RunTable } from '../runs/run-record.ts';
import { CheckpointError } from '../train/checkpoint.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import { type EvalArguments, engine, gpuOrFail, type MethodCommands, type RunArguments } from './method-commands.ts';

const CHECKPOINT = 'dsa-training.safetensors';

async function runDsa(args: RunArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  await mkdir(args.out, { recursive: true });
  const folder = await folderStorage(args.out);
  const old = args.resume ? await folder.read(CHECKPOINT) : null;
  if (args.resume && !old) throw new UsageError(`--resume ${args.out}: there is no ${CHECKPOINT} in this folder`);
  const kept = old ? runOf(old) : null;
  const seed = kept?.seed ?? args.seed;
  const config = kept ? kept.config : configure(args.preset, args.set);
  const gpu = await gpuOrFail();
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  const events: string[] = [];
  const last: Record<string, number> = {};
  const session = new DsaSession(
    {
      gpu,
      seed,
      signal: abort.signal,
      emit: (event) => {
        events.push(JSON.stringify(event));
        if (event.kind === 'metrics')
          for (const [k, v] of Object.entries(event.values)) last[`${event.phase}.${k}`] = v;
      },
    },
    config,
  );
  if (old) await session.load({ name: CHECKPOINT, bytes: old });
  output.note(`${config.rung}: ${session.stores.sparse.count} parameters`);
  const save = async (): Promise<void> => {
    const { name, bytes } = await session.save();
    await folder.write(name, bytes);
    await writeFile(join(args.out, 'events.jsonl'), `${events.join('\n')}\n`);
  };
  let saved = performance.now();
  let noted = 0;
  for (;;) {
    const state = await session.advance({ ms: 2000 });
    const now = session.state();
    if (performance.now() - noted > 15_000 || state === 'done') {
      noted = performance.now();
      const total = session.phases.find((p) => p.id === now.phase)?.steps ?? 0;
      const values = Object.entries(last)
        .filter(([k]) => k.startsWith(`${now.phase}.`))
        .map(([k, v]) => `${k.split('.')[1]} ${v.toPrecision(4)}`);
      output.note(`${now.phase} ${now.step}/${total}  ${values.join('  ')}`);
    }
    if (performance.now() - saved > args.checkpointMinutes * 60_000) {
      saved = performance.now();
      await save();
    }
    if (state === 'done' || abort.signal.aborted) break;
  }
  await save();
  if (abort.signal.aborted) throw new Error(`stopped; continue with --resume ${args.out}`);
  const exported = await session.export(`${config.rung} seed ${seed}`);
  await folder.write(exported.name, exported.bytes);
  output.line(`checkpoint: ${join(args.out, exported.name)}`);
  const more: ArmOf[] = config.ablation
    ? [{ name: 'DSA without warm-up', store: session.stores.unwarmed, chooser: 'indexer' }]
    : [];
  const { metrics, tables } = await judged(
    gpu,
    config,
    { ...session.stores, more },
    { seed, rows: config.evalRows },
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
    tables,
    wallMs: performance.now() - started,
    flops: session.trainingFlops,
  };
  await writeFile(join(args.out, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

async function judged(
  gpu: Gpu,
  config: DsaConfig,
  models: { sparse: ParamStore; dense: ParamStore; more: readonly ArmOf[] },
  options: { seed: number; rows: number; sweep?: readonly number[]; formats?: boolean },
  output: Output,
): Promise<{ metrics: Record<string, number>; tables: RunTable[] }> {
  const { metrics, tables, parity } = await evaluate(gpu, config, models, {
    ...options,
    progress: (text) => output.note(text),
  });
  output.line(`retrieval, sparse minus dense-continued: ${parityStatement(parity)}`);
  return { metrics, tables };
}

/**
 * `to`: last position of the decode curve; 0 leaves the cost curves out. `small` 1: their shapes and k are those of preset
 * small, not of the checkpoint. `sweep` 1: k from 1/4 to 4 times the trained one,
 * and every format of the indexer with and without Hadamard, on the same weights.
 */
const SETTINGS = { rows: 0, from: 256, to: 16384, prefill: 4096, small: 0, sweep: 1 };

async function evalDsa(args: EvalArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  const settings = { ...SETTINGS };
  for (const [key, text] of Object.entries(args.set)) {
    if (!Object.hasOwn(settings, key))
      throw new UsageError(`--set ${key}: eval knows ${Object.keys(settings).join(', ')}`);
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0) throw new UsageError(`--set ${key}: '${text}' is not a whole number`);
    settings[key as keyof typeof settings] = value;
  }
  if (settings.from < 1) throw new UsageError('--set from: positions begin at 1');
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await readFile(args.checkpoint));
  } catch {
    throw new UsageError(`--checkpoint ${args.checkpoint}: no such file`);
  }
  const gpu = await gpuOrFail();
  const models = load(gpu, bytes, args.checkpoint);
  const { config } = models;
  const sweep = [config.k / 4, config.k / 2, config.k * 2, config.k * 4].filter((k) => k >= 1 && k < config.time);
  const rows = settings.rows || config.evalRows;
  const options = { seed: args.seed, rows, sweep: settings.sweep ? sweep : [], formats: settings.sweep !== 0 };
  const quality = await judged(gpu, config, models, options, output);
  const shapes = settings.small ? configure('small') : config;
  const cost =
    settings.to > 0
      ? await costCurves(gpu, shapes, {
          k: shapes.k,
          from: settings.from,
          decodeTo: settings.to,
          prefillTo: settings.prefill,
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
    tables: [...quality.tables, ...cost.tables],
    wallMs: performance.now() - started,
    flops: 0,
  };
}

/** A file that is no checkpoint of this method is a wrong argument. */
function load(gpu: Gpu, bytes: Uint8Array<ArrayBuffer>, file: string): ReturnType<typeof loadModels> {
  try {
    return loadModels(gpu, bytes);
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof SafetensorsError) {
      throw new UsageError(`--checkpoint ${file}: ${error.message}`);
    }
    throw error;
  }
}

export const dsa: MethodCommands = { fixed: /./, run: runDsa, evaluate: evalDsa };
