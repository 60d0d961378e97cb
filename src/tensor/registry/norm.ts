/** RMSNorm and softmax over rows, and per-head norm with rotary embedding. */

import ropeLink from '../../../shaders/versions/qk_rope_naive.wgsl?link';
import backwardLink from '../../../shaders/versions/rmsnorm_backward_scalars.wgsl?link';
import versionsLink from '../../../shaders/versions/rmsnorm_versions.wgsl?link';
import softmaxVersionsLink from '../../../shaders/versions/softmax_versions.wgsl?link';
import { cover } from '../kernel.ts';
import { type Heads, qkRope, type RowPosition, ropeTable } from '../ops/attention.ts';
import { rmsNorm } from '../ops/norm.ts';
import { softmax } from '../ops/softmax.ts';
import { normRow, normRowBackward, qkRopeGradient, qkRopeReference } from '../reference/attention.ts';
import { softmaxRow } from '../reference/pointwise.ts';
import {
  casesOf,
  floats,
  type KernelCase,
  type KernelEntry,
  random,
  serialOrTree,
  single,
  type Trial,
  type Variant,
} from './entry.ts';
import { keptVersion, slower } from './kept.ts';
import { pullBack } from './pull-back.ts';
import { TOLERANCE } from './tolerance.ts';

/** With so many rows to a workgroup. */
const version = (
  file: string,
  link: () => string,
  entryPoint: string,
  idea: string,
  lost: string,
  rows = 64,
): Variant =>
  keptVersion(file, { name: entryPoint, entryPoint, idea, lost }, (d) => ({
    code: link(),
    workgroups: cover(d.uniforms[0], rows),
  }));

const RMSNORM: Variant[] = [
  version(
    'rmsnorm_versions',
    versionsLink,
    'scalars',
    'One invocation per row, one number at a time.',
    `${slower(1.5, 2.1, '2560 rows of 256')}: four times as many loads, each with its own bounds check.`,
  ),
  ...serialOrTree(
    {
      file: 'ops/rmsnorm.wgsl',
      entryPoint: 'forward',
      idea: 'One invocation per row in vec4s: rows are short and many, and there is no barrier. On lavapipe 1.5, on SwiftShader 2.1 times faster than one number at a time (2560 rows of 256).',
    },
    {
      file: 'ops/rmsnorm_tree.wgsl',
      entryPoint: 'tree',
      idea: `One workgroup per row, the sum of squares by a tree: 5.5 times faster on an NVIDIA H200. ${slower(5.1, 22, '2560 rows of 256')}: barriers.`,
    },
  ),
];

const RMSNORM_BACKWARD: Variant[] = [
  version(
    'rmsnorm_backward_scalars',
    backwardLink,
    'scalars',
    'One invocation per row, one number at a time.',
    `${slower(1.6, 1.8, '2560 rows of 256')}: four times as many loads.`,
  ),
  {
    ...single('ops/rmsnorm_backward.wgsl', 'backward')[0],
    idea: 'One invocation per row in vec4s, what does not change within a row computed once. On lavapipe 1.6, on SwiftShader 1.8 times faster than one number at a time (2560 rows of 256).',
  },
];

const softmaxVersion = (entryPoint: string, idea: string, lost: string, rows = 64): Variant =>
  version('softmax_versions', softmaxVersionsLink, entryPoint, idea, lost, rows);

const QK_ROPE: Variant[] = [
  keptVersion(
    'qk_rope_naive',
    {
      name: 'naive',
      entryPoint: 'naive',
      idea: 'One invocation per number; each sums the squares of its head once more.',
      lost: `${slower(12, 19, '2560 rows of 8 + 2 x 4 heads of 32')}: as many sums as numbers, all loads scalar.`,
    },
    ({ uniforms: [rows, heads, kv, , , , dh4] }) => ({
      code: ropeLink(),
      workgroups: cover(rows * (heads + 2 * kv) * 4 * dh4),
    }),
  ),
  {
    ...single('attention/qk_rope.wgsl', 'forward')[0],
    idea: 'One invocation per row and head, in vec4s: squares are summed once. On lavapipe 12, on SwiftShader 19 times faster than the naive one (2560 rows of 8 + 2 x 4 heads of 32).',
  },
];

