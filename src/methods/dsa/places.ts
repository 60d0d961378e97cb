/**
 * Where the chosen keys lie and where answers cost bits (dsa.md section 6): ages of the chosen keys t - s in doubling bins by
 * layer, how often the first tokens are among them, and bits by position. Counts only; arm.ts feeds them.
 */

/** Tokens at the start of a row that attention sinks would keep. */
export const SINKS = 4;
/** Stretches of a row that bits are averaged over. */
const STRETCHES = 16;

/** Bin of an age: 0, 1, 2-3, 4-7, ... */
export const ageBin = (age: number): number => (age === 0 ? 0 : 32 - Math.clz32(age));
/** First and last age of a bin. */
export const agesOf = (bin: number): [from: number, to: number] =>
  bin === 0 ? [0, 0] : [2 ** (bin - 1), 2 ** bin - 1];

export class Places {
  readonly time: number;
  /** [layer][bin]: chosen keys, and those that the oracle would choose. */
  readonly chosen: Float64Array[];
  readonly oracle: Float64Array[];
  /** Of the first tokens of a row, how many were chosen, and how many could have been. */
  sinks = 0;
  offered = 0;
  readonly bits = new Float64Array(STRETCHES);
  readonly answers = new Float64Array(STRETCHES);

  constructor(layers: number, time: number) {
    this.time = time;
    const bins = (): Float64Array => new Float64Array(ageBin(time - 1) + 1);
    this.chosen = Array.from({ length: layers }, bins);
    this.oracle = Array.from({ length: layers }, bins);
  }

  /** The keys (ascending, all below `time`) of one query at place t. */
  add(layer: number, t: number, keys: Uint32Array, oracle: Uint32Array): void {
    for (const s of keys) {
      if (s > t) break;
      this.chosen[layer][ageBin(t - s)] += 1;
      if (s < SINKS) this.sinks += 1;
    }
    for (const s of oracle) if (s <= t) this.oracle[layer][ageBin(t - s)] += 1;
    this.offered += SINKS;
  }

  /** What the answer behind place t cost. */
  cost(t: number, bits: number): void {
    const at = Math.floor((t * STRETCHES) / this.time);
    this.bits[at] += bits;
    this.answers[at] += 1;
  }
}

/** First and last place of a stretch of rows of `time` tokens. */
const placesOf = (time: number, stretch: number): [from: number, to: number] => {
  const at = (n: number): number => Math.ceil((n * time) / STRETCHES);
  return [at(stretch), at(stretch + 1) - 1];
};

/** What crosses from a worker to the page. */
export type PlaceCounts = Pick<Places, 'time' | 'chosen' | 'oracle' | 'sinks' | 'offered' | 'bits' | 'answers'>;

/** Rows of the table of ages: layer, ages from and to, share of the chosen keys and of the oracle's. */
export function ageRows(all: readonly PlaceCounts[]): (number | string)[][] {
  const sum = (x: readonly Float64Array[]): Float64Array =>
    x.reduce((a, b) => a.map((v, i) => v + b[i]), new Float64Array(x[0].length));
  const round = (x: number): number => Math.round(x * 1e4) / 1e4;
  return all[0].chosen.flatMap((_, layer) => {
    const sides = [sum(all.map((p) => p.chosen[layer])), sum(all.map((p) => p.oracle[layer]))];
    const totals = sides.map((side) =>
      Math.max(
        1,
        side.reduce((a, b) => a + b, 0),
      ),
    );
    return Array.from(sides[0], (_, bin) => {
      return [layer, ...agesOf(bin), ...sides.map((side, i) => round(side[bin] / totals[i]))];
    });
  });
}

/** Rows of the table of bits by position: task, places from and to, bits per answer of either side, answers. */
export function positionRows(task: string, dense: PlaceCounts, sparse: PlaceCounts): (number | string)[][] {
  const round = (x: number): number => Number(x.toPrecision(4));
  return Array.from({ length: STRETCHES }, (_, i) => i)
    .filter((i) => dense.answers[i] > 0 && sparse.answers[i] > 0)
    .map((i) => {
      const each = [dense, sparse].map((side) => round(side.bits[i] / side.answers[i]));
      return [task, ...placesOf(dense.time, i), ...each, dense.answers[i]];
    });
}
