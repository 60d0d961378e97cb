// `lab ship METHOD --resume DIR --out public/models/METHOD`: the run's averaged weights with a measured card beside them.

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import { readSafetensors } from '../data/safetensors.ts';
import { bars, missed, trainingData, worldFacts } from '../methods/dreamer4/card.ts';
import type { DreamerConfig } from '../methods/dreamer4/config.ts';
import { commandOf, meanOf, type Shipped, shipCheckpoint, shipExported } from '../methods/dreamer4/ship.ts';
import { RUN_FLAGS, UsageError } from './args.ts';
import { defineCommand } from './command.ts';
import { evalDreamer4 } from './dreamer4.ts';
import { readCheckpoint, sha256 } from './method-commands.ts';
import { placeTogether, setFlags } from './ship-files.ts';
import { shipLearn2pd } from './ship-learn2pd.ts';
import { listShipped } from './shipped-index.ts';

export const ship = defineCommand({
  usage:
    'dreamer4|learn2pd --resume DIR [--mean FILE] --out DIR [--seed N] [--set KEY=VALUE of eval] [--evaluation FILE] [--json]',
  flags: {
    resume: RUN_FLAGS.resume,
    out: RUN_FLAGS.out,
    seed: RUN_FLAGS.seed,
    set: RUN_FLAGS.set,
    mean: { kind: 'string', help: 'dreamer4: ship the mean of the run and of this shipped model', value: 'FILE' },
    evaluation: {
      kind: 'string',
      help: 'dreamer4: figures that eval --json wrote, instead of measuring now',
      value: 'FILE',
    },
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
      for (const name of ['mean', 'evaluation'] as const) {
        if (flags[name] !== undefined) throw new UsageError(`--${name}: only ship dreamer4 takes it`);
      }
      output.result(await shipLearn2pd({ resume, out, seed: flags.seed ?? 7, set: flags.set }, output));
      return;
    }
    if (flags.evaluation !== undefined && (flags.seed !== undefined || Object.keys(flags.set).length > 0)) {
      throw new UsageError('--evaluation brings its own seed and settings: leave --seed and --set out');
    }
    const own = await shippable(resume);
    const { bytes, run } = flags.mean === undefined ? own : meanOf(own, await readCheckpoint('--mean', flags.mean));
    const { rung } = run.config;
    const [file, cardFile] = [`dreamer4-${rung}.safetensors`, `dreamer4-${rung}.card.json`];
    const given = flags.evaluation === undefined ? null : await readEvaluation(flags.evaluation, run.config, bytes);
    const trained = await readRecord(resume);
    const parameters = countParameters(bytes);
    const card = await placeTogether(out, { file, bytes, card: cardFile }, async (checkpoint) => {
      const record = given ?? (await evalDreamer4({ checkpoint, seed: flags.seed ?? 7, set: flags.set }, output));
      const held = bars(record.metrics, run.config.hz);
      return {
        title: `Dreamer 4, ${rung}`,
        file,
        bytes: bytes.byteLength,
        parameters,
        config: run.config,
        world: worldFacts(run.config),
        training: {
          command: commandOf(run.config, run.seed),
          dataSeed: run.seed,
          data: trainingData(run.config, run.seed),
          tokenizerSteps: run.tokenizerSteps,
          dynamicsSteps: run.dynamicsSteps,
          flops: run.flops,
          ...(run.origin ? { startedFrom: run.origin } : {}),
          ...(flags.mean !== undefined && { meanWith: basename(flags.mean) }),
          adapter: trained?.adapter ?? record.adapter,
        },
        evaluation: {
          command: `npm run lab -- eval dreamer4 --checkpoint public/models/dreamer4/${file} --seed ${record.seed}${setFlags(record.set)} --json`,
          adapter: record.adapter,
          metrics: record.metrics,
        },
        bars: held,
        holds: missed(held).length === 0,
      };
    });
    await listShipped(out, {
      rung,
      file,
      card: cardFile,
      title: `${rung}, ${(parameters / 1e6).toFixed(1)} M`,
    });
    output.line(`${join(out, file)}: ${(bytes.byteLength / 1e6).toFixed(2)} MB`);
    const misses = missed(card.bars);
    for (const metric of misses) {
      const { value, bar } = card.bars[metric];
      output.line(`misses a bar: ${metric} ${value?.toPrecision(4) ?? 'not measured'}, must be ${bar}`);
    }
    if (misses.length > 0) {
      output.note(
        `warning: this model misses ${misses.length} of ${Object.keys(card.bars).length} bars; its card says "holds": false`,
      );
    }
    output.result(card);
  },
});

/** From the training checkpoint of a run, or from its exported model and its record. */
async function shippable(folder: string): Promise<Shipped> {
  const read = async (name: string): Promise<Uint8Array<ArrayBuffer> | null> => {
    try {
      return new Uint8Array(await readFile(join(folder, name)));
    } catch {
      return null;
    }
  };
  const training = await read('dreamer4-training.safetensors');
  if (training) return shipCheckpoint(training, 'Dreamer 4');
  const record = await readRecord(folder);
  const model = record && (await read(`dreamer4-${record.preset}.safetensors`));
  if (!model) {
    throw new UsageError(
      `--resume ${folder}: neither dreamer4-training.safetensors nor an exported model with its run.json is in this folder`,
    );
  }
  return shipExported(model, record, 'Dreamer 4');
}

const Recorded = v.looseObject({
  preset: v.string(),
  seed: v.number(),
  flops: v.number(),
  adapter: v.string(),
});

async function readRecord(folder: string): Promise<v.InferOutput<typeof Recorded> | null> {
  try {
    return v.parse(Recorded, JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')));
  } catch {
    return null;
  }
}

const Evaluation = v.looseObject({
  seed: v.number(),
  adapter: v.string(),
  config: v.unknown(),
  metrics: v.record(v.string(), v.number()),
  checkpointSha256: v.optional(v.string()),
  set: v.optional(v.record(v.string(), v.string()), {}),
});

/** What `eval dreamer4 --json` printed, on another machine perhaps; of this very model. */
async function readEvaluation(
  file: string,
  config: DreamerConfig,
  model: Uint8Array,
): Promise<v.InferOutput<typeof Evaluation>> {
  let found: v.InferOutput<typeof Evaluation>;
  try {
    found = v.parse(Evaluation, JSON.parse(await readFile(file, 'utf8')));
  } catch {
    throw new UsageError(`--evaluation ${file}: not the output of eval dreamer4 --json`);
  }
  if (JSON.stringify(found.config) !== JSON.stringify(config)) {
    throw new UsageError(`--evaluation ${file}: of a model of another configuration`);
  }
  if (found.checkpointSha256 === undefined) {
    throw new UsageError(`--evaluation ${file}: does not say which checkpoint it measured, run eval again`);
  }
  if (found.checkpointSha256 !== sha256(model)) {
    throw new UsageError(`--evaluation ${file}: of other weights than those that ship`);
  }
  return found;
}

function countParameters(model: Uint8Array<ArrayBuffer>): number {
  const { tensors } = readSafetensors(model);
  let n = 0;
  for (const [name, t] of tensors) if (!name.startsWith('latent.')) n += t.shape.reduce((a, b) => a * b, 1);
  return n;
}
