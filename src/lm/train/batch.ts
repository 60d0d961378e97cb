/**
 * Token rows for training: documents packed into rows of equal length, each seeing only itself. A document is a prompt
 * and an answer; the loss falls on the answer.
 */

export interface Example {
  prompt: readonly number[];
  /** With its end token. */
  answer: readonly number[];
  /** 1 for tokens of the answer that are to be learned (default: all of them). */
  mask?: readonly number[];
}

/** Inputs of a causal training step, one entry per token of [batch, time]. */
export interface TokenBatch {
  ids: Uint32Array<ArrayBuffer>;
  positions: Uint32Array<ArrayBuffer>;
  previous: Uint32Array<ArrayBuffer>;
  /** [batch * time, 2] */
  bounds: Uint32Array<ArrayBuffer>;
  /** The next token of the document; NO_TOKEN where there is none. */
  targets: Uint32Array<ArrayBuffer>;
  /** Share of each token in the loss; they sum to 1. */
  weights: Float32Array<ArrayBuffer>;
}

export const NO_TOKEN = 0xffffffff;

/** Where a document lies in a batch: `first` indexes [batch * time]. */
export interface Placed {
  first: number;
  length: number;
}

/**
 * Puts documents one after the other into `batch` rows of `time` tokens, as many as fit in the given order (a document
 * that does not fit begins the next row). Returns the places of those taken, and the batch without weights.
 */
export function packDocuments(
  documents: readonly (readonly number[])[],
  batch: number,
  time: number,
  pad: number,
): { placed: Placed[]; batch: TokenBatch } {
  const n = batch * time;
  const out: TokenBatch = {
    ids: new Uint32Array(n).fill(pad),
    positions: new Uint32Array(n),
    previous: new Uint32Array(n).fill(NO_TOKEN),
    bounds: new Uint32Array(2 * n),
    targets: new Uint32Array(n).fill(NO_TOKEN),
    weights: new Float32Array(n),
  };
  const placed: Placed[] = [];
  let row = 0;
  let column = 0;
  for (const tokens of documents) {
    if (tokens.length > time) {
      throw new Error(`A document of ${tokens.length} tokens does not fit rows of ${time}.`);
    }
    if (column + tokens.length > time) {
      row += 1;
      column = 0;
    }
    if (row === batch) break;
    const first = row * time + column;
    tokens.forEach((id, i) => {
      out.ids[first + i] = id;
      out.positions[first + i] = i;
      if (i > 0) out.previous[first + i] = tokens[i - 1];
      if (i + 1 < tokens.length) out.targets[first + i] = tokens[i + 1];
      out.bounds[2 * (first + i)] = column;
      out.bounds[2 * (first + i) + 1] = column + i + 1;
    });
    placed.push({ first, length: tokens.length });
    column += tokens.length;
  }
  return { placed, batch: out };
}

/** Rows of prompts and answers; every answer token to be learned (its end token too) weighs the same. */
export function packExamples(examples: readonly Example[], rows: number, time: number, pad: number): TokenBatch {
  const { placed, batch } = packDocuments(
    examples.map((e) => [...e.prompt, ...e.answer]),
    rows,
    time,
    pad,
  );
  let count = 0;
  placed.forEach(({ first }, i) => {
    const { prompt, answer, mask } = examples[i];
    for (let k = 0; k < answer.length; k++) {
      if (mask?.[k] === 0) continue;
      // The answer's first token is the target of the prompt's last.
      batch.weights[first + prompt.length - 1 + k] = 1;
      count += 1;
    }
  });
  for (let i = 0; i < batch.weights.length; i++) batch.weights[i] /= Math.max(1, count);
  return batch;
}
