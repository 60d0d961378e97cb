/**
 * Training data of the small LLaDA (arXiv 2502.09992; learn2pd 1.1, 2.4): prompts padded on their left, answers filled up with
 * end tokens, every canvas token masked with p = (1 - eps) t + eps, loss -log p(x) / p_mask over the masked ones, divided by
 * the canvas. The end tokens that fill the canvas count: from them the model learns where answers end.
 */
import type { Gpu } from '../../gpu/device.ts';
import { mix32, uniform01 } from '../../gpu/rng.ts';
import type { LmConfig } from '../../lm/config.ts';
import { EOT, MASK } from '../../lm/tokenizers/closed.ts';
import { type Example, NO_TOKEN, type TokenBatch } from '../../lm/train/batch.ts';
import { likelihoodTrainer } from '../../lm/train/sft.ts';
import type { LmTrainer, TrainSpec } from '../../lm/train/trainer.ts';
import type { ParamStore } from '../../nn/params.ts';

export const EPS = 1e-3;
const STREAM = 0x6c6c6164;

/**
 * Probability that a canvas token is masked, for row `row` of `rows`: t is stratified over the batch. Which row gets the lowest
 * stratum is drawn, since the row also says which task it holds: each task must meet every t.
 */
export function maskShare(seed: number, row: number, rows: number): number {
  const stratum = (row + mix32(seed, 1, 0, STREAM)) % rows;
  const t = (uniform01(mix32(seed, 0, 0, STREAM)) + stratum) / rows;
  return (1 - EPS) * t + EPS;
}

/**
 * One example a row, prompt padded to P, canvas of G tokens; masks depend on the seed only. `base`: canvas length at which
 * every token counts alike; on longer canvases the fill counts as much as it would there, else the answer would drown in it.
 * Throws if an example does not fit.
 */
export function diffusionBatch(examples: readonly Example[], P: number, G: number, seed: number, base = G): TokenBatch {
  const rows = examples.length;
  const time = P + G;
  const n = rows * time;
  const batch: TokenBatch = {
    ids: new Uint32Array(n).fill(EOT),
    positions: Uint32Array.from({ length: n }, (_, i) => i % time),
    previous: new Uint32Array(n).fill(NO_TOKEN),
    bounds: new Uint32Array(2 * n),
    targets: new Uint32Array(n).fill(NO_TOKEN),
    weights: new Float32Array(n),
  };
  examples.forEach(({ prompt, answer }, row) => {
    if (prompt.length > P || answer.length > G) {
      throw new Error(
        `A prompt of ${prompt.length} and an answer of ${answer.length} tokens do not fit ${P} and ${G}.`,
      );
    }
    const first = P - prompt.length;
    const start = row * time;
    batch.ids.set(prompt, start + first);
    const share = maskShare(seed, row, rows);
    const fill = Math.max(0, base - answer.length) / Math.max(1, G - answer.length);
    for (let i = 0; i < G; i++) {
      const at = start + P + i;
      const token = answer[i] ?? EOT;
      const masked = uniform01(mix32(seed, row, i + 1, STREAM)) < share;
      batch.ids[at] = masked ? MASK : token;
      if (!masked) continue;
      batch.targets[at] = token;
      batch.weights[at] = (i < answer.length ? 1 : fill) / (share * base * rows);
    }
    for (let i = 0; i < time; i++) {
      // Padding sees itself alone: a row of attention must not be empty.
      batch.bounds[2 * (start + i)] = i < first ? i : first;
      batch.bounds[2 * (start + i) + 1] = i < first ? i + 1 : time;
    }
  });
  return batch;
}

/** Trainer of the mask predictor: bidirectional, no time input. */
export const lladaTrainer = (gpu: Gpu, c: LmConfig, spec: TrainSpec, store?: ParamStore): LmTrainer =>
  likelihoodTrainer(gpu, c, { ...spec, causal: false }, 'llada', { store });
