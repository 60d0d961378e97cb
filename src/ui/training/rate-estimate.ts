// Steps per second and time left of the running phase, from the last stretch of progress reports.

interface Report {
  phase: string;
  step: number;
  at: number;
}

export class RateEstimate {
  #reports: Report[] = [];

  /** `at` in milliseconds. */
  report(phase: string, step: number, at: number): void {
    if (this.#reports.length > 0 && this.#reports[0].phase !== phase) this.#reports = [];
    this.#reports.push({ phase, step, at });
    while (this.#reports.length > 2 && this.#reports[1].at < at - 10_000) this.#reports.shift();
  }

  /** A pause is no work. */
  clear(): void {
    this.#reports = [];
  }

  perSecond(): number | null {
    const first = this.#reports[0];
    const last = this.#reports[this.#reports.length - 1];
    if (!first || last.at - first.at < 500 || last.step === first.step) return null;
    return ((last.step - first.step) * 1000) / (last.at - first.at);
  }

  secondsLeft(steps: number): number | null {
    const rate = this.perSecond();
    const last = this.#reports[this.#reports.length - 1];
    return rate === null || !last ? null : Math.max(0, steps - last.step) / rate;
  }
}

/** `75` -> "1 min 15 s"; whole minutes from ten minutes on. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}
