/** Matrix products: three forms with their epilogues, two texts for CPU adapters and one for GPUs. */
import naiveLink from '../../../shaders/versions/matmul_naive.wgsl?link';
import { type Conditions, halfProducts, type Precision } from '../../gpu/device.ts';
import { type Dispatch, specialise } from '../kernel.ts';
import { type MatmulForm, planMatmul } from '../kernels/matmul.ts';
import { product } from '../ops/matmul.ts';
import { matmulReference } from '../reference/matmul.ts';
import { type KernelCase, type KernelEntry, random, smallSubgroups, type Trial, type Variant } from './entry.ts';
import { keptVersion, slower } from './kept.ts';
import { TOLERANCE } from './tolerance.ts';

const quads = (c: Conditions): boolean => c.subgroupSize === 4;
const eights = (c: Conditions): boolean => c.subgroupSize === 8;

const ACCESS = ['ops/matmul_vector.wgsl', 'ops/matmul_scalar.wgsl'];

type Dims = Readonly<Record<string, number>>;
const plain = ({ bias, residual }: Dims): boolean => bias + residual === 0;

/** One of the kernels of shaders/versions/matmul_naive.wgsl, covering `step` elements of C per invocation and axis. */
const early = (form: MatmulForm, entryPoint: string, step: number, idea: string, lost: string): Variant =>
  keptVersion('matmul_naive', { name: entryPoint, entryPoint, idea, lost, takes: plain }, (d) => {
    const [M, N] = d.uniforms;
    const cover = (n: number): number => Math.ceil(n / (8 * step));
    const code = specialise(naiveLink(), { TURN_A: Number(form === 'tn'), TURN_B: Number(form === 'nt') });
    return { code, workgroups: [cover(N), cover(M), 1] };
  });

/** Another plan for the same product: whole vec4s only, since each text takes a while to compile. */
const replan =
  (subgroup: (code: string) => number, extra: { rows?: number; spread?: boolean }): Variant['instead'] =>
  (d) => {
    const [M, N, K] = d.uniforms;
    const has = (name: string): boolean => d.bindings.some((t) => t.name === name);
    const size = { M, N, K, bias: has('bias'), residual: has('residual') };
    const plan = planMatmul({ form: 'nn', ...size, software: true, subgroup: subgroup(d.code), ...extra });
    return { ...d, code: plan.code, workgroups: plan.workgroups };
  };
const wholeVectors = (dims: Dims): boolean => dims.M > 1 && dims.N % 4 === 0 && dims.K % 4 === 0 && plain(dims);

/** The subgroup kernel on a tile of other height. */
const tall = (rows: number, lost: string): Variant => ({
  name: `software, subgroups of 8, ${rows} rows`,
  idea: `One subgroup per workgroup, as in use, on a tile of ${rows} rows.`,
  lost,
  when: 'no adapter at this size: kept to measure against',
  files: ['ops/matmul_software.wgsl', ...ACCESS],
  entryPoint: 'main',
  chosen: () => false,
  needs: eights,
  force: { software: true },
  takes: wholeVectors,
  instead: replan(() => 8, { rows }),
});

/** Versions that SwiftShader could run. */
const onQuads = (name: string, idea: string, lost: string, extra: { rows?: number; spread?: boolean }): Variant => ({
  name,
  idea,
  lost,
  when: 'no adapter: kept to measure against',
  files: [extra.spread ? 'ops/matmul_software.wgsl' : 'ops/matmul_quad.wgsl', ...ACCESS],
  entryPoint: 'main',
  chosen: () => false,
  needs: quads,
  force: { software: true },
  takes: wholeVectors,
  instead: replan(() => 4, extra),
});

const HALF_BASE = {
  files: ['ops/matmul_tile.wgsl', ...ACCESS],
  entryPoint: 'main',
  needs: (c: Conditions) => c.f16,
  force: { software: false, precision: 'f16' } as const,
};

/** Best batches of six runs, 256 x 256 x 256, f32 and f16 in turns. */
const GAIN: Record<MatmulForm, string> = {
  nn: '11.1 ms become 8.2',
  nt: '11.1 ms become 9.0',
  tn: '6.6 ms become 5.4',
};

/** TFLOP/s of the tile in f32, 1024 x 1024 x 1024, NVIDIA H200. */
const RATE: Record<MatmulForm, number> = { nn: 23, nt: 21, tn: 25 };

type Early = 'naive' | 'quads' | 'software' | 'tile';

