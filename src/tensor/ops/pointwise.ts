/** Elementwise operations: shape rule, kernel and derivative. Row vectors broadcast when their size divides. */
import binaryLink from '../../../shaders/ops/binary.wgsl?link';
import swigluLink from '../../../shaders/ops/swiglu.wgsl?link';
import swigluBackwardLink from '../../../shaders/ops/swiglu_backward.wgsl?link';
import unaryLink from '../../../shaders/ops/unary.wgsl?link';
import type { Tensor } from '../graph.ts';
import { cover, pack } from '../kernel.ts';
import { sumRows } from './reduce.ts';

const quads = (t: Tensor): number => Math.ceil(t.size / 4);

function unary(
  entryPoint: string,
  x: Tensor,
  alpha: number,
  beta: number,
  back: (dy: Tensor, y: Tensor) => Tensor | null,
): Tensor {
  const n = quads(x);
  const [y] = x.graph.add({
    name: entryPoint,
    inputs: [x],
    outputs: [x.shape],
    dispatch: ([out]) => [
      {
        label: entryPoint,
        code: unaryLink(x.graph.conditions),
        entryPoint,
        bindings: [x, out],
        uniforms: pack(n, { f: alpha }, { f: beta }),
        workgroups: cover(n),
        flops: x.size * 2,
        bytes: x.size * 8,
      },
    ],
    backward: ([dy], [out]) => [dy && back(dy, out)],
  });
  return y;
}

function binary(
  entryPoint: string,
  a: Tensor,
  b: Tensor,
  alpha: number,
  beta: number,
  back: ((dy: Tensor) => (Tensor | null)[]) | null,
): Tensor {
  if (a.size % b.size !== 0 || (b.size !== a.size && b.size % 4 !== 0)) {
    throw new Error(`${entryPoint}: [${b.shape}] does not repeat over [${a.shape}]`);
  }
  const n = quads(a);
  const [y] = a.graph.add({
    name: entryPoint,
    inputs: [a, b],
    outputs: [a.shape],
    dispatch: ([out]) => [
      {
        label: entryPoint,
        code: binaryLink(a.graph.conditions),
        entryPoint,
        bindings: [a, b, out],
        uniforms: pack(n, quads(b), { f: alpha }, { f: beta }),
        workgroups: cover(n),
        flops: a.size * 2,
        bytes: a.size * 8 + b.size * 4,
      },
    ],
    backward: back ? ([dy]) => (dy ? back(dy) : []) : undefined,
  });
  return y;
}

/** alpha * x + beta. Padding lanes get beta, which nothing reads. */
export function affine(x: Tensor, alpha: number, beta = 0): Tensor {
  return unary('scale', x, alpha, beta, (dy) => affine(dy, alpha));
}

export function tanh(x: Tensor): Tensor {
  return unary('tanh_', x, 1, 0, (dy, y) => binary('tanh_backward', dy, y, 1, 0, null));
}

export function sigmoid(x: Tensor): Tensor {
  return unary('sigmoid', x, 1, 0, (dy, y) => binary('sigmoid_backward', dy, y, 1, 0, null));
}

export function silu(x: Tensor): Tensor {
  return unary('silu', x, 1, 0, (dy) => binary('silu_backward', dy, x, 1, 0, null));
}

export function square(x: Tensor): Tensor {
  return unary('square', x, 1, 0, (dy) => affine(mul(dy, x), 2));
}

/** Clamps to [lo, hi]. Not differentiable here: used on finished samples only. */
export function clamp(x: Tensor, lo: number, hi: number): Tensor {
  return unary('clamp_', x, lo, hi, () => null);
}

/** alpha * a + beta * b; b may be a row that repeats over a. */
export function add(a: Tensor, b: Tensor, alpha = 1, beta = 1): Tensor {
  // No dispatch may bind one tensor twice; two gradients that meet can be the same tensor.
  if (a.storage === b.storage) return affine(a, alpha + beta);
  return binary('add', a, b, alpha, beta, (dy) => [
    alpha === 1 ? dy : affine(dy, alpha),
    b.size === a.size ? (beta === 1 ? dy : affine(dy, beta)) : sumRows(dy, b.size, beta),
  ]);
}

/** a * b; b may be a row that repeats over a, and then is a constant to differentiation. */
export function mul(a: Tensor, b: Tensor): Tensor {
  if (a.storage === b.storage) return square(a);
  return binary('mul', a, b, 0, 0, (dy) => [mul(dy, b), b.size === a.size ? mul(dy, a) : null]);
}

/** SwiGLU of a packed [rows, 2H] gate-and-up projection: [rows, H]. */
export function swiglu(gu: Tensor): Tensor {
  const h4 = gu.shape[gu.shape.length - 1] / 8;
  if (!Number.isInteger(h4)) throw new Error(`swiglu: hidden width of [${gu.shape}] must be a multiple of 4`);
  const rows = gu.size / (h4 * 8);
  const [h] = gu.graph.add({
    name: 'swiglu',
    inputs: [gu],
    outputs: [[rows, h4 * 4]],
    dispatch: ([out]) => [
      {
        label: 'swiglu',
        code: swigluLink(gu.graph.conditions),
        entryPoint: 'forward',
        bindings: [gu, out],
        uniforms: pack(rows, h4),
        workgroups: cover(rows * h4),
        flops: out.size * 6,
        bytes: out.size * 12,
      },
    ],
    backward: ([dh]) => {
      if (!dh) return [null];
      const [dgu] = gu.graph.add({
        name: 'swiglu backward',
        inputs: [gu, dh],
        outputs: [gu.shape],
        dispatch: ([out]) => [
          {
            label: 'swiglu backward',
            code: swigluBackwardLink(gu.graph.conditions),
            entryPoint: 'backward',
            bindings: [gu, dh, out],
            uniforms: pack(rows, h4),
            workgroups: cover(rows * h4),
            flops: dh.size * 12,
            bytes: dh.size * 20,
          },
        ],
      });
      return [dgu];
    },
  });
  return h;
}
