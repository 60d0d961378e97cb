/** Matrix products in float64, in all forms and with every epilogue of the matmul kernels. */
import type { MatmulOptions } from '../kernels/matmul.ts';

export type MatmulOperands = Record<'a' | 'b' | 'c' | 'bias' | 'residual', ArrayLike<number>>;

/** [batch, M, N]; `x.c` is what lies in C before (read with `accumulate` only). */
export function matmulReference(o: Omit<MatmulOptions, 'software'>, x: Partial<MatmulOperands>): Float64Array {
  const { form, M, N, K, batch = 1 } = o;
  const a = x.a ?? [];
  const b = x.b ?? [];
  const out = new Float64Array(batch * M * N);
  for (let z = 0; z < batch; z++) {
    for (let m = 0; m < M; m++) {
      for (let n = 0; n < N; n++) {
        let sum = 0;
        for (let k = 0; k < K; k++) {
          sum +=
            a[z * M * K + (form === 'tn' ? k * M + m : m * K + k)] *
            b[z * K * N + (form === 'nt' ? n * K + k : k * N + n)];
        }
        const i = (z * M + m) * N + n;
        if (o.accumulate) sum += x.c?.[i] ?? Number.NaN;
        if (o.bias) sum += x.bias?.[n] ?? Number.NaN;
        if (o.act === 'silu') sum /= 1 + Math.exp(-sum);
        if (o.residual) sum += x.residual?.[i] ?? Number.NaN;
        out[i] = sum;
      }
    }
  }
  return out;
}