/** Times the version in use on lavapipe and on SwiftShader, 256 x 256 x 256, by tests/bench/processor-time.mjs. */
const SLOWER: Record<MatmulForm, Record<Early, [lavapipe: number, swiftShader: number]>> = {
  nn: { naive: [17, 32], quads: [4, 5.5], software: [3.2, 4.4], tile: [7.6, 10] },
  nt: { naive: [15, 29], quads: [3.8, 5], software: [3.1, 4.1], tile: [8.7, 8.4] },
  tn: { naive: [19, 32], quads: [4.5, 5.7], software: [3.9, 4.1], tile: [6.7, 10] },
};

const behind = (form: MatmulForm, version: Early): string => slower(...SLOWER[form][version], '256 x 256 x 256');

const halves = (form: MatmulForm): Variant[] => [
  {
    ...HALF_BASE,
    name: 'GPU, f16',
    idea: `The same tile on f16 operands: half the traffic through workgroup memory; products are exact and summed in f32. ${GAIN[form]} on lavapipe; no graphics processor with shader-f16 has been measured.`,
    when: 'adapters with shader-f16, on request (TENFOLD_PRECISION=f16)',
    chosen: halfProducts,
  },
  ...(form === 'nn'
    ? [
        {
          ...HALF_BASE,
          name: 'GPU, f16 products',
          idea: 'Operands and their products in f16, sums in f32.',
          lost: 'On lavapipe 12.1 ms against 8.2 of exact products, which round less. Sums of 16 in f16 as well were tried: three times the error, and 12 s to compile there.',
          when: 'no adapter: kept to measure against',
          chosen: () => false,
          takes: wholeVectors,
          instead: (d: Dispatch): Dispatch => {
            const [M, N, K] = d.uniforms;
            const has = (name: string): boolean => d.bindings.some((t) => t.name === name);
            const size = { form, M, N, K, bias: has('bias'), residual: has('residual') };
            return { ...d, code: planMatmul({ ...size, software: false, half: 'products' }).code };
          },
        },
      ]
    : []),
];

const earlyOf = (form: MatmulForm): Variant[] => [
  early(
    form,
    'naive',
    1,
    'One invocation per element of C: two loads for every multiply-add.',
    `${behind(form, 'naive')}: it does little but load.`,
  ),
  early(
    form,
    'quads',
    4,
    'One invocation per 4 x 4 elements: eight loads for sixteen multiply-adds.',
    `${behind(form, 'quads')}: every scalar load still costs a bounds check per lane.`,
  ),
];

const variantsOf = (form: MatmulForm): Variant[] => [
  ...earlyOf(form),
  {
    name: 'software',
    idea: `Registers only: every lane keeps sums of four columns for its rows; no shared memory, no barrier. ${behind(form, 'software')}.`,
    when: 'CPU adapters without such subgroups',
    files: ['ops/matmul_software.wgsl', ...ACCESS],
    entryPoint: 'main',
    chosen: (c) => c.software && !smallSubgroups(c) && !halfProducts(c),
    force: { software: true, subgroupSize: 0 },
  },
  {
    name: 'GPU',
    idea: `A tile of 64 x 64 sums per workgroup; slices of A and B pass through workgroup memory once for 64 uses. ${RATE[form]} TFLOP/s at 1024 on an NVIDIA H200. ${behind(form, 'tile')}: barriers.`,
    when: 'graphics processors',
    files: ['ops/matmul_tile.wgsl', ...ACCESS],
    entryPoint: 'main',
    chosen: (c) => !c.software && !halfProducts(c),
    force: { software: false },
  },
  ...halves(form),
  ...(form === 'nn'
    ? [
        onQuads(
          'software, quads by broadcast',
          'A workgroup is one subgroup; no word is loaded twice, rows of A travel by broadcast to 16 rows of sums.',
          'On SwiftShader 2.3 GFLOP/s of one core against 4.2 of exchanges and larger tiles: a broadcast costs as much as several multiply-adds.',
          { spread: true },
        ),
        onQuads(
          'software, quads, 8 rows',
          'Exchanges within the quad on a tile of 8 rows.',
          'On SwiftShader 1.6 times slower (256 x 256 x 256): a load costs ten multiply-adds, and a low tile loads more for each of them.',
          { rows: 8 },
        ),
      ]
    : []),
  {
    name: 'software, quads',
    idea: `A quad exchanges rows of A with quadSwap instead of broadcasting them, over up to 32 x 64 sums: fewest loads. On SwiftShader ${SLOWER[form].naive[1]} times faster than the naive one (256 x 256 x 256); 4.2 GFLOP/s of one core against 2.3 by broadcast (nn).`,
    when: 'CPU adapters with subgroups of 4',
    files: ['ops/matmul_quad.wgsl', ...ACCESS],
    entryPoint: 'main',
    chosen: (c) => c.software && quads(c) && !halfProducts(c),
    needs: quads,
    force: { software: true },
  },
  ...(form === 'nn'
    ? [tall(8, 'On lavapipe 35 GFLOP/s against 46 of 16 rows: half as many products for every load.')]
    : []),
  {
    name: 'software, subgroups of 8',
    idea: `A workgroup is one subgroup; no word is loaded twice, rows of A travel by broadcast to 16 rows of sums. On lavapipe ${SLOWER[form].naive[0]} times faster than the naive one (256 x 256 x 256); 46 GFLOP/s (nn, 512).`,
    when: 'CPU adapters with subgroups of 8',
    files: ['ops/matmul_software.wgsl', ...ACCESS],
    entryPoint: 'main',
    chosen: (c) => c.software && eights(c) && !halfProducts(c),
    needs: eights,
    force: { software: true },
  },
  ...(form === 'nn'
    ? [tall(32, 'On lavapipe 49 GFLOP/s against 46, and twice as long to compile: used from 1025 rows on.')]
    : []),
];

