/**
 * Which matmul kernel runs a product, on what tile. C[M,N] = A*B in three forms:
 *   nn  A[M,K]  B[K,N]        y = x w
 *   nt  A[M,K]  B[N,K]^T      dx = dy w^T
 *   tn  A[K,M]^T B[K,N]       dw = x^T dy
 * with C += (accumulate), + bias[N], act, + residual[M,N], in that order; or, on quads, of normed rows and with what follows such
 * a product in a transformer layer (`normed`). Every sum runs over k in one order, by one thread:
 * the same inputs give the same bits. The tile sizes were picked by tests/bench/matmul.mjs.
 */
import quad from '../../../shaders/ops/matmul_quad.wgsl?template';
import scalarAccess from '../../../shaders/ops/matmul_scalar.wgsl?template';
import software from '../../../shaders/ops/matmul_software.wgsl?template';
import tile from '../../../shaders/ops/matmul_tile.wgsl?template';
import vectorAccess from '../../../shaders/ops/matmul_vector.wgsl?template';
import { type Conditions, halfProducts, type MatmulTile } from '../../gpu/device.ts';
import { unroll } from './unroll.ts';

export type MatmulForm = 'nn' | 'nt' | 'tn';
export type MatmulBinding = 'a' | 'b' | 'c' | 'bias' | 'residual';

/** What follows a product of RMS-normalised rows in the same kernel: SwiGLU, or QK norm and rotation of heads. */
export type NormedFinish = 'gated' | 'heads';

/** Channels of the head that a block of columns holds. */
export const HEAD_OF_BLOCK = 16;

/** Operands alone are f16, or their products as well. */
export type Half = 'inputs' | 'products';

export interface MatmulOptions {
  form: MatmulForm;
  M: number;
  N: number;
  K: number;
  /** Independent products, one after the other in memory (bias is shared); 1 by default. */
  batch?: number;
  accumulate?: boolean;
  bias?: boolean;
  residual?: boolean;
  act?: 'none' | 'silu';
  /**
   * Token rows against token columns, so many rows per token, of which no token needs a later one's column: C in nt, A in nn
   * and tn. CPU adapters leave out what lies above the diagonal. In nt it keeps what was there; in nn and tn it must hold
   * zeros up to 32 columns beyond the diagonal, the height of a tile.
   */
  causal?: number;
  /** Rows of A are RMS-normalised; only where normedFits. */
  normed?: NormedFinish;
  /** B holds two columns in a word (ops/paired-product.ts); only in nn and where pairsFit. */
  pairs?: boolean;
  /** A CPU adapter. */
  software: boolean;
  /** Operands in f16, on the tile of GPUs whatever the adapter; needs `shader-f16`. */
  half?: Half;
  /** Invocations of a subgroup where the adapter has subgroups of one size, else 0. Used by CPU adapters. */
  subgroup?: number;
  /** Rows of the tile on a CPU adapter instead of the rule's choice; benchmarks. */
  rows?: number;
  /** Blocks of the tile on quads; only with `rows`. */
  blocks?: number;
  /** The kernel for subgroups of eight on subgroups of four as well; benchmarks. */
  spread?: boolean;
}

export interface MatmulPlan {
  code: string;
  key: string;
  entryPoint: string;
  constants?: Record<string, number>;
  workgroups: [number, number, number];
  uniforms: Uint32Array;
  bindings: MatmulBinding[];
  flops: number;
  bytes: number;
}

