/**
 * Several verifiers side by side, each in a worker. A worker that does not answer in time is ended and replaced, and its
 * answers count as wrong: the sandbox has limits of its own, this is the second fence. What is given to a worker that is
 * busy waits for it, and its time begins when its turn does.
 */
import type { Verdict } from '../tasks/task.ts';
import { wrong } from '../tasks/task.ts';
import type { Answer, Verifier } from './verifier.ts';

export interface Seat {
  verifier: Verifier;
  end(): void;
}

export class VerifierPool implements Verifier {
  private readonly open: () => Seat;
  private readonly seats: Seat[];
  private readonly deadlineMs: number;
  /** What each seat does last; never rejects. */
  private readonly tails: Promise<unknown>[];

  /** `open` starts a worker, e.g. `() => { const w = new Worker(...); return { verifier: wrap(w), end: () => w.terminate() } }`. */
  constructor(open: () => Seat, size: number, deadlineMs = 10_000) {
    this.open = open;
    this.seats = Array.from({ length: size }, open);
    this.tails = this.seats.map(() => Promise.resolve());
    this.deadlineMs = deadlineMs;
  }

  /** Verdicts in the order of the answers. */
  async verify(answers: readonly Answer[]): Promise<Verdict[]> {
    const share = Math.ceil(answers.length / this.seats.length);
    const parts = await Promise.all(this.seats.map((_, i) => this.part(i, answers.slice(i * share, (i + 1) * share))));
    return parts.flat();
  }

  private part(index: number, answers: readonly Answer[]): Promise<Verdict[]> {
    if (answers.length === 0) return Promise.resolve([]);
    const done = this.tails[index].then(() => this.judge(index, answers));
    this.tails[index] = done.catch(() => undefined);
    return done;
  }

  private async judge(index: number, answers: readonly Answer[]): Promise<Verdict[]> {
    const seat = this.seats[index];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), this.deadlineMs);
    });
    try {
      const verdicts = await Promise.race([seat.verifier.verify(answers), late]);
      if (verdicts) return verdicts;
    } finally {
      clearTimeout(timer);
    }
    seat.end();
    this.seats[index] = this.open();
    return answers.map(() => wrong('the verifier did not answer in time'));
  }

  dispose(): void {
    for (const seat of this.seats) seat.end();
  }
}
