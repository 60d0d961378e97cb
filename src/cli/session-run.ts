// The loop around a session that every trained method shares: resume, progress on standard error, checkpoints by the clock,
// events, a clean stop on Ctrl-C.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { folderStorage } from '../data/storage-node.ts';
import type { Gpu } from '../gpu/device.ts';
import type { Checkpoint, RunContext, Session } from '../methods/contract.ts';
import { EventLog } from '../runs/event-log.ts';
import type { RunRecord } from '../runs/run-record.ts';
import type { Output } from './command.ts';
import { type RunArguments, readCheckpoint } from './method-commands.ts';
import { gpuOrFail } from './open.ts';

export interface SessionRun<S extends Session, C> {
  /** File of the training checkpoint in the run's folder. */
  file: string;
  /** Configuration and seed that a training checkpoint holds. */
  runOf(bytes: Uint8Array<ArrayBuffer>): { config: C; seed: number };
  /** Configuration of a new run, or of one that goes on from `kept`. */
  configure(kept?: C): C;
  create(context: RunContext, config: C): S | Promise<S>;
  /** Before the first step, its checkpoint loaded; gives what is said about the session. */
  begin(session: S): string | Promise<string>;
  /** A phase begins. */
  onPhase?(session: S, phase: string): Promise<void>;
  /** A checkpoint was written, or the run is complete. */
  onSave?(session: S): Promise<void>;
}

export interface FinishedRun<S, C> {
  gpu: Gpu;
  session: S;
  config: C;
  seed: number;
  /** Last value of every metric, named `<phase>.<metric>`. */
  last: Record<string, number>;
  /** Wall time of the parts before a run was resumed, in milliseconds. */
  earlierMs: number;
  /** Writes a file of the run, such as the exported checkpoint; gives its path. */
  write(file: Checkpoint): Promise<string>;
}

const NOTE_MS = 15_000;
const EVENTS = 'events.jsonl';

/** How long a run that cannot be saved goes on trying: between two tries, and at its end. In milliseconds. */
export interface Patience {
  retryMs: number;
  giveUpMs: number;
}

/** The record as the file `run.json` of the run's folder. */
export const recordFile = (record: RunRecord): Checkpoint => ({
  name: 'run.json',
  bytes: new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`),
});

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Runs until the session is done; throws after saving if it was stopped. What cannot be written (a full disk) stops nothing: the
 * last checkpoint stays, the run goes on and tries again. At its end it waits for room, and throws only after `giveUpMs` or Ctrl+C.
 */
export async function runSession<S extends Session, C>(
  args: RunArguments,
  output: Output,
  run: SessionRun<S, C>,
  patience: Patience = { retryMs: 30_000, giveUpMs: 3_600_000 },
): Promise<FinishedRun<S, C>> {
  const started = performance.now();
  const old = args.resume ? await readCheckpoint('--resume', join(args.out, run.file)) : null;
  const kept = old ? run.runOf(old) : null;
  const seed = kept?.seed ?? args.seed;
  const config = run.configure(kept?.config);
  const gpu = await gpuOrFail();
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  // A run without a log goes on as well.
  const before = args.resume ? await readFile(join(args.out, EVENTS), 'utf8').catch(() => '') : '';
  const log = new EventLog(before);
  const { last, earlierMs } = log;
  const emit: RunContext['emit'] = (event) => {
    log.add(event);
    if (event.kind === 'log') output.note(event.text);
  };
  const session = await run.create({ gpu, seed, signal: abort.signal, emit }, config);
  if (old) await session.load({ name: run.file, bytes: old });
  output.note(await run.begin(session));
  // Only now: a run that cannot begin leaves no folder behind.
  const folder = await folderStorage(args.out);
  /** What the folder holds of this run, in words. */
  let safe = old ? 'what it was resumed from' : 'nothing';
  /** Why it could not be written; null when it was. A session that has nothing good to save throws. */
  const save = async (): Promise<string | null> => {
    const { name, bytes } = await session.save();
    const { phase, step } = session.state();
    try {
      // First, so that it is never behind the checkpoint: what is ahead of it comes again.
      await folder.write(EVENTS, new TextEncoder().encode(log.text(performance.now() - started)));
      await folder.write(name, bytes);
    } catch (error) {
      return `${args.out}: not saved at ${phase} ${step}. ${reasonOf(error)} Saved of this run: ${safe}.`;
    }
    safe = `${phase} ${step}`;
    // Who stops it waits for no more than the checkpoint.
    if (abort.signal.aborted) return null;
    await run.onSave?.(session).catch((error: unknown) => {
      // What is made of a checkpoint can be made again; a session that fails says so in its next step.
      output.note(`${args.out}: ${reasonOf(error)}`);
    });
    return null;
  };
  let phase = '';
  let began = { at: performance.now(), step: 0 };
  let saved = performance.now();
  let noted = 0;
  for (;;) {
    const state = await session.advance({ ms: 2000 });
    const now = session.state();
    if (now.phase !== phase) {
      phase = now.phase;
      began = { at: performance.now(), step: now.step };
      await run.onPhase?.(session, phase);
    }
    if (performance.now() - noted > NOTE_MS || state === 'done' || abort.signal.aborted) {
      noted = performance.now();
      const total = session.phases.find((p) => p.id === phase)?.steps ?? 0;
      const rate = (now.step - began.step) / ((noted - began.at) / 1000);
      const left = rate > 0 ? `${((total - now.step) / rate / 60).toFixed(1)} min left in this phase` : '';
      const values = Object.entries(last)
        .filter(([k]) => k.startsWith(`${phase}.`))
        .map(([k, v]) => `${k.slice(phase.length + 1)} ${v.toPrecision(4)}`);
      output.note(`${phase} ${now.step}/${total}  ${rate.toFixed(2)} steps/s  ${left}  ${values.join('  ')}`);
    }
    if (state === 'more' && performance.now() - saved > args.checkpointMinutes * 60_000) {
      saved = performance.now();
      const problem = await save();
      if (problem !== null) {
        output.note(`${problem} The run goes on and tries again`);
        saved -= Math.max(0, args.checkpointMinutes * 60_000 - patience.retryMs);
      }
    }
    if (state === 'done' || abort.signal.aborted) break;
  }
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  await saveAtLast(save, patience, output);
  if (abort.signal.aborted) throw new Error(`stopped; continue with --resume ${args.out}`);
  const write = async ({ name, bytes }: Checkpoint): Promise<string> => {
    await folder.write(name, bytes);
    return join(args.out, name);
  };
  return { gpu, session, config, seed, last, earlierMs, write };
}

/** Saves; while that fails, waits for room and tries again. */
async function saveAtLast(
  save: () => Promise<string | null>,
  { retryMs, giveUpMs }: Patience,
  output: Output,
): Promise<void> {
  let problem = await save();
  if (problem === null) return;
  output.note(`${problem} Waiting for room, so that nothing is lost; Ctrl+C gives up`);
  const quit = new AbortController();
  const stop = (): void => quit.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const until = performance.now() + giveUpMs;
  while (problem !== null && performance.now() < until && !quit.signal.aborted) {
    // Rejects when it is interrupted.
    await setTimeout(retryMs, undefined, { signal: quit.signal }).catch(() => undefined);
    problem = await save();
  }
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  if (problem !== null) throw new Error(problem);
}
