// What the cards of the shipped models say, as numbers for charts. Read for showing only: what is not there is left out.

import * as v from 'valibot';
import { modelsFolder } from '../playground/model-card.ts';

const Card = v.object({
  parameters: v.number(),
  config: v.object({ frame: v.object({ width: v.number(), height: v.number() }) }),
  evaluation: v.object({
    command: v.string(),
    adapter: v.string(),
    metrics: v.record(v.string(), v.unknown()),
  }),
});

const HORIZONS = [1, 4, 16] as const;

/** Events of the evaluation: the share that goes as in the truth, and that of the same dreams without the keys. */
const EVENTS = [
  { name: 'block placed', share: 'placedShare', without: 'placedFalse' },
  { name: 'block broken', share: 'minedShare', without: 'minedFalse' },
  { name: 'slot chosen', share: 'slotShare', without: 'slotFalse' },
  { name: 'stopped by a wall', share: 'wallShare', without: '' },
] as const;

export interface Horizon {
  frames: number;
  /** PSNR in dB of the dream, and of the last true frame held still. */
  dream: number;
  still: number;
}

export interface ShippedFigures {
  parameters: number;
  width: number;
  height: number;
  contextSeconds: number | null;
  framesPerSecond: number | null;
  adapter: string;
  command: string;
  horizons: readonly Horizon[];
  events: readonly { name: string; share: number; without: number | null }[];
}

/** null when the text is no card. */
export function readFigures(json: unknown): ShippedFigures | null {
  const parsed = v.safeParse(Card, json);
  if (!parsed.success) return null;
  const { parameters, config, evaluation } = parsed.output;
  const metric = (key: string): number | null => {
    const value = evaluation.metrics[key];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  };
  const horizons = HORIZONS.flatMap((frames) => {
    const [dream, still] = [metric(`psnr${frames}`), metric(`copy${frames}`)];
    return dream === null || still === null ? [] : [{ frames, dream, still }];
  });
  const events = EVENTS.flatMap(({ name, share, without }) => {
    const value = metric(share);
    return value === null ? [] : [{ name, share: value, without: metric(without) }];
  });
  return {
    parameters,
    width: config.frame.width,
    height: config.frame.height,
    contextSeconds: metric('contextSeconds'),
    framesPerSecond: metric('framesPerSecond'),
    adapter: evaluation.adapter,
    command: evaluation.command,
    horizons,
    events,
  };
}

/** `card`: the file's name beside the models. */
export async function fetchFigures(card: string, fetcher: typeof fetch = fetch): Promise<ShippedFigures | null> {
  try {
    const answer = await fetcher(modelsFolder() + card);
    return answer.ok ? readFigures(await answer.json()) : null;
  } catch {
    return null;
  }
}

/** The adapter's name in few words: what stands before its driver, each word once. */
export const shortAdapter = (adapter: string): string => {
  const words = (adapter.split(':')[0] ?? '').split(' ');
  return [...new Map(words.map((word) => [word.toLowerCase(), word])).values()].join(' ');
};
