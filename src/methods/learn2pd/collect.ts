/**
 * What the filter learns from (learn2pd 1.6): every prompt is decoded statically, one token a pass, to get its text y; then
 * the oracle decodes it again, and each of its passes is a record: confidences of the block, and which guesses equal y.
 */
import type { DiffusionDecoder } from './decoder.ts';
import type { FilterRecord } from './filter-training.ts';
import { DECODE_DEFAULTS } from './policy.ts';

export interface Collection {
  /** Static text of every prompt, the whole canvas. */
  texts: Uint32Array<ArrayBuffer>[];
  records: FilterRecord[];
  /** Passes of the oracle per prompt, and tokens that it had to write itself. */
  oraclePasses: number[];
  guarded: number;
}

/**
 * What every prompt is called in its records: the place at which it first stands. Small families repeat their problems, and
 * equal ones must not be parted between training and held-out records.
 */
export function promptNumbers(prompts: readonly (readonly number[])[]): number[] {
  const first = new Map<string, number>();
  return prompts.map((ids, at) => {
    const text = ids.join(' ');
    const number = first.get(text) ?? at;
    first.set(text, number);
    return number;
  });
}

/** `numbers`: of the prompts, as promptNumbers gives them for all prompts of the collection. */
export async function collectRecords(
  decoder: DiffusionDecoder,
  prompts: readonly ArrayLike<number>[],
  numbers: readonly number[],
  canvas: number,
): Promise<Collection> {
  const { block: B, prompt: P } = decoder.shape;
  const plain = { ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 1 } } as const;
  const texts = (await decoder.decode(prompts, plain, { canvas })).results.map((r) => r.tokens);
  const oracle = { ...DECODE_DEFAULTS, policy: { kind: 'egp' } } as const;
  const { results } = await decoder.decode(prompts, oracle, { canvas, references: texts, trace: true });
  const records = results.flatMap((r, row) =>
    (r.trace ?? []).map(({ block, c, guess, decided }): FilterRecord => {
      const record = {
        prompt: numbers[row],
        c: new Float32Array(B),
        label: new Uint8Array(B),
        masked: new Uint8Array(B),
      };
      record.c.set(c);
      guess.forEach((id, i) => {
        record.label[i] = Number(id === texts[row][block - P + i]);
        record.masked[i] = (decided[i] >> 2) & 1;
      });
      return record;
    }),
  );
  return {
    texts,
    records,
    oraclePasses: results.map((r) => r.nfe),
    guarded: results.reduce((sum, r) => sum + r.guarded, 0),
  };
}
