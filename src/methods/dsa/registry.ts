/** The kernels that only this method needs, against the references of reference.ts. */

import naiveLink from '../../../shaders/versions/index_codes_naive.wgsl?link';
import type { Tensor } from '../../tensor/graph.ts';
import { specialise } from '../../tensor/kernel.ts';
import { ropeTable } from '../../tensor/ops/attention.ts';
import { NORM_EPS } from '../../tensor/ops/norm.ts';
import { NONE } from '../../tensor/ops/topk.ts';
import { latentReference } from '../../tensor/reference/latent-attention.ts';
import {
  casesOf,
  floats,
  type Given,
  type KernelEntry,
  random,
  single,
  type Trial,
  type Want,
  words,
} from '../../tensor/registry/entry.ts';
import { constantOf, keptVersion, slower } from '../../tensor/registry/kept.ts';
import { pullBack } from '../../tensor/registry/pull-back.ts';
import { TOLERANCE } from '../../tensor/registry/tolerance.ts';
import {
  hadamard,
  headDown,
  headFactor,
  headUp,
  indexLoss,
  indexQueries,
  indexScores,
  indexScoresOfCodes,
  indexTarget,
  type Quant,
  quantise,
  rotate,
  storeIndexKeys,
} from './ops.ts';
import {
  coded,
  hadamardReference,
  indexLossReference,
  indexScore,
  layerNormReference,
  rotateReference,
} from './reference.ts';

const FAMILY = 'dsa';
const { rounding, sum, map, attention } = TOLERANCE.f32;

type Turn = { rows: number; heads: number; dim: number; turned: number; half: number };
const TURNS: Turn[] = [
  { rows: 5, heads: 2, dim: 16, turned: 8, half: 1 },
  { rows: 5, heads: 2, dim: 16, turned: 8, half: 0 },
  { rows: 7, heads: 1, dim: 8, turned: 8, half: 1 },
  { rows: 3, heads: 3, dim: 4, turned: 2, half: 0 },
  ...[32, 64, 128].flatMap((dim) => [1, 0].map((half) => ({ rows: 5, heads: 2, dim, turned: dim / 2, half }))),
];
const rotateTrial = ({ rows, heads, dim, turned, half }: Turn): Trial => {
  const [x, probe] = [random([rows, heads, dim], 1), random([rows, heads, dim], 2)];
  const table = floats([rows, turned], ropeTable(rows, turned));
  const shape = { heads, dim, turned, half: half === 1 };
  return {
    inputs: { x, table, probe },
    build: (t, graph) => {
      const y = rotate(t.x, t.table, shape);
      const [dx] = pullBack(graph, y, t.probe, [t.x]);
      return { y, dx };
    },
    want: () => ({
      y: { values: rotateReference(x.data, table.data as Float32Array, shape), share: map },
      dx: { values: rotateReference(probe.data, table.data as Float32Array, shape, -1), share: map },
    }),
  };
};

type Rows = { rows: number; dim: number };
const hadamardTrial = ({ rows, dim }: Rows): Trial => {
  const [x, probe] = [random([rows, dim], 1), random([rows, dim], 2)];
  return {
    inputs: { x, probe },
    build: (t, graph) => {
      const y = hadamard(t.x, dim);
      const [dx] = pullBack(graph, y, t.probe, [t.x]);
      return { y, dx };
    },
    want: () => ({
      y: { values: hadamardReference(x.data, dim), share: sum },
      dx: { values: hadamardReference(probe.data, dim), share: sum },
    }),
  };
};

/** Log-uniform magnitudes over the whole range, exact ties between codes, zeros, rows of one size. */
function awkward(rows: number, dim: number): Float32Array<ArrayBuffer> {
  const { data } = random([rows, dim], 9);
  return data.map((v, i) => {
    const row = Math.floor(i / dim);
    if (row % 4 === 3) return 0;
    if (row % 4 === 2) return Math.round(v * 16) / 16;
    return Math.sign(v) * 2 ** (-14 * Math.abs(data[(i * 7 + 1) % data.length])) * (row % 4 === 1 ? 448 : 1);
  });
}

/** Four codes in a word, lowest byte first. */
const packed = (codes: readonly number[]): Uint32Array<ArrayBuffer> => new Uint32Array(Uint8Array.from(codes).buffer);

