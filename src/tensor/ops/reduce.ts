/** Sums with a fixed order, so that reruns are bit-identical. */
import sumAllLink from '../../../shaders/ops/sum_all.wgsl?link';
import sumRowsLink from '../../../shaders/ops/sum_rows.wgsl?link';
import type { Tensor } from '../graph.ts';
import { cover, type Dispatch, pack } from '../kernel.ts';

/** Which rows take part in a sum: of every `group` rows, `count` rows from `lo`. */
export interface RowChoice {
  group: number;
  lo: number;
  count: number;
}

/** scale * sum over rows of x seen as [rows, width]: [width]. Not differentiable (only gradients use it). */
export function sumRows(
  x: Tensor,
  width: number,
  scale = 1,
  choice: RowChoice = { group: 1, lo: 0, count: 1 },
): Tensor {
  if (width % 4 !== 0 || x.size % width !== 0) throw new Error(`sumRows: [${x.shape}] has no rows of ${width}`);
  const rows = (x.size / width / choice.group) * choice.count;
  const serial = x.graph.conditions.software;
  const [y] = x.graph.add({
    name: 'sum rows',
    inputs: [x],
    outputs: [[width]],
    dispatch: ([out]) => [
      {
        label: 'sum rows',
        code: sumRowsLink(x.graph.conditions),
        entryPoint: serial ? 'serial' : 'tree',
        bindings: [x, out],
        uniforms: pack(rows, width / 4, choice.group, choice.lo, choice.count, { f: scale }),
        workgroups: serial ? [Math.ceil(width / 32), 1, 1] : [width / 4, 1, 1],
        flops: rows * width,
        bytes: (rows + 1) * width * 4,
      },
    ],
  });
  return y;
}

const parts = (n: number): number => Math.min(256, Math.max(1, Math.ceil(n / 256)));

function sumDispatch(x: Tensor, y: Tensor, n: number, outs: number, entryPoint: string, scale: number): Dispatch {
  return {
    label: entryPoint,
    code: sumAllLink(x.graph.conditions),
    entryPoint,
    bindings: [x, y],
    uniforms: pack(n, outs, Math.ceil(n / outs), { f: scale }),
    workgroups: cover(outs),
    flops: n * 2,
    bytes: n * 4,
  };
}

/** scale * sum of all elements (or of their squares): [1]. Not differentiable. */
export function sumAll(x: Tensor, scale = 1, squares = false): Tensor {
  const outs = parts(x.size);
  const entryPoint = squares ? 'sum_squares' : 'sum';
  const [, y] = x.graph.add({
    name: 'sum all',
    inputs: [x],
    outputs: [[outs], [1]],
    dispatch: ([partial, out]) => [
      sumDispatch(x, partial, x.size, outs, entryPoint, 1),
      sumDispatch(partial, out, outs, 1, 'sum', scale),
    ],
  });
  return y;
}

/**
 * scale * sum of row losses as a function of `sources`: the derivative of the whole (rows and sum) is given by
 * `backward`, which receives the upstream scalar [1] and returns one gradient per source.
 */
export function scaledSumOf(
  losses: Tensor,
  sources: Tensor[],
  scale: number,
  backward: (upstream: Tensor) => Tensor[],
): Tensor {
  const n = losses.size;
  const outs = parts(n);
  const [, y] = losses.graph.add({
    name: 'sum losses',
    inputs: [...sources, losses],
    outputs: [[outs], [1]],
    dispatch: ([partial, out]) => [
      sumDispatch(losses, partial, n, outs, 'sum', 1),
      sumDispatch(partial, out, outs, 1, 'sum', scale),
    ],
    backward: ([, upstream]) => (upstream ? backward(upstream) : []),
  });
  return y;
}

/** Mean of row losses; otherwise as scaledSumOf. */
export function meanOf(losses: Tensor, sources: Tensor[], backward: (upstream: Tensor) => Tensor[]): Tensor {
  return scaledSumOf(losses, sources, 1 / losses.size, backward);
}
