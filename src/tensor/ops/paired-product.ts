/**
 * Products with weights [K, N] of which columns c and c + N/2 share a word, for programs that nothing differentiates. A load is
 * the dearest thing that SwiftShader does, and this one brings two numbers. Only where pairsFit (kernels/matmul.ts).
 *
 * Format, [K + 1, N/2] words: 16 signed bits of column c below, of c + N/2 above; the last row holds an f32 per word, what one
 * bit of the sum of 32 is worth in these two columns. Both are read as the 32-bit integer that they begin at the top of, so the
 * upper one carries the lower one as a fraction, and is rounded to what comes nearest with it. An error of at most half a step,
 * 1/65532 of the largest weight of the two columns.
 */
import type { Tensor } from '../graph.ts';
import { planMatmul } from '../kernels/matmul.ts';

/** Largest 16-bit number that the fraction below it cannot carry over the edge. */
const MOST = 32766;

/** Weights [K, N] as words [K + 1, N/2]. */
export function pairColumns(weights: ArrayLike<number>, k: number, n: number): Uint32Array<ArrayBuffer> {
  const half = n / 2;
  const words = new Uint32Array((k + 1) * half);
  const scales = new Float32Array(words.buffer, k * half * 4, half);
  for (let c = 0; c < half; c++) {
    let top = 0;
    for (let i = 0; i < k; i++) {
      top = Math.max(top, Math.abs(weights[i * n + c]), Math.abs(weights[i * n + c + half]));
    }
    const step = top / MOST || 1;
    scales[c] = step / 65536;
    for (let i = 0; i < k; i++) {
      const low = Math.round(weights[i * n + c] / step) & 0xffff;
      const high = Math.round(weights[i * n + c + half] / step - low / 65536);
      words[i * half + c] = (high << 16) | low;
    }
  }
  return words;
}

/** The weights [K, N] that kernels read in such words. */
export function unpairColumns(words: Uint32Array, k: number, n: number): Float64Array {
  const half = n / 2;
  const scales = new Float32Array(words.slice(k * half).buffer);
  return Float64Array.from({ length: k * n }, (_, at) => {
    const c = at % n;
    const word = words[Math.floor(at / n) * half + (c % half)];
    return (c < half ? word << 16 : word | 0) * scales[c % half];
  });
}

/** x [.., K] times such weights, plus a residual [.., N]: [.., N]. */
export function pairedLinear(x: Tensor, words: Tensor, residual: Tensor): Tensor {
  const { graph } = x;
  const [K, N] = [words.shape[0] - 1, 2 * words.shape[1]];
  const M = x.size / K;
  if (x.shape[x.shape.length - 1] !== K || residual.size !== M * N) {
    throw new Error(`pairedLinear: [${x.shape}] times ${K} x ${N}, plus [${residual.shape}]`);
  }
  const plan = planMatmul({ form: 'nn', M, N, K, pairs: true, residual: true, software: true, subgroup: 4 });
  const [y] = graph.add({
    name: 'matmul pairs',
    inputs: [x, words, residual],
    outputs: [residual.shape],
    dispatch: ([c]) => [
      {
        label: `matmul pairs ${M}x${N}x${K}`,
        code: plan.code,
        entryPoint: plan.entryPoint,
        bindings: [x, words, c, residual],
        uniforms: new Uint32Array(plan.uniforms),
        workgroups: plan.workgroups,
        flops: plan.flops,
        bytes: plan.bytes,
      },
    ],
  });
  return y;
}
