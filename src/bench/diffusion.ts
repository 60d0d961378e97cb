/**
 * What diffusion decoding costs on this adapter (learn2pd 7), with random weights: one block by canvas length and cache, passes
 * alone in a submission or eight together, and the filter against the confidence threshold. Entrants take turns.
 */
import type { Gpu } from '../gpu/device.ts';
import { smallConfig } from '../lm/config.ts';
import { newStore, storeModel } from '../lm/language-model.ts';
import { passFlops } from '../methods/learn2pd/cost.ts';
import { DiffusionDecoder } from '../methods/learn2pd/decoder.ts';
import { newFilter } from '../methods/learn2pd/filter.ts';
import { type CacheKind, DECODE_DEFAULTS, type DecodeSpec, type Policy } from '../methods/learn2pd/policy.ts';
import { type MethodRow, methodRow, wallTiming } from './method-cost.ts';

const PROMPT = 16;
const BLOCK = 32;
/** Tokens in all; the canvas is what the prompt leaves. */
const LENGTHS = [64, 256, 1088];
const ROUNDS = 3;

interface Entrant {
  step: string;
  canvas: number;
  policy: Policy;
  cache: CacheKind;
  perSubmission: number;
  /** Passes of the block, the first of which is full. */
  passes: number;
}

export async function diffusionDecoding(gpu: Gpu): Promise<MethodRow[]> {
  const longest = LENGTHS[LENGTHS.length - 1];
  const c = { ...smallConfig(128, 64, 2, longest), positions: true };
  const store = newStore(gpu, c, 1, false);
  const model = storeModel(gpu, c, store, { sequences: 1, capacity: longest });
  const decoders = new Map<string, DiffusionDecoder>();
  const decoderOf = (canvas: number, perSubmission: number): DiffusionDecoder => {
    const key = `${canvas} ${perSubmission}`;
    const known = decoders.get(key);
    if (known) return known;
    const made = new DiffusionDecoder(gpu, model, { prompt: PROMPT, block: BLOCK, canvas, depth: 2, perSubmission });
    decoders.set(key, made);
    return made;
  };
  const eight: Policy = { kind: 'static', perStep: 4 };
  // Neither threshold is ever reached: both decode one token a pass.
  const never: [string, Policy][] = [
    ['threshold', { kind: 'threshold', tau: 2 }],
    ['filter', { kind: 'learn2pd', tau: 1, filter: newFilter(BLOCK, 2, 1) }],
  ];
  const short = LENGTHS[0] - PROMPT;
  const entrants: Entrant[] = [
    ...LENGTHS.flatMap((n) =>
      (['none', 'prefix', 'dual'] as const).map((cache): Entrant => {
        const step = `a block of ${BLOCK} in 8 passes, ${n} tokens, cache ${cache}`;
        return { step, canvas: n - PROMPT, policy: eight, cache, perSubmission: 8, passes: 8 };
      }),
    ),
    ...[1, 8].map((perSubmission): Entrant => {
      const step = `a block in 32 passes, ${perSubmission} a submission`;
      return { step, canvas: short, policy: { kind: 'static', perStep: 1 }, cache: 'none', perSubmission, passes: 32 };
    }),
    ...never.map(([name, policy]): Entrant => {
      return {
        step: `a block in 32 passes, ${name}`,
        canvas: short,
        policy,
        cache: 'none',
        perSubmission: 8,
        passes: 32,
      };
    }),
  ];
  const times = entrants.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, e] of entrants.entries()) {
      const spec: DecodeSpec = { ...DECODE_DEFAULTS, policy: e.policy, cache: e.cache };
      const decoder = decoderOf(e.canvas, e.perSubmission);
      const { stats } = await decoder.decode([[2, 3, 4]], spec, { canvas: e.canvas, blocks: 1 });
      if (round > 0) times[i].push(stats.wallMs);
    }
  }
  const rows = entrants.map(async (e, i) => {
    const pass = decoderOf(e.canvas, e.perSubmission).passStats(e.canvas);
    const n = 3 + e.canvas;
    const fed = e.cache === 'none' ? n : e.cache === 'prefix' ? e.canvas : BLOCK;
    const stats = {
      ...pass,
      dispatches: pass.dispatches * e.passes,
      flops: passFlops(c, n, n, BLOCK) + (e.passes - 1) * passFlops(c, fed, n, BLOCK),
    };
    const launches = { dispatches: stats.dispatches, submissions: e.passes / e.perSubmission };
    return methodRow('Learn2PD decoding', e.step, stats, await wallTiming(gpu, times[i], launches));
  });
  const made = await Promise.all(rows);
  for (const d of decoders.values()) d.dispose();
  model.dispose();
  store.dispose();
  return made;
}
