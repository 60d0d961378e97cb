/** Matrix products: three forms with their epilogues, two texts for CPU adapters and one for GPUs. */
import type { MatmulForm } from '../kernels/matmul.ts';
import { product } from '../ops/matmul.ts';
import { matmulReference } from '../reference/matmul.ts';
import { type KernelCase, type KernelEntry, random, smallSubgroups, type Trial, type Variant } from './entry.ts';
import { TOLERANCE } from './tolerance.ts';

const ACCESS = ['ops/matmul_vector.wgsl', 'ops/matmul_scalar.wgsl'];

const VARIANTS: Variant[] = [
  {
    name: 'software, subgroups',
    when: 'CPU adapters with subgroups of 4 or 8',
    files: ['ops/matmul_software.wgsl', ...ACCESS],
    entryPoint: 'main',
    chosen: (c) => c.software && smallSubgroups(c),
    needs: smallSubgroups,
    force: { software: true },
  },
  {
    name: 'software',
    when: 'CPU adapters without such subgroups',
    files: ['ops/matmul_software.wgsl', ...ACCESS],
    entryPoint: 'main',
    chosen: (c) => c.software && !smallSubgroups(c),
    force: { software: true, subgroupSize: 0 },
  },
  {
    name: 'GPU',
    when: 'graphics processors',
    files: ['ops/matmul_tile.wgsl', ...ACCESS],
    entryPoint: 'main',
    chosen: (c) => !c.software,
    force: { software: false },
  },
];

type Sizes = { M: number; N: number; K: number };
type Extra = 'bias' | 'residual';

function trial(form: MatmulForm, { M, N, K }: Sizes, extras: readonly Extra[]): Trial {
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
      return { c: { values, share: TOLERANCE.f32.sum } };
    },
  };
}

function sizedCase(form: MatmulForm, M: number, N: number, K: number, ...extras: Extra[]): KernelCase {
  const dims = { M, N, K, bias: Number(extras.includes('bias')), residual: Number(extras.includes('residual')) };
  const name = [`${M} x ${N} x ${K}`, ...extras].join(' + ');
  return { name, dims, make: () => trial(form, dims, extras) };
}

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
  uniform: 'm u32, n u32, k u32, stride_a u32, stride_b u32, stride_c u32',
  dispatch:
    'One workgroup per tile of C: a subgroup and 4 to 32 rows on CPU adapters, 16 x 16 threads and 64 x 64 on GPUs.',
  flops: '2*M*N*K',
  bytes: '4*(M*K + K*N + M*N*(1 + residual) + bias*N)',
  variants: VARIANTS,
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
  bench: sizedCase(form, 512, 512, 512),
});

export const MATMUL: readonly KernelEntry[] = [matmul('nn'), matmul('nt'), matmul('tn')];
