// `lab run dsa --preset post-...`: post-training of the dense and the sparse model side by side (dsa.md section 5).

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '../data/safetensors.ts';
import { configurePost, POST_PRESETS } from '../methods/dsa/posttrain/config.ts';
import { postTrain } from '../methods/dsa/posttrain/pipeline.ts';
import type { PostEvent } from '../methods/dsa/posttrain/reinforce.ts';
import { postReport } from '../methods/dsa/posttrain/report.ts';
import { adapterName, type RunRecord } from '../runs/run-record.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import { engine, type RunArguments } from './method-commands.ts';
import { gpuOrFail } from './open.ts';

export const isPost = (preset: string): boolean => Object.hasOwn(POST_PRESETS, preset);

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
  if (args.resume) throw new UsageError('post-training keeps no checkpoint between its stages: it cannot be resumed');
  const started = performance.now();
  const config = configurePost(args.preset, args.set);
  await mkdir(args.out, { recursive: true });
  const gpu = await gpuOrFail();
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const events: string[] = [];
  const emit = (event: PostEvent): void => {
    events.push(JSON.stringify(event));
    output.note(sentence(event));
  };
  const result = await postTrain(gpu, config, args.seed, emit, abort.signal);
  await writeFile(join(args.out, 'events.jsonl'), `${events.join('\n')}\n`);
  const tensors = new Map();
  for (const [arm, { values }] of Object.entries(result.arms)) {
    for (const [name, v] of values) tensors.set(`${arm}/${name}`, { shape: [v.length], values: v });
  }
  const about = { kind: 'dsa post-training', config: JSON.stringify(config), seed: String(args.seed) };
  const file = join(args.out, `dsa-${config.rung}.safetensors`);
  await writeFile(file, writeSafetensors(tensors, about));
  output.line(`weights of both models: ${file}`);
  const { metrics, tables } = postReport(config, result, args.seed);
  for (const [name, value] of Object.entries(metrics)) output.line(`${name.padEnd(24)} ${value.toPrecision(4)}`);
  const record: RunRecord = {
    method: 'dsa',
    preset: config.rung,
    seed: args.seed,
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