const SOFTMAX: Variant[] = [
  softmaxVersion(
    'naive',
    'One invocation per row, one number at a time; exponentials once for the sum and once for the result.',
    `${slower(1.9, 1.7, '2560 rows of 256')}: twice the exponentials, all loads scalar.`,
  ),
  softmaxVersion(
    'online',
    'Largest number and sum in one pass over a row instead of two; the sum shrinks whenever a larger number comes.',
    `${slower(1.5, 1.2, '2560 rows of 256')}: it saves a pass, but the exponentials of that pass cannot be kept, and their sum is a chain.`,
  ),
  softmaxVersion(
    'tree',
    'One workgroup per row: its threads read side by side and meet in two trees.',
    `${slower(6.4, 14, '2560 rows of 256')}: barriers. No graphics processor has been measured.`,
    1,
  ),
  {
    ...single('ops/softmax.wgsl', 'forward')[0],
    idea: 'One invocation per row in vec4s; exponentials are kept in the result until their sum is known. On lavapipe 1.9, on SwiftShader 1.7 times faster than the naive one (2560 rows of 256).',
  },
];

type Rows = { rows: number; d: number };
const ROWS: Rows[] = [
  { rows: 1, d: 4 },
  { rows: 3, d: 20 },
  { rows: 130, d: 12 },
  { rows: 5, d: 512 },
];
const BENCH: Rows = { rows: 2560, d: 256 };

const rowOf = (x: Float32Array<ArrayBuffer>, r: number, d: number) => x.subarray(r * d, (r + 1) * d);

const forward = ({ rows, d }: Rows): Trial => {
  const [x, g] = [random([rows, d], 1, 3), random([d], 2)];
  return {
    inputs: { x, g },
    build: (t) => ({ y: rmsNorm(t.x, t.g) }),
    want: () => ({
      y: {
        values: Array.from({ length: rows }, (_, r) => normRow(rowOf(x.data, r, d), g.data)).flat(),
        share: TOLERANCE.f32.sum,
      },
    }),
  };
};

const backward = ({ rows, d }: Rows): Trial => {
  const [x, g, probe] = [random([rows, d], 1, 3), random([d], 2), random([rows, d], 3)];
  return {
    inputs: { x, g, probe },
    build: (t, graph) => {
      const [dx, dg] = pullBack(graph, rmsNorm(t.x, t.g), t.probe, [t.x, t.g]);
      return { dx, dg };
    },
    want: () => {
      const parts = Array.from({ length: rows }, (_, r) =>
        normRowBackward(rowOf(x.data, r, d), g.data, rowOf(probe.data, r, d)),
      );
      const dg = Array.from({ length: d }, (_, c) => parts.reduce((sum, [, summand]) => sum + summand[c], 0));
      return {
        dx: { values: parts.flatMap(([dx]) => dx), share: TOLERANCE.f32.sum },
        dg: { values: dg, share: TOLERANCE.f32.sum },
      };
    },
  };
};

const softmaxTrial = ({ rows, d }: Rows): Trial => {
  const x = random([rows, d], 1, 30);
  return {
    inputs: { x },
    build: (t) => ({ y: softmax(t.x) }),
    want: () => ({
      y: {
        values: Array.from({ length: rows }, (_, r) => softmaxRow(rowOf(x.data, r, d))).flat(),
        share: TOLERANCE.f32.sum,
      },
    }),
  };
};

interface Rope {
  name: string;
  heads: Heads;
  rows: number;
  at: RowPosition;
}

const ROPES: Rope[] = [
  { name: 'grouped heads', heads: { heads: 4, kvHeads: 2, dim: 8 }, rows: 7, at: { every: 1, period: 7 } },
  {
    name: 'a position every three rows',
    heads: { heads: 3, kvHeads: 1, dim: 16 },
    rows: 12,
    at: { every: 3, period: 4 },
  },
  {
    name: 'positions that start again',
    heads: { heads: 2, kvHeads: 2, dim: 32 },
    rows: 10,
    at: { every: 1, period: 5 },
  },
  { name: 'one row', heads: { heads: 1, kvHeads: 1, dim: 4 }, rows: 1, at: { every: 1, period: 1 } },
];
const ROPE_BENCH: Rope = {
  name: '2560 rows of 8 + 2 x 4 heads of 32',
  heads: { heads: 8, kvHeads: 4, dim: 32 },
  rows: 2560,
  at: { every: 20, period: 128 },
};

function ropeCase(rope: Rope, make: (rope: Rope) => Trial): KernelCase {
  const { heads, kvHeads, dim } = rope.heads;
  const dims = { rows: rope.rows, width: (heads + 2 * kvHeads) * dim };
  return { name: rope.name, dims, make: () => make(rope) };
}

function ropeInputs({ heads, rows, at }: Rope) {
  const width = (heads.heads + 2 * heads.kvHeads) * heads.dim;
  return {
    qkv: random([rows, width], 1, 3),
    gq: random([heads.dim], 2),
    gk: random([heads.dim], 3),
    table: floats([at.period, heads.dim], ropeTable(at.period, heads.dim)),
  };
}

