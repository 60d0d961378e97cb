/** Softmax over the last axis. Attention and cross-entropy have their own inside their kernels; this one stands alone. */
import link from '../../../shaders/ops/softmax.wgsl?link';
import type { Tensor } from '../graph.ts';
import { launch } from './launch.ts';

/** x [.., D] -> same shape; D must be a multiple of 4. Not differentiable: nothing here trains through it. */
export function softmax(x: Tensor): Tensor {
  const d = x.shape[x.shape.length - 1];
  if (d % 4 !== 0) throw new Error(`softmax: rows of [${x.shape}] are no multiple of 4`);
  const rows = x.size / d;
  return launch(x.graph, {
    label: 'softmax',
    link,
    entryPoint: 'forward',
    inputs: [x],
    outputs: [x.shape],
    uniforms: [rows, d / 4],
    threads: rows,
    flopsEach: 4,
  })[0];
}
