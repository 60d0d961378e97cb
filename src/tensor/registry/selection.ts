/** Exact top-k in its three forms, and what goes with a selection: bits, rows stored by position. */

import bisectLink from '../../../shaders/attention/topk_bisect.wgsl?link';
import naiveLink from '../../../shaders/versions/topk_naive.wgsl?link';
import { cover } from '../kernel.ts';
import { storeRows } from '../ops/store-rows.ts';
import { NONE, type Selector, selectionBits, topK } from '../ops/topk.ts';
import { topKReference } from '../reference/topk.ts';
import {
  casesOf,
  floats,
  type KernelCase,
  type KernelEntry,
  random,
  single,
  type Trial,
  type Variant,
  words,
} from './entry.ts';
import { keptVersion, slower } from './kept.ts';

const FAMILY = 'attention';

type Sizes = { rows: number; length: number; k: number };

/** Scores of a ReLU: many exact zeros, duplicates around the threshold; the last row is constant, one row has no tail. */
function scoresOf({ rows, length }: Sizes): Float32Array<ArrayBuffer> {
  const { data } = random([rows, length], 5);
  return data.map((v, i) => {
    const row = Math.floor(i / length);
    if (row === rows - 1 && rows > 1) return 0.25;
    if (row % 3 === 1) return v < 0.8 ? 0 : v;
    return row % 3 === 2 ? Math.round(v * 8) / 8 : v;
  });
}

/** Candidates: all, a causal prefix, or a stretch in the middle. */
const boundsOf = ({ rows, length }: Sizes): [lo: number, hi: number][] =>
  Array.from({ length: rows }, (_, r) => {
    if (r % 4 === 1) return [0, Math.max(1, length >> 1)];
    if (r % 4 === 3) return [Math.floor(length / 3), length];
    return [0, length];
  });

function chosenOf(s: Sizes): number[] {
  const scores = scoresOf(s);
  return boundsOf(s).flatMap(([lo, hi], r) => {
    const row = topKReference(scores.subarray(r * s.length, (r + 1) * s.length), lo, hi, s.k);
    return [...row, ...new Array(s.k - row.length).fill(NONE)];
  });
}

const trial =
  (selector: Selector) =>
  (s: Sizes): Trial => ({
    inputs: { scores: floats([s.rows, s.length], scoresOf(s)), bounds: words([s.rows, 2], boundsOf(s).flat()) },
    build: (t) => ({ chosen: topK(t.scores, t.bounds, s.k, selector) }),
    want: () => ({ chosen: { words: chosenOf(s) } }),
  });

const SIZES: Sizes[] = [
  { rows: 1, length: 1, k: 1 },
  { rows: 6, length: 31, k: 4 },
  { rows: 5, length: 65, k: 65 },
  { rows: 7, length: 1000, k: 64 },
  { rows: 4, length: 300, k: 400 },
];

const casesFor = (selector: Selector): KernelCase[] => casesOf(SIZES, trial(selector));

const TEXT = {
  radix: 'One workgroup of 256 per row: four histograms of 8 bits in workgroup memory, then a write in order.',
  bisect: 'One invocation per row: 32 counting passes, then a write in order.',
};

const LADDER: Sizes = { rows: 16, length: 4096, k: 64 };

const RADIX: Variant[] = [
  keptVersion(
    'topk_naive',
    {
      name: 'naive',
      entryPoint: 'naive',
      idea: 'One invocation per row compares every column with every other: chosen are those that fewer than k beat.',
      lost: `${slower(96, 112, '16 rows of 4096')}: it reads the square of the length.`,
    },
    ({ uniforms: [rows] }) => ({ code: naiveLink(), workgroups: cover(rows) }),
  ),
  {
    ...keptVersion(
      'topk_naive',
      {
        name: 'bisect',
        entryPoint: 'bisect',
        idea: 'One invocation per row: the k-th largest value bit by bit, 32 passes over the row. CPU adapters take it for rows of up to 2048 columns.',
        lost: 'Of longer rows there are few, and 64 of them share a core: on lavapipe 0.82, on SwiftShader 0.93 times the processor time of the one in use (16 rows of 4096), but all of it on one core.',
      },
      ({ uniforms: [rows] }) => ({ code: bisectLink(), workgroups: cover(rows) }),
    ),
    when: 'CPU adapters, shorter rows',
    files: ['attention/topk_bisect.wgsl'],
  },
  {
    ...single('attention/topk_radix.wgsl', 'radix')[0],
    idea: 'One workgroup per row counts digits of eight bits: four passes find the k-th largest value, two write. On lavapipe 96, on SwiftShader 112 times faster than the naive one (16 rows of 4096).',
  },
];

