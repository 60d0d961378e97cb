/**
 * Text and tile of shaders/attention/row_block.wgsl: the part of a transformer layer between two attentions, for lavapipe
 * with subgroups of eight. Elsewhere models run layers as single operations (src/nn/layers.ts):
 * - on GPUs it is not measured;
 * - on SwiftShader, with exchanges within quads as in matmul_quad.wgsl and a tile of 28 x 32, a played frame of the micro rung
 *   took 62.7 ms against 58.7 of single operations: a launch costs little there (6 us), and 56 sums per lane with their masks
 *   leave its compiler (4 s a text) with nothing but memory. So that text is not kept.
 */
import template from '../../../shaders/attention/row_block.wgsl?template';
import type { Conditions } from '../../gpu/device.ts';
import { hasRowBlocks, ROW_BLOCK_LANES as LANES, unrollLoops } from '../kernel.ts';
import { unroll } from './unroll.ts';

export interface RowBlockSize {
  rows: number;
  /** Width of a row, of what attention gives, of the hidden layer and of packed queries, keys and values. */
  d: number;
  attended: number;
  hidden: number;
  width: number;
  /** Channels of a head. */
  dim: number;
  /** Rows of a sequence, all of which see each other, where it has their attention. */
  open?: number;
  /** It has attention over a ring, so many heads at a time. */
  ring?: { half: boolean; heads: number };
  /** Matrices lie in a buffer of their own, packed by packTiles. */
  halves?: boolean;
}

export interface RowBlockPlan {
  code: string;
  workgroups: [number, number, number];
  /** Rows of a workgroup, rows of a sequence and tiles of it: a tile lies within one. */
  tile: number;
  length: number;
  tiles: number;
}

/** Workgroup memory that such adapters have. */
const MEMORY = 32_768;
/** A loaded weight serves every row of the tile; taller ones take too long to compile. */
const MOST_ROWS = 28;

const slots = (rows: number): number => Math.ceil(rows / LANES) * LANES;
const wider = (n: number, { d }: RowBlockSize): number => Math.max(n, d);

/** Bytes of workgroup memory: two areas of rows, a tile of sums, two words a row. */
const memory = (rows: number, size: RowBlockSize): number =>
  4 * (slots(rows) * (wider(size.attended, size) + wider(size.hidden, size) + 2) + Math.ceil(rows / 2) * 8 * LANES);

const sequence = ({ rows, open }: RowBlockSize): number => open ?? rows;

/** An even number of equal tiles: two cores are the least that such adapters have. 0: even one row takes too much memory. */
function tileRows(size: RowBlockSize): number {
  const length = sequence(size);
  const step = (size.rows / length) % 2 === 0 ? 1 : 2;
  for (let tiles = step; ; tiles += step) {
    const rows = Math.ceil(length / tiles);
    if (rows <= MOST_ROWS && memory(rows, size) <= MEMORY) return rows;
    if (rows <= 1) return 0;
  }
}

/** Null where the kernel does not exist. `rows`: rows of a tile instead of the rule's choice; benchmarks. */
export function planRowBlock(conditions: Conditions, size: RowBlockSize, rows = tileRows(size)): RowBlockPlan | null {
  const { d, attended, hidden, width, dim, open, ring, halves } = size;
  if (!hasRowBlocks(conditions) || rows === 0 || d % (4 * LANES) !== 0) return null;
  if (attended % 4 !== 0 || hidden % 16 !== 0) return null;
  // A head lies in neighbouring lanes.
  const lanesOfHead = dim / 4;
  if (width % (4 * LANES) !== 0 || ![1, 2, 4, 8].includes(lanesOfHead)) return null;
  const length = sequence(size);
  if (size.rows % length !== 0) return null;
  const lists = {
    group: Array.from({ length: slots(rows) / LANES }, (_, g) => ({ GROUP: g })),
    row: Array.from({ length: rows }, (_, r) => ({ ROW: r, GROUP: Math.floor(r / LANES), SEAT: r % LANES })),
  };
  const second = (slots(rows) * wider(attended, size)) / 4;
  const sizes = Object.entries({
    ROW_SLOTS: slots(rows),
    // Of an even number of rows: the text takes two at a time.
    CELLS: Math.ceil(rows / 2) * 2 * LANES,
    SECOND: second,
    AREAS: second + (slots(rows) * wider(hidden, size)) / 4,
    GROUPS: slots(rows) / LANES,
    DH4: dim / 4,
    HEADS: ring?.heads ?? 1,
    PARTS: Math.ceil(((ring?.heads ?? 1) * dim) / 4 / LANES),
  });
  const flags = [
    halves ? 'halves' : 'floats',
    ...[2, 4, 8].filter((n) => n <= lanesOfHead).map((n) => `heads of ${n}`),
  ];
  if (open) flags.push('open');
  if (ring) flags.push('ring', ring.half ? 'half ring' : 'float ring');
  const types: Record<string, string> = { matrices: 'vec4u', clock: 'u32', ...(ring?.half && { ring: 'vec2u' }) };
  const bindings = rowBlockBindings(size);
  const code = [
    'enable subgroups;',
    ...sizes.map(([name, value]) => `const ${name}: u32 = ${value}u;`),
    ...bindings.map(
      (name, i) => `@group(0) @binding(${i}) var<storage, read_write> ${name}: array<${types[name] ?? 'vec4f'}>;`,
    ),
    `@group(0) @binding(${bindings.length}) var<uniform> p: Params;`,
    unroll(template(), { flags, lists }),
  ].join('\n');
  const tiles = Math.ceil(length / rows);
  return {
    code: ['GROUPS', 'LANES', 'HEADS', 'DH4', 'PARTS'].reduce(unrollLoops, code),
    tile: rows,
    length,
    tiles,
    workgroups: [(tiles * size.rows) / length, 1, 1],
  };
}

/** Names of the storage bindings in order. */
export const rowBlockBindings = ({ ring, halves }: Pick<RowBlockSize, 'ring' | 'halves'>): string[] => [
  'weights',
  ...(halves ? ['matrices'] : []),
  'read',
  'x',
  'y',
  'table',
  'qkv',
  ...(ring ? ['ring', 'ages_table', 'clock'] : []),
];

/**
 * A matrix of 16-bit numbers [rows, columns], both multiples of 4, as the kernel reads it: four rows of four columns lie
 * side by side.
 */
export function packTiles(bits: Uint16Array, rows: number, columns: number): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      out[(Math.floor(r / 4) * columns + (c & ~3)) * 4 + (r & 3) * 4 + (c & 3)] = bits[r * columns + c];
  return out;
}
