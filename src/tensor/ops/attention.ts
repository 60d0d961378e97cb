/**
 * One attention family: space (all slots of a frame, bit mask), time (one sequence a slot, causal window), causal.
 * Rows are packed [H query heads | G key heads | G value heads] x dh. Formulas: Vaswani et al. 2017, online softmax of
 * Milakov and Gimelshein 2018, grouped queries of Ainslie et al. 2023, QK norm and soft cap as in dreamer4 section 3.
 */
import decodeLink from '../../../shaders/attention/decode.wgsl?link';
import decodeSoftwareLink from '../../../shaders/attention/decode_software.wgsl?link';
import forwardLink from '../../../shaders/attention/forward.wgsl?link';
import forwardSoftwareLink from '../../../shaders/attention/forward_software.wgsl?link';
import ropeLink from '../../../shaders/attention/qk_rope.wgsl?link';
import ropeBackwardLink from '../../../shaders/attention/qk_rope_backward.wgsl?link';
import type { Conditions } from '../../gpu/device.ts';
import type { Tensor } from '../graph.ts';
import { cover, pack, specialise, unrollLoops } from '../kernel.ts';
import { NORM_EPS } from './norm.ts';
import { sumRows } from './reduce.ts';

export interface Heads {
  heads: number;
  kvHeads: number;
  /** Channels per head; a multiple of 4. */
  dim: number;
}

/** Position of a row in a rotary table: (row / every) % period. */
export interface RowPosition {
  every: number;
  period: number;
}

export interface SequenceLayout {
  /** Elements of a sequence and number of sequences. */
  length: number;
  count: number;
  inner: number;
  outer: number;
  stride: number;
  /**
   * Bits: mask tensor holds u32 words [length, ceil(length/32)]. Window: it holds the first visible element per batch row.
   * Bounds: it holds [rows, 2], the first key that a row sees and one past its last; `causal` promises that it never
   * sees a later one. Open: every element sees all; the mask tensor is not read.
   */
  mask: { kind: 'bits' } | { kind: 'window'; window: number } | { kind: 'bounds'; causal: boolean } | { kind: 'open' };
  cap: number;
}

/** One sequence per frame of S slots. */
export function spaceLayout(frames: number, slots: number, cap: number): SequenceLayout {
  return { length: slots, count: frames, inner: 1, outer: slots, stride: 1, mask: { kind: 'bits' }, cap };
}

/** The same where all slots see each other. */
export function openLayout(frames: number, slots: number, cap: number): SequenceLayout {
  return { ...spaceLayout(frames, slots, cap), mask: { kind: 'open' } };
}

/** One causal sequence per slot: rows [B, T, S]. */
export function timeLayout(batch: number, time: number, slots: number, window: number, cap: number): SequenceLayout {
  return {
    length: time,
    count: batch * slots,
    inner: slots,
    outer: time * slots,
    stride: slots,
    mask: { kind: 'window', window },
    cap,
  };
}

/** One causal sequence per batch row: rows [B, T]. */
export function causalLayout(batch: number, time: number, window: number, cap = 0): SequenceLayout {
  return { length: time, count: batch, inner: 1, outer: time, stride: 1, mask: { kind: 'window', window }, cap };
}

/** One sequence per batch row, rows [B, T], each query with key bounds of its own: packed documents, prefixes, padding. */
export function boundedLayout(batch: number, time: number, causal: boolean, cap = 0): SequenceLayout {
  return { length: time, count: batch, inner: 1, outer: time, stride: 1, mask: { kind: 'bounds', causal }, cap };
}

/** Packs a boolean mask [S, S] (row = query) into the words that a `bits` layout reads. */
export function maskBits(size: number, allowed: (query: number, key: number) => boolean): Uint32Array<ArrayBuffer> {
  const words = Math.ceil(size / 32);
  const bits = new Uint32Array(size * words);
  for (let q = 0; q < size; q++) {
    for (let k = 0; k < size; k++) if (allowed(q, k)) bits[q * words + (k >> 5)] |= 1 << (k & 31);
  }
  return bits;
}

/** (cos, sin) pairs of positions 0..count-1 for heads of `dim` channels, base 10000: [count, dim]. */
export function ropeTable(count: number, dim: number, base = 10000): Float32Array<ArrayBuffer> {
  const table = new Float32Array(count * dim);
  for (let p = 0; p < count; p++) {
    for (let i = 0; i < dim / 2; i++) {
      const angle = p * base ** (-(2 * i) / dim);
      table[p * dim + 2 * i] = Math.cos(angle);
      table[p * dim + 2 * i + 1] = Math.sin(angle);
    }
  }
  return table;
}

type Link = (conditions?: Conditions) => string;

