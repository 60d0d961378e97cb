/** The part of a transformer layer between two attentions, in one dispatch. */
import naiveLink from '../../../shaders/versions/row_block_naive.wgsl?link';
import { fromHalf, toHalf } from '../../data/safetensors.ts';
import { hasRowBlocks, specialise } from '../kernel.ts';
import { packTiles, planRowBlock } from '../kernels/row-block.ts';
import { type Heads, type RowPosition, ropeTable } from '../ops/attention.ts';
import { rowBlock } from '../ops/row-block.ts';
import { attentionReference, normRow, qkRopeReference, ringReference } from '../reference/attention.ts';
import { matmulReference } from '../reference/matmul.ts';
import { swigluReference } from '../reference/pointwise.ts';
import { ringContents } from './attention.ts';
import {
  floats,
  type Given,
  type KernelCase,
  type KernelEntry,
  random,
  type Trial,
  type Variant,
  type Want,
  words,
} from './entry.ts';
import { keptVersion } from './kept.ts';
import { TOLERANCE } from './tolerance.ts';

interface BlockCase {
  rows: number;
  d: number;
  hidden: number;
  heads: Heads;
  at: RowPosition;
  tail: boolean;
  lead: boolean;
  halves?: boolean;
  /** Rows of a sequence that see each other. */
  open?: number;
  /** A ring behind the lead, its slot written or not; `next`: another lead behind that. */
  ring?: { window: number; past: number; slot: number; half: boolean; write: boolean; next: boolean };
}

const widths = ({ heads, kvHeads, dim }: Heads) => ({ attended: heads * dim, width: (heads + 2 * kvHeads) * dim });

function trial(c: BlockCase): Trial {
  const { rows, d, hidden, heads } = c;
  const { attended, width } = widths(heads);
  const parts = {
    out: random([attended, d], 1, attended ** -0.5),
    norm2: random([d], 2),
    gu: random([d, 2 * hidden], 3, d ** -0.5),
    down: random([hidden, d], 4, hidden ** -0.5),
    norm1: random([d], 5),
    qkv: random([d, width], 6, d ** -0.5),
    gainQ: random([heads.dim], 7),
    gainK: random([heads.dim], 8),
    ...(c.ring && {
      thenOut: random([attended, d], 11, attended ** -0.5),
      thenNorm2: random([d], 12),
      thenGu: random([d, 2 * hidden], 13, d ** -0.5),
      thenDown: random([hidden, d], 14, hidden ** -0.5),
      thenNorm1: random([d], 15),
      thenQkv: random([d, width], 16, d ** -0.5),
      thenGainQ: random([heads.dim], 17),
      thenGainK: random([heads.dim], 18),
    }),
  };
  // One after the other, as a parameter store lays them out.
  const at: Record<string, number> = {};
  const all: number[] = [];
  const bits: number[] = [];
  for (const [name, { data, shape }] of Object.entries(parts)) {
    at[name] = all.length;
    const rest = new Float32Array((64 - (data.length % 64)) % 64);
    if (c.halves && shape.length === 2) {
      const own = Uint16Array.from(data, toHalf);
      own.forEach((h, i) => {
        data[i] = fromHalf(h);
      });
      bits.push(...packTiles(own, shape[0], shape[1]), ...rest);
    } else bits.push(...new Float32Array(data.length), ...rest);
    all.push(...data, ...rest);
  }
  const matrices = words([all.length / 2], new Uint32Array(Uint16Array.from(bits).buffer));
  const x = random([rows, d], 9, 2);
  const read = random([rows, c.open ? width : attended], 10);
  const past =
    c.ring &&
    ringContents(
      { ...c.ring, name: '', heads, rows, capacity: c.ring.window, cap: 0, next: c.ring.slot },
      c.ring.half ? 'f16' : undefined,
    );
  const turns = floats([c.at.period, heads.dim], ropeTable(c.at.period, heads.dim));
  const first = at as Record<'out' | 'norm2' | 'gu' | 'down' | 'norm1' | 'qkv' | 'gainQ' | 'gainK', number>;
  const second = Object.fromEntries(Object.keys(first).map((k) => [k, at[then(k)]])) as typeof first;
  return {
    inputs: { weights: floats([all.length], all), ...(c.halves ? { matrices } : {}), read, x, turns, ...past?.given },
    writes: c.ring?.write ? ['ring'] : [],
    build: (t) => {
      const made = rowBlock({
        weights: t.weights,
        matrices: c.halves ? t.matrices : null,
        x: t.x,
        hidden,
        shape: heads,
        ...(c.tail && {
          tail: { at: first, ...(c.open ? { packed: t.read } : { mixed: t.read }) },
        }),
        ...(c.lead && { lead: { at: first, table: t.turns, position: c.at } }),
        ...(c.ring && {
          ring: {
            write: c.ring.write,
            at: second,
            ...(c.ring.next && { next: { at: second, table: t.turns, position: c.at } }),
          },
        }),
        open: c.open,
        past: past?.tensors(t),
      });
      return { ...(c.tail || c.ring ? { y: made.y } : {}), ...(made.qkv ? { qkv: made.qkv } : {}) };
    },
    want: () => {
      const part = (name: string) => (parts as Record<string, Given>)[name].data as Float32Array;
      const product = (a: ArrayLike<number>, b: string, K: number, N: number): Float64Array =>
        matmulReference({ form: 'nn', M: rows, N, K }, { a, b: part(b) });
      const normed = (v: ArrayLike<number>, gain: string): number[] =>
        Array.from({ length: rows }, (_, r) => normRow(Array.from(v).slice(r * d, (r + 1) * d), part(gain))).flat();
      let y = Float64Array.from(x.data);
      const tail = (mixed: ArrayLike<number>, name: (k: string) => string): void => {
        y = product(mixed, name('out'), attended, d).map((v, i) => v + y[i]);
        const h = swigluReference(product(normed(y, name('norm2')), name('gu'), d, 2 * hidden), rows, hidden);
        y = product(h, name('down'), hidden, d).map((v, i) => v + y[i]);
      };
      const lead = (name: (k: string) => string, position: RowPosition): number[] => {
        const packed = product(normed(y, name('norm1')), name('qkv'), d, width);
        return qkRopeReference(packed, part(name('gainQ')), part(name('gainK')), heads, position);
      };
      const same = (k: string): string => k;
      if (c.tail) {
        const keys = (row: number): number[] =>
          Array.from({ length: c.open as number }, (_, i) => row - (row % (c.open as number)) + i);
        const none = new Float32Array(rows * attended);
        tail(c.open ? attentionReference(read.data, rows, heads, 0, keys, none).out : read.data, same);
      }
      let qkv = lead(same, c.ring ? { every: 1, period: 1 } : c.at);
      const out: Record<string, Want> = {};
      const share = TOLERANCE.f32.network;
      if (c.ring && past) {
        const after = past.ring.slice();
        if (c.ring.write) {
          past.place(qkv, c.ring.slot, after);
          out.ring = { values: after, share };
        }
        tail(ringReference(past.visible, qkv, rows, heads, 0), then);
        if (c.ring.next) qkv = lead(then, c.at);
      }
      if (c.tail || c.ring) out.y = { values: y, share };
      if (c.ring ? c.ring.next : c.lead) out.qkv = { values: qkv, share };
      return out;
    },
  };
}

