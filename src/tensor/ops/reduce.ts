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

const ALL: RowChoice = { group: 1, lo: 0, count: 1 };
/** Workgroups that keep a GPU busy. */
const BUSY = 256;

/** scale * sum over rows of x seen as [rows, width]: [width]. Not differentiable (only gradients use it). */
export function sumRows(x: Tensor, width: number, scale = 1, choice: RowChoice = ALL): Tensor {
  if (width % 4 !== 0 || x.size % width !== 0) throw new Error(`sumRows: [${x.shape}] has no rows of ${width}`);
  const rows = (x.size / width / choice.group) * choice.count;
  const serial = x.graph.conditions.software;
  const columns = Math.ceil(width / 128);
  const slices = serial ? 1 : Math.max(1, Math.min(Math.floor(rows / 32), Math.ceil(BUSY / columns)));
  const sum = (from: Tensor, to: Tensor, n: number, over: number, by: number, which: RowChoice): Dispatch => ({
    label: 'sum rows',
    code: sumRowsLink(x.graph.conditions),
    entryPoint: serial ? 'serial' : 'tree',
    bindings: [from, to],
    uniforms: pack(n, width / 4, which.group, which.lo, which.count, { f: by }),
    workgroups: serial ? [Math.ceil(width / 32), 1, 1] : [columns, over, 1],
    flops: n * width,
    // The slices' partial sums stay in the cache.
    bytes: (n + 1) * width * 4,
  });
  const outputs = x.graph.add({
    name: 'sum rows',
    inputs: [x],
    outputs: slices === 1 ? [[width]] : [[width], [slices, width]],
    dispatch: ([out, partial]) =>
      slices === 1
        ? [sum(x, out, rows, 1, scale, choice)]
        : [sum(x, partial, rows, slices, 1, choice), sum(partial, out, slices, 1, scale, ALL)],
  });
  return outputs[0];
}

const parts = (x: Tensor): number =>
  x.graph.conditions.software
    ? Math.min(256, Math.max(1, Math.ceil(x.size / 256)))
    : Math.min(1024, Math.max(1, Math.ceil(x.size / 2048)));

function sumDispatch(x: Tensor, y: Tensor, n: number, outs: number, entryPoint: string, scale: number): Dispatch {
  const serial = x.graph.conditions.software;
  return {
    label: entryPoint,
    code: sumAllLink(x.graph.conditions),
    entryPoint: serial ? entryPoint : `${entryPoint}_tree`,
    bindings: [x, y],
    uniforms: pack(n, outs, Math.ceil(n / outs), { f: scale }),
    workgroups: serial ? cover(outs) : [outs, 1, 1],
    flops: n * 2,
    bytes: n * 4,
  };
}

/** scale * sum of all elements (or of their squares): [1]. Not differentiable. */
export function sumAll(x: Tensor, scale = 1, squares = false): Tensor {
  const outs = parts(x);
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
  const outs = parts(losses);
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
