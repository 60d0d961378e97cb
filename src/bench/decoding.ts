/** What one decoded token costs over the caches of a model: alone in a submission, and sixteen of them in one, by turns. */
import type { Gpu } from '../gpu/device.ts';
import { type CachedModel, Decoder } from '../lm/decoder.ts';
import { type MethodRow, methodRow, wallTiming } from './method-cost.ts';

/** The first round compiles and does not count. */
const ROUNDS = 4;

/** `about`: what decodes, as it stands before "alone in a submission". */
export async function decodedToken(
  gpu: Gpu,
  model: CachedModel,
  method: string,
  about: string,
  maxNew: number,
): Promise<MethodRow[]> {
  const decoders = [1, 16].map((perSubmission) => new Decoder(gpu, model, { perSubmission }));
  try {
    const prompts = Array.from({ length: model.sequences }, (_, i) => [1 + (i % 20), 2, 3]);
    const times = decoders.map((): number[] => []);
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [i, decoder] of decoders.entries()) {
        const sampling = { temperature: 1, topK: 0, topP: 1, maxNew, stop: [], seed: round };
        const { stats } = await decoder.generate(prompts, sampling);
        if (round > 0) times[i].push(stats.wallMs / stats.steps);
      }
    }
    const rows = decoders.map(async (decoder, i) => {
      const { step } = decoder.stats;
      const each = decoder.perSubmission;
      const words = `${about}, ${each === 1 ? 'alone in a submission' : `${each} in a submission`}`;
      const launches = { dispatches: step.dispatches, submissions: 1 / each };
      return methodRow(method, words, step, await wallTiming(gpu, times[i], launches));
    });
    return await Promise.all(rows);
  } finally {
    for (const decoder of decoders) decoder.dispose();
  }
}
