/** Operations that only this method needs, over its own kernels (formulas: dreamer4 sections 4.2, 4.3, 6). */
import blendLink from '../../../shaders/methods/dreamer4/blend_rows.wgsl?link';
import bootstrapLink from '../../../shaders/methods/dreamer4/bootstrap.wgsl?link';
import changeLink from '../../../shaders/methods/dreamer4/change_weight.wgsl?link';
import maskLink from '../../../shaders/methods/dreamer4/mask_tokens.wgsl?link';
import shortcutLink from '../../../shaders/methods/dreamer4/shortcut.wgsl?link';
import type { Tensor } from '../../tensor/graph.ts';
import { launch } from '../../tensor/ops/launch.ts';
import { sumRows } from '../../tensor/ops/reduce.ts';

/** keep [frames * tokens]: 1 or 0, each frame with its own masking probability U(0, pMax). */
export function chooseMask(seed: Tensor, frames: number, tokens: number, pMax: number): Tensor {
  return launch(seed.graph, {
    label: 'choose mask',
    link: maskLink,
    entryPoint: 'choose',
    inputs: [seed],
    outputs: [[frames * tokens]],
    uniforms: [frames, tokens, { f: pMax }],
    threads: frames * tokens,
  })[0];
}

/** x [rows, D] where keep = 1, else `vector` [D]. */
export function blendRows(x: Tensor, keep: Tensor, vector: Tensor): Tensor {
  const d = vector.size;
  const rows = x.size / d;
  const spec = { label: 'blend rows', link: blendLink, uniforms: [rows, d / 4], threads: (rows * d) / 4 };
  return launch(x.graph, {
    ...spec,
    entryPoint: 'blend',
    inputs: [x, keep, vector],
    outputs: [x.shape],
    backward: ([dy]) => {
      if (!dy) return [];
      const [summands, dx] = launch(x.graph, {
        ...spec,
        entryPoint: 'split',
        inputs: [dy, keep],
        outputs: [x.shape, x.shape],
      });
      return [dx, null, sumRows(summands, d)];
    },
  })[0];
}

/** Patch weights [frames * patches] of the tokenizer loss for frames in rows of `time`. */
export function changeWeights(patches: Tensor, time: number, extra: number): Tensor {
  const [frames, count, c] = patches.shape;
  return launch(patches.graph, {
    label: 'change weight',
    link: changeLink,
    entryPoint: 'change_weight',
    inputs: [patches],
    outputs: [[frames * count]],
    uniforms: [frames, time, count, c, { f: extra }],
    threads: frames,
    group: 8,
  })[0];
}

function shortcut(entryPoint: 'corrupt' | 'euler', a: Tensor, b: Tensor, signal: Tensor, fraction: number): Tensor {
  const rows = signal.size / 2;
  return launch(a.graph, {
    label: entryPoint,
    link: shortcutLink,
    entryPoint,
    inputs: [a, b, signal],
    outputs: [a.shape],
    uniforms: [rows, a.size / rows, { f: fraction }],
    threads: a.size,
    flopsEach: 4,
  })[0];
}

/** (1 - tau) * noise + tau * clean; `signal` [rows, 2] holds (tau, d) of each frame. */
export const corrupt = (clean: Tensor, noise: Tensor, signal: Tensor): Tensor =>
  shortcut('corrupt', clean, noise, signal, 0);

/** z + (xhat - z) / (1 - tau) * fraction * d. */
export const euler = (z: Tensor, xhat: Tensor, signal: Tensor, fraction = 1): Tensor =>
  shortcut('euler', z, xhat, signal, fraction);

/** x-space target of a bootstrap row from the two half steps of the teacher. */
export function bootstrapTarget(z: Tensor, zHalf: Tensor, x1: Tensor, x2: Tensor, signal: Tensor): Tensor {
  const rows = signal.size / 2;
  return launch(z.graph, {
    label: 'bootstrap target',
    link: bootstrapLink,
    entryPoint: 'bootstrap',
    inputs: [z, zHalf, x1, x2, signal],
    outputs: [z.shape],
    uniforms: [rows, z.size / rows],
    threads: z.size,
    flopsEach: 8,
  })[0];
}