const whole = (selector: 'radix' | 'bisect', passes: number): KernelEntry => ({
  name: `top-k ${selector}`,
  family: FAMILY,
  about: 'The k largest scores of every row, ties to the most recent, in ascending order.',
  label: `top-k ${selector}`,
  bindings: 'scores bounds chosen',
  uniform: 'rows u32, length u32, k u32',
  dispatch: TEXT[selector],
  flops: '0',
  bytes: `4*(rows*length*${passes} + rows*k)`,
  variants: selector === 'radix' ? RADIX : single('attention/topk_bisect.wgsl', 'bisect'),
  cases: casesFor(selector),
  bench: casesOf([{ rows: 64, length: 1024, k: 64 }], trial(selector))[0],
  ladder: () => casesOf([LADDER], trial(selector))[0],
});

const part = (entryPoint: string, about: string, dispatch: string, bytes: string): KernelEntry => ({
  name: `top-k split ${entryPoint}`,
  family: FAMILY,
  about,
  label: `top-k ${entryPoint}`,
  bindings: 'scores bounds state bins counts chosen',
  uniform: 'rows u32, length u32, k u32, digit u32, blocks u32',
  dispatch,
  flops: '0',
  bytes,
  variants: single('attention/topk_split.wgsl', entryPoint),
  cases: casesFor('split'),
  bench: casesOf([{ rows: 1, length: 131072, k: 64 }], trial('split'))[0],
});

const ALL = '4*rows*length';

const bitsTrial = (s: Sizes): Trial => ({
  inputs: { chosen: words([s.rows, s.k], chosenOf(s)) },
  build: (t) => ({ bits: selectionBits(t.chosen, s.length) }),
  want: () => {
    const count = Math.ceil(s.length / 32);
    const out = new Uint32Array(s.rows * count);
    chosenOf(s).forEach((column, i) => {
      if (column !== NONE) out[Math.floor(i / s.k) * count + (column >> 5)] |= 1 << (column & 31);
    });
    return { bits: { words: out } };
  },
});

type Store = { sequences: number; per: number; capacity: number; width: number };
const storeTrial = ({ sequences, per, capacity, width }: Store): Trial => {
  const rows = sequences * per;
  const [x, cache] = [random([rows, width], 1), random([sequences, capacity, width], 2)];
  // The last row of every sequence lies outside.
  const at = Array.from({ length: rows }, (_, r) => (r % per === per - 1 && per > 1 ? capacity : (r % per) + 1));
  return {
    inputs: { x, at: words([rows], at), cache },
    writes: ['cache'],
    build: (t) => ({ stored: storeRows(t.x, t.at, t.cache) }),
    want: () => {
      const values = Float32Array.from(cache.data);
      at.forEach((place, r) => {
        if (place >= capacity) return;
        const to = (Math.floor(r / per) * capacity + place) * width;
        values.set(x.data.subarray(r * width, (r + 1) * width), to);
      });
      return { cache: { values, share: 0 }, stored: { words: [rows] } };
    },
  };
};

export const SELECTION: readonly KernelEntry[] = [
  whole('radix', 6),
  whole('bisect', 34),
  part('start', 'Clears the histograms of all digits.', 'One invocation per bin.', '4*rows*3*2048'),
  part('histogram', 'Counts a digit of the candidates that match so far.', 'One invocation per 64 columns.', ALL),
  part('pick', 'Finds the bin of the k-th largest value.', 'One invocation per row.', '4*rows*2048'),
  part('count', 'Values above the threshold and equal to it, by block.', 'One invocation per 64 columns.', ALL),
  part('offsets', 'Counts to sums before each block.', 'One invocation per row.', '4*rows*2*Math.ceil(length/64)'),
  part('emit', 'Writes the chosen columns in order.', 'One invocation per 64 columns.', ALL),
  {
    name: 'selection bits',
    family: FAMILY,
    about: 'Chosen columns as a bit mask.',
    label: 'selection bits',
    bindings: 'chosen bits',
    uniform: 'rows u32, k u32, words u32',
    dispatch: 'One invocation per word of 32 columns.',
    flops: '0',
    bytes: '4*rows*(k + Math.ceil(length/32))',
    variants: single('attention/selection_bits.wgsl', 'selection_bits'),
    cases: casesOf(SIZES, bitsTrial),
    bench: casesOf([{ rows: 1024, length: 1024, k: 64 }], bitsTrial)[0],
  },
  {
    name: 'store rows',
    family: FAMILY,
    about: 'Rows into a cache at their positions.',
    label: 'store rows',
    bindings: 'x at cache stored',
    uniform: 'rows u32, per u32, capacity u32, words u32',
    dispatch: 'One invocation per word.',
    flops: '0',
    bytes: '4*(sequences*(per*(width + 1) + capacity*width) + 1)',
    variants: single('attention/store_rows.wgsl', 'store'),
    cases: casesOf(
      [
        { sequences: 1, per: 1, capacity: 3, width: 1 },
        { sequences: 3, per: 5, capacity: 7, width: 12 },
      ],
      storeTrial,
    ),
    bench: casesOf([{ sequences: 8, per: 64, capacity: 1024, width: 80 }], storeTrial)[0],
  },
];
