// `lab run learn2pd`: training, collection, filter and the table of policies in one go. It keeps no checkpoint yet.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configure } from '../methods/learn2pd/config.ts';
import { runLearn2pd } from '../methods/learn2pd/run.ts';
import { adapterName, type RunRecord } from '../runs/run-record.ts';
import { UsageError } from './args.ts';
import { engine, gpuOrFail, type MethodCommands } from './method-commands.ts';

export const learn2pd: MethodCommands = {
  fixed: /./,
  async run(args, output) {
    if (args.resume) throw new UsageError('learn2pd keeps no checkpoint to resume yet');
    const config = configure(args.preset, args.set);
    const started = performance.now();
    const gpu = await gpuOrFail();
    await mkdir(args.out, { recursive: true });
    const { metrics, table, flops } = await runLearn2pd(gpu, config, args.seed, (text) => output.note(text));
    for (const [name, value] of Object.entries(metrics)) output.line(`${name.padEnd(28)} ${value.toPrecision(4)}`);
    const record: RunRecord = {
      method: 'learn2pd',
      preset: args.preset,
      seed: args.seed,
      config,
      adapter: adapterName(gpu.report),
      engine,
      metrics,
      tables: [table],
      wallMs: performance.now() - started,
      flops,
    };
    await writeFile(join(args.out, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
    return record;
  },
  async evaluate() {
    throw new UsageError('learn2pd has no checkpoint format yet; run learn2pd measures its own model');
  },
};
