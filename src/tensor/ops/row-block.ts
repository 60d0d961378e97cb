/**
 * The part of a transformer layer between two attentions as one dispatch: output projection and residual, norm, SwiGLU and
 * residual, then norm, packed projection, QK norm and rotation of the next layer. Formulas: src/nn/layers.ts, whose graph of
 * single operations it replaces where nothing is differentiated. Only where planRowBlock says it exists.
 */
import type { Tensor } from '../graph.ts';
import { pack } from '../kernel.ts';
import { planRowBlock, rowBlockBindings } from '../kernels/row-block.ts';
import type { Heads, RowPosition } from './attention.ts';
import { NORM_EPS } from './norm.ts';

/** Where matrices and gains lie in `weights`, in elements; multiples of 4. */
export interface TailWeights {
  out: number;
  norm2: number;
  gu: number;
  down: number;
}

export interface LeadWeights {
  norm1: number;
  qkv: number;
  gainQ: number;
  gainK: number;
}

export interface RowBlock {
  /** A stretch of the parameters that holds all of them: [n]. */
  weights: Tensor;
  /** Their matrices in 16 bits, two to a word, each at its place in `weights`, as packTiles orders them: [n / 2]. */
  matrices?: Tensor | null;
  /** [.., D] */
  x: Tensor;
  hidden: number;
  shape: Heads;
  /** What attention gave, [rows, H*dh], and the weights of the layer that it belongs to. */
  tail?: { mixed: Tensor; at: TailWeights };
  /** The next layer's weights and rotation: `table` [positions, dh], read at `position` of every row. */
  lead?: { at: LeadWeights; table: Tensor; position: RowPosition };
}

/** Floating point operations, counted as those of the operations that it replaces. */
export function rowBlockFlops(
  rows: number,
  d: number,
  attended: number,
  hidden: number,
  width: number,
  tail: boolean,
  lead: boolean,
): number {
  const ends = tail ? 2 * (attended * d + 3 * d * hidden) + 4 * d + 6 * hidden : 0;
  const begins = lead ? 2 * d * width + 4 * d + 8 * width : 0;
  return rows * (ends + begins);
}

/** Bytes of rows in and out, and of the weights once. */
export function rowBlockBytes(
  rows: number,
  d: number,
  attended: number,
  hidden: number,
  width: number,
  tail: boolean,
  lead: boolean,
  halves: boolean,
): number {
  const matrices = (tail ? attended * d + 3 * d * hidden : 0) + (lead ? d * width : 0);
  const passing = rows * (d + (tail ? attended + d : 0) + (lead ? width : 0));
  return (halves ? 2 : 4) * matrices + 4 * passing;
}

/** `y`: rows after the tail (x itself without one); `qkv`: packed rows of the next layer, if there is a lead. */
export function rowBlock(b: RowBlock): { y: Tensor; qkv: Tensor | null } {
  const { weights, matrices, x, hidden, shape, tail, lead } = b;
  const { heads, kvHeads, dim } = shape;
  const graph = x.graph;
  const d = x.shape[x.shape.length - 1];
  const rows = x.size / d;
  const [attended, width] = [heads * dim, (heads + 2 * kvHeads) * dim];
  const has = { tail: tail !== undefined, lead: lead !== undefined, halves: Boolean(matrices) };
  const plan = planRowBlock(graph.conditions, { rows, d, attended, hidden, width, dim, ...has });
  if (!plan) throw new Error(`rowBlock: no kernel for [${x.shape}] on this adapter`);
  const quads = (at?: number): number => (at ?? 0) / 4;
  const inputs = [
    weights,
    ...(matrices ? [matrices] : []),
    ...(tail ? [tail.mixed] : []),
    x,
    ...(lead ? [lead.table] : []),
  ];
  const outputs = [...(tail ? [x.shape] : []), ...(lead ? [[rows, width]] : [])];
  const made = graph.add({
    name: 'row block',
    inputs,
    outputs,
    dispatch: (outs) => {
      const byName: Record<string, Tensor | undefined> = {
        weights,
        matrices: matrices ?? undefined,
        mixed: tail?.mixed,
        x,
        y: tail && outs[0],
        table: lead?.table,
        qkv: lead && outs[outs.length - 1],
      };
      return [
        {
          label: 'row block',
          code: plan.code,
          entryPoint: 'main',
          bindings: rowBlockBindings(has).map((name) => byName[name] as Tensor),
          uniforms: pack(
            rows,
            d / 4,
            attended / 4,
            hidden / 4,
            width / 4,
            heads,
            kvHeads,
            dim / 4,
            lead?.position.every ?? 1,
            lead?.position.period ?? 1,
            { f: NORM_EPS },
            quads(tail?.at.out),
            quads(tail?.at.norm2),
            quads(tail?.at.gu),
            quads(tail?.at.down),
            quads(lead?.at.norm1),
            quads(lead?.at.qkv),
            quads(lead?.at.gainQ),
            quads(lead?.at.gainK),
            plan.tile,
          ),
          workgroups: plan.workgroups,
          flops: rowBlockFlops(rows, d, attended, hidden, width, has.tail, has.lead),
          bytes: rowBlockBytes(rows, d, attended, hidden, width, has.tail, has.lead, has.halves),
        },
      ];
    },
  });
  return { y: tail ? made[0] : x, qkv: lead ? made[made.length - 1] : null };
}
