/** AdamW over all parameters of a store as the last nodes of a training graph. */
import '../tensor/ops/attention-backward.ts';
import adamwLink from '../../shaders/train/adamw.wgsl?link';
import type { ParamStore, Slab } from '../nn/params.ts';
import type { Graph, Tensor } from '../tensor/graph.ts';
import { cover, pack } from '../tensor/kernel.ts';
import { add, affine } from '../tensor/ops/pointwise.ts';
import { sumAll } from '../tensor/ops/reduce.ts';

export interface AdamW {
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** Gradients are scaled so that their global norm stays below this. */
  clip: number;
  /** Decay of the moving average of the weights. */
  ema: number;
}

/** Words of the `hyper` input: one per field of adamw.wgsl. */
export const HYPER_WORDS = 12;

/** The changing numbers of step `t` (1, 2, ..) with learning rate `lr`. */
export function hyper(o: AdamW, t: number, lr: number): Float32Array<ArrayBuffer> {
  // The average starts as a plain mean, so that early checkpoints are not dominated by the initial weights.
  const ema = Math.min(o.ema, (t - 1) / (t + 9));
  return new Float32Array([
    lr,
    o.beta1,
    o.beta2,
    o.eps,
    o.weightDecay,
    1 - o.beta1 ** t,
    1 - o.beta2 ** t,
    ema,
    o.clip,
    1,
    0,
    0,
  ]);
}

/** Largest piece of the arena bound at once (some adapters bind at most 128 MiB). */
const PIECE = 64 << 20;

/**
 * Differentiates `loss` with respect to every parameter in `used` and lets the gradients land in the store's gradient
 * buffer. Returns the squared global norm [1].
 */
export function backward(graph: Graph, loss: Tensor, used: [string, Tensor][], store: ParamStore): Tensor {
  const one = graph.input('one', [1]);
  const grads = graph.gradients(
    loss,
    used.map(([, t]) => t),
    one,
    (a, b) => add(a, b),
  );
  const norms: Tensor[] = [];
  grads.forEach((g, i) => {
    const [name] = used[i];
    const spec = store.specs.get(name);
    if (!g || !spec) return;
    // A gradient that is a view of something else is copied; one that a node makes is written in place.
    if (!graph.place(g, () => store.slab('grad'), spec.offset)) {
      graph.place(affine(g, 1), () => store.slab('grad'), spec.offset);
    }
  });
  for (const [offset, bytes] of pieces(store)) {
    norms.push(
      sumAll(
        graph.external('gradients', [bytes / 4], () => store.slab('grad'), offset),
        1,
        true,
      ),
    );
  }
  return norms.reduce((a, b) => add(a, b));
}

function pieces(store: ParamStore): [offset: number, bytes: number][] {
  const out: [number, number][] = [];
  for (let at = 0; at < store.byteLength; at += PIECE) out.push([at, Math.min(PIECE, store.byteLength - at)]);
  return out;
}

/** One AdamW step; the graph gets an input `hyper` [HYPER_WORDS]. */
export function adamw(graph: Graph, store: ParamStore, norm2: Tensor): void {
  const hyperInput = graph.input('hyper', [HYPER_WORDS]);
  for (const [offset, bytes] of pieces(store)) {
    const n = bytes / 4;
    const at = (slab: Slab): Tensor => graph.external(slab, [n], () => store.slab(slab), offset);
    const block = graph.external('blocks', [n / 32], () => store.blocks(), offset / 32);
    const bindings = [at('value'), at('grad'), at('first'), at('second'), at('average'), block, hyperInput, norm2];
    graph.add({
      name: 'adamw',
      inputs: bindings,
      outputs: [],
      effect: true,
      dispatch: () => [
        {
          label: 'adamw',
          code: adamwLink(graph.conditions),
          entryPoint: 'adamw',
          bindings,
          uniforms: pack(n / 4),
          workgroups: cover(n / 4),
          flops: n * 16,
          bytes: n * 36,
        },
      ],
    });
  }
}
