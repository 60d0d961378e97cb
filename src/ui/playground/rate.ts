// Events per second over a sliding window.

export class RateMeter {
  readonly #window: number;
  #times: number[] = [];

  constructor(windowMs = 3000) {
    this.#window = windowMs;
  }

  /** Counts an event at `now` (milliseconds) and returns the rate, or null with fewer than two events in the window. */
  mark(now: number): number | null {
    this.#times.push(now);
    this.#times = this.#times.filter((time) => time > now - this.#window);
    if (this.#times.length < 2) return null;
    return ((this.#times.length - 1) * 1000) / (now - this.#times[0]);
  }

  clear(): void {
    this.#times = [];
  }
}
