/** Products and look-ups with bfloat16 weights. */
import naiveLink from '../../../shaders/versions/linear_bf16_naive.wgsl?link';
import { cover } from '../kernel.ts';
import { packedEmbedding, packedLinear } from '../ops/packed-bf16.ts';
import { matmulReference } from '../reference/matmul.ts';
import { casesOf, type KernelEntry, random, single, type Trial, words } from './entry.ts';
import { keptVersion, slower } from './kept.ts';
import { TOLERANCE } from './tolerance.ts';

/** Random bfloat16 numbers: two to a word as the kernels read them, and their values. */
function bfloats(count: number, salt: number): { packed: Uint32Array<ArrayBuffer>; values: Float32Array<ArrayBuffer> } {
  const bits = new Uint32Array(random([count], salt).data.buffer).map((b) => b & 0xffff0000);
  const packed = Uint32Array.from({ length: count / 2 }, (_, i) => (bits[2 * i] >>> 16) | bits[2 * i + 1]);
  return { packed, values: new Float32Array(bits.buffer) };
}

type Sizes = { M: number; N: number; K: number; residual: number };

const linearTrial = ({ M, N, K, residual }: Sizes): Trial => {
  const x = random([M, K], 1);
  const w = bfloats(N * K, 2);
  const r = random([M, N], 3);
  return {
    inputs: { x, w: words([N, K / 2], w.packed), ...(residual ? { r } : {}) },
    build: (t) => ({ y: packedLinear(t.x, t.w, t.r) }),
    want: () => ({
      y: {
        values: matmulReference(
          { form: 'nt', M, N, K, residual: residual === 1 },
          { a: x.data, b: w.values, residual: r.data },
        ),
        share: TOLERANCE.f32.sum,
      },
    }),
  };
};

const linearCases = casesOf(
  [
    { M: 1, N: 1, K: 8, residual: 0 },
    { M: 3, N: 17, K: 40, residual: 1 },
    { M: 9, N: 66, K: 72, residual: 0 },
  ],
  linearTrial,
);

const embeddingTrial = ({ tokens, vocab, d }: { tokens: number; vocab: number; d: number }): Trial => {
  const ids = Array.from({ length: tokens }, (_, i) => (i === 5 ? vocab + 90 : (i * 3) % vocab));
  const table = bfloats(vocab * d, 1);
  return {
    inputs: { ids: words([tokens], ids), table: words([vocab, d / 2], table.packed) },
    build: (t) => ({ y: packedEmbedding(t.ids, t.table) }),
    want: () => ({
      y: {
        values: ids.flatMap((id) => [...table.values.subarray(Math.min(id, vocab - 1) * d).subarray(0, d)]),
        share: 0,
      },
    }),
  };
};

export const PACKED: readonly KernelEntry[] = [
  {
    name: 'linear bf16',
    family: 'matmul',
    about: 'y[M,N] = x[M,K] W[N,K]^T with bfloat16 weights, plus residual.',
    label: 'linear bf16 ',
    bindings: 'x w y [residual]',
    uniform: 'm u32, n u32, k8 u32',
    dispatch: 'One workgroup for 4 rows of 8 columns: an invocation a column on CPU adapters, eight on GPUs.',
    flops: '2*M*N*K',
    bytes: '2*N*K + 4*M*(K + N)',
    variants: [
      keptVersion(
        'linear_bf16_naive',
        {
          name: 'naive',
          entryPoint: 'naive',
          idea: 'One invocation per element, one weight at a time.',
          lost: `${slower(2, 1.3, 'one token, 3072 x 1024')}: a load for every weight and one for its number of x.`,
          takes: ({ residual }) => residual === 0,
        },
        ({ uniforms: [m, n] }) => ({ code: naiveLink(), workgroups: cover(m * n) }),
      ),
      {
        name: 'software',
        idea: 'One invocation per column of four rows: a load brings eight weights, which serve all four. On lavapipe 2, on SwiftShader 1.3 times faster than the naive one (one token, 3072 x 1024).',
        when: 'CPU adapters',
        files: ['ops/linear_bf16.wgsl'],
        entryPoint: 'main',
        chosen: (c) => c.software,
        force: { software: true },
      },
      {
        name: 'GPU',
        idea: `Eight lanes share a column, so that they read one line of memory, and meet once, at the end. ${slower(1.5, 2.4, 'one token, 3072 x 1024')}.`,
        when: 'graphics processors',
        files: ['ops/linear_bf16.wgsl'],
        entryPoint: 'main',
        chosen: (c) => !c.software,
        force: { software: false },
      },
    ],
    cases: linearCases,
    // One token through a projection of Qwen3-0.6B.
    bench: casesOf([{ M: 1, N: 3072, K: 1024, residual: 0 }], linearTrial)[0],
  },
  {
    name: 'embedding bf16',
    family: 'tokens',
    about: 'Rows of a bfloat16 table chosen by ids.',
    label: 'embedding bf16',
    bindings: 'ids table y',
    uniform: 'tokens u32, d8 u32, vocab u32',
    dispatch: 'One invocation per eight channels of a token.',
    flops: '0',
    bytes: '4*(tokens + vocab*d/2 + tokens*d)',
    variants: single('ops/embedding_bf16.wgsl', 'gather'),
    cases: casesOf(
      [
        { tokens: 1, vocab: 1, d: 8 },
        { tokens: 7, vocab: 6, d: 24 },
      ],
      embeddingTrial,
    ),
    bench: casesOf([{ tokens: 512, vocab: 4096, d: 1024 }], embeddingTrial)[0],
  },
];
