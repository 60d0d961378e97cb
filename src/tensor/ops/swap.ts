/** Two axes of a tensor change places. */
import link from '../../../shaders/ops/swap_axes.wgsl?link';
import type { Tensor } from '../graph.ts';
import { launch } from './launch.ts';

/** x [outer, a, b, whole] to [outer, b, a, count]: channels `begin` to `begin + count` of the last axis, all by default. */
export function swapAxes(x: Tensor, begin = 0, count = x.shape[3] - begin): Tensor {
  const [outer, a, b, whole] = x.shape;
  if (x.shape.length !== 4 || [whole, begin, count].some((n) => n % 4 !== 0) || begin + count > whole) {
    throw new Error(`swapAxes: channels ${begin}..${begin + count} of [${x.shape}] are no quads of four axes`);
  }
  const common = { link, uniforms: [outer, a, b, whole / 4, begin / 4, count / 4], flops: 0 };
  const size = (outer * a * b * count) / 4;
  return launch(x.graph, {
    ...common,
    label: 'swap axes',
    entryPoint: 'swap',
    inputs: [x],
    outputs: [[outer, b, a, count]],
    threads: size,
    bytes: 32 * size,
    backward: ([dy]) => [
      dy &&
        launch(x.graph, {
          ...common,
          label: 'swap axes back',
          entryPoint: 'swap_back',
          inputs: [dy],
          outputs: [x.shape],
          threads: x.size / 4,
        })[0],
    ],
  })[0];
}
