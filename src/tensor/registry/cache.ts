/** Attention over a cache that is addressed by position, and its writing. */
import naiveLink from '../../../shaders/versions/cache_naive.wgsl?link';
import { halfCache, type Precision } from '../../gpu/device.ts';
import type { Heads } from '../ops/attention.ts';
import { cacheAttention } from '../ops/cache-attention.ts';
import { attentionReference } from '../reference/attention.ts';
import { naive } from './attention.ts';
import { type KernelCase, type KernelEntry, random, smallSubgroups, type Trial, type Variant, words } from './entry.ts';
import { packHalves, roundToHalf } from './halves.ts';
import { slower } from './kept.ts';
import { TOLERANCE } from './tolerance.ts';

interface CacheCase {
  name: string;
  heads: Heads;
  sequences: number;
  queries: number;
  capacity: number;
  cap: number;
  /** Position of a query's keys and values, and the positions that it sees. */
  at: (sequence: number, query: number) => number;
  bounds: (sequence: number, query: number) => [first: number, end: number];
}

const grouped: Heads = { heads: 4, kvHeads: 2, dim: 8 };

const CASES: CacheCase[] = [
  {
    name: 'decoding, sequences of different length',
    heads: grouped,
    sequences: 3,
    queries: 1,
    capacity: 13,
    cap: 0,
    at: (s) => 3 + 4 * s,
    bounds: (s) => [0, 4 + 4 * s],
  },
  {
    name: 'prefill of five, cap 2',
    heads: grouped,
    sequences: 2,
    queries: 5,
    capacity: 9,
    cap: 2,
    at: (_, q) => 2 + q,
    bounds: (s, q) => [s, 3 + q],
  },
  {
    name: 'more than one block of keys',
    heads: grouped,
    sequences: 1,
    queries: 2,
    capacity: 150,
    cap: 0,
    at: (_, q) => 148 + q,
    bounds: (_, q) => [7, 149 + q],
  },
  {
    name: 'the end of a long cache',
    heads: grouped,
    sequences: 1,
    queries: 1,
    capacity: 203,
    cap: 0,
    at: () => 149,
    bounds: () => [141, 150],
  },
  {
    name: 'rows that keep nothing and see nothing',
    heads: grouped,
    sequences: 2,
    queries: 2,
    capacity: 6,
    cap: 0,
    at: (_, q) => (q === 0 ? 4 : 0xffffffff),
    bounds: (_, q) => (q === 0 ? [0, 5] : [0, 0]),
  },
];

export const cacheBench = (capacity: number): CacheCase => ({
  name: `one row against ${capacity}, 8 + 2 x 2 heads of 32`,
  heads: { heads: 8, kvHeads: 2, dim: 32 },
  sequences: 8,
  queries: 1,
  capacity,
  cap: 0,
  at: () => capacity - 1,
  bounds: () => [0, capacity],
});

function trial(c: CacheCase, precision?: Precision): Trial {
  const { heads, kvHeads, dim } = c.heads;
  const rows = c.sequences * c.queries;
  const width = (heads + 2 * kvHeads) * dim;
  const entry = 2 * kvHeads * dim;
  const each = <T>(f: (s: number, q: number) => T): T[] =>
    Array.from({ length: rows }, (_, r) => f(Math.floor(r / c.queries), r % c.queries));
  const qkv = random([rows, width], 1, 2);
  const cache = random([c.sequences, c.capacity, 2, kvHeads, dim], 2, 2);
  if (precision) for (const given of [qkv, cache]) roundToHalf(given.data);
  return {
    inputs: {
      qkv,
      cache: precision ? words([...cache.shape.slice(0, 4), dim / 2], packHalves(cache.data)) : cache,
      at: words([rows], each(c.at)),
      bounds: words([rows, 2], each(c.bounds).flat()),
    },
    writes: ['cache'],
    build: (t) => ({
      out: cacheAttention(t.qkv, { cache: t.cache, at: t.at, bounds: t.bounds }, c.heads, c.cap),
    }),
    want: () => {
      const after = cache.data.slice();
      each(c.at).forEach((position, row) => {
        if (position >= c.capacity) return;
        const place = (Math.floor(row / c.queries) * c.capacity + position) * entry;
        after.set(qkv.data.subarray(row * width + heads * dim, (row + 1) * width), place);
      });
      // As packed rows: first the new rows with their queries, then one row for every cached position.
      const all = rows + c.sequences * c.capacity;
      const packed = new Float64Array(all * width);
      packed.set(qkv.data);
      for (let p = 0; p < c.sequences * c.capacity; p++)
        packed.set(after.subarray(p * entry, (p + 1) * entry), (rows + p) * width + heads * dim);
      const bounds = each(c.bounds);
      const seen = (row: number): number[] => {
        if (row >= rows) return [row];
        const [first, end] = bounds[row];
        const base = rows + Math.floor(row / c.queries) * c.capacity;
        return Array.from({ length: end - first }, (_, i) => base + first + i);
      };
      const none = new Float32Array(all * heads * dim);
      const { out } = attentionReference(packed, all, c.heads, c.cap, seen, none);
      return {
        out: { values: out.subarray(0, rows * heads * dim), share: TOLERANCE.f32.attention },
        cache: precision ? { words: packHalves(after) } : { values: after, share: 0 },
      };
    },
  };
}