interface Sides {
  plain: Link;
  spread: Link;
}

let derivative: { query: Sides; key: Sides } | null = null;

/** For attention-backward.ts: the texts of the derivative come with what differentiates, not with every page that plays. */
export function setDerivative(texts: { query: Sides; key: Sides }): void {
  derivative = texts;
}

/** Queries (or keys) that every lane holds, by subgroup size: a loaded row serves all of them. */
interface RowsOfLane {
  4: number;
  8: number;
}

const SWAPS = ['', 'quadSwapX', 'quadSwapY', 'quadSwapDiagonal'];

/**
 * CPU adapters get their own text where subgroups have one small size; loops are written out for them. On quads a broadcast
 * from lane u becomes an exchange with lane (own ^ u), which costs one shuffle: see shaders/ops/matmul_quad.wgsl.
 */
function kernelText(
  conditions: Conditions,
  dim: number,
  plain: Link,
  spread?: { link: Link; rows: RowsOfLane; sizes?: Record<string, number> },
  length = 1,
): { code: string; width: number } {
  const { software, subgroupSize } = conditions;
  const sizes = { DH4: dim / 4 };
  if (!software) {
    return { code: specialise(plain(conditions), { ...sizes, ...(spread ? { WIDTH: 64 } : {}) }), width: 64 };
  }
  if (spread && (subgroupSize === 4 || subgroupSize === 8)) {
    const quads = subgroupSize === 4;
    // Not more rows than the sequence fills.
    const most = Math.min(spread.rows[subgroupSize], 2 ** Math.floor(Math.log2(Math.max(1, length / subgroupSize))));
    const heads = spread.sizes?.HEADS ?? 1;
    const rows = Math.max(most, heads);
    const all = { ...sizes, ...spread.sizes, LANES: subgroupSize, ROWS: rows, EXCHANGE: Number(quads) };
    let code = specialise(spread.link(conditions), all);
    for (const name of ['ROWS', 'FOURS' in all ? 'FOURS' : 'LANES', 'DH4']) code = unrollLoops(code, name);
    const broadcast = /subgroupBroadcast\(([^,()]+), (?:4u \* 0u \+ )?(\d)u\)/g;
    if (quads) code = code.replace(broadcast, (_, x, u) => `${SWAPS[Number(u)]}(${x})`);
    return { code, width: (subgroupSize * rows) / heads };
  }
  return { code: unrollLoops(specialise(plain(conditions), sizes), 'DH4'), width: 8 };
}

/** QK norm and rotary embedding of packed rows. `table` [positions, dh]; gains [dh]. */
export function qkRope(
  qkv: Tensor,
  gainQ: Tensor,
  gainK: Tensor,
  table: Tensor,
  shape: Heads,
  at: RowPosition,
): Tensor {
  const { heads, kvHeads, dim } = shape;
  const slots = heads + 2 * kvHeads;
  const rows = qkv.size / (slots * dim);
  if (!Number.isInteger(rows)) throw new Error(`qkRope: [${qkv.shape}] is not packed as ${slots} heads of ${dim}`);
  if (table.size < at.period * dim)
    throw new Error(`qkRope: table [${table.shape}] has fewer than ${at.period} positions`);
  const uniforms = pack(rows, heads, kvHeads, at.every, at.period, { f: NORM_EPS }, dim / 4);
  const [y] = qkv.graph.add({
    name: 'qk rope',
    inputs: [qkv, gainQ, gainK, table],
    outputs: [qkv.shape],
    dispatch: ([out]) => [
      {
        label: 'qk rope',
        code: ropeLink(qkv.graph.conditions),
        entryPoint: 'forward',
        bindings: [qkv, gainQ, gainK, table, out],
        uniforms,
        workgroups: cover(rows * slots),
        flops: qkv.size * 8,
        bytes: qkv.size * 8,
      },
    ],
    backward: ([dy]) => {
      if (!dy) return [];
      const [dqkv, contributions] = qkv.graph.add({
        name: 'qk rope backward',
        inputs: [qkv, gainQ, gainK, table, dy],
        outputs: [qkv.shape, [rows, heads + kvHeads, dim]],
        dispatch: ([outX, outGain]) => [
          {
            label: 'qk rope backward',
            code: ropeBackwardLink(qkv.graph.conditions),
            entryPoint: 'backward',
            bindings: [qkv, gainQ, gainK, table, dy, outX, outGain],
            uniforms,
            workgroups: cover(rows * slots),
            flops: qkv.size * 16,
            bytes: qkv.size * 16,
          },
        ],
      });
      const group = heads + kvHeads;
      return [
        dqkv,
        sumRows(contributions, dim, 1, { group, lo: 0, count: heads }),
        sumRows(contributions, dim, 1, { group, lo: heads, count: kvHeads }),
        null,
      ];
    },
  });
  return y;
}