type Codes = { rows: number; dim: number; i8: number };
const quantiseTrial = ({ rows, dim, i8 }: Codes): Trial => {
  const x = floats([rows, dim], awkward(rows, dim));
  return {
    inputs: { x },
    build: (t): Record<string, Tensor> => {
      const { codes, scales, values } = quantise(t.x, dim, i8 ? 'i8' : 'e4m3');
      // int8 codes are compared through what they stand for, e4m3 codes word by word.
      return i8 ? { scales, values } : { codes, scales, values };
    },
    want: (): Record<string, Want> => {
      const codes = new Uint32Array((rows * dim) / 4);
      const [scales, values] = [new Float64Array(rows), new Float64Array(rows * dim)];
      for (let r = 0; r < rows; r++) {
        const block = Array.from({ length: dim }, (_, c) => (x.data as Float32Array)[r * dim + c]);
        const want = coded(block, i8 ? 'i8' : 'e4m3');
        scales[r] = want.scale;
        codes.set(packed(want.codes), (r * dim) / 4);
        values.set(i8 ? block : want.values, r * dim);
      }
      // Half a step of 127; the row with the largest values decides.
      if (i8) return { scales: { values: scales, share: map }, values: { values, share: 0.5 / 126 } };
      return { codes: { words: codes }, scales: { values: scales, share: 0 }, values: { values, share: 0 } };
    },
  };
};

type Index = {
  sequences: number;
  per: number;
  length: number;
  heads: number;
  dim: number;
  slots: number;
  listed: number;
};
const INDEX: Index[] = [
  { sequences: 1, per: 1, length: 1, heads: 1, dim: 16, slots: 1, listed: 0 },
  { sequences: 2, per: 31, length: 31, heads: 2, dim: 16, slots: 31, listed: 0 },
  { sequences: 2, per: 31, length: 31, heads: 2, dim: 16, slots: 5, listed: 1 },
  { sequences: 3, per: 2, length: 65, heads: 4, dim: 32, slots: 65, listed: 0 },
  { sequences: 1, per: 3, length: 1000, heads: 8, dim: 32, slots: 7, listed: 1 },
  { sequences: 1, per: 2, length: 9, heads: 2, dim: 64, slots: 9, listed: 0 },
];
const INDEX_BENCH: Index = { sequences: 2, per: 256, length: 256, heads: 4, dim: 32, slots: 32, listed: 1 };

const boundsOf = (s: Index, row: number): [number, number] =>
  s.per === s.length ? [0, (row % s.per) + 1] : [row % 2, s.length - (row % 3)];
const allRows = (s: Index): number[] => Array.from({ length: s.sequences * s.per }, (_, r) => r);
function slotsOf(s: Index, row: number): number[] {
  const [lo, hi] = boundsOf(s, row);
  const all = Array.from({ length: Math.max(0, hi - lo) }, (_, i) => lo + i);
  return s.listed ? all.filter((c) => (c + row) % 2 === 0 || c === hi - 1).slice(-s.slots) : all;
}
const listOf = (s: Index): number[] =>
  allRows(s).flatMap((r) => {
    const keys = slotsOf(s, r);
    return [...keys, ...new Array(s.slots - keys.length).fill(NONE)];
  });

const given = (s: Index) => ({
  q: random([s.sequences * s.per, s.heads, s.dim], 1),
  w: random([s.sequences * s.per, s.heads], 2),
  k: random([s.sequences, s.length, s.dim], 3),
  bounds: words(
    [s.sequences * s.per, 2],
    allRows(s).flatMap((r) => boundsOf(s, r)),
  ),
});
const shapeOf = ({ heads, dim, sequences, per, length }: Index) => ({ heads, dim, sequences, causal: per === length });
const LOWEST = -3.4028234663852886e38;

const scoresTrial = (s: Index): Trial => {
  const inputs = given(s);
  return {
    inputs,
    // Where nothing is seen the score is the lowest f32: the comparison is over what is seen.
    build: (t) => ({ scores: indexScores(t.q, t.w, t.k, t.bounds, shapeOf(s)) }),
    want: () => ({ scores: seen(s, (r, c) => indexScore(inputs.q.data, inputs.w.data, inputs.k.data, r, c, s)) }),
  };
};

function seen(s: Index, value: (row: number, column: number) => number) {
  const values = allRows(s).flatMap((r) => {
    const [lo, hi] = boundsOf(s, r);
    return Array.from({ length: s.length }, (_, c) => (c >= lo && c < hi ? value(r, c) : LOWEST));
  });
  const scale = values.reduce((m, v) => (v === LOWEST ? m : Math.max(m, Math.abs(v))), 1e-3);
  return { values, share: sum, scale };
}

/** Blocks in which no value lies in the middle between two int8 codes, where the rounding of a quotient would decide. */
function decided<G extends { data: Float32Array<ArrayBuffer> }>(given: G, dim: number): G {
  const data = given.data.map((v, i) => {
    const block = given.data.subarray(i - (i % dim), i - (i % dim) + dim);
    const scale = block.reduce((m, x) => Math.max(m, Math.abs(x)), 1e-4) / 127;
    const part = v / scale - Math.floor(v / scale);
    return Math.abs(part - 0.5) < 1e-3 ? v + 0.01 * scale : v;
  });
  return { ...given, data };
}

