/**
 * Several verifiers side by side, each in a worker. Whoever is free takes the next answer, one at a time and with a time limit
 * of its own: a worker that does not answer within it is ended and replaced, and that one answer counts as wrong. So a verdict
 * depends on its answer alone, not on the number of workers or on what was judged beside it. The sandbox has limits of its own
 * (sandbox.ts), this is the second fence. What is given to busy workers waits, and its time begins when its turn does.
 */
import type { Verdict } from '../tasks/task.ts';
import { wrong } from '../tasks/task.ts';
import type { Answer, Verifier } from './verifier.ts';

export interface Seat<A = Answer> {
  verifier: Verifier<A>;
  end(): void;
  /** The worker has started: no answer's time runs before. Rejects if it cannot. Without it: at once. */
  ready?: Promise<unknown>;
  /** Resolves with the reason if the worker goes away by itself, e.g. because its memory is used up. */
  gone?: Promise<string>;
}

/** A seat from what every kind of worker has. `gone` resolves with the reason if it fails or goes away by itself. */
export function seatOf<A>(verifier: Verifier<A>, gone: Promise<string>, end: () => void): Seat<A> {
  // A worker answers when it has loaded everything. Programs need the sandbox besides, some ten milliseconds.
  const ready = Promise.race([
    verifier.verify([]),
    gone.then((reason) => {
      throw new Error(`A worker of the verifier could not be started: ${reason}`);
    }),
  ]);
  // Who asks first hears of it; a seat that nobody asks may be ended while it starts.
  ready.catch(() => undefined);
  return { verifier, ready, gone, end };
}

const LATE = 'the verifier did not answer in time';

export class VerifierPool<A = Answer> implements Verifier<A> {
  private readonly open: () => Seat<A>;
  private readonly seats: Seat<A>[];
  private readonly deadlineMs: number;
  /** Seats that judge nothing, and who waits for one. */
  private readonly free: number[];
  private readonly waiting: ((seat: number) => void)[] = [];

  /**
   * `open` starts a worker, e.g. `() => { const w = new Worker(...); return { verifier: wrap(w), end: () => w.terminate() } }`.
   * `deadlineMs`: milliseconds that one answer may take.
   */
  constructor(open: () => Seat<A>, size: number, deadlineMs = 10_000) {
    this.open = open;
    this.seats = Array.from({ length: size }, open);
    this.free = this.seats.map((_, i) => i);
    this.deadlineMs = deadlineMs;
  }

  /** Verdicts in the order of the answers. Rejects if a verifier fails or cannot be started. */
  async verify(answers: readonly A[]): Promise<Verdict[]> {
    // All are settled before a failure is told: none is judged behind the back of who asked.
    const settled = await Promise.allSettled(answers.map((answer) => this.one(answer)));
    return settled.map((s) => {
      if (s.status === 'rejected') throw s.reason;
      return s.value;
    });
  }

  private async one(answer: A): Promise<Verdict> {
    const index = this.free.shift() ?? (await new Promise<number>((resolve) => this.waiting.push(resolve)));
    try {
      return await this.judge(index, answer);
    } finally {
      const next = this.waiting.shift();
      if (next) next(index);
      else this.free.push(index);
    }
  }

  private async judge(index: number, answer: A): Promise<Verdict> {
    const seat = this.seats[index];
    try {
      await seat.ready;
    } catch (error) {
      this.replace(index);
      throw error;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(LATE), this.deadlineMs);
    });
    try {
      const gone = seat.gone?.then((reason) => `the verifier stopped: ${reason}`);
      const found = await Promise.race([seat.verifier.verify([answer]), late, ...(gone ? [gone] : [])]);
      if (typeof found !== 'string') return found[0];
      this.replace(index);
      return wrong(found);
    } finally {
      clearTimeout(timer);
    }
  }

  private replace(index: number): void {
    this.seats[index].end();
    this.seats[index] = this.open();
  }

  dispose(): void {
    for (const seat of this.seats) seat.end();
  }
}