export function planMatmul(options: MatmulOptions): MatmulPlan {
  const {
    form,
    M,
    N,
    K,
    batch = 1,
    accumulate = false,
    bias = false,
    residual = false,
    act = 'none',
    normed,
    pairs = false,
  } = options;
  const causal = options.software && !options.half ? options.causal : undefined;
  for (const [name, size] of Object.entries({ M, N, K, batch })) {
    if (!Number.isInteger(size) || size < 1)
      throw new Error(`matmul ${form}: ${name} = ${size} is not a positive integer`);
  }
  const bindings: MatmulBinding[] = ['a', 'b', 'c'];
  if (bias) bindings.push('bias');
  if (residual) bindings.push('residual');

  const vector = wholeQuads(options);
  const flags = [form === 'tn' ? 'a turned' : 'a straight', form === 'nt' ? 'b turned' : 'b straight'];
  if (accumulate) flags.push('accumulate');
  if (bias) flags.push('bias');
  if (residual) flags.push('residual');
  if (act === 'silu') flags.push('silu');
  flags.push(causal ? `causal ${form}` : 'all k');
  if (!causal || form !== 'tn') flags.push('from first k');
  flags.push(...(normed ? ['normed', normed] : ['plain']), pairs ? 'pairs' : 'numbers');

  const kernel = kernelOf(options, flags);
  const access = unroll(vector ? vectorAccess() : scalarAccess(), { flags, lists: {} });
  const enable = options.half ? 'enable f16;' : kernel.subgroups ? 'enable subgroups;' : '';
  const code = [enable, declarations(bindings, normed, pairs), access, kernel.text].join('\n');

  return {
    code,
    key: `matmul ${[kernel.name, ...flags, vector ? 'vector' : 'scalar', `${kernel.rows}x${kernel.columns}`].join(' ')}`,
    entryPoint: 'main',
    workgroups: [
      Math.ceil(N / (normed === 'gated' || pairs ? 2 : 1) / kernel.columns),
      Math.ceil(M / kernel.rows),
      batch,
    ],
    uniforms: new Uint32Array([M, N, K, M * K, K * N, M * N, causal ?? 0, 0]),
    bindings,
    flops: (2 * batch * M * N * K) / (causal ? 2 : 1),
    bytes:
      4 *
      (batch * (M * K + (K * N) / (pairs ? 2 : 1) + M * N * (1 + Number(accumulate) + Number(residual))) +
        (bias ? N : 0)),
  };
}

/** Whether all rows of memory are whole vec4s: M of A in tn, K of A otherwise; N of C; K or N of B. */
const wholeQuads = ({ form, M, N, K }: Pick<MatmulOptions, 'form' | 'M' | 'N' | 'K'>): boolean =>
  [form === 'tn' ? M : K, form === 'nt' ? K : N, N].every((length) => length % 4 === 0);

function declarations(plain: readonly MatmulBinding[], normed: NormedFinish | undefined, pairs: boolean): string {
  const bindings = [
    ...plain,
    ...(normed ? ['gain'] : []),
    ...(normed === 'heads' ? ['gain_q', 'gain_k', 'table'] : []),
  ];
  const more = normed ? ', eps: f32, heads: u32, kv: u32, every: u32, period: u32' : '';
  return [
    `struct Params { m: u32, n: u32, k: u32, stride_a: u32, stride_b: u32, stride_c: u32, share: u32${more} }`,
    ...bindings.map(
      (name, i) =>
        `@group(0) @binding(${i}) var<storage, read_write> ${name}: array<${name === 'b' && pairs ? 'vec4u' : 'Word'}>;`,
    ),
    `@group(0) @binding(${bindings.length}) var<uniform> p: Params;`,
  ].join('\n');
}

interface Kernel {
  name: string;
  text: string;
  rows: number;
  columns: number;
  subgroups: boolean;
}

/** Adds to `flags` what the choice of the tile decides. */
function kernelOf(options: MatmulOptions, flags: string[]): Kernel {
  const { form, subgroup = 0, half } = options;
  const cpu = options.software && !half;
  if (cpu && subgroup === 4 && !options.spread) return quadKernel(options, flags);
  flags.push('ragged');
  if (!cpu) {
    flags.push(...(half ? ['half', `half ${half}`] : ['full']));
    return {
      name: half ? 'half tile' : 'tile',
      text: unroll(tile(), { flags, lists: {} }),
      rows: 64,
      columns: 64,
      subgroups: false,
    };
  }
  return softwareKernel(flags, form, rowsOfTile(options), subgroup);
}

/**
 * Nanoseconds on SwiftShader of what a quad does, measured on one core of the machine that this was written on: a load of
 * one number per lane, a multiply-add of one number per lane, one masked assignment at the end of a step, and per cell of
 * four numbers the way into C. Only their ratios matter: they choose the tile.
 */
const QUAD_COST = { load: 10.5, multiply: 1, assign: 1.6, cell: 70 };

/**
 * Cells (rows times blocks) of a tile whose loads go one number at a time: SwiftShader compiles 16 rows in 0.1 s of processor
 * time, 24 in 0.2 s, 32 in 6 s, and 32 of a turned A not within five minutes and 10 GB.
 */
const SCALAR_CELLS = 16;

/**
 * Floating-point operations of products whose tiles have so few cells too: what a larger text gains takes longer to compile. A bias
 * has a text of its own and comes once a frame (patches to tokens).
 */
const SMALL = { plain: 1e5, bias: 2e6 };

