/** Random tensors from the counter-based generator: the same numbers on every adapter up to rounding of log and cos. */
import link from '../../../shaders/ops/gaussian.wgsl?link';
import type { Tensor } from '../graph.ts';
import { launch } from './launch.ts';

/** Standard normal [shape]; `seed` u32 [2..] changes from run to run, `stream` separates uses within a run. */
export function gaussian(seed: Tensor, shape: readonly number[], stream: number): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  return launch(seed.graph, {
    label: 'gaussian',
    link,
    entryPoint: 'gaussian',
    inputs: [seed],
    outputs: [shape],
    uniforms: [n, stream],
    threads: n,
    flopsEach: 20,
  })[0];
}
