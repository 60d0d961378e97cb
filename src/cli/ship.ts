// `lab ship dreamer4 --resume DIR --out public/models/dreamer4`: the run's averaged weights with a measured card beside them.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shipCheckpoint } from '../methods/dreamer4/ship.ts';
import { RUN_FLAGS, UsageError } from './args.ts';
import { defineCommand } from './command.ts';
import { evalDreamer4 } from './dreamer4.ts';

export const ship = defineCommand({
  usage: 'dreamer4 --resume DIR --out DIR [--seed N] [--set KEY=VALUE of eval] [--json]',
  flags: {
    resume: RUN_FLAGS.resume,
    out: RUN_FLAGS.out,
    seed: RUN_FLAGS.seed,
    set: RUN_FLAGS.set,
    json: RUN_FLAGS.json,
  },
  async run({ positionals, flags }, output) {
    if (positionals[0] !== 'dreamer4') throw new UsageError('only dreamer4 has a checkpoint to ship');
    const { resume, out } = flags;
    if (resume === undefined || out === undefined)
      throw new UsageError('--resume DIR (the run) and --out DIR are needed');
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
