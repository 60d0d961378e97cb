/** RMSNorm (Zhang and Sennrich 2019) over the last axis. */
import forwardLink from '../../../shaders/ops/rmsnorm.wgsl?link';
import backwardLink from '../../../shaders/ops/rmsnorm_backward.wgsl?link';
import treeLink from '../../../shaders/ops/rmsnorm_tree.wgsl?link';
import type { Tensor } from '../graph.ts';
import { cover, pack, specialise } from '../kernel.ts';
import { sumRows } from './reduce.ts';

export const NORM_EPS = 1e-6;

/** Fewer rows than this leave cores of a CPU adapter idle in workgroups of 64. */
const SPREAD_ROWS = 512;

/** x [.., D], gain [D] -> same shape as x. D must be a multiple of 4. */
export function rmsNorm(x: Tensor, gain: Tensor): Tensor {
  const d = gain.size;
  if (d % 4 !== 0 || x.shape[x.shape.length - 1] !== d)
    throw new Error(`rmsNorm: gain [${gain.shape}] does not fit [${x.shape}]`);
  const rows = x.size / d;
  const serial = x.graph.conditions.software;
  const group = rows < SPREAD_ROWS ? 8 : 64;
  const [y] = x.graph.add({
    name: 'rmsnorm',
    inputs: [x, gain],
    outputs: [x.shape, [rows]],
    dispatch: ([out, rstd]) => [
      {
        label: 'rmsnorm',
        code: serial ? specialise(forwardLink(x.graph.conditions), { GROUP: group }) : treeLink(x.graph.conditions),
        entryPoint: serial ? 'forward' : 'tree',
        bindings: [x, gain, out, rstd],
        uniforms: pack(rows, d / 4, { f: NORM_EPS }),
        workgroups: cover(rows, serial ? group : 1),
        flops: x.size * 4,
        bytes: x.size * 8,
      },
    ],
    backward: ([dy], [, rstd]) => {
      if (!dy) return [];
      const [dx, contributions] = x.graph.add({
        name: 'rmsnorm backward',
        inputs: [x, gain, rstd, dy],
        outputs: [x.shape, x.shape],
        dispatch: ([outX, outGain]) => [
          {
            label: 'rmsnorm backward',
            code: backwardLink(x.graph.conditions),
            entryPoint: 'backward',
            bindings: [x, gain, rstd, dy, outX, outGain],
            uniforms: pack(rows, d / 4),
            workgroups: cover(rows),
            flops: x.size * 9,
            bytes: x.size * 16,
          },
        ],
      });
      return [dx, sumRows(contributions, d)];
    },
  });
  return y;
}