type Sizes = { M: number; N: number; K: number };
type Extra = 'bias' | 'residual';

function trial(form: MatmulForm, { M, N, K }: Sizes, extras: readonly Extra[], precision?: Precision): Trial {
  const inputs = {
    a: random(form === 'tn' ? [K, M] : [M, K], 1),
    b: random(form === 'nt' ? [N, K] : [K, N], 2),
    ...(extras.includes('bias') ? { bias: random([N], 4) } : {}),
    ...(extras.includes('residual') ? { residual: random([M, N], 5) } : {}),
  };
  return {
    inputs,
    build: (t) => ({ c: product(form, t.a, t.b, [M, N, K], [M, N], { bias: t.bias, residual: t.residual }) }),
    want: () => {
      const values = matmulReference(
        { form, M, N, K, bias: extras.includes('bias'), residual: extras.includes('residual') },
        { a: inputs.a.data, b: inputs.b.data, bias: inputs.bias?.data, residual: inputs.residual?.data },
      );
      return { c: { values, share: precision ? TOLERANCE.f16.product : TOLERANCE.f32.sum } };
    },
  };
}

function sizedCase(form: MatmulForm, M: number, N: number, K: number, ...extras: Extra[]): KernelCase {
  const dims = { M, N, K, bias: Number(extras.includes('bias')), residual: Number(extras.includes('residual')) };
  const name = [`${M} x ${N} x ${K}`, ...extras].join(' + ');
  return { name, dims, make: (precision) => trial(form, dims, extras, precision) };
}

/** n x n times n x n. */
export const squareCase = (form: MatmulForm, n: number): KernelCase => sizedCase(form, n, n, n);

const WORDS: Record<MatmulForm, string> = {
  nn: 'C[M,N] = A[M,K] B[K,N]: y = x w',
  nt: 'C[M,N] = A[M,K] B[N,K]^T: dx = dy w^T',
  tn: 'C[M,N] = A[K,M]^T B[K,N]: dw = x^T dy',
};

const matmul = (form: MatmulForm): KernelEntry => ({
  name: `matmul ${form}`,
  family: 'matmul',
  about: `${WORDS[form]}, plus bias, plus residual; every sum runs over k in one order.`,
  label: `matmul ${form} `,
  bindings: 'a b c [bias] [residual]',
  uniform: 'm u32, n u32, k u32, stride_a u32, stride_b u32, stride_c u32, share u32',
  dispatch:
    'One workgroup per tile of C: a subgroup and 4 to 32 rows on CPU adapters, 16 x 16 threads and 64 x 64 on GPUs.',
  flops: '2*M*N*K',
  bytes: '4*(M*K + K*N + M*N*(1 + residual) + bias*N)',
  variants: variantsOf(form),
  cases: [
    sizedCase(form, 1, 1, 1),
    sizedCase(form, 3, 17, 20),
    sizedCase(form, 33, 33, 33),
    sizedCase(form, 68, 36, 44),
    sizedCase(form, 160, 96, 64),
    ...(form === 'nn'
      ? [sizedCase(form, 1, 96, 33), sizedCase(form, 1100, 12, 8), sizedCase(form, 20, 160, 96, 'bias', 'residual')]
      : []),
  ],
  bench: squareCase(form, 512),
  // The naive one takes seconds for 512 on a processor.
  ladder: (software) => squareCase(form, software ? 256 : 1024),
});

export const MATMUL: readonly KernelEntry[] = [matmul('nn'), matmul('nt'), matmul('tn')];
