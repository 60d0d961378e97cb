/** The part of a transformer layer between two attentions, in one dispatch. */
import naiveLink from '../../../shaders/versions/row_block_naive.wgsl?link';
import { fromHalf, toHalf } from '../../data/safetensors.ts';
import { hasRowBlocks, specialise } from '../kernel.ts';
import { packTiles, planRowBlock } from '../kernels/row-block.ts';
import { type Heads, type RowPosition, ropeTable } from '../ops/attention.ts';
import { rowBlock } from '../ops/row-block.ts';
import { normRow, qkRopeReference } from '../reference/attention.ts';
import { matmulReference } from '../reference/matmul.ts';
import { swigluReference } from '../reference/pointwise.ts';
import { floats, type KernelCase, type KernelEntry, random, type Trial, type Variant, words } from './entry.ts';
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
  const [x, mixed] = [random([rows, d], 9, 2), random([rows, attended], 10)];
  const table = floats([c.at.period, heads.dim], ropeTable(c.at.period, heads.dim));
  const places = at as Record<keyof typeof parts, number>;
  return {
    inputs: { weights: floats([all.length], all), ...(c.halves ? { matrices } : {}), mixed, x, table },
    build: (t) => {
      const made = rowBlock({
        weights: t.weights,
        matrices: c.halves ? t.matrices : null,
        x: t.x,
        hidden,
        shape: heads,
        ...(c.tail ? { tail: { mixed: t.mixed, at: places } } : {}),
        ...(c.lead ? { lead: { at: places, table: t.table, position: c.at } } : {}),
      });
      return { ...(c.tail ? { y: made.y } : {}), ...(made.qkv ? { qkv: made.qkv } : {}) };
    },
    want: () => {
      const product = (a: ArrayLike<number>, b: keyof typeof parts, K: number, N: number): Float64Array =>
        matmulReference({ form: 'nn', M: rows, N, K }, { a, b: parts[b].data });
      const normed = (v: ArrayLike<number>, gain: 'norm1' | 'norm2'): number[] =>
        Array.from({ length: rows }, (_, r) =>
          normRow(Array.from(v).slice(r * d, (r + 1) * d), parts[gain].data),
        ).flat();
      let y = Float64Array.from(x.data);
      if (c.tail) {
        y = product(mixed.data, 'out', attended, d).map((v, i) => v + y[i]);
        const h = swigluReference(product(normed(y, 'norm2'), 'gu', d, 2 * hidden), rows, hidden);
        y = product(h, 'down', hidden, d).map((v, i) => v + y[i]);
      }
      const packed = product(normed(y, 'norm1'), 'qkv', d, width);
      const turned = qkRopeReference(packed, parts.gainQ.data, parts.gainK.data, heads, c.at);
      return {
        ...(c.tail ? { y: { values: y, share: TOLERANCE.f32.network } } : {}),
        ...(c.lead ? { qkv: { values: turned, share: TOLERANCE.f32.network } } : {}),
      };
    },
  };
}

const named = (name: string, c: BlockCase): KernelCase => {
  const { attended, width } = widths(c.heads);
  const [tail, lead, half] = [c.tail, c.lead, c.halves === true].map(Number);
  const dims = { rows: c.rows, d: c.d, a: attended, h: c.hidden, w: width, tail, lead, half };
  return { name, dims, make: () => trial(c) };
};

const each = { every: 1, period: 1 };
const both = { tail: true, lead: true };
const small: BlockCase = { rows: 13, d: 32, hidden: 48, heads: { heads: 4, kvHeads: 2, dim: 8 }, at: each, ...both };

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
  takes: ({ rows: all }) => all >= 29,
  instead: (d) => {
    const [all, d4, a4, h4, w4, , , dh4] = d.uniforms;
    const has = (name: string): boolean => d.bindings.some((t) => t.name === name);
    const size = { rows: all, d: 4 * d4, attended: 4 * a4, hidden: 4 * h4, width: 4 * w4, dim: 4 * dh4 };
    const parts = { tail: has('mixed'), lead: has('table'), halves: has('matrices') };
    const conditions = { software: true, lavapipe: true, f16: false, subgroups: true, subgroupSize: 8 };
    const plan = planRowBlock(conditions, { ...size, ...parts }, rows);
    if (!plan) throw new Error(`row block: no tile of ${rows} rows`);
    const uniforms = d.uniforms.slice();
    uniforms[19] = plan.tile;
    return { ...d, code: plan.code, workgroups: plan.workgroups, uniforms };
  },
});

export const ROW_BLOCK: readonly KernelEntry[] = [
  {
    name: 'row block',
    family: 'attention',
    about:
      'From one attention to the next: output projection and residual, norm, SwiGLU and residual; norm, packed projection, QK norm and rotation of the next layer.',
    label: 'row block',
    bindings: 'weights [matrices] [mixed] x [y] [table] [qkv]',
    uniform:
      'rows u32, d u32, attended u32, hidden u32, width u32, heads u32, kv u32, dh u32, every u32, period u32, eps f32, at_out u32, at_norm2 u32, at_gu u32, at_down u32, at_norm1 u32, at_qkv u32, at_gain_q u32, at_gain_k u32, tile u32',
    dispatch: 'One subgroup per tile of rows, an even number of tiles of at most 28 rows.',
    flops: 'rows*(tail*(2*(a*d + 3*d*h) + 4*d + 6*h) + lead*(2*d*w + 4*d + 8*w))',
    bytes: '(4 - 2*half)*(tail*(a*d + 3*d*h) + lead*d*w) + 4*rows*(d + tail*(a + d) + lead*w)',
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
            takes: ({ tail, lead, half }) => tail + lead - half === 2,
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
      named('first layer', { ...small, rows: 7, tail: false }),
      named('last layer', { ...small, rows: 7, lead: false }),
    ],
    bench: named('52 rows of 64, hidden 160, matrices in 16 bits', { ...MICRO, halves: true }),
    ladder: () => named('52 rows of 64, hidden 160', MICRO),
  },
];
