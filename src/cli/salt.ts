// `lab run salt` and `lab eval salt`: training of teacher, student, baseline and controls; frozen probes of all of them.

import { configure, type SaltConfig } from '../methods/salt/config.ts';
import { evaluate } from '../methods/salt/eval.ts';
import { loadEncoders, runOf, SaltSession, TRAINING_FILE } from '../methods/salt/session.ts';
import { adapterName, type RunRecord, type RunTable } from '../runs/run-record.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import {
  type EvalArguments,
  engine,
  fromCheckpoint,
  type MethodCommands,
  type RunArguments,
  readCheckpoint,
  refuseFrom,
} from './method-commands.ts';
import { gpuOrFail } from './open.ts';
import { recordFile, runSession } from './session-run.ts';

async function runSalt(args: RunArguments, output: Output): Promise<RunRecord> {
  refuseFrom(args);
  const started = performance.now();
  const { gpu, session, config, seed, last, earlierMs, write } = await runSession(args, output, {
    file: TRAINING_FILE,
    runOf,
    configure: (kept) => kept ?? configure(args.preset, args.set),
    create: (context, c) => new SaltSession(context, c),
    begin: (s) => `${s.config.rung}: ${s.phases.map((p) => `${p.title} ${p.steps} steps`).join(', ')}`,
  });
  output.line(`checkpoint: ${await write(await session.export(`SALT, ${config.rung}`))}`);
  const { metrics, tables } = await evaluate(gpu, config, session.encoders(), {
    seed,
    progress: (text) => output.note(text),
  });
  const record: RunRecord = {
    method: 'salt',
    preset: config.rung,
    seed,
    config,
    adapter: adapterName(gpu.report),
    engine,
    metrics: { ...last, ...metrics },
    tables: [session.stagesTable(), ...tables],
    wallMs: earlierMs + performance.now() - started,
    flops: session.trainingFlops,
  };
  for (const table of record.tables) print(table, output);
  await write(recordFile(record));
  return record;
}

async function evalSalt(args: EvalArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  const bytes = await readCheckpoint('--checkpoint', args.checkpoint);
  const gpu = await gpuOrFail();
  const models = fromCheckpoint(args.checkpoint, () => loadEncoders(gpu, bytes));
  const config = { ...models.config, probe: probeOf(models.config, args.set) };
  const { metrics, tables } = await evaluate(gpu, config, models.encoders, {
    seed: args.seed,
    progress: (text) => output.note(text),
  });
  models.dispose();
  for (const table of tables) print(table, output);
  return {
    method: 'salt',
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
}

/** Clips and steps of the probes, as the checkpoint's configuration says or as `--set` does. */
function probeOf({ probe }: SaltConfig, set: Readonly<Record<string, string>>): SaltConfig['probe'] {
  const changed: Record<string, number> = { ...probe };
  for (const [key, text] of Object.entries(set)) {
    if (!Object.hasOwn(probe, key)) throw new UsageError(`--set ${key}: eval knows ${Object.keys(probe).join(', ')}`);
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--set ${key}: '${text}' is not a whole number from 1 on`);
    changed[key] = value;
  }
  return { ...probe, ...changed };
}

function print({ name, columns, rows }: RunTable, output: Output): void {
  const cells = [columns, ...rows].map((row) =>
    row.map((v) => (typeof v === 'number' && !Number.isInteger(v) ? v.toPrecision(3) : String(v))),
  );
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  output.line('');
  output.line(`${name}:`);
  for (const row of cells)
    output.line(
      row
        .map((text, i) => text.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    );
}

export const salt: MethodCommands = { fixed: /./, run: runSalt, evaluate: evalSalt };
