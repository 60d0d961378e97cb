// The last half minute as one row per step: PSNR of the dream, and what was pressed. Drawn by Trace.tsx.

export interface TraceRow {
  index: number;
  action: number;
  /** Decibels; NaN where nothing was dreamed. */
  psnr: number;
  /** The dream got true frames as context here. */
  anchored: boolean;
}

export const TRACE_ROWS = 300;

export class TraceLog {
  #rows: TraceRow[] = [];
  #mark = false;

  clear(): void {
    this.#rows = [];
    this.#mark = true;
  }

  /** The next step is the first after new context. */
  mark(): void {
    this.#mark = true;
  }

  step(index: number, action: number): void {
    this.#rows.push({ index, action, psnr: Number.NaN, anchored: this.#mark });
    this.#mark = false;
    if (this.#rows.length > TRACE_ROWS) this.#rows.shift();
  }

  attach(index: number, psnr: number): void {
    const row = this.#rows.findLast((candidate) => candidate.index === index);
    if (row) row.psnr = psnr;
  }

  rows(): readonly TraceRow[] {
    return this.#rows;
  }
}