type Packed = Index & { i8: number };
const codesTrial = (s: Packed): Trial => {
  const free = given(s);
  const inputs = s.i8 ? { ...free, q: decided(free.q, s.dim), k: decided(free.k, s.dim) } : free;
  const kind: Exclude<Quant, 'f32'> = s.i8 ? 'i8' : 'e4m3';
  return {
    inputs,
    build: (t) => {
      const [q, k] = [quantise(t.q, s.dim, kind), quantise(t.k, s.dim, kind)];
      return { scores: indexScoresOfCodes(q.values, t.w, k, t.bounds, s, kind) };
    },
    want: () => {
      const values = (x: Float32Array): Float64Array => {
        const out = new Float64Array(x.length);
        for (let at = 0; at < x.length; at += s.dim)
          out.set(coded(Array.from(x.subarray(at, at + s.dim)), kind).values, at);
        return out;
      };
      const [q, k] = [values(inputs.q.data), values(inputs.k.data)];
      return { scores: seen(s, (r, c) => indexScore(q, inputs.w.data, k, r, c, s)) };
    },
  };
};

type Vector = { dim: number; turned: number; spread: number; bits: number; i8: number };
type Queries = Vector & { rows: number; heads: number };
type Keys = Vector & { sequences: number; per: number; capacity: number };
/** Widths from 16 to 128, rotations of a part and of the whole, each with and without Hadamard, in every format. */
const VECTORS: Vector[] = [
  { dim: 16, turned: 8, spread: 1, bits: 8, i8: 0 },
  { dim: 16, turned: 2, spread: 0, bits: 8, i8: 1 },
  { dim: 32, turned: 16, spread: 1, bits: 32, i8: 0 },
  { dim: 32, turned: 32, spread: 0, bits: 8, i8: 0 },
  { dim: 64, turned: 16, spread: 1, bits: 8, i8: 1 },
  { dim: 64, turned: 24, spread: 0, bits: 32, i8: 0 },
  { dim: 128, turned: 64, spread: 1, bits: 8, i8: 0 },
];
const VECTOR_BENCH: Vector = { ...VECTORS[2], bits: 8 };
const quantOf = (s: Vector): Quant => (s.bits === 32 ? 'f32' : s.i8 ? 'i8' : 'e4m3');
const formatOf = (s: Vector) => ({ dim: s.dim, hadamard: s.spread === 1, quant: quantOf(s) });

/** What lies before the codes of one vector in row `row`, by the reference. */
function finished(x: ArrayLike<number>, table: Float32Array, row: number, s: Vector): number[] {
  const turn = table.subarray(row * s.turned, (row + 1) * s.turned);
  const turned = rotateReference(x, turn, { heads: 1, dim: s.dim, turned: s.turned, half: true });
  return [...(s.spread ? hadamardReference(turned, s.dim) : turned)];
}

/**
 * `count` vectors whose codes no rounding of a sum decides: one is drawn anew until moving all channels of what
 * `toCode` makes of it by the tolerance of a sum, up or down, changes no code.
 */
function drawn(count: number, s: Vector, toCode: (x: Float32Array, i: number) => number[]) {
  const quant = quantOf(s);
  const data = new Float32Array(count * s.dim);
  const vectors = Array.from({ length: count }, (_, i) => {
    for (let salt = i; ; salt += count) {
      const x = random([s.dim], salt + 11).data;
      const values = toCode(x, i);
      data.set(x, i * s.dim);
      if (quant === 'f32') return { scale: 1, codes: [], values };
      const reach = sum * Math.max(...values.map(Math.abs));
      const [low, high] = [-reach, reach].map((d) =>
        coded(
          values.map((v) => v + d),
          quant,
        ),
      );
      const sure = low.codes.every((code, c) => code === high.codes[c]);
      if (sure && (quant === 'i8' || low.scale === high.scale)) return coded(values, quant);
    }
  });
  return { data, vectors };
}

const queriesTrial = (s: Queries): Trial => {
  const { rows, heads, dim, turned } = s;
  const table = ropeTable(rows, turned);
  const weights = random([rows, heads], 2);
  const { data, vectors } = drawn(rows * heads, s, (x, i) => finished(x, table, Math.floor(i / heads), s));
  // Codes times a power of two are exact.
  const share = { f32: sum, e4m3: 0, i8: map }[quantOf(s)];
  return {
    inputs: { raw: floats([rows, heads * dim], data), weights, turn: floats([rows, turned], table) },
    build: (t): Record<string, Tensor> => ({ ...indexQueries(t.raw, t.weights, t.turn, formatOf(s)) }),
    want: () => ({
      q: { values: vectors.flatMap(({ values }) => values), share },
      w: { values: weights.data.map((v) => v * headFactor(heads, dim)), share: rounding },
    }),
  };
};

