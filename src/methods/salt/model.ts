/**
 * The networks as graph builders: an encoder that sees only the tokens it is given, and a predictor that fills in hidden ones
 * from learned mask tokens. Positions enter through rotations alone, in three axes (salt.md sections 2 and 4). Layers are the
 * engine's: RMSNorm, QK norm, SwiGLU.
 */
import {
  dense,
  fanIn,
  type LayerShape,
  norm,
  normal,
  type Scope,
  transformerStack,
  type View,
} from '../../nn/layers.ts';
import type { Graph, Tensor } from '../../tensor/graph.ts';
import { openLayout } from '../../tensor/ops/attention.ts';
import { embedding } from '../../tensor/ops/embedding.ts';
import { linear } from '../../tensor/ops/matmul.ts';
import { rmsNorm } from '../../tensor/ops/norm.ts';
import { joinSlots, takeSlots } from '../../tensor/ops/slots.ts';
import type { Network } from './config.ts';
import type { Grid } from './masks.ts';

const layerShape = ({ d, layers, heads }: Network): LayerShape => ({
  d,
  // SwiGLU has three matrices: as many parameters as a plain MLP of four times the width.
  hidden: 4 * Math.round((2 * d) / 3),
  depth: layers,
  heads,
  kvHeads: heads,
  dim: d / heads,
});

/** Channels of a head of width `dim` that turn with each axis: an even third; what is left over does not turn. */
export const rotatedPerAxis = (dim: number): number => 2 * Math.floor(Math.floor(dim / 3) / 2);

/** (cos, sin) pairs of every token of `batch` clips: [batch * tokens, dim]; base 10000 within each axis. */
export function rotations({ time, height, width }: Grid, dim: number, batch: number): Float32Array<ArrayBuffer> {
  const tokens = time * height * width;
  const each = rotatedPerAxis(dim);
  const table = new Float32Array(batch * tokens * dim);
  for (let token = 0; token < tokens; token++) {
    const place = [Math.floor(token / (height * width)), Math.floor(token / width) % height, token % width];
    for (let i = 0; i < dim; i += 2) {
      const axis = Math.floor(i / Math.max(1, each));
      const angle = axis < 3 ? place[axis] * 10000 ** (-(i % each) / each) : 0;
      table[token * dim + i] = Math.cos(angle);
      table[token * dim + i + 1] = Math.sin(angle);
    }
  }
  for (let b = 1; b < batch; b++) table.copyWithin(b * tokens * dim, 0, tokens * dim);
  return table;
}

/** `count` tokens of each of `batch` clips. `rows` u32 [batch, count] names them among all rows of the batch; null = all, in order. */
export interface Tokens {
  batch: number;
  count: number;
  rows: Tensor | null;
}

/** Rows [batch * tokens, ..] chosen by `at`. */
export const choose = (all: Tensor, at: Tokens): Tensor => (at.rows ? embedding(at.rows, all) : all);

/** Rotation of each chosen row: [batch * count, dim]. */
function turned(graph: Graph, grid: Grid, dim: number, at: Tokens): Tensor {
  const rows = at.batch * grid.time * grid.height * grid.width;
  const table = graph.table(`rotation ${at.batch} ${dim}`, [rows, dim], () => rotations(grid, dim, at.batch));
  return graph.reshape(choose(table, at), [at.batch * at.count, dim]);
}

function stack(scope: Scope, name: string, x: Tensor, network: Network, batch: number, table: Tensor): Tensor {
  const rows = table.shape[0];
  const mask = scope.graph.table('no mask', [4], () => new Uint32Array(4));
  const view: View = {
    kind: 'sequence',
    layout: openLayout(batch, rows / batch, 0),
    mask,
    table,
    position: { every: 1, period: rows },
  };
  const layers = Array.from({ length: network.layers }, (_, i) => ({ name: `${name}.${i}`, view }));
  return norm(scope, `${name}.norm`, transformerStack(scope, layers, x, layerShape(network)));
}

/** Patches [batch * tokens, P] of all tokens to features [batch * count, d] of the chosen ones, which see only each other. */
export function encode(scope: Scope, network: Network, grid: Grid, patches: Tensor, at: Tokens): Tensor {
  const { graph } = scope;
  const width = patches.shape[patches.shape.length - 1];
  const rows = graph.reshape(choose(patches, at), [at.batch * at.count, width]);
  const table = turned(graph, grid, network.d / network.heads, at);
  return stack(scope, 'enc', dense(scope, 'enc.patch', rows, network.d, true), network, at.batch, table);
}

/**
 * Features [batch * context, d] of visible tokens to predictions [batch * target, width] of hidden ones. `mask` names the learned
 * token that stands for them.
 */
export function predict(
  scope: Scope,
  network: Network,
  grid: Grid,
  features: Tensor,
  at: { context: Tokens; target: Tokens },
  mask: string,
  width: number,
): Tensor {
  const { graph } = scope;
  const { context, target } = at;
  const { batch } = context;
  const { d, heads } = network;
  const dim = d / heads;
  const seen = graph.reshape(dense(scope, 'pred.in', features, d, true), [batch, context.count, d]);
  // Not zero as in the public code: RMSNorm has no bias, and a zero row stays zero.
  const token = scope.get(`pred.mask.${mask}`, [1, d], normal(0.3), false);
  const hidden = graph.reshape(joinSlots([token], batch * target.count, d), [batch, target.count, d]);
  const tables = [context, target].map((t) => graph.reshape(turned(graph, grid, dim, t), [batch, t.count, dim]));
  const table = graph.reshape(joinSlots(tables, batch, dim), [batch * (context.count + target.count), dim]);
  const x = graph.reshape(joinSlots([seen, hidden], batch, d), [table.shape[0], d]);
  const y = graph.reshape(stack(scope, 'pred', x, network, batch, table), [batch, context.count + target.count, d]);
  const rows = graph.reshape(takeSlots(y, context.count, target.count), [batch * target.count, d]);
  return scope.project('pred.out', rows, width, { bias: true, init: fanIn(d) });
}

/** Layer norm over channels without parameters: x [.., D] less its mean, over its deviation. As a product, which has a derivative. */
export function layerNorm(x: Tensor): Tensor {
  const { graph } = x;
  const d = x.shape[x.shape.length - 1];
  const centre = graph.table(`centring ${d}`, [d, d], () =>
    Float32Array.from({ length: d * d }, (_, i) => Number(i % (d + 1) === 0) - 1 / d),
  );
  const gain = graph.table(`ones ${d}`, [d], () => new Float32Array(d).fill(1));
  return rmsNorm(linear(x, centre), gain);
}
