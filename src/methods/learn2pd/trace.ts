/** What every pass of a decode did, as the decision kernel records it: the theatre, the filter's data and the metrics read this. */
import type { PassKind } from './loop-ops.ts';

export interface StepTrace {
  /** Canvas index + prompt: the block is `block`..`end - 1`, the sequence had `length` tokens. */
  block: number;
  end: number;
  length: number;
  kind: PassKind;
  /** Guess and confidence of every position of the block. */
  guess: Uint32Array<ArrayBuffer>;
  c: Float32Array<ArrayBuffer>;
  /** Per position: 1 = finalised by the policy, 2 = by top-n, 4 = was masked, 8 = written from the reference. */
  decided: Uint8Array<ArrayBuffer>;
}

/** `passes` records from word `at` on (layout: finalize_filter.wgsl). */
export function readTrace(words: Uint32Array<ArrayBuffer>, at: number, passes: number, block: number): StepTrace[] {
  const size = 4 + 2 * block;
  const floats = new Float32Array(words.buffer);
  return Array.from({ length: passes }, (_, i) => {
    const from = at + i * size;
    const [start, end, length, kind] = words.subarray(from, from + 4);
    const n = end - start;
    const marks = words.subarray(from + 4, from + 4 + n);
    return {
      block: start,
      end,
      length,
      kind: kind as PassKind,
      guess: Uint32Array.from(marks, (w) => w & 0xffffff),
      c: floats.slice(from + 4 + block, from + 4 + block + n),
      decided: Uint8Array.from(marks, (w) => w >>> 24),
    };
  });
}