export const cacheCase = (c: CacheCase): KernelCase => ({
  name: c.name,
  dims: {
    sequences: c.sequences,
    queries: c.queries,
    C: c.capacity,
    H: c.heads.heads,
    G: c.heads.kvHeads,
    dh: c.heads.dim,
  },
  make: (precision) => trial(c, precision),
});

const FILES = ['attention/cache_attention.wgsl', 'attention/kept.wgsl'];
const variant = (name: string, when: string, entryPoint: string, software: boolean, idea?: string): Variant => ({
  name,
  idea,
  when,
  files: FILES,
  entryPoint,
  chosen: (c) => c.software === software && !halfCache(c),
  force: { software },
});

/** One row against 1024; best batches of several runs on lavapipe, each beside its f32 twin. */
const GAIN: Record<string, string> = {
  serial: 'Twice as fast on lavapipe, slower on SwiftShader.',
  tiled: 'On lavapipe 1.6 times as fast, on SwiftShader not at all: unpacking costs more there than loading.',
  spread: 'No difference on lavapipe and SwiftShader, where barriers decide; no graphics processor has been measured.',
};

/** The same over a cache of f16. */
const half = (v: Variant, bytes: string): Variant => ({
  ...v,
  name: `${v.name}, f16`,
  idea:
    v.idea && `Keys and values are kept in f16 and widened on their way to registers: half the memory. ${GAIN[v.name]}`,
  when: `${v.when}, on request (TENFOLD_PRECISION=f16)`,
  chosen: (c) => halfCache(c) && v.chosen({ ...c, precision: undefined }),
  force: { ...v.force, precision: 'f16' },
  bytes,
});

const withHalf = (bytes: string, variants: Variant[]): Variant[] => variants.flatMap((v) => [v, half(v, bytes)]);

const BASE = {
  family: 'attention',
  bindings: 'qkv cache rule out',
  uniform: 'rows u32, queries u32, heads u32, kv u32, capacity u32, scale f32, cap f32',
  cases: CASES.map(cacheCase),
  bench: cacheCase(cacheBench(1024)),
};

export const CACHE: readonly KernelEntry[] = [
  {
    ...BASE,
    name: 'cache attention',
    about: 'New rows against a cache addressed by position: prefill, decoding, and the caches of diffusion decoding.',
    label: 'cache tiled|cache serial|cache spread',
    dispatch:
      'CPU adapters: one subgroup per row and tile of heads that share keys, or one invocation per row and head. GPUs: one workgroup of 64 per row and head.',
    flops: '4*sequences*queries*H*dh*C',
    bytes: '8*sequences*C*G*dh',
    variants: [
      naive(
        'cache_naive',
        naiveLink,
        {
          idea: 'Three passes over the positions (largest score, sum, values), every score computed three times.',
          lost: `${slower(13, 16, 'one row against 1024')}: three times the products, all loads scalar.`,
        },
        ({ uniforms: [rows, , heads] }) => [Math.ceil((rows * heads) / 8), 1, 1],
      ),
      ...withHalf('4*sequences*C*G*dh', [
        {
          ...variant('serial', 'CPU adapters without small subgroups', 'serial', true),
          idea: 'One invocation per row and head with online softmax.',
          chosen: (c) => c.software && !smallSubgroups(c) && !halfCache(c),
          force: { software: true, subgroupSize: 0 },
        },
        {
          name: 'tiled',
          idea: 'Lanes take turns at the keys and score each for all heads that share it; they meet once, at the end: 1.2 to 1.6 times faster on lavapipe, about twice on SwiftShader.',
          when: 'CPU adapters with subgroups of 4 or 8',
          files: ['attention/cache_attention_software.wgsl', 'attention/kept.wgsl'],
          entryPoint: 'tiled',
          chosen: (c) => c.software && smallSubgroups(c) && !halfCache(c),
          needs: smallSubgroups,
          force: { software: true },
        },
        variant(
          'spread',
          'graphics processors',
          'spread',
          false,
          'One workgroup per row and head: 64 keys are scored at once, then lanes share the values. On CPU adapters 13 to 20 times slower: barriers.',
        ),
      ]),
    ],
  },
  {
    ...BASE,
    name: 'cache append',
    about: 'Puts keys and values of new rows at their positions of the cache.',
    label: 'cache append',
    dispatch: 'One invocation per row and key or value head.',
    flops: '0',
    bytes: '16*sequences*queries*G*dh',
    variants: withHalf('12*sequences*queries*G*dh', [
      variant('software', 'CPU adapters', 'append', true),
      variant('GPU', 'graphics processors', 'append', false),
    ]),
  },
];
