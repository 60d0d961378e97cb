/**
 * Products of RMS-normalised rows with what follows them in a transformer layer, in one dispatch instead of three. Formulas:
 * src/nn/layers.ts, whose single operations they replace where nothing is differentiated. Only where normedFits (kernels/matmul.ts).
 * Matrices are of numbers [K, N], or of paired columns [K + 1, N/2] where pairsFit.
 */
import type { Tensor } from '../graph.ts';
import { f32bits } from '../kernel.ts';
import { type NormedFinish, planMatmul } from '../kernels/matmul.ts';
import type { Heads, RowPosition } from './attention.ts';
import { NORM_EPS } from './norm.ts';

interface Turn {
  gainQ: Tensor;
  gainK: Tensor;
  table: Tensor;
  shape: Heads;
  at: RowPosition;
}

function normedProduct(x: Tensor, gain: Tensor, w: Tensor, normed: NormedFinish, turn?: Turn): Tensor {
  const { graph } = x;
  const K = gain.size;
  const pairs = w.shape[0] === K + 1;
  const N = pairs ? 2 * w.shape[1] : w.shape[1];
  const M = x.size / K;
  const width = normed === 'gated' ? N / 2 : N;
  const { subgroupSize: subgroup } = graph.conditions;
  const plan = planMatmul({ form: 'nn', M, N, K, normed, pairs, software: true, subgroup });
  const inputs = [x, w, gain, ...(turn ? [turn.gainQ, turn.gainK, turn.table] : [])];
  const [y] = graph.add({
    name: `normed ${normed}`,
    inputs,
    outputs: [[M, width]],
    dispatch: ([c]) => [
      {
        label: `normed ${normed} ${M}x${N}x${K}`,
        code: plan.code,
        entryPoint: plan.entryPoint,
        bindings: [x, w, c, ...inputs.slice(2)],
        uniforms: new Uint32Array([
          ...plan.uniforms.subarray(0, 7),
          f32bits(NORM_EPS),
          turn?.shape.heads ?? 0,
          turn?.shape.kvHeads ?? 0,
          turn?.at.every ?? 1,
          turn?.at.period ?? 1,
        ]),
        workgroups: plan.workgroups,
        // Those of the operations that it replaces.
        flops: plan.flops + 4 * M * K + (normed === 'gated' ? 6 : 8) * M * width,
        bytes: 4 * (M * K + (K * N) / (pairs ? 2 : 1) + M * width),
      },
    ],
  });
  return y;
}

/** SwiGLU of the normed rows x [.., K] times w [K, 2H] (gates, then what they gate): [rows, H]. */
export const normedGate = (x: Tensor, gain: Tensor, w: Tensor): Tensor => normedProduct(x, gain, w, 'gated');

/** The normed rows x [.., K] times w [K, packed heads], queries and keys normalised and rotated (qkRope): [rows, packed heads]. */
export const normedHeads = (x: Tensor, gain: Tensor, w: Tensor, turn: Turn): Tensor =>
  normedProduct(x, gain, w, 'heads', turn);
