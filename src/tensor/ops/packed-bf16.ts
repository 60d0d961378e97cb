/**
 * Products and row look-ups with weights that stay bfloat16 in memory, [rows, columns / 2] words: the format of published
 * checkpoints. Inference only; f32 accumulation.
 */
import embeddingLink from '../../../shaders/ops/embedding_bf16.wgsl?link';
import linearText from '../../../shaders/ops/linear_bf16.wgsl?template';
import type { Tensor } from '../graph.ts';
import { pack } from '../kernel.ts';
import { unroll } from '../kernels/unroll.ts';
import { launch } from './launch.ts';

/** Rows of x that one workgroup takes, and columns of the result. */
const ROWS = 4;
const COLUMNS = 8;

function checked(what: string, w: Tensor, columns: number): number {
  const [rows, words] = w.shape;
  if (w.shape.length !== 2 || words * 2 !== columns || columns % 8 !== 0) {
    throw new Error(`${what}: packed weights [${w.shape}] do not hold rows of ${columns}, a multiple of 8`);
  }
  return rows;
}

/** x [.., K] times the transpose of w [N, K/2 words], plus a residual [.., N]: [.., N]. */
export function packedLinear(x: Tensor, w: Tensor, residual?: Tensor): Tensor {
  const { graph } = x;
  const k = x.shape[x.shape.length - 1];
  const n = checked('packedLinear', w, k);
  const m = x.size / k;
  if (residual && residual.size !== m * n)
    throw new Error(`packedLinear: residual [${residual.shape}] is not ${m} rows of ${n}`);
  const { software } = graph.conditions;
  const flags = [software ? 'software' : 'gpu', residual ? 'residual' : 'plain'];
  const inputs = residual ? [x, w, residual] : [x, w];
  const [y] = graph.add({
    name: 'linear bf16',
    inputs,
    outputs: [[...x.shape.slice(0, -1), n]],
    dispatch: ([out]) => [
      {
        label: `linear bf16 ${m}x${n}x${k}`,
        code: unroll(linearText(), { flags, lists: {} }),
        entryPoint: 'main',
        bindings: residual ? [x, w, out, residual] : [x, w, out],
        uniforms: pack(m, n, k / 8),
        workgroups: [Math.ceil(n / COLUMNS), Math.ceil(m / ROWS), 1],
        flops: 2 * m * n * k,
        bytes: n * k * 2 + (x.size + out.size) * 4,
      },
    ],
  });
  return y;
}

/** ids u32 [..] into a packed table [vocab, D/2 words]: [.., D]. */
export function packedEmbedding(ids: Tensor, table: Tensor): Tensor {
  const d = table.shape[1] * 2;
  const vocab = checked('packedEmbedding', table, d);
  return launch(ids.graph, {
    label: 'embedding bf16',
    link: embeddingLink,
    entryPoint: 'gather',
    inputs: [ids, table],
    outputs: [[...ids.shape, d]],
    uniforms: [ids.size, d / 8, vocab],
    threads: (ids.size * d) / 8,
    flopsEach: 0,
  })[0];
}
