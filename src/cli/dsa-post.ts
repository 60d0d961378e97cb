// `lab run dsa --preset post-...`: post-training of the dense and the sparse model side by side (dsa.md section 5).

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import verifyPost from '../../workers/verify-post-node.ts?thread';
import { SafetensorsError, writeSafetensors } from '../data/safetensors.ts';
import { folderStorage } from '../data/storage-node.ts';
import { nodeThreads, threadSeat } from '../lm/verify/node-pool.ts';
import { VerifierPool } from '../lm/verify/pool.ts';
import { ConfigError } from '../methods/config-values.ts';
import { configurePost, POST_PRESETS, type PostConfig } from '../methods/dsa/posttrain/config.ts';
import { Journal } from '../methods/dsa/posttrain/journal.ts';
import { postTrain } from '../methods/dsa/posttrain/pipeline.ts';
import { type PostEvent, Stopped } from '../methods/dsa/posttrain/reinforce.ts';
import { postReport } from '../methods/dsa/posttrain/report.ts';
import type { PostAnswer } from '../methods/dsa/posttrain/verifier.ts';
import { adapterName, type RunRecord } from '../runs/run-record.ts';
import { CheckpointError } from '../train/checkpoint.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import { engine, type RunArguments } from './method-commands.ts';
import { gpuOrFail } from './open.ts';

/** Whether a new run is one of post-training, or the folder of an old one holds one. */
export const isPost = async ({ preset, resume, out }: RunArguments): Promise<boolean> =>
  resume ? (await keptIn(out)) !== null : Object.hasOwn(POST_PRESETS, preset);

/** Files that are no run of post-training are a wrong argument. */
async function keptIn(folder: string): Promise<Journal | null> {
  if (!existsSync(folder)) return null;
  try {
    return await Journal.resume(await folderStorage(folder));
  } catch (error) {
    const foreign = [CheckpointError, SafetensorsError, ConfigError];
    if (!foreign.some((kind) => error instanceof kind)) throw error;
    throw new UsageError(`--resume ${folder}: ${(error as Error).message}`);
  }
}

const sentence = (event: PostEvent): string => {
  if (event.kind === 'stage') return `${event.arm}: ${event.stage}`;
  const head = `${event.arm} ${event.stage} ${event.step}`;
  if (event.kind === 'step') {
    const { reward, length, kl, mismatch } = event.result;
    return `${head}  reward ${reward.toFixed(3)}  tokens ${length.toFixed(1)}  kl ${kl.toFixed(4)}  mismatch ${mismatch.toExponential(1)}`;
  }
  const parts = Object.entries(event.domains).map(([id, m]) => `${id} ${m.outcome.toFixed(3)}`);
  return `${head}: ${parts.join(', ')}`;
};

export async function runPost(args: RunArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  const kept = args.resume ? await keptIn(args.out) : null;
  const wanted = kept ? null : configurePost(args.preset, args.set);
  // Before the journal begins: that forgets the run that the folder held.
  const gpu = await gpuOrFail();
  const journal = kept ?? (await Journal.begin(await folderStorage(args.out), wanted as PostConfig, args.seed));
  const { config, seed } = journal;
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const events: string[] = [];
  const emit = (event: PostEvent): void => {
    events.push(JSON.stringify(event));
    output.note(sentence(event));
  };
  const verifier = new VerifierPool(() => threadSeat<PostAnswer>(verifyPost), nodeThreads());
  const result = await postTrain(gpu, journal, emit, abort.signal, verifier)
    .catch((error) => {
      if (!(error instanceof Stopped)) throw error;
      throw new Error(`stopped; continue with --resume ${args.out}`);
    })
    .finally(() => verifier.dispose());
  await writeFile(join(args.out, 'events.jsonl'), `${events.join('\n')}\n`);
  const tensors = new Map();
  for (const [arm, { values }] of Object.entries(result.arms)) {
    for (const [name, v] of values) tensors.set(`${arm}/${name}`, { shape: [v.length], values: v });
  }
  const about = { kind: 'dsa post-training', config: JSON.stringify(config), seed: String(seed) };
  const file = join(args.out, `dsa-${config.rung}.safetensors`);
  await writeFile(file, writeSafetensors(tensors, about));
  output.line(`weights of both models: ${file}`);
  const { metrics, tables } = postReport(config, result, seed);
  for (const [name, value] of Object.entries(metrics)) output.line(`${name.padEnd(24)} ${value.toPrecision(4)}`);
  const record: RunRecord = {
    method: 'dsa',
    preset: config.rung,
    seed,
    config,
    adapter: adapterName(gpu.report),
    engine,
    metrics,
    tables,
    wallMs: performance.now() - started,
    flops: 0,
  };
  await writeFile(join(args.out, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}
