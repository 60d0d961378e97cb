/**
 * Several verifiers side by side, each in a worker. A worker that does not answer in time is ended and replaced, and its
 * answers count as wrong: the sandbox has limits of its own, this is the second fence.
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

  /** `open` starts a worker, e.g. `() => { const w = new Worker(...); return { verifier: wrap(w), end: () => w.terminate() } }`. */
  constructor(open: () => Seat, size: number, deadlineMs = 10_000) {
    this.open = open;
    this.seats = Array.from({ length: size }, open);
    this.deadlineMs = deadlineMs;
  }

  /** Verdicts in the order of the answers. */
  async verify(answers: readonly Answer[]): Promise<Verdict[]> {
    const share = Math.ceil(answers.length / this.seats.length);
    const parts = await Promise.all(this.seats.map((_, i) => this.part(i, answers.slice(i * share, (i + 1) * share))));
    return parts.flat();
  }

  private async part(index: number, answers: readonly Answer[]): Promise<Verdict[]> {
    if (answers.length === 0) return [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), this.deadlineMs);
    });
    const verdicts = await Promise.race([this.seats[index].verifier.verify(answers), late]);
    clearTimeout(timer);
    if (verdicts) return verdicts;
    this.seats[index].end();
    this.seats[index] = this.open();
    return answers.map(() => wrong('the verifier did not answer in time'));
  }

  dispose(): void {
    for (const seat of this.seats) seat.end();
  }
}
