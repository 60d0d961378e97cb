// `lab ship METHOD --resume DIR --out public/models/METHOD`: the run's averaged weights with a measured card beside them.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shipCheckpoint } from '../methods/dreamer4/ship.ts';
import { RUN_FLAGS, UsageError } from './args.ts';
import { defineCommand } from './command.ts';
import { evalDreamer4 } from './dreamer4.ts';
import { shipLearn2pd } from './ship-learn2pd.ts';

export const ship = defineCommand({
  usage: 'dreamer4|learn2pd --resume DIR --out DIR [--seed N] [--set KEY=VALUE of eval] [--json]',
  flags: {
    resume: RUN_FLAGS.resume,
    out: RUN_FLAGS.out,
    seed: RUN_FLAGS.seed,
    set: RUN_FLAGS.set,
    json: RUN_FLAGS.json,
  },
  async run({ positionals, flags }, output) {
    const [method] = positionals;
    if (method !== 'dreamer4' && method !== 'learn2pd') {
      throw new UsageError('name the method whose run ships: dreamer4 or learn2pd');
    }
    const { resume, out } = flags;
    if (resume === undefined || out === undefined)
      throw new UsageError('--resume DIR (the run) and --out DIR are needed');
    if (method === 'learn2pd') {
      output.result(await shipLearn2pd({ resume, out, seed: flags.seed ?? 7, set: flags.set }, output));
      return;
    }
    let training: Uint8Array<ArrayBuffer>;
    try {
      training = new Uint8Array(await readFile(join(resume, 'dreamer4-training.safetensors')));
    } catch {
      throw new UsageError(`--resume ${resume}: there is no dreamer4-training.safetensors in this folder`);
    }
    const { bytes, run } = shipCheckpoint(training, 'micro');
    const rung = (run.config as { rung: string }).rung;
    const file = `dreamer4-${rung}.safetensors`;
    await mkdir(out, { recursive: true });
    await writeFile(join(out, file), bytes);
    const seed = flags.seed ?? 7;
    const record = await evalDreamer4({ checkpoint: join(out, file), seed, set: flags.set }, output);
    const card = {
      title: `Dreamer 4, ${rung}`,
      file,
      bytes: bytes.byteLength,
      config: run.config,
      training: {
        command: `npm run lab -- run dreamer4 --preset ${rung} --seed ${run.seed} --out runs/${rung}`,
        dataSeed: run.seed,
        tokenizerSteps: run.tokenizerSteps,
        dynamicsSteps: run.dynamicsSteps,
        flops: run.flops,
        ...(run.origin ? { startedFrom: run.origin } : {}),
        adapter: record.adapter,
      },
      evaluation: {
        command: `npm run lab -- eval dreamer4 --checkpoint public/models/dreamer4/${file} --seed ${seed} --json`,
        adapter: record.adapter,
        metrics: record.metrics,
      },
    };
    await writeFile(join(out, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
    await writeFile(join(out, 'index.json'), `${JSON.stringify({ files: [{ file, title: card.title }] }, null, 2)}\n`);
    output.line(`${join(out, file)}: ${(bytes.byteLength / 1e6).toFixed(2)} MB`);
    output.result(card);
  },
});
