// Keeps one run in the browser while it trains, in the worker: what it measured and its last copy. Each run has files and
// a lock of its own, so that two tabs never write the same one. A full disk is said and never stops the run.

import type { Storage } from '../../data/storage.ts';
import type { RunEvent, Session } from '../../methods/contract.ts';
import { type RunFile, writeRun } from './run-file.ts';
import { Series } from './series.ts';
import type { RunOpened, TrainMessage } from './train-protocol.ts';

/** Gives the lock back. */
export type Release = () => void;

export class RunKeeper {
  readonly #file: RunFile;
  readonly #storage: () => Promise<Storage>;
  readonly #lines = new Map<string, Series>();

  constructor(file: RunFile, storage: () => Promise<Storage>) {
    this.#file = file;
    this.#storage = storage;
    for (const [name, points] of Object.entries(file.lines)) {
      for (const { step, value } of points) this.#line(name).add(step, value);
    }
  }

  measured({ phase, step, values }: Extract<RunEvent, { kind: 'metrics' }>): void {
    for (const [name, value] of Object.entries(values)) this.#line(`${phase}/${name}`).add(step, value);
  }

  worked(ms: number): void {
    this.#file.workMs += ms;
  }

  /** Writes the run as `bytes`, the checkpoint of the session as it is now. Says what came of it. */
  async keep(session: Session, bytes: Uint8Array<ArrayBuffer>): Promise<TrainMessage> {
    this.#reached(session);
    const { phase, step } = this.#file;
    try {
      await writeRun(await this.#storage(), { ...this.#file, lines: this.#points() }, bytes);
      return { kind: 'kept', phase, step, problem: '' };
    } catch (error) {
      return { kind: 'kept', phase, step, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  opened(
    session: Session,
  ): Pick<RunOpened, 'id' | 'at' | 'request' | 'phases' | 'phase' | 'step' | 'workMs' | 'lines'> {
    const { id, at, preset, seed, set, phase, step, workMs } = this.#file;
    return {
      id,
      at,
      request: { preset, seed, set },
      phases: session.phases,
      phase,
      step,
      workMs,
      lines: this.#points(),
    };
  }

  /** A session that goes on from a copy may still prepare its data: it is as far as it was. */
  #reached(session: Session): void {
    const { phase, step, done } = session.state();
    const place = (id: string): number => session.phases.findIndex((candidate) => candidate.id === id);
    const file = this.#file;
    const [now, before] = [place(phase), place(file.phase)];
    if (now < before || (now === before && step < file.step)) return;
    const { title, steps } = session.phases[now];
    Object.assign(file, { phase, title, step, steps, done });
  }

  #points(): RunFile['lines'] {
    return Object.fromEntries([...this.#lines].map(([name, line]) => [name, [...line.points()]]));
  }

  #line(name: string): Series {
    let line = this.#lines.get(name);
    if (!line) {
      line = new Series();
      this.#lines.set(name, line);
    }
    return line;
  }
}

/** The lock of a run, or null: another tab has it open. */
export async function claimRun(id: string): Promise<Release | null> {
  if (!navigator.locks) return () => undefined;
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`tenfold-run-${id}`, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(null);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}