/** The name of a parameter of the layer behind the ring. */
const then = (name: string): string => `then${name[0].toUpperCase()}${name.slice(1)}`;

const named = (name: string, c: BlockCase): KernelCase => {
  const { attended, width } = widths(c.heads);
  const [tail, lead, half] = [c.tail, c.lead, c.halves === true].map(Number);
  const past = c.ring;
  const ring = past
    ? { ring: 1, next: Number(past.next), W: past.window, cell: past.half ? 2 : 4 }
    : { ring: 0, next: 0, W: 0, cell: 0 };
  const open = { open: Number(c.open !== undefined), L: c.open ?? 0 };
  const dims = { rows: c.rows, d: c.d, a: attended, h: c.hidden, w: width, tail, lead, half, ...open, ...ring };
  return { name, dims, make: () => trial(c) };
};

const each = { every: 1, period: 1 };
const both = { tail: true, lead: true };
const small: BlockCase = { rows: 13, d: 32, hidden: 48, heads: { heads: 4, kvHeads: 2, dim: 8 }, at: each, ...both };

const RING = { window: 11, past: 11, slot: 4, half: false, write: true, next: true };

/** The dynamics of Dreamer 4's micro rung: one played frame. */
const MICRO: BlockCase = {
  rows: 52,
  d: 64,
  hidden: 160,
  heads: { heads: 4, kvHeads: 2, dim: 16 },
  at: { every: 1, period: 52 },
  ...both,
};

const base = {
  when: 'lavapipe with subgroups of 8',
  files: ['attention/row_block.wgsl'],
  entryPoint: 'main',
  needs: hasRowBlocks,
  force: { software: true, lavapipe: true, subgroupSize: 8 },
};

/** The same on a tile of other height. */
const low = (rows: number, lost: string): Variant => ({
  ...base,
  name: `${rows} rows`,
  idea: `Rows of a layer stay in one workgroup from attention to attention, ${rows} at a time.`,
  lost,
  chosen: () => false,
  // Every text takes a second to compile.
  takes: ({ rows: all, open, ring }) => all >= 29 && open + ring === 0,
  instead: (d) => {
    const [all, d4, a4, h4, w4, , , dh4] = d.uniforms;
    const size = { rows: all, d: 4 * d4, attended: 4 * a4, hidden: 4 * h4, width: 4 * w4, dim: 4 * dh4 };
    const halves = d.bindings.some((t) => t.name === 'matrices');
    const conditions = { software: true, lavapipe: true, f16: false, subgroups: true, subgroupSize: 8 };
    const plan = planRowBlock(conditions, { ...size, halves }, rows);
    if (!plan) throw new Error(`row block: no tile of ${rows} rows`);
    const uniforms = d.uniforms.slice();
    uniforms.set([plan.tile, plan.length, plan.tiles], 19);
    return { ...d, code: plan.code, workgroups: plan.workgroups, uniforms };
  },
});