const ropeForward = (rope: Rope): Trial => {
  const inputs = ropeInputs(rope);
  const { qkv, gq, gk } = inputs;
  return {
    inputs,
    build: (t) => ({ y: qkRope(t.qkv, t.gq, t.gk, t.table, rope.heads, rope.at) }),
    want: () => ({
      y: { values: qkRopeReference(qkv.data, gq.data, gk.data, rope.heads, rope.at), share: TOLERANCE.f32.sum },
    }),
  };
};

const ropeBackward = (rope: Rope): Trial => {
  const inputs = { ...ropeInputs(rope), probe: random([rope.rows, ropeInputs(rope).qkv.shape[1]], 4) };
  const { qkv, gq, gk, probe } = inputs;
  return {
    inputs,
    build: (t, graph) => {
      const y = qkRope(t.qkv, t.gq, t.gk, t.table, rope.heads, rope.at);
      const [dqkv, dgq, dgk] = pullBack(graph, y, t.probe, [t.qkv, t.gq, t.gk]);
      return { dqkv, dgq, dgk };
    },
    want: () => {
      const g = qkRopeGradient(qkv.data, gq.data, gk.data, rope.heads, rope.at, probe.data);
      return {
        dqkv: { values: g.dqkv, share: TOLERANCE.f32.sum },
        dgq: { values: g.dgainQ, share: TOLERANCE.f32.sum },
        dgk: { values: g.dgainK, share: TOLERANCE.f32.sum },
      };
    },
  };
};

const ROPE_UNIFORM = 'rows u32, heads u32, kv u32, every u32, period u32, eps f32, dh4 u32';

export const NORM: readonly KernelEntry[] = [
  {
    name: 'rmsnorm',
    family: 'norm',
    about: 'y = x gain / sqrt(mean(x^2) + eps) over rows; keeps 1 / sqrt for the way back.',
    label: 'rmsnorm',
    bindings: 'x gain y rstd',
    uniform: 'rows u32, d4 u32, eps f32',
    dispatch: 'CPU adapters: one invocation per row; GPUs: one workgroup of 64.',
    flops: '4*rows*d',
    bytes: '8*rows*d',
    variants: RMSNORM,
    cases: casesOf(ROWS, forward),
    bench: casesOf([BENCH], forward)[0],
  },
  {
    name: 'rmsnorm backward',
    family: 'norm',
    about: 'dx, and the summands of the gain’s gradient.',
    label: 'rmsnorm backward',
    bindings: 'x gain rstd dy dx dgain',
    uniform: 'rows u32, d4 u32',
    dispatch: 'One invocation per row.',
    flops: '9*rows*d',
    bytes: '16*rows*d',
    variants: RMSNORM_BACKWARD,
    cases: casesOf(ROWS, backward),
    bench: casesOf([BENCH], backward)[0],
  },
  {
    name: 'softmax',
    family: 'norm',
    about: 'y = exp(x - max) / sum over rows.',
    label: 'softmax',
    bindings: 'x y',
    uniform: 'rows u32, d4 u32',
    dispatch: 'One invocation per row.',
    flops: '4*rows*d',
    bytes: '8*rows*d',
    variants: SOFTMAX,
    cases: casesOf(ROWS, softmaxTrial),
    bench: casesOf([BENCH], softmaxTrial)[0],
  },
  {
    name: 'qk rope',
    family: 'attention',
    about: 'RMSNorm of every query and key head, then rotary embedding; values pass.',
    label: 'qk rope',
    bindings: 'qkv gain_q gain_k table out',
    uniform: ROPE_UNIFORM,
    dispatch: 'One invocation per row and head.',
    flops: '8*rows*width',
    bytes: '8*rows*width',
    variants: QK_ROPE,
    cases: ROPES.map((rope) => ropeCase(rope, ropeForward)),
    bench: ropeCase(ROPE_BENCH, ropeForward),
  },
  {
    name: 'qk rope backward',
    family: 'attention',
    about: 'Rotates the gradient back, then the RMSNorm rule; summands of both gains.',
    label: 'qk rope backward',
    bindings: 'qkv gain_q gain_k table dout dqkv dgain',
    uniform: ROPE_UNIFORM,
    dispatch: 'One invocation per row and head.',
    flops: '16*rows*width',
    bytes: '16*rows*width',
    variants: single('attention/qk_rope_backward.wgsl', 'backward'),
    cases: ROPES.map((rope) => ropeCase(rope, ropeBackward)),
    bench: ropeCase(ROPE_BENCH, ropeBackward),
  },
];