const keysTrial = (s: Keys): Trial => {
  const { sequences, per, capacity, dim, turned } = s;
  const rows = sequences * per;
  const quant = quantOf(s);
  const table = ropeTable(rows, turned);
  const [gain, bias] = [random([dim], 2, 2), random([dim], 3)];
  const { data, vectors } = drawn(rows, s, (x, i) =>
    finished(layerNormReference(x, gain.data, bias.data, NORM_EPS), table, i, s),
  );
  // The last row of every sequence lies outside.
  const at = Array.from({ length: rows }, (_, r) => (r % per === per - 1 && per > 1 ? capacity : (r % per) + 1));
  const before = random([sequences, capacity, dim], 4);
  const cache: Record<string, Given> =
    quant === 'f32'
      ? { codes: before }
      : {
          codes: words([sequences, capacity, dim / 4], new Uint32Array(before.data.buffer, 0, before.data.length / 4)),
          scales: random([sequences, capacity, 1], 5),
        };
  /** What a cache holds afterwards, of `width` words a place. */
  const filled = (name: string, width: number, row: (v: (typeof vectors)[number]) => ArrayLike<number>): number[] => {
    const out = [...cache[name].data];
    at.forEach((place, r) => {
      if (place >= capacity) return;
      const to = (Math.floor(r / per) * capacity + place) * width;
      Array.from(row(vectors[r])).forEach((v, c) => {
        out[to + c] = v;
      });
    });
    return out;
  };
  return {
    inputs: {
      ...{ raw: floats([rows, dim], data), gain, bias, turn: floats([rows, turned], table), at: words([rows], at) },
      ...cache,
    },
    writes: Object.keys(cache),
    build: (t) => {
      const kept = quant === 'f32' ? { codes: t.codes } : { codes: t.codes, scales: t.scales };
      return { stored: storeIndexKeys(t.raw, { gain: t.gain, bias: t.bias }, t.turn, t.at, kept, formatOf(s)) };
    },
    want: (): Record<string, Want> => {
      const stored: Want = { words: [rows] };
      if (quant === 'f32') return { stored, codes: { values: filled('codes', dim, (v) => v.values), share: sum } };
      return {
        stored,
        codes: { words: filled('codes', dim / 4, (v) => packed(v.codes)) },
        scales: { values: filled('scales', 1, (v) => [v.scale]), share: quant === 'i8' ? map : 0 },
      };
    },
  };
};

type Product = { rows: number; heads: number; k: number; n: number };
const PRODUCTS: Product[] = [
  { rows: 1, heads: 1, k: 4, n: 4 },
  { rows: 7, heads: 3, k: 12, n: 8 },
];
const productTrial =
  (form: 'up' | 'down') =>
  ({ rows, heads, k, n }: Product): Trial => {
    const [own, other] = form === 'up' ? [k, n] : [n, k];
    const [x, w, probe] = [random([rows, heads, own], 1), random([k, heads * n], 2), random([rows, heads, other], 3)];
    return {
      inputs: { x, w, probe },
      build: (t, graph) => {
        const y = (form === 'up' ? headUp : headDown)(t.x, t.w, heads);
        const [dx, dw] = pullBack(graph, y, t.probe, [t.x, t.w]);
        return { y, dx, dw };
      },
      want: () => {
        const [y, dx, dw] = [rows * heads * other, rows * heads * own, k * heads * n].map((m) => new Float64Array(m));
        for (let r = 0; r < rows * heads; r++)
          for (let i = 0; i < k; i++)
            for (let j = 0; j < n; j++) {
              const at = (i * heads + (r % heads)) * n + j;
              const [a, b] = form === 'up' ? [r * k + i, r * n + j] : [r * n + j, r * k + i];
              y[b] += x.data[a] * w.data[at];
              dx[a] += probe.data[b] * w.data[at];
              dw[at] += x.data[a] * probe.data[b];
            }
        return { y: { values: y, share: sum }, dx: { values: dx, share: sum }, dw: { values: dw, share: sum } };
      },
    };
  };