/** One text for all products of normed rows, and of pairs: every one takes up to a second to compile. */
const LAYER_TILE: MatmulTile = { rows: 28, blocks: 4 };

/** Least time by QUAD_COST. A tile that is larger than the matrix is paid for in full. */
function quadTile(options: MatmulOptions): MatmulTile {
  const { form, M, N, K, rows: wanted, blocks: wantedBlocks } = options;
  if (options.normed || options.pairs) return LAYER_TILE;
  const large = wholeQuads(options) && 2 * M * N * K * (options.batch ?? 1) > SMALL[options.bias ? 'bias' : 'plain'];
  const most = large ? Number.POSITIVE_INFINITY : SCALAR_CELLS;
  let best: MatmulTile = { rows: 16, blocks: 1 };
  let least = Number.POSITIVE_INFINITY;
  // 28 for the 52 rows of a played frame, of which 32 would compute 64. Few heights: every one is a text to compile.
  const usual = form === 'tn' ? [16, 32] : M > 24 && large ? [28, 32] : [4, 8, 16, 28, 32];
  for (const rows of wanted ? [Math.max(wanted, form === 'tn' ? 16 : 4)] : usual) {
    for (const blocks of [1, 2, 4]) {
      if (wanted && wantedBlocks && blocks !== wantedBlocks) continue;
      if (rows * blocks > most) continue;
      const tiles = Math.ceil(M / rows) * Math.ceil(N / (16 * blocks));
      const step =
        QUAD_COST.load * (rows + 16 * blocks) + (16 * QUAD_COST.multiply + 4 * QUAD_COST.assign) * rows * blocks;
      const cost = tiles * (step * Math.ceil(K / 4) + QUAD_COST.cell * rows * blocks);
      if (cost < least) {
        least = cost;
        best = { rows, blocks };
      }
    }
  }
  return best;
}

/** Where a block's columns begin in the tile; those behind `side` lie in the right half of the matrix. */
const blockAt = (block: number, side: number): string => `${16 * (block % side)}u${block < side ? '' : ' + p.n / 2u'}`;

const SWAPS = ['', 'quadSwapX', 'quadSwapY', 'quadSwapDiagonal'];

/** No tile leaves the matrix. Tiles that overlap would add twice; four k at a time must end with the last row. */
function tilesInside(options: MatmulOptions, { rows, blocks }: MatmulTile): boolean {
  const { M, N, K, accumulate } = options;
  return wholeQuads(options) && K % 4 === 0 && M >= rows && N >= 16 * blocks && !accumulate;
}

/** Whether there is a kernel for a product of normed rows: on quads, where whole blocks of columns lie in a tile. */
export function normedFits(conditions: Conditions, [M, N, K]: [number, number, number], normed: NormedFinish): boolean {
  const { software: cpu, subgroupSize } = conditions;
  const whole = N % (normed === 'gated' ? 32 : 16) === 0;
  const options: MatmulOptions = { form: 'nn', M, N, K, software: true };
  return cpu && subgroupSize === 4 && !halfProducts(conditions) && whole && tilesInside(options, LAYER_TILE);
}

/** Whether there are kernels for a product [M,K] times [K,N] whose matrix holds two columns in a word. */
export function pairsFit(
  { software: cpu, subgroupSize, precision }: Conditions,
  M: number,
  N: number,
  K: number,
): boolean {
  const options: MatmulOptions = { form: 'nn', M, N, K, software: true };
  return cpu && subgroupSize === 4 && !precision && N % 32 === 0 && tilesInside(options, LAYER_TILE);
}

function quadKernel(options: MatmulOptions, flags: string[]): Kernel {
  const halves = options.normed === 'gated' || options.pairs === true;
  const tile = quadTile(options);
  const { rows, blocks } = tile;
  const columns = halves ? 8 * blocks : 16 * blocks;
  const inside = tilesInside(options, tile);
  flags.push(inside ? 'inside' : 'ragged', halves ? 'halves' : 'whole');
  const pairs = Math.max(1, blocks / 2);
  const count = <T>(n: number, of: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => of(i));
  const lists = {
    row: count(rows, (r) => ({ GROUP: r >> 2, SWAP: SWAPS[r & 3] })),
    group: count(rows / 4, (g) => ({ GROUP: g, QUAD: g >> 2, PART: g & 3 })),
    quad: count(rows / 16, (q) => ({ QUAD: q })),
    block: count(blocks, (b) => ({
      BLOCK: b,
      BLOCK_AT: blockAt(b, halves ? pairs : blocks),
      PAIR: b % pairs,
      SIDE: b < pairs ? 'lower' : 'upper',
    })),
    pair: count(pairs, (b) => ({ PAIR_AT: `${16 * b}u` })),
    cell: count(rows * blocks, (i) => ({
      CELL: i,
      ROW: Math.floor(i / blocks),
      BLOCK: i % blocks,
      PAIR: (i % blocks) % pairs,
    })),
    seat: count(4, (s) => ({ SEAT: s, BY_X: s ^ 1, BY_Y: s ^ 2, BY_XY: s ^ 3 })),
  };
  const sizes = Object.entries({ ROWS: rows, COLUMNS: columns, BLOCKS: blocks, CELLS: rows * blocks });
  const text = [
    ...sizes.map(([name, size]) => `const ${name}: u32 = ${size}u;`),
    unroll(quad(), { flags, lists }),
  ].join('\n');
  return { name: 'quad', text, rows, columns, subgroups: true };
}

