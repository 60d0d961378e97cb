/** Matrix products with their derivative; kernels and tile choice are in ../kernels/matmul.ts. */
import type { Tensor } from '../graph.ts';
import { planMatmul, tileClass } from '../kernels/matmul.ts';
import { sumRows } from './reduce.ts';

type Form = 'nn' | 'nt' | 'tn';

/**
 * C [M, N] = A B in one of the forms of ../kernels/matmul.ts, plus bias [N], plus residual [M, N], as a tensor of `shape`.
 * Without `backward` it is a constant to differentiation.
 */
export function product(
  form: Form,
  a: Tensor,
  b: Tensor,
  [m, n, k]: [number, number, number],
  shape: readonly number[],
  extra: { bias?: Tensor; residual?: Tensor },
  backward?: (dy: Tensor) => (Tensor | null)[],
): Tensor {
  const graph = a.graph;
  const inputs = [a, b];
  if (extra.bias) inputs.push(extra.bias);
  if (extra.residual) inputs.push(extra.residual);
  const [c] = graph.add({
    name: `matmul ${form}`,
    inputs,
    outputs: [shape],
    dispatch: ([out]) => {
      const p = planMatmul({
        form,
        M: m,
        N: n,
        K: k,
        bias: extra.bias !== undefined,
        residual: extra.residual !== undefined,
        software: graph.conditions.software,
        subgroup: graph.conditions.subgroupSize,
        ...graph.conditions.tiles?.[tileClass(form, m, n, k)],
      });
      const byName = { a, b, c: out, bias: extra.bias, residual: extra.residual };
      return [
        {
          label: `matmul ${form} ${m}x${n}x${k}`,
          code: p.code,
          entryPoint: p.entryPoint,
          constants: p.constants,
          bindings: p.bindings.map((name) => {
            const t = byName[name];
            if (!t) throw new Error(`matmul: kernel wants ${name}, which this product does not have`);
            return t;
          }),
          uniforms: new Uint32Array(p.uniforms),
          workgroups: p.workgroups,
          flops: p.flops,
          bytes: p.bytes,
        },
      ];
    },
    backward: backward ? ([dy]) => (dy ? backward(dy) : []) : undefined,
  });
  return c;
}

/**
 * x [.., K] times w [K, N], plus bias [N], plus residual of the result's shape: [.., N].
 * The derivative flows to all four.
 */
export function linear(x: Tensor, w: Tensor, options: { bias?: Tensor; residual?: Tensor } = {}): Tensor {
  const [k, n] = w.shape;
  if (w.shape.length !== 2 || x.shape[x.shape.length - 1] !== k) {
    throw new Error(`linear: [${x.shape}] cannot be multiplied by [${w.shape}]`);
  }
  const m = x.size / k;
  const shape = [...x.shape.slice(0, -1), n];
  const { bias, residual } = options;
  if (residual && residual.size !== m * n) throw new Error(`linear: residual [${residual.shape}] is not [${shape}]`);
  return product('nn', x, w, [m, n, k], shape, options, (dy) => {
    const grads: (Tensor | null)[] = [
      product('nt', dy, w, [m, k, n], x.shape, {}),
      product('tn', x, dy, [k, n, m], w.shape, {}),
    ];
    if (bias) grads.push(sumRows(dy, n));
    if (residual) grads.push(dy);
    return grads;
  });
}

/** A plain product of two matrices without derivative; `form` says which side is turned (kernels/matmul.ts). */
export function matmul(form: Form, a: Tensor, b: Tensor): Tensor {
  const [m, k] = form === 'tn' ? [a.shape[1], a.shape[0]] : a.shape;
  const [n, other] = form === 'nt' ? b.shape : [b.shape[1], b.shape[0]];
  if (k !== other) throw new Error(`matmul ${form}: [${a.shape}] and [${b.shape}] do not fit`);
  return product(form, a, b, [m, n, k], [m, n], {});
}

/** x [.., K] times the transpose of w [N, K] (a tied output head): [.., N]. */
export function linearTransposed(x: Tensor, w: Tensor): Tensor {
  const [n, k] = w.shape;
  const m = x.size / k;
  return product('nt', x, w, [m, n, k], [...x.shape.slice(0, -1), n], {}, (dy) => [
    product('nn', dy, w, [m, k, n], x.shape, {}),
    product('tn', dy, x, [n, k, m], w.shape, {}),
  ]);
}

/** The transpose of x [K, M] times w [K, N]: [M, N]. Not differentiable: models use it as a derivative only. */
export function transposedLinear(x: Tensor, w: Tensor): Tensor {
  const [k, m] = x.shape;
  if (w.shape[0] !== k) throw new Error(`transposedLinear: [${x.shape}] and [${w.shape}] differ in rows`);
  return product('tn', x, w, [m, w.shape[1], k], [m, w.shape[1]], {});
}