/** Work of one attention pass in multiply-adds x 2, counting visible pairs only (bounds: the most there can be). */
export function attentionFlops(layout: SequenceLayout, shape: Heads): number {
  const { length, mask } = layout;
  const half = mask.kind === 'window' ? mask.window : mask.kind === 'bounds' && mask.causal ? length : 0;
  const window = Math.min(half, length);
  const pairs = window > 0 ? window * length - (window * (window - 1)) / 2 : length * length;
  return 4 * pairs * layout.count * shape.heads * shape.dim;
}

/** Attention of packed rows: [rows, H*dh]. `mask` as the layout says. */
export function attention(qkv: Tensor, mask: Tensor, layout: SequenceLayout, shape: Heads): Tensor {
  const { heads, kvHeads, dim } = shape;
  const graph = qkv.graph;
  const rows = qkv.size / ((heads + 2 * kvHeads) * dim);
  if (rows !== layout.count * layout.length) {
    throw new Error(`attention: [${qkv.shape}] has ${rows} rows, the layout covers ${layout.count * layout.length}`);
  }
  const { mask: kind } = layout;
  if (kind.kind === 'bounds' && mask.size !== 2 * rows) {
    throw new Error(`attention: bounds [${mask.shape}] are not two for each of ${rows} rows`);
  }
  const window = kind.kind === 'window' ? kind.window : kind.kind === 'bounds' && kind.causal ? 1 : 0;
  const words = Math.ceil(layout.length / 32);
  const uniforms = pack(
    layout.length,
    heads,
    kvHeads,
    layout.inner,
    layout.outer,
    layout.stride,
    { bits: 0, window: 1, bounds: 2, open: 3 }[kind.kind],
    words,
    window,
    { f: 1 / Math.sqrt(dim) },
    { f: layout.cap },
    layout.count,
  );
  const text = (plain: Link, link: Link, rows: RowsOfLane, sizes?: Record<string, number>) => {
    const { code, width } = kernelText(graph.conditions, dim, plain, { link, rows, sizes }, layout.length);
    return { code, blocks: Math.ceil(layout.length / width) };
  };
  // Quads take two query heads of a key head together; on lavapipe that cost more than it saved (1.2 times the time).
  const { software, subgroupSize } = graph.conditions;
  const pair = software && subgroupSize === 4 && (heads / kvHeads) % 2 === 0 ? 2 : 1;
  const sizes = {
    FOURS: subgroupSize / 4,
    HEADS: pair,
    CAPPED: Number(layout.cap > 0),
    OPEN: Number(kind.kind === 'open'),
  };
  const forward = text(forwardLink, forwardSoftwareLink, { 4: 4, 8: 4 }, sizes);
  const flops = attentionFlops(layout, shape);
  const [out] = graph.add({
    name: 'attention',
    inputs: [qkv, mask],
    outputs: [
      [rows, heads * dim],
      [rows, heads],
    ],
    dispatch: ([o, lse]) => [
      {
        label: 'attention',
        code: forward.code,
        entryPoint: 'forward',
        bindings: [qkv, mask, o, lse],
        uniforms,
        workgroups: [forward.blocks, heads / pair, layout.count],
        flops,
        bytes: (qkv.size + o.size) * 4,
      },
    ],
    backward: ([dout], [o, lse]) => {
      if (!dout) return [];
      if (!derivative) throw new Error('attention: import attention-backward.ts where gradients are taken');
      const { query, key } = derivative;
      const querySide = text(query.plain, query.spread, { 4: 2, 8: 1 });
      const keySide = text(key.plain, key.spread, { 4: 2, 8: 1 });
      const [dqkv] = graph.add({
        name: 'attention backward',
        inputs: [qkv, mask, o, lse, dout],
        outputs: [qkv.shape, [rows, heads]],
        dispatch: ([d, delta]) => [
          {
            label: 'attention backward query',
            code: querySide.code,
            entryPoint: 'backward_query',
            bindings: [qkv, mask, o, lse, dout, d, delta],
            uniforms,
            workgroups: [querySide.blocks, heads, layout.count],
            flops: flops * 1.5,
            bytes: (qkv.size + 3 * o.size) * 4,
          },
          {
            label: 'attention backward key',
            code: keySide.code,
            entryPoint: 'backward_key',
            bindings: [qkv, mask, lse, dout, delta, d],
            uniforms,
            workgroups: [keySide.blocks, kvHeads, layout.count],
            flops: flops * 2,
            bytes: (qkv.size + 3 * o.size) * 4,
          },
        ],
      });
      return [dqkv, null];
    },
  });
  return out;
}

