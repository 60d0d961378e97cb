/** The language model of src/lm in plain float64, layer by layer: what every fast path must compute. */
import type { LmConfig } from '../../src/lm/config.ts';
import { normRow } from '../../src/tensor/reference/attention.ts';

type Weights = ReadonlyMap<string, ArrayLike<number>>;

const row = (table: ArrayLike<number>, i: number, d: number): number[] =>
  Array.from({ length: d }, (_, c) => table[i * d + c]);

/** x times w [in, out]. */
function times(x: readonly number[], w: ArrayLike<number>, out: number): number[] {
  const y = new Array<number>(out).fill(0);
  for (let i = 0; i < x.length; i++) for (let o = 0; o < out; o++) y[o] += x[i] * w[i * out + o];
  return y;
}

/** Turns channel pairs (2i, 2i+1) by position * base^(-2i / dim). */
function turn(x: readonly number[], position: number, base: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < x.length; i += 2) {
    const angle = position * base ** (-i / x.length);
    out.push(x[i] * Math.cos(angle) - x[i + 1] * Math.sin(angle), x[i] * Math.sin(angle) + x[i + 1] * Math.cos(angle));
  }
  return out;
}

export interface LmResult {
  /** Residual stream before the first layer and after each: [layers + 1][tokens][d]. */
  stream: number[][][];
  logits: number[][];
}

/** Keys and values of every layer, by token: what a cache holds between two passes. */
export interface LmMemory {
  layers: { k: number[][][]; packed: number[][] }[];
  /** Tokens whose keys and values are computed now; those of the others stand as they are. */
  fresh: (i: number) => boolean;
}

/**
 * One document: token i sees the tokens `keys(i)`. Weights are named and shaped as the model's parameters. With a memory, logits
 * of tokens that are not fresh mean nothing.
 */
export function lmReference(
  w: Weights,
  c: LmConfig,
  ids: readonly number[],
  keys: (i: number) => number[] = (i) => Array.from({ length: i + 1 }, (_, k) => k),
  memory?: LmMemory,
): LmResult {
  const get = (name: string): ArrayLike<number> => {
    const t = w.get(name);
    if (!t) throw new Error(`no weight ${name}`);
    return t;
  };
  const { d, heads, kvHeads, headDim: dim, hidden } = c;
  const sum = (a: readonly number[], b: readonly number[]): number[] => a.map((v, i) => v + b[i]);
  let x = ids.map((id, i) => {
    let e = row(get('embed'), id, d);
    if (c.shift) e = sum(e, row(get('shift'), i > 0 ? ids[i - 1] : c.vocab, d));
    if (c.positions) e = sum(e, row(get('position'), i, d));
    return e;
  });
  const stream = [x];
  for (let l = 0; l < c.layers; l++) {
    const name = `layer.${l}`;
    const packed = x.map((v) =>
      times(normRow(v, get(`${name}.norm1.g`)), get(`${name}.qkv.w`), (heads + 2 * kvHeads) * dim),
    );
    const head = (v: readonly number[], h: number): number[] => v.slice(h * dim, (h + 1) * dim);
    const q = packed.map((v, i) =>
      Array.from({ length: heads }, (_, h) => turn(normRow(head(v, h), get(`${name}.q.g`)), i, c.ropeBase)),
    );
    const k = packed.map((v, i) =>
      Array.from({ length: kvHeads }, (_, g) => turn(normRow(head(v, heads + g), get(`${name}.k.g`)), i, c.ropeBase)),
    );
    if (memory) {
      const kept = memory.layers[l];
      for (let i = 0; kept && i < x.length; i++) {
        if (!memory.fresh(i)) [k[i], packed[i]] = [kept.k[i], kept.packed[i]];
      }
      memory.layers[l] = { k, packed };
    }
    x = x.map((residual, i) => {
      const seen = keys(i);
      const mixed: number[] = [];
      for (let h = 0; h < heads; h++) {
        const g = Math.floor(h / (heads / kvHeads));
        const scores = seen.map((j) => q[i][h].reduce((s, v, c2) => s + v * k[j][g][c2], 0) / Math.sqrt(dim));
        const top = Math.max(...scores);
        const p = scores.map((s) => Math.exp(s - top));
        const total = p.reduce((a, b) => a + b, 0);
        for (let c2 = 0; c2 < dim; c2++) {
          mixed.push(seen.reduce((s, j, n) => s + (p[n] / total) * packed[j][(heads + kvHeads + g) * dim + c2], 0));
        }
      }
      return sum(residual, times(mixed, get(`${name}.out.w`), d));
    });
    x = x.map((v) => {
      const gu = times(normRow(v, get(`${name}.norm2.g`)), get(`${name}.gu.w`), 2 * hidden);
      const h = Array.from({ length: hidden }, (_, i) => (gu[i] / (1 + Math.exp(-gu[i]))) * gu[hidden + i]);
      return sum(v, times(h, get(`${name}.down.w`), d));
    });
    stream.push(x);
  }
  const logits = x.map((v) => {
    const y = normRow(v, get('norm.g'));
    if (!c.tied) return times(y, get('head.w'), c.vocab);
    return Array.from({ length: c.vocab }, (_, t) => row(get('embed'), t, d).reduce((s, e, i) => s + e * y[i], 0));
  });
  return { stream, logits };
}