type Target = Index & { groups: number; key: number; value: number; values: number };
const targetTrial = (s: Target): Trial => {
  const shape = { heads: s.heads, groups: s.groups, key: s.key, value: s.value, offset: s.values, scale: 0.3 };
  const q = random([s.sequences * s.per, s.heads, s.key], 1);
  const kv = random([s.sequences, s.length, s.groups, Math.max(s.key, s.values + s.value)], 2);
  const { bounds } = given(s);
  const result = () =>
    latentReference(q.data, kv.data, (r) => slotsOf(s, r), { ...shape, per: s.per, length: s.length });
  const lse = floats([s.sequences * s.per, s.heads], result().lse);
  return {
    inputs: { q, kv, lse, bounds, chosen: words([s.sequences * s.per, s.slots], listOf(s)) },
    build: (t) => {
      const slots = s.listed ? { bounds: t.bounds, chosen: t.chosen } : { bounds: t.bounds };
      return { p: indexTarget(t.q, t.kv, t.lse, shape, slots, { ...s, causal: s.per === s.length }) };
    },
    want: () => {
      const { p } = result();
      const values = allRows(s).flatMap((r) => {
        const out = new Array(s.slots).fill(0);
        slotsOf(s, r).forEach((column, n) => {
          for (let h = 0; h < s.heads; h++) out[s.listed ? n : column] += p[r * s.heads + h][n] / s.heads;
        });
        return out;
      });
      return { p: { values, share: attention } };
    },
  };
};

const lossTrial = (s: Index): Trial => {
  const inputs = given(s);
  const rows = s.sequences * s.per;
  const p = random([rows, s.slots], 7);
  const probabilities = allRows(s).flatMap((r) => {
    const places = slotsOf(s, r).map((column, n) => (s.listed ? n : column));
    const mass = places.reduce((a, n) => a + Math.abs(p.data[r * s.slots + n]), 0);
    const row = new Array(s.slots).fill(0);
    for (const n of places) row[n] = Math.abs(p.data[r * s.slots + n]) / mass;
    return row;
  });
  return {
    inputs: {
      ...inputs,
      p: floats([rows, s.slots], probabilities),
      chosen: words([rows, s.slots], listOf(s)),
      one: floats([1], [2]),
    },
    build: (t, graph) => {
      const slots = s.listed ? { bounds: t.bounds, chosen: t.chosen } : { bounds: t.bounds };
      const indexer = { q: t.q, w: t.w, k: t.k, scores: indexScores(t.q, t.w, t.k, t.bounds, shapeOf(s)) };
      const loss = indexLoss(indexer, t.p, slots, shapeOf(s));
      const [dq, dw, dk] = graph.gradients(loss, [t.q, t.w, t.k], t.one, (a) => a);
      if (!dq || !dw || !dk) throw new Error('index loss: no gradient');
      return { loss, dq, dw, dk };
    },
    want: () => {
      const { q, w, k } = inputs;
      const at = (r: number): number[] =>
        slotsOf(s, r).map((column, n) => Math.fround(probabilities[r * s.slots + (s.listed ? n : column)]));
      const want = indexLossReference(q.data, w.data, k.data, (r) => slotsOf(s, r), at, s);
      const twice = (x: Float64Array) => ({
        values: x.map((v) => 2 * v),
        share: 4 * attention,
        scale: x.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-3),
      });
      return {
        loss: { values: [want.loss], share: attention, scale: Math.max(1, want.loss) },
        dq: twice(want.dq),
        dw: twice(want.dw),
        dk: twice(want.dk),
      };
    },
  };
};

const ROWS = 'sequences*per';
const PAIRS = '2*sequences*per*length*heads*dim';
const FINISHING = '(3*turned + spread*dim*(Math.log2(dim) + 1) + (bits === 32 ? 0 : 4*dim))';
const INDEX_UNIFORM = 'rows u32, heads u32, per u32, length u32';
const LIST = '(listed ? sequences*per*slots : 4)';
const product = (form: 'up' | 'down' | 'weight', about: string, bytes: string): KernelEntry => ({
  name: `head matmul ${form}`,
  family: FAMILY,
  about,
  label: 'head matmul',
  bindings: 'a b c',
  uniform: 'rows u32, heads u32, k u32, n u32',
  dispatch: 'One invocation per element of the result.',
  flops: '2*rows*heads*k*n',
  bytes: `4*(${bytes})`,
  variants: single('methods/dsa/head_matmul.wgsl', form),
  cases: casesOf(PRODUCTS, productTrial(form === 'down' ? 'down' : 'up')),
  bench: casesOf([{ rows: 512, heads: 8, k: 32, n: 64 }], productTrial(form === 'down' ? 'down' : 'up'))[0],
});
const MATRICES = 'rows*heads*(k + n) + k*heads*n';

