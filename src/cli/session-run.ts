// The loop around a session that every trained method shares: resume, progress on standard error, checkpoints by the clock,
// events, a clean stop on Ctrl-C.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folderStorage } from '../data/storage-node.ts';
import type { Gpu } from '../gpu/device.ts';
import type { Checkpoint, RunContext, Session } from '../methods/contract.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import { gpuOrFail, type RunArguments } from './method-commands.ts';

export interface SessionRun<S extends Session, C> {
  /** File of the training checkpoint in the run's folder. */
  file: string;
  /** Configuration and seed that a training checkpoint holds. */
  runOf(bytes: Uint8Array<ArrayBuffer>): { config: C; seed: number };
  configure(): C;
  create(context: RunContext, config: C): S;
  /** What is said about a session before its first step. */
  about(session: S): string;
}

export interface FinishedRun<S, C> {
  gpu: Gpu;
  session: S;
  config: C;
  seed: number;
  /** Last value of every metric, named `<phase>.<metric>`. */
  last: Record<string, number>;
  /** Writes a file of the run, such as the exported checkpoint; gives its path. */
  write(file: Checkpoint): Promise<string>;
}

/** Runs until the session is done; throws after saving if it was stopped. */
export async function runSession<S extends Session, C>(
  args: RunArguments,
  output: Output,
  run: SessionRun<S, C>,
): Promise<FinishedRun<S, C>> {
  await mkdir(args.out, { recursive: true });
  const folder = await folderStorage(args.out);
  const old = args.resume ? await folder.read(run.file) : null;
  if (args.resume && !old) throw new UsageError(`--resume ${args.out}: there is no ${run.file} in this folder`);
  const kept = old ? run.runOf(old) : null;
  const seed = kept?.seed ?? args.seed;
  const config = kept ? kept.config : run.configure();
  const gpu = await gpuOrFail();
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const events: string[] = [];
  const last: Record<string, number> = {};
  const session = run.create(
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
  if (old) await session.load({ name: run.file, bytes: old });
  output.note(run.about(session));
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
  const write = async ({ name, bytes }: Checkpoint): Promise<string> => {
    await folder.write(name, bytes);
    return join(args.out, name);
  };
  return { gpu, session, config, seed, last, write };
}
