// A measured line that may grow for hours: when it is full, every second point goes and later points are kept more rarely.

export interface Point {
  step: number;
  value: number;
}

export class Series {
  readonly #limit: number;
  #points: Point[] = [];
  #every = 1;
  #seen = 0;

  constructor(limit = 1200) {
    this.#limit = limit;
  }

  /** Steps that are measured again, after a run went back to a copy, replace what they gave before. */
  add(step: number, value: number): void {
    const last = this.#points.at(-1);
    if (last && step <= last.step) this.#points = this.#points.filter((point) => point.step < step);
    if (this.#seen++ % this.#every !== 0) return;
    this.#points.push({ step, value });
    if (this.#points.length < this.#limit) return;
    this.#points = this.#points.filter((_, i) => i % 2 === 0);
    this.#every *= 2;
  }

  points(): readonly Point[] {
    return this.#points;
  }
}
