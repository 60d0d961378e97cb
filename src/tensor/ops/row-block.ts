/**
 * Transformer layers by one dispatch each, from attention to attention: some attentions (`open`, `ring`), output projection and
 * residual, norm, SwiGLU and residual, then norm, packed projection, QK norm and rotation of the next layer. Formulas:
 * src/nn/layers.ts, whose graph of single operations it replaces where nothing is differentiated. Only where planRowBlock says
 * it exists.
 */
import type { Tensor } from '../graph.ts';
import { pack } from '../kernel.ts';
import { planRowBlock, rowBlockBindings } from '../kernels/row-block.ts';
import { type Heads, headTile, type Ring, type RowPosition } from './attention.ts';
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
  /**
   * The weights of a layer and what its attention gave, [rows, H*dh]; or what it is to read, `packed` rows whose sequences of
   * `open` rows see each other.
   */
  tail?: { at: TailWeights } & ({ mixed: Tensor } | { packed: Tensor });
  /** The next layer's weights and rotation: `table` [positions, dh], read at `position` of every row. */
  lead?: Lead;
  /**
   * The next layer attends to a ring, where its keys and values enter with `write`: its tail and, if there is one, the lead of
   * the layer behind it. `lead` is then not rotated.
   */
  ring?: { write: boolean; at: TailWeights; next?: Lead };
  /** What blocks of one text have in common, used or not: a text takes seconds to compile. */
  open?: number;
  past?: Ring;
}

interface Lead {
  at: LeadWeights;
  table: Tensor;
  position: RowPosition;
}

/** `y`: rows after the tail (x itself without one); `qkv`: packed rows of the next layer, if there is a lead. */
export function rowBlock(b: RowBlock): { y: Tensor; qkv: Tensor | null } {
  const { weights, matrices, x, hidden, shape, tail, lead, ring } = b;
  const { heads, kvHeads, dim } = shape;
  const graph = x.graph;
  const d = x.shape[x.shape.length - 1];
  const rows = x.size / d;
  const [attended, width] = [heads * dim, (heads + 2 * kvHeads) * dim];
  const { open, past } = b;
  const next = ring?.next;
  const turn = ring ? next : lead;
  if (ring && !past) throw new Error('rowBlock: no ring to read');
  if (past?.half === 'bf16') throw new Error('rowBlock: rings are of f32 or f16');
  const has = {
    open,
    ring: past && { half: past.half !== undefined, heads: headTile(shape) },
    halves: Boolean(matrices),
  };
  const reads = tail && ('mixed' in tail ? tail.mixed : tail.packed);
  const looks = tail && 'packed' in tail ? (open ?? 0) : 0;
  const plan = planRowBlock(graph.conditions, { rows, d, attended, hidden, width, dim, ...has });
  if (!plan) throw new Error(`rowBlock: no kernel for [${x.shape}] on this adapter`);
  /** Where a tail's and a lead's weights lie, in words of four, as the text takes them. */
  const places = (t?: TailWeights, l?: LeadWeights): number[] =>
    [t?.out, t?.norm2, t?.gu, t?.down, l?.norm1, l?.qkv, l?.gainQ, l?.gainK].map((at) => (at ?? 0) / 4);
  const unused = (name: string): Tensor => graph.table(`no ${name}`, [4], () => new Float32Array(4));
  const inputs: Record<string, Tensor> = {
    weights,
    ...(matrices ? { matrices } : {}),
    read: reads ?? unused('attention'),
    x,
    table: turn?.table ?? unused('rotation'),
    ...(past ? { ring: past.data, ages_table: past.table, clock: past.clock } : {}),
  };
  const tails = Number(tail !== undefined) + Number(ring !== undefined);
  const leads = Number(lead !== undefined) + Number(next !== undefined);
  // Counted as those of the operations that it replaces.
  const ends = 2 * (attended * d + 3 * d * hidden) + 4 * d + 6 * hidden;
  const begins = 2 * d * width + 4 * d + 8 * width;
  const window = (ring && past?.window) ?? 0;
  const keys = looks + window;
  const flops = rows * (tails * ends + leads * begins + 4 * keys * attended);
  // Rows in and out, what lies in the ring, and the weights once.
  const matrixSize = tails * (attended * d + 3 * d * hidden) + leads * d * width;
  const passing = d + (reads ? reads.size / rows : 0) + (tails > 0 ? d : 0) + (lead ? width : 0);
  const cells = window * 2 * kvHeads * dim * (past?.half ? 2 : 4);
  const bytes = (matrices ? 2 : 4) * matrixSize + rows * (4 * passing + cells);
  const made = graph.add({
    name: 'row block',
    inputs: Object.values(inputs),
    // One that is not made still has a place in the text.
    outputs: [tails > 0 ? x.shape : [4], lead ? [rows, width] : [4]],
    effect: ring?.write,
    dispatch: ([madeY, madeQkv]) => {
      const byName: Record<string, Tensor> = { ...inputs, y: madeY, qkv: madeQkv };
      return [
        {
          label: 'row block',
          code: plan.code,
          entryPoint: 'main',
          bindings: rowBlockBindings(has).map((name) => byName[name]),
          uniforms: pack(
            rows,
            d / 4,
            attended / 4,
            hidden / 4,
            width / 4,
            heads,
            kvHeads,
            dim / 4,
            turn?.position.every ?? 1,
            turn?.position.period ?? 1,
            { f: NORM_EPS },
            ...places(tail?.at, lead?.at),
            plan.tile,
            plan.length,
            plan.tiles,
            { f: 1 / Math.sqrt(dim) },
            past?.capacity ?? 0,
            past?.window ?? 0,
            Number(ring?.write ?? false),
            tail ? ('mixed' in tail ? 1 : 2) : 0,
            ring ? (next ? 7 : 6) : lead ? 3 : 2,
            ...places(ring?.at, next?.at),
          ),
          workgroups: plan.workgroups,
          flops,
          bytes,
        },
      ];
    },
  });
  return { y: tails > 0 ? made[0] : x, qkv: turn ? made[1] : null };
}
