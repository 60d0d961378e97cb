/**
 * How much keys and values change from pass to pass (learn2pd.md section 3.4; Fast-dLLM's Figure 3): cosine similarity of each
 * position's keys and values, all heads of a layer together, in a decode that computes everything in every pass. The caches
 * keep what this shows to stay alike. Not the error of a cached decode, which goes other ways from its first stale row on.
 */
import type { Gpu } from '../../gpu/device.ts';
import type { CachedLm } from '../../lm/language-model.ts';
import { type DecoderShape, DiffusionDecoder } from './decoder.ts';
import type { DecodeSpec } from './policy.ts';

/** What a pass is compared with: the pass before it, or the first of its block, which is what a cache holds. */
export const AGAINST = ['before', 'first'] as const;
export const KINDS = ['keys', 'values'] as const;

export interface Similarity {
  passes: number;
  /** Tokens of the prompt; then come those of the canvas. */
  prompt: number;
  positions: number;
  layers: number;
  /** Of every pass, in positions: its block and the end of the canvas. */
  steps: { start: number; end: number; length: number }[];
  /** [AGAINST][KINDS][layers][passes][positions]; NaN where nothing is compared. */
  values: Float32Array<ArrayBuffer>;
}

export const offsetOf = (s: Similarity, against: number, kind: number, layer: number): number =>
  ((against * KINDS.length + kind) * s.layers + layer) * s.passes * s.positions;

type Layers = Float32Array<ArrayBuffer>[];

/** Of one layer [capacity, 2, width]: cosine of the keys (kind 0) or values (1) at positions from.., now and then. */
function compared(
  now: Float32Array,
  then: Float32Array | undefined,
  capacity: number,
  kind: number,
  from: number,
  length: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length).fill(Number.NaN);
  const width = now.length / capacity / KINDS.length;
  for (let at = 0; then && at < length; at++) {
    const base = ((from + at) * KINDS.length + kind) * width;
    let [dot, a, b] = [0, 0, 0];
    for (let i = base; i < base + width; i++) {
      dot += now[i] * then[i];
      a += now[i] * now[i];
      b += then[i] * then[i];
    }
    out[at] = dot / Math.sqrt(a * b);
  }
  return out;
}

/** Decodes one prompt without a cache, pass by pass, and compares what each leaves behind. `model` has one sequence. */
export async function cacheSimilarity(
  gpu: Gpu,
  model: CachedLm,
  shape: Omit<DecoderShape, 'perSubmission'>,
  prompt: ArrayLike<number>,
  spec: DecodeSpec,
  options: {
    canvas: number;
    references?: readonly ArrayLike<number>[];
    /** Ends it between two passes, with the signal's reason. */
    signal?: AbortSignal;
    /** Passes compared so far. */
    onPass?: (passes: number) => void;
  },
): Promise<Similarity> {
  const decoder = new DiffusionDecoder(gpu, model, { ...shape, perSubmission: 1 });
  const first = shape.prompt - prompt.length;
  const positions = prompt.length + options.canvas;
  const steps: Similarity['steps'] = [];
  const rows: Float32Array<ArrayBuffer>[][] = [];
  let before: Layers | null = null;
  let filled: Layers | null = null;
  try {
    await decoder.decode(
      [prompt],
      { ...spec, cache: 'none' },
      {
        ...options,
        trace: true,
        onSubmission: async ({ trace }) => {
          const [passes] = await trace();
          const { block, end, length } = passes[passes.length - 1];
          const step = { start: block - first, end: end - first, length: length - first };
          const now: Layers = [...(await model.cache.read()).values()];
          if (steps.at(-1)?.start !== step.start) filled = null;
          rows.push(
            [before, filled].flatMap((then) =>
              KINDS.flatMap((_, kind) =>
                now.map((layer, i) => compared(layer, then?.[i], model.capacity, kind, first, step.length)),
              ),
            ),
          );
          steps.push(step);
          before = now;
          filled ??= now;
          options.onPass?.(steps.length);
        },
      },
    );
  } finally {
    decoder.dispose();
  }
  const layers = (before as Layers | null)?.length ?? 0;
  const found = { passes: rows.length, prompt: prompt.length, positions, layers, steps };
  const values = new Float32Array(AGAINST.length * KINDS.length * layers * rows.length * positions).fill(Number.NaN);
  rows.forEach((row, pass) => {
    row.forEach((own, map) => {
      values.set(own, (map * rows.length + pass) * positions);
    });
  });
  return { ...found, values };
}

/** Mean and least similarity of a stretch of positions over all layers and all passes behind the first of their block. */
export interface Kept {
  where: 'before' | 'block' | 'behind';
  /** By KINDS. */
  mean: number[];
  least: number[];
}

/** What the caches keep, against the pass that filled them: before the block, behind it, and in it, which they compute anew. */
export function keptOf(s: Similarity): Kept[] {
  return (['before', 'block', 'behind'] as const).map((where) => {
    const all = KINDS.map((_, kind) => {
      let [sum, count, least] = [0, 0, Number.POSITIVE_INFINITY];
      for (let layer = 0; layer < s.layers; layer++) {
        const base = offsetOf(s, AGAINST.indexOf('first'), kind, layer);
        s.steps.forEach(({ start, end, length }, pass) => {
          const [from, to] = { before: [0, start], block: [start, end], behind: [end, length] }[where];
          for (let at = from; at < to; at++) {
            const value = s.values[base + pass * s.positions + at];
            if (Number.isNaN(value)) continue;
            sum += value;
            count += 1;
            least = Math.min(least, value);
          }
        });
      }
      return { mean: count > 0 ? sum / count : Number.NaN, least: count > 0 ? least : Number.NaN };
    });
    return { where, mean: all.map(({ mean }) => mean), least: all.map(({ least }) => least) };
  });
}