export type Half = 'f16' | 'bf16';

/** A ring of past keys and values of one time layer: tensors on buffers that outlive the program. */
export interface Ring {
  /** [rows, G, capacity, 2, dh]; of 16 bits, dh / 2 words. */
  data: Tensor;
  /** The 16 bits that keys and values are kept in (shaders/attention/kept.wgsl), if not f32. */
  half?: Half;
  /** u32 [next slot, valid frames] */
  clock: Tensor;
  /** Rotary table with at least `window` positions: [positions, dh]. */
  table: Tensor;
  capacity: number;
  window: number;
}

/** Query heads of one key head that a subgroup of a CPU adapter takes together. */
export const headTile = ({ heads, kvHeads }: Heads): number => [4, 3, 2].find((n) => (heads / kvHeads) % n === 0) ?? 1;

/** The text of a decoding kernel whose lanes share keys; null where subgroups are not small. `conditions` are those of texts. */
export function tiledText(
  conditions: Conditions,
  link: Link,
  shape: Heads,
  extra: Record<string, number> = {},
): string | null {
  const { software, subgroupSize } = conditions;
  if (!software || (subgroupSize !== 4 && subgroupSize !== 8)) return null;
  const sizes = { DH4: shape.dim / 4, LANES: subgroupSize, HEADS: headTile(shape), ...extra };
  const loops = ['HEADS', 'DH4', ...['PARTS', 'AGES'].filter((name) => name in extra)];
  return loops.reduce(unrollLoops, specialise(link(conditions), sizes));
}

/**
 * The text of ring attention on CPU adapters with small subgroups, else null. With more `ages` in a step sums are set less often, which
 * pays on SwiftShader; four gained little more (475 us against 505, the micro dynamics) and took twice as long to compile.
 */
export function ringText(
  texts: Conditions,
  shape: Heads,
  capped: boolean,
  ages = texts.subgroupSize === 4 ? 2 : 1,
): string | null {
  const parts = Math.ceil((headTile(shape) * shape.dim) / 4 / Math.max(1, texts.subgroupSize));
  return tiledText(texts, decodeSoftwareLink, shape, { PARTS: parts, AGES: ages, CAPPED: Number(capped) });
}

/**
 * Time attention of one new frame over a ring: `qkv` [rows, (H+2G)*dh], normalised and not rotated. With `write`, its
 * keys and values enter the ring at the clock's slot; advancing the clock is the caller's business.
 */
export function ringAttention(qkv: Tensor, ring: Ring, shape: Heads, cap: number, write: boolean): Tensor {
  const { heads, kvHeads, dim } = shape;
  const graph = qkv.graph;
  const rows = qkv.size / ((heads + 2 * kvHeads) * dim);
  const uniforms = pack(rows, heads, kvHeads, ring.capacity, ring.window, { f: 1 / Math.sqrt(dim) }, { f: cap });
  const texts = { ...graph.conditions, f16: ring.half === 'f16', bf16: ring.half === 'bf16' };
  const { code } = kernelText(texts, dim, decodeLink);
  const number = ring.half ? 2 : 4;
  const tiled = ringText(texts, shape, cap > 0);
  const [out] = graph.add({
    name: 'ring attention',
    inputs: [qkv, ring.data, ring.table, ring.clock],
    outputs: [[rows, heads * dim]],
    dispatch: ([o]) => [
      {
        label: 'ring attention',
        code: tiled ?? code,
        entryPoint: tiled ? 'tiled' : 'decode',
        bindings: [qkv, ring.data, ring.table, ring.clock, o],
        uniforms,
        workgroups: tiled ? [heads / headTile(shape), rows, 1] : cover(rows * heads, 8),
        flops: 4 * rows * heads * dim * ring.window,
        bytes: rows * ring.window * 2 * kvHeads * dim * number,
      },
    ],
  });
  if (write) {
    // Reads end at age window - 1, short of the slot that is written: the order does not matter, and an attention that
    // nobody reads (the last time layer of a pass that only commits) is not run.
    graph.add({
      name: 'ring append',
      inputs: [qkv, ring.data, ring.table, ring.clock],
      outputs: [[4]],
      effect: true,
      dispatch: ([unused]) => [
        {
          label: 'ring append',
          code,
          entryPoint: 'append',
          bindings: [qkv, ring.data, ring.table, ring.clock, unused],
          uniforms,
          workgroups: cover(rows * 2 * kvHeads, 8),
          flops: 0,
          bytes: rows * 2 * kvHeads * dim * (4 + number),
        },
      ],
    });
  }
  return out;
}