export const ROW_BLOCK: readonly KernelEntry[] = [
  {
    name: 'row block',
    family: 'attention',
    about:
      'Attention where all rows of a sequence see each other; output projection and residual, norm, SwiGLU and residual; norm, packed projection, QK norm and rotation of the next layer; if that reads a ring, its attention, and then all but the first once more.',
    label: 'row block',
    bindings: 'weights [matrices] read x y table qkv [ring] [ages_table] [clock]',
    uniform:
      'rows u32, d u32, attended u32, hidden u32, width u32, heads u32, kv u32, dh u32, every u32, period u32, eps f32, at_out u32, at_norm2 u32, at_gu u32, at_down u32, at_norm1 u32, at_qkv u32, at_gain_q u32, at_gain_k u32, tile u32, length u32, tiles u32, scale f32, capacity u32, window u32, write u32, start u32, last u32, then_out u32, then_norm2 u32, then_gu u32, then_down u32, then_norm1 u32, then_qkv u32, then_gain_q u32, then_gain_k u32',
    dispatch: 'One subgroup per tile of rows, an even number of tiles of at most 28 rows.',
    flops: 'rows*((tail + ring)*(2*(a*d + 3*d*h) + 4*d + 6*h) + (lead + next)*(2*d*w + 4*d + 8*w) + 4*(L + W)*a)',
    bytes:
      '(4 - 2*half)*((tail + ring)*(a*d + 3*d*h) + (lead + next)*d*w) + rows*(4*(d + tail*(a + open*(w - a)) + (tail + ring - tail*ring)*d + lead*w) + W*(w - a)*cell)',
    exists: hasRowBlocks,
    variants: [
      {
        ...keptVersion(
          'row_block_naive',
          {
            name: 'naive',
            entryPoint: 'naive',
            idea: 'One invocation per row, one number at a time, the row in memory of its own.',
            lost: 'On lavapipe 13 times slower than the one in use (52 rows of the micro dynamics): every row loads all weights for itself.',
            takes: ({ tail, lead, half, open, ring }) => tail + lead - half - open - ring === 2,
          },
          ({ uniforms: [rows, d4, , h4] }) => ({
            code: specialise(naiveLink(), { D: 4 * d4, HIDDEN: 4 * h4 }),
            workgroups: [Math.ceil(rows / 8), 1, 1],
          }),
        ),
        needs: hasRowBlocks,
        force: base.force,
      },
      low(
        9,
        'On lavapipe 423 and 501 us against 276 and 360 of 26 rows (52 rows of the micro dynamics, two runs, all measured with barriers): six loads of all weights.',
      ),
      low(13, 'On lavapipe 310 and 546 us against 276 and 360 of 26 rows (two runs, all measured with barriers).'),
      {
        ...base,
        name: 'as many rows as fit',
        idea: 'Two workgroups for the 52 rows of a frame: a loaded weight serves 26 of them, 13 times faster than the naive one. Without barriers, which make a coroutine of it on lavapipe: 270 us instead of 370, 1.4 times as fast (52 rows of the micro dynamics, beside other work). Matrices in 16 bits, where they are exact, and gates of two rows at a time: 1.13 times as fast again.',
        chosen: hasRowBlocks,
      },
    ],
    cases: [
      named('two tiles, the second ragged', { ...small, rows: 29 }),
      named('one row', { ...small, rows: 1 }),
      named('heads of 16, positions', { ...MICRO, rows: 9, at: { every: 2, period: 3 } }),
      named('heads of 32', { ...small, rows: 5, d: 64, heads: { heads: 2, kvHeads: 2, dim: 32 } }),
      named('heads of 4', { ...small, rows: 5, heads: { heads: 8, kvHeads: 4, dim: 4 } }),
      named('matrices in 16 bits', { ...small, halves: true }),
      named('open attention, tiles within sequences', { ...small, rows: 26, open: 13 }),
      named('last layer, open attention, ragged tiles', { ...small, rows: 29, open: 29, lead: false, halves: true }),
      named('a ring that is written', { ...small, rows: 7, ring: RING }),
      named('first layer, a ring, positions', {
        ...small,
        rows: 26,
        tail: false,
        at: { every: 1, period: 13 },
        ring: { ...RING, window: 4, past: 3, slot: 3 },
      }),
      named('first layer, an empty ring', { ...small, rows: 7, tail: false, ring: { ...RING, past: 0, slot: 0 } }),
      named('open attention, ring of 16 bits, last layer', {
        ...small,
        rows: 14,
        open: 7,
        halves: true,
        ring: { ...RING, half: true, write: false, next: false },
      }),
      named('first layer', { ...small, rows: 7, tail: false }),
      named('last layer', { ...small, rows: 7, lead: false }),
    ],
    bench: named('52 rows of 64, hidden 160, matrices in 16 bits', { ...MICRO, halves: true }),
    ladder: () => named('52 rows of 64, hidden 160', MICRO),
  },
];
