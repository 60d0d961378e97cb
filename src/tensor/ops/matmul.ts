/** Matrix products with their derivative; kernels and tile choice are in ../kernels/matmul.ts. */
import { halfProducts } from '../../gpu/device.ts';
import type { Tensor } from '../graph.ts';
import { planMatmul, tileClass } from '../kernels/matmul.ts';
import { sumRows } from './reduce.ts';

type Form = 'nn' | 'nt' | 'tn';

/**
 * C [M, N] = A B in one of the forms of ../kernels/matmul.ts, plus bias [N], plus residual [M, N], as a tensor of `shape`.
 * Without `backward` it is a constant to differentiation. `batch`: so many products, one after the other in memory.
 * `causal`: see MatmulOptions. `gradient`: stays f32 where f16 is asked for: what is below 6e-8 is zero in f16, and gradients often are.
 */
export function product(
  form: Form,
  a: Tensor,
  b: Tensor,
  [m, n, k]: [number, number, number],
  shape: readonly number[],
  extra: { bias?: Tensor; residual?: Tensor; batch?: number; gradient?: boolean; causal?: number },
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
        batch: extra.batch,
        causal: extra.causal,
        bias: extra.bias !== undefined,
        residual: extra.residual !== undefined,
        software: graph.conditions.software,
        half: halfProducts(graph.conditions) && !extra.gradient ? 'inputs' : undefined,
        subgroup: graph.conditions.subgroupSize,
        ...graph.conditions.tiles?.[tileClass(form, m, n, k)],
      });
      const byName = { a, b, c: out, bias: extra.bias, residual: extra.residual };
      return [
        {
          label: `matmul ${form} ${extra.batch ? `${extra.batch}x` : ''}${m}x${n}x${k}`,
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
      product('nt', dy, w, [m, k, n], x.shape, { gradient: true }),
      weightGradient(x, dy, [k, n, m], w.shape),
    ];
    if (bias) grads.push(sumRows(dy, n));
    if (residual) grads.push(dy);
    return grads;
  });
}

/** Workgroups of 64 x 64 that keep a GPU busy, and the least length of a sum that is worth a workgroup of its own. */
const BUSY = 128;
const LEAST_SUM = 128;

/**
 * The transpose of x [K, M] times dy [K, N], as a tensor of `shape`: a weight's gradient, which sums over all K tokens. A GPU
 * with a workgroup per tile would leave most of itself idle, so the sum is cut into slices that are added in order.
 */
function weightGradient(x: Tensor, dy: Tensor, [m, n, k]: [number, number, number], shape: readonly number[]): Tensor {
  const slices = x.graph.conditions.software || n % 4 !== 0 ? 1 : slicesOf(k, Math.ceil(m / 64) * Math.ceil(n / 64));
  if (slices === 1) return product('tn', x, dy, [m, n, k], shape, { gradient: true });
  const parts = product('tn', x, dy, [m, n, k / slices], [slices, m, n], { batch: slices, gradient: true });
  return x.graph.reshape(sumRows(parts, m * n), shape);
}

/** Into how many equal slices a sum of k is cut when its result has so many tiles. */
function slicesOf(k: number, tiles: number): number {
  let slices = Math.min(Math.floor(k / LEAST_SUM), Math.ceil(BUSY / tiles));
  while (slices > 1 && k % slices !== 0) slices -= 1;
  return Math.max(1, slices);
}

/**
 * Products of matrices [m, k] and [k, n], or of stacks of them with a leading dimension, without derivative; `form` says
 * which side is turned and what `causal` leaves out (kernels/matmul.ts). Optimisers use it on gradients, hence always in f32.
 */
export function matmul(form: Form, a: Tensor, b: Tensor, causal?: number): Tensor {
  const [sa, sb] = [a.shape.slice(-2), b.shape.slice(-2)];
  const [m, k] = form === 'tn' ? [sa[1], sa[0]] : sa;
  const [n, other] = form === 'nt' ? sb : [sb[1], sb[0]];
  const stack = a.shape.slice(0, -2);
  if (k !== other || stack.join() !== b.shape.slice(0, -2).join()) {
    throw new Error(`matmul ${form}: [${a.shape}] and [${b.shape}] do not fit`);
  }
  return product(form, a, b, [m, n, k], [...stack, m, n], { batch: stack[0], gradient: true, causal });
}

/** x [.., K] times the transpose of w [N, K] (a tied output head): [.., N]. */
export function linearTransposed(x: Tensor, w: Tensor): Tensor {
  const [n, k] = w.shape;
  const m = x.size / k;
  return product('nt', x, w, [m, n, k], [...x.shape.slice(0, -1), n], {}, (dy) => [
    product('nn', dy, w, [m, k, n], x.shape, { gradient: true }),
    weightGradient(dy, x, [n, k, m], w.shape),
  ]);
}

/** The transpose of x [K, M] times w [K, N]: [M, N]. Not differentiable: models use it as a derivative only. */
export function transposedLinear(x: Tensor, w: Tensor): Tensor {
  const [k, m] = x.shape;
  if (w.shape[0] !== k) throw new Error(`transposedLinear: [${x.shape}] and [${w.shape}] differ in rows`);
  return product('tn', x, w, [m, w.shape[1], k], [m, w.shape[1]], {});
}