const TARGETS: Target[] = [
  { ...INDEX[1], heads: 4, groups: 1, key: 24, value: 16, values: 0 },
  { ...INDEX[2], heads: 4, groups: 4, key: 12, value: 8, values: 12 },
  { ...INDEX[3], groups: 2, key: 12, value: 8, values: 12 },
];

/** Many queries over keys in full quads: CPU adapters take them by matrix products. */
const MANY: Index[] = [
  { sequences: 2, per: 36, length: 36, heads: 4, dim: 16, slots: 36, listed: 0 },
  { sequences: 3, per: 16, length: 16, heads: 8, dim: 32, slots: 16, listed: 0 },
  { sequences: 2, per: 18, length: 44, heads: 2, dim: 16, slots: 44, listed: 0 },
];
const MANY_BENCH: Index = { ...MANY[0], per: 256, length: 256, slots: 256 };
const MANY_TARGETS: Target[] = [
  { ...MANY[0], groups: 4, key: 12, value: 8, values: 12 },
  { ...MANY[1], groups: 1, key: 24, value: 16, values: 0 },
  { ...MANY[2], groups: 1, key: 12, value: 8, values: 12 },
];

export const DSA: readonly KernelEntry[] = [
  {
    name: 'rotate',
    family: FAMILY,
    about: 'Rotary positions of the first channels of every head, pairs apart or side by side.',
    label: 'rotate',
    bindings: 'x table y',
    uniform: 'rows u32, heads u32, dim u32, turned u32, half u32, sign f32',
    dispatch: 'One invocation per element.',
    flops: '3*rows*heads*dim',
    bytes: '4*(2*rows*heads*dim + rows*turned)',
    variants: single('methods/dsa/rotate.wgsl', 'rotate'),
    cases: casesOf(TURNS, rotateTrial),
    bench: casesOf([{ rows: 4096, heads: 4, dim: 32, turned: 16, half: 1 }], rotateTrial)[0],
  },
  {
    name: 'hadamard',
    family: FAMILY,
    about: 'Rows times the orthonormal Hadamard matrix, by the fast transform.',
    label: 'hadamard',
    bindings: 'x y',
    uniform: 'rows u32, scale f32',
    dispatch: 'One invocation per row.',
    flops: 'rows*dim*(Math.log2(dim) + 1)',
    bytes: '8*rows*dim',
    variants: single('methods/dsa/hadamard.wgsl', 'hadamard'),
    cases: casesOf(
      [16, 32, 64, 128].map((dim) => ({ rows: 3, dim })),
      hadamardTrial,
    ),
    bench: casesOf([{ rows: 16384, dim: 32 }], hadamardTrial)[0],
  },
  {
    name: 'quantise',
    family: FAMILY,
    about: 'e4m3 codes with power-of-two block scales, or int8; four codes in a word.',
    label: 'quantise',
    bindings: 'x codes scales values',
    uniform: 'rows u32, d4 u32, mode u32',
    dispatch: 'One invocation per row of a head.',
    flops: '4*rows*dim',
    bytes: '4*(2*rows*dim + rows*dim/4 + rows)',
    variants: single('methods/dsa/quantise.wgsl', 'quantise'),
    cases: casesOf(
      [
        { rows: 3200, dim: 32, i8: 0 },
        { rows: 9, dim: 128, i8: 0 },
        { rows: 9, dim: 16, i8: 1 },
      ],
      quantiseTrial,
    ),
    bench: casesOf([{ rows: 16384, dim: 32, i8: 0 }], quantiseTrial)[0],
  },
  {
    name: 'index query',
    family: FAMILY,
    about: 'Queries and head weights of the indexer, from their projections to what is scored.',
    label: 'index query',
    bindings: 'turn raw weights q w',
    uniform: 'rows u32, heads u32, pairs u32, mode u32, spread f32, factor f32',
    dispatch: 'One invocation per row and head.',
    flops: `rows*heads*(${FINISHING} + 1)`,
    bytes: '4*rows*(turned + 2*heads*(dim + 1))',
    variants: single('methods/dsa/index_query.wgsl', 'prepare_query'),
    cases: casesOf(
      VECTORS.map((v, i) => ({ ...v, rows: 3 * i + 1, heads: 1 + (i % 3) })),
      queriesTrial,
    ),
    bench: casesOf([{ ...VECTOR_BENCH, rows: 512, heads: 4 }], queriesTrial)[0],
  },
  {
    name: 'index key',
    family: FAMILY,
    about: 'Keys of the indexer, from their projection to codes in the cache.',
    label: 'index key',
    bindings: 'turn raw gain bias at codes scales stored',
    uniform: 'rows u32, per u32, capacity u32, pairs u32, mode u32, spread f32, eps f32',
    dispatch: 'One invocation per row.',
    flops: `${ROWS}*(${FINISHING} + 7*dim)`,
    bytes: `4*(${ROWS}*(turned + dim + 1 + (bits === 32 ? dim : dim/4 + 1)) + 2*dim + 1)`,
    variants: single('methods/dsa/index_key.wgsl', 'prepare_key'),
    cases: casesOf(
      VECTORS.map((v, i) => ({ ...v, sequences: 1 + (i % 3), per: i + 1, capacity: 2 * i + 3 })),
      keysTrial,
    ),
    bench: casesOf([{ ...VECTOR_BENCH, sequences: 8, per: 64, capacity: 1024 }], keysTrial)[0],
  },
  {
    name: 'index scores',
    family: FAMILY,
    about: 'Lightning indexer: weighted sum over heads of ReLU(q . k), on f32 vectors.',
    label: 'index scores',
    bindings: 'q w k bounds scores',
    uniform: INDEX_UNIFORM,
    dispatch: 'One invocation per query and key.',
    flops: PAIRS,
    bytes: `4*(${ROWS}*(heads*dim + heads + 2 + length) + sequences*length*dim)`,
    variants: single('methods/dsa/index_scores.wgsl', 'of_values'),
    cases: casesOf(INDEX, scoresTrial),
    bench: casesOf([{ ...INDEX_BENCH, per: 8, length: 4096 }], scoresTrial)[0],
  },
  {
    name: 'index scores of codes',
    family: FAMILY,
    about: 'The lightning indexer on packed 8-bit keys.',
    label: 'index scores of codes',
    bindings: 'q w k k_scale bounds scores',
    uniform: `${INDEX_UNIFORM}, mode u32`,
    dispatch: 'One invocation per query and key.',
    flops: PAIRS,
    bytes: `4*(${ROWS}*(heads*dim + heads + 2 + length) + sequences*length*(dim/4 + 1))`,
    variants: [
      keptVersion(
        'index_codes_naive',
        {
          name: 'naive',
          entryPoint: 'naive',
          idea: 'One channel at a time; a code of a key is loaded and decoded anew for every head.',
          lost: `${slower(2.3, 4.8, '131072 keys, 4 heads of 32')}.`,
        },
        (d) => ({ code: specialise(naiveLink(), { D16: constantOf(d, 'D16') }), workgroups: d.workgroups }),
      ),
      {
        ...single('methods/dsa/index_scores_codes.wgsl', 'of_codes')[0],
        idea: 'Sixteen codes a load, decoded once for all heads. On lavapipe 2.3, on SwiftShader 4.8 times faster than the naive one (131072 keys, 4 heads of 32).',
      },
    ],
    cases: casesOf(
      INDEX.flatMap((s) => [0, 1].map((i8) => ({ ...s, i8 }))),
      codesTrial,
    ),
    bench: casesOf(
      [{ sequences: 1, per: 1, length: 131072, heads: 4, dim: 32, slots: 1, listed: 0, i8: 0 }],
      codesTrial,
    )[0],
  },
  product('up', 'One matrix per head: applies an up-projection of latents.', MATRICES),
  product('down', 'One transposed matrix per head: absorbs an up-projection into queries.', MATRICES),
  product('weight', 'Derivative of both by the matrix.', MATRICES),
  {
    name: 'index target',
    family: FAMILY,
    about: 'Attention probabilities, mean over heads: what the indexer learns.',
    label: 'index target',
    bindings: 'q kv lse bounds chosen p',
    uniform: 'rows u32, heads u32, groups u32, per u32, length u32, slots u32, listed u32, values u32, scale f32',
    dispatch: 'One invocation per query and slot.',
    flops: `2*${ROWS}*slots*heads*key`,
    bytes: `4*(${ROWS}*(heads*key + heads + 2 + slots) + sequences*length*groups*Math.max(key, values + value) + ${LIST})`,
    variants: single('methods/dsa/index_target.wgsl', 'mean_probability'),
    cases: casesOf(TARGETS, targetTrial),
    bench: casesOf([{ ...INDEX_BENCH, groups: 1, key: 80, value: 64, values: 0 }], targetTrial)[0],
  },
  {
    name: 'index target of scores',
    family: FAMILY,
    about: 'The same for whole rows whose scores a matrix product has made.',
    label: 'index target of scores',
    bindings: 'scores lse bounds p',
    uniform: 'rows u32, per u32, length u32, heads u32, groups u32, scale f32',
    dispatch: 'One invocation per query and four keys.',
    exists: (c) => c.software,
    flops: `4*${ROWS}*length*heads`,
    bytes: `4*(${ROWS}*((heads + 1)*length + heads + 2))`,
    variants: single('methods/dsa/index_target_scores.wgsl', 'mean_probability'),
    cases: casesOf(MANY_TARGETS, targetTrial),
    bench: casesOf([{ ...MANY_TARGETS[0], ...MANY_BENCH }], targetTrial)[0],
  },
  {
    name: 'index kl',
    family: FAMILY,
    about: 'KL of attention to the softmax of the index scores, with its slope.',
    label: 'index kl',
    bindings: 'p scores bounds chosen loss slope',
    uniform: 'rows u32, length u32, slots u32, listed u32, share f32',
    dispatch: 'One invocation per query.',
    flops: `8*${ROWS}*slots`,
    bytes: `4*(${ROWS}*(2*slots + length + 3) + ${LIST})`,
    variants: single('methods/dsa/index_kl.wgsl', 'divergence'),
    cases: casesOf(INDEX, lossTrial),
    bench: casesOf([INDEX_BENCH], lossTrial)[0],
  },
  {
    name: 'index backward query',
    family: FAMILY,
    about: 'Derivative of the index scores by queries and head weights.',
    label: 'index backward',
    bindings: 'q w k chosen slope upstream dq dw',
    uniform: `${INDEX_UNIFORM}, slots u32, listed u32`,
    dispatch: 'One invocation per query and head.',
    flops: `4*${ROWS}*slots*heads*dim`,
    bytes: `4*(2*${ROWS}*heads*(dim + 1) + sequences*length*dim + ${LIST} + ${ROWS}*slots + 1)`,
    variants: single('methods/dsa/index_backward_query.wgsl', 'backward_query'),
    cases: casesOf(INDEX, lossTrial),
    bench: casesOf([INDEX_BENCH], lossTrial)[0],
  },
  {
    name: 'index backward key',
    family: FAMILY,
    about: 'Derivative of the index scores by keys, key-major.',
    label: 'index backward',
    bindings: 'q w k chosen slope upstream dk',
    uniform: `${INDEX_UNIFORM}, slots u32, listed u32`,
    dispatch: 'One invocation per key, walking the queries that may see it.',
    flops: `4*${ROWS}*slots*heads*dim`,
    bytes: `4*(${ROWS}*heads*(dim + 1) + 2*sequences*length*dim + ${LIST} + ${ROWS}*slots + 1)`,
    variants: single('methods/dsa/index_backward_key.wgsl', 'backward_key'),
    cases: casesOf(INDEX, lossTrial),
    bench: casesOf([INDEX_BENCH], lossTrial)[0],
  },
  {
    name: 'index keys',
    family: FAMILY,
    about: 'Packed 8-bit keys back to numbers, for many queries.',
    label: 'index keys',
    bindings: 'codes scales values',
    uniform: 'keys u32, d4 u32, mode u32',
    dispatch: 'One invocation per four channels.',
    exists: (c) => c.software,
    flops: 'sequences*length*dim',
    bytes: '4*sequences*length*(dim/4 + 1 + dim)',
    variants: single('methods/dsa/index_keys.wgsl', 'unpack'),
    cases: casesOf([...MANY.map((s) => ({ ...s, i8: 0 })), { ...MANY[2], i8: 1 }], codesTrial),
    bench: casesOf([{ ...MANY_BENCH, i8: 0 }], codesTrial)[0],
  },
  {
    name: 'index scores of products',
    family: FAMILY,
    about: 'The lightning indexer for whole rows whose q . k a matrix product has made.',
    label: 'index scores of products',
    bindings: 'z w bounds scores',
    uniform: 'rows u32, heads u32, length u32',
    dispatch: 'One invocation per query and four keys.',
    exists: (c) => c.software,
    flops: `3*${ROWS}*length*heads`,
    bytes: `4*${ROWS}*((heads + 1)*length + heads + 2)`,
    variants: single('methods/dsa/index_products.wgsl', 'of_products'),
    cases: casesOf(MANY, scoresTrial),
    bench: casesOf([MANY_BENCH], scoresTrial)[0],
  },
  {
    name: 'index products backward',
    family: FAMILY,
    about: 'Derivative of those scores by the products and the head weights.',
    label: 'index products backward',
    bindings: 'z w slope upstream bounds dz dw',
    uniform: 'rows u32, heads u32, quads u32',
    dispatch: 'One invocation per query and head.',
    exists: (c) => c.software,
    flops: `4*${ROWS}*length*heads`,
    bytes: `4*(${ROWS}*(2*heads*length + length + 2*heads + 2) + 1)`,
    variants: single('methods/dsa/index_products_backward.wgsl', 'backward'),
    cases: casesOf(MANY, lossTrial),
    bench: casesOf([MANY_BENCH], lossTrial)[0],
  },
];