/** A taller tile loads less per product (8: 35, 16: 46, 32: 49 GFLOP/s on lavapipe) and takes as much longer to compile. */
function rowsOfTile({ M, rows }: MatmulOptions): number {
  return rows ?? (M > 1024 ? 32 : M > 8 ? 16 : 8);
}

function softwareKernel(flags: readonly string[], form: MatmulForm, wanted: number, subgroup: number): Kernel {
  const spread = subgroup === 4 || subgroup === 8 ? subgroup : 1;
  const lanes = spread === 1 ? 8 : spread;
  // A turned load brings four rows to a lane. Without subgroups every lane loads all rows of the tile for itself, and eight
  // of them cost SwiftShader 13 s to compile (four: 0.2 s).
  const least = form === 'tn' || spread === 1 ? 4 : 1;
  const groups = Math.max(least, Math.ceil(Math.min(wanted, 4 * spread) / spread));
  const rows = groups * spread;
  const group = (g: number) => ({ GROUP: g, QUAD: g >> 2, PART: g & 3 });
  const lists = {
    row: Array.from({ length: rows }, (_, r) => {
      const g = Math.floor(r / spread);
      const lane = r % spread;
      return { ...group(g), LANE: lane, ROW: form === 'tn' ? 4 * ((g >> 2) * spread + lane) + (g & 3) : r };
    }),
    group: Array.from({ length: groups }, (_, g) => group(g)),
    quad: Array.from({ length: Math.ceil(groups / 4) }, (_, q) => ({ QUAD: q })),
  };
  const sizes = `const LANES: u32 = ${lanes}u;\nconst SPREAD: u32 = ${spread}u;\nconst ROWS: u32 = ${rows}u;\n`;
  const text =
    sizes +
    unroll(software(), {
      flags: [...flags, spread > 1 ? 'spread' : 'alone'],
      lists,
    });
  return { name: spread > 1 ? 'spread' : 'alone', text, rows, columns: 4 * lanes, subgroups: spread > 1 };
}

const size = (n: number): string => (n <= 16 ? 'small' : n <= 128 ? 'middle' : 'large');

/** Products that one measured tile stands for: the form, and M, N and K up to 16, up to 128 or more. */
export const tileClass = (form: MatmulForm, M: number, N: number, K: number): string =>
  `${form} ${[M, N, K].map(size).join(' ')}`;

/** Tiles that are worth a measurement, the rule's own choice first; none where there is nothing to choose. */
export function tileCandidates(conditions: Conditions, options: Omit<MatmulOptions, 'software'>): MatmulTile[] {
  const { software: cpu, subgroupSize } = conditions;
  if (!cpu || (subgroupSize !== 4 && subgroupSize !== 8)) return [];
  const o = { ...options, software: true, subgroup: subgroupSize };
  const quads = subgroupSize === 4;
  const own = quads ? quadTile(o) : { rows: rowsOfTile(o), blocks: 1 };
  const others = quads
    ? [8, 16, 32].flatMap((rows) => [2, 4].map((blocks) => ({ rows, blocks })))
    : [8, 16, 32].map((rows) => ({ rows, blocks: 1 }));
  // A turned load brings four rows to every lane: of 16 on quads, and with more lanes one height is all there is.
  const fits = (t: MatmulTile): boolean =>
    (o.form !== 'tn' || (quads && t.rows >= 16)) && (!quads || wholeQuads(o) || t.rows * t.blocks <= SCALAR_CELLS);
  return [own, ...others.filter((t) => fits(t) && (t.rows !== own.rows || t.blocks !== own.blocks))];
}
