// `lab run <method>` and `lab eval <method>`: the methods that exist, by name.

import { ConfigError } from '../methods/dreamer4/config-file.ts';
import { METHODS } from '../methods/method-list.ts';
import { RUN_FLAGS, UsageError } from './args.ts';
import { defineCommand } from './command.ts';

function methodOf(positionals: readonly string[]): string {
  const [id, extra] = positionals;
  if (id === undefined) throw new UsageError('name a method, such as dreamer4');
  if (extra !== undefined) throw new UsageError(`one method at a time, got '${extra}' too`);
  const known = METHODS.find((m) => m.id === id);
  if (!known) throw new UsageError(`unknown method '${id}' (known: ${METHODS.map((m) => m.id).join(', ')})`);
  if (id !== 'dreamer4') throw new UsageError(`${id} is not built yet`);
  return id;
}

/** What a checkpoint's weights and data depend on. */
const SHAPES = /^(rung|renderer|hz|frame|tokenizer|dynamics|data|paper_faithful)\b/;

/** A wrong configuration is a wrong argument. */
async function asUsage<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

const { preset, seed, set, out, resume, checkpoint, json } = RUN_FLAGS;

export const run = defineCommand({
  usage: '<method> [--preset NAME] [--seed N] [--set KEY=VALUE ...] [--out DIR | --resume DIR] [--json]',
  flags: {
    preset,
    seed,
    set,
    out,
    resume,
    json,
    'checkpoint-minutes': { kind: 'number', help: 'time between checkpoints (default 5)', value: 'N' },
  },
  async run({ positionals, flags }, output) {
    const id = methodOf(positionals);
    if (flags.resume !== undefined && flags.preset !== undefined) {
      throw new UsageError('--resume continues a run with its own configuration: leave --preset out');
    }
    const fixed = Object.keys(flags.set).find((key) => SHAPES.test(key));
    if (flags.resume !== undefined && fixed !== undefined) {
      throw new UsageError(`--resume keeps model and data as they are: ${fixed} cannot change`);
    }
    const name = flags.preset ?? 'nano';
    const folder = flags.resume ?? flags.out ?? `runs/${id}-${name}-${flags.seed ?? 1}`;
    const { runDreamer4 } = await import('./dreamer4.ts');
    const record = await asUsage(() =>
      runDreamer4(
        {
          preset: name,
          seed: flags.seed ?? 1,
          set: flags.set,
          out: folder,
          resume: flags.resume !== undefined,
          checkpointMinutes: flags['checkpoint-minutes'] ?? 5,
        },
        output,
      ),
    );
    output.result(record);
  },
});

export const evaluation = defineCommand({
  usage: '<method> --checkpoint FILE [--seed N] [--set windows=64 streams=16 context=32 k=4 long=1] [--json]',
  flags: { checkpoint, seed, set, json },
  async run({ positionals, flags }, output) {
    methodOf(positionals);
    if (flags.checkpoint === undefined) throw new UsageError('--checkpoint FILE is needed');
    const { evalDreamer4 } = await import('./dreamer4.ts');
    const file = flags.checkpoint;
    output.result(
      await asUsage(() => evalDreamer4({ checkpoint: file, seed: flags.seed ?? 1, set: flags.set }, output)),
    );
  },
});
