/** Operations that only this method needs, over its own kernels (formulas: dreamer4 sections 4.2, 4.3, 6). */
import blendLink from '../../../shaders/methods/dreamer4/blend_rows.wgsl?link';
import bootstrapLink from '../../../shaders/methods/dreamer4/bootstrap.wgsl?link';
import changeLink from '../../../shaders/methods/dreamer4/change_weight.wgsl?link';
import enterLink from '../../../shaders/methods/dreamer4/enter.wgsl?link';
import leaveLink from '../../../shaders/methods/dreamer4/leave.wgsl?link';
import maskLink from '../../../shaders/methods/dreamer4/mask_tokens.wgsl?link';
import shortcutLink from '../../../shaders/methods/dreamer4/shortcut.wgsl?link';
import type { Tensor } from '../../tensor/graph.ts';
import { launch } from '../../tensor/ops/launch.ts';
import { NORM_EPS } from '../../tensor/ops/norm.ts';
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
  const serial = patches.graph.conditions.software;
  return launch(patches.graph, {
    label: 'change weight',
    link: changeLink,
    entryPoint: serial ? 'change_weight' : 'tree',
    inputs: [patches],
    outputs: [[frames * count]],
    uniforms: [frames, time, count, c, { f: extra }],
    threads: frames,
    group: serial ? 8 : 1,
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

/** Sizes of a dynamics frame. */
export interface FrameSize {
  d: number;
  tokens: number;
  channels: number;
  registers: number;
}

/**
 * The tokens of a frame from noised latents z [streams, N_z, D_z] and what all passes share (model.ts): [streams, slots, D].
 * `at`: places of the input matrix, registers and slot embeddings in `weights`, in elements.
 */
export function enterFrame(
  weights: Tensor,
  z: Tensor,
  shared: { action: Tensor; levels: Tensor; slots: Tensor | null; before: Tensor | null },
  pass: number,
  { d, tokens, channels, registers }: FrameSize,
  at: { input: number; registers: number; slots: number },
): Tensor {
  const { graph } = z;
  const { action, levels } = shared;
  const frames = z.size / tokens / channels;
  const slots = 2 + tokens + registers;
  const none = (name: string): Tensor => graph.table(`no ${name}`, [4], () => new Float32Array(4));
  return launch(graph, {
    label: 'enter frame',
    link: enterLink,
    entryPoint: 'enter',
    inputs: [weights, z, action, levels, shared.slots ?? none('conditions'), shared.before ?? none('before')],
    outputs: [[frames, slots, d]],
    uniforms: [
      frames,
      tokens,
      registers,
      channels,
      d / 4,
      pass,
      Number(shared.before !== null) + 2 * Number(shared.slots !== null),
      at.input / 4,
      at.registers / 4,
      at.slots / 4,
    ],
    threads: (frames * slots * d) / 4,
    flops:
      frames * d * (tokens * (2 * channels + Number(shared.before !== null) + Number(shared.slots !== null)) + slots),
  })[0];
}

/** Predicted latents of a pass from the last layer's rows [streams, slots, D], and z one Euler step further. */
export function leaveFrame(
  weights: Tensor,
  x: Tensor,
  z: Tensor,
  previous: Tensor | null,
  levels: Tensor,
  { d, tokens, channels, registers }: FrameSize,
  at: { norm: number; out: number },
): { xhat: Tensor; next: Tensor } {
  const { graph } = z;
  const frames = z.size / tokens / channels;
  const none = graph.table('no previous', [4], () => new Float32Array(4));
  const [xhat, next] = launch(graph, {
    label: 'leave frame',
    link: leaveLink,
    entryPoint: 'leave',
    inputs: [weights, x, previous ?? none, z, levels],
    outputs: [z.shape, z.shape],
    uniforms: [
      frames,
      tokens,
      2 + tokens + registers,
      channels / 4,
      d / 4,
      Number(previous !== null),
      { f: NORM_EPS },
      at.norm / 4,
      at.out / 4,
    ],
    threads: (frames * tokens * channels) / 4,
    group: 8,
    flops: frames * tokens * (2 * d * channels + 4 * d + channels * (4 + Number(previous !== null))),
  });
  return { xhat, next };
}
