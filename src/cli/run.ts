// `lab run <method>` and `lab eval <method>`: the methods that exist, by name.

import { ConfigError } from '../methods/config-values.ts';
import { METHODS } from '../methods/method-list.ts';
import { RUN_FLAGS, UsageError } from './args.ts';
import { defineCommand } from './command.ts';
import type { MethodCommands } from './method-commands.ts';

/** Loaded only when called. */
const METHOD_COMMANDS: Readonly<Record<string, () => Promise<MethodCommands>>> = {
  dreamer4: async () => (await import('./dreamer4.ts')).dreamer4,
  dsa: async () => (await import('./dsa.ts')).dsa,
  learn2pd: async () => (await import('./learn2pd.ts')).learn2pd,
  salt: async () => (await import('./salt.ts')).salt,
};

function methodOf(positionals: readonly string[]): { id: string; load: () => Promise<MethodCommands> } {
  const [id, extra] = positionals;
  if (id === undefined) throw new UsageError('name a method, such as dreamer4');
  if (extra !== undefined) throw new UsageError(`one method at a time, got '${extra}' too`);
  const known = METHODS.find((m) => m.id === id);
  if (!known) throw new UsageError(`unknown method '${id}' (known: ${METHODS.map((m) => m.id).join(', ')})`);
  if (!Object.hasOwn(METHOD_COMMANDS, id)) throw new UsageError(`${id} is not built yet`);
  return { id, load: METHOD_COMMANDS[id] };
}

/** A wrong configuration is a wrong argument. */
async function asUsage<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

const { preset, seed, set, out, resume, from, checkpoint, json } = RUN_FLAGS;

export const run = defineCommand({
  usage: '<method> [--preset NAME] [--seed N] [--set KEY=VALUE ...] [--from FILE] [--out DIR | --resume DIR] [--json]',
  flags: {
    preset,
    seed,
    set,
    out,
    resume,
    from,
    json,
    'checkpoint-minutes': { kind: 'number', help: 'time between checkpoints (default 5)', value: 'N' },
  },
  async run({ positionals, flags }, output) {
    const { id, load } = methodOf(positionals);
    if (flags.resume !== undefined && flags.preset !== undefined) {
      throw new UsageError('--resume continues a run with its own configuration: leave --preset out');
    }
    if (flags.resume !== undefined && flags.from !== undefined) {
      throw new UsageError('--resume continues a run with its own weights: leave --from out');
    }
    if (flags.resume !== undefined && flags.out !== undefined) {
      throw new UsageError('--resume continues a run in its own folder: leave --out out');
    }
    if (flags.resume !== undefined && flags.seed !== undefined) {
      throw new UsageError('--resume continues a run with its own seed: leave --seed out');
    }
    const method = await load();
    const fixed = Object.keys(flags.set).find((key) => method.fixed.test(key));
    if (flags.resume !== undefined && fixed !== undefined) {
      throw new UsageError(`--resume keeps model and data as they are: ${fixed} cannot change`);
    }
    const name = flags.preset ?? 'nano';
    const folder = flags.resume ?? flags.out ?? `runs/${id}-${name}-${flags.seed ?? 1}`;
    const record = await asUsage(() =>
      method.run(
        {
          preset: name,
          seed: flags.seed ?? 1,
          set: flags.set,
          out: folder,
          resume: flags.resume !== undefined,
          from: flags.from,
          checkpointMinutes: flags['checkpoint-minutes'] ?? 5,
        },
        output,
      ),
    );
    output.result(record);
  },
});

export const evaluation = defineCommand({
  usage: '<method> --checkpoint FILE [--seed N] [--set KEY=VALUE ...] [--json]',
  flags: { checkpoint, seed, set, json },
  async run({ positionals, flags }, output) {
    const { load } = methodOf(positionals);
    const file = flags.checkpoint;
    if (file === undefined) throw new UsageError('--checkpoint FILE is needed');
    const method = await load();
    output.result(
      await asUsage(() => method.evaluate({ checkpoint: file, seed: flags.seed ?? 1, set: flags.set }, output)),
    );
  },
});
