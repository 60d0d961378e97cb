// The playground's settings as the query of a link, and back. A link from anywhere is outside input: what does not parse
// or lies outside its range falls back to the default.

import { type DreamSettings, PLAY_CORRUPTION } from '../../methods/dreamer4/play-contract.ts';

export interface PlaySettings {
  /** World seed of the start, u32. */
  seed: number;
  dream: DreamSettings;
  /** 1, 1/2 or 1/4 of real time. */
  speed: number;
  overlay: boolean;
  film: boolean;
  view: 'eye' | 'smooth';
  /** While the scripted player walks, the dream gets true frames as context every RENEW_STEPS steps. */
  renew: boolean;
  /** Rung of the shipped model that dreams; empty: the default. */
  model: string;
}

export const SPEEDS = [1, 0.5, 0.25] as const;
export const K_VALUES = [1, 2, 4, 8, 16, 32, 64] as const;
/** Long enough to see the dream stray, short enough to see that it begins where the truth is. */
export const RENEW_STEPS = 60;
export const MAX_CORRUPTION = 0.5;
/** Trees, rocks and a walk on dry land for its first twenty seconds. Odd, so never trained on. */
export const DEFAULT_SEED = 43;

export const DEFAULTS: PlaySettings = {
  seed: DEFAULT_SEED,
  dream: { k: 4, contextCorruption: PLAY_CORRUPTION, seed: 1 },
  speed: 1,
  overlay: false,
  film: false,
  view: 'eye',
  renew: true,
  model: '',
};

/** Only what differs from the defaults, except the world seed, which is always there. */
export function settingsToQuery(settings: PlaySettings): string {
  const query = new URLSearchParams({ seed: String(settings.seed) });
  const { dream } = settings;
  if (dream.k !== DEFAULTS.dream.k) query.set('k', String(dream.k));
  if (dream.contextCorruption !== DEFAULTS.dream.contextCorruption)
    query.set('corrupt', dream.contextCorruption.toFixed(2));
  if (dream.seed !== DEFAULTS.dream.seed) query.set('noise', String(dream.seed));
  if (settings.speed !== DEFAULTS.speed) query.set('speed', String(settings.speed));
  if (settings.overlay) query.set('overlay', '1');
  if (settings.film) query.set('film', '1');
  if (settings.view !== DEFAULTS.view) query.set('view', settings.view);
  if (!settings.renew) query.set('renew', '0');
  if (settings.model) query.set('model', settings.model);
  return query.toString();
}

export function settingsFromQuery(text: string): PlaySettings {
  const query = new URLSearchParams(text);
  const k = Number(query.get('k'));
  const speed = Number(query.get('speed'));
  return {
    seed: parseSeed(query.get('seed')) ?? DEFAULTS.seed,
    dream: {
      k: (K_VALUES as readonly number[]).includes(k) ? k : DEFAULTS.dream.k,
      contextCorruption: parseCorruption(query.get('corrupt')) ?? DEFAULTS.dream.contextCorruption,
      seed: parseSeed(query.get('noise')) ?? DEFAULTS.dream.seed,
    },
    speed: (SPEEDS as readonly number[]).includes(speed) ? speed : DEFAULTS.speed,
    overlay: query.get('overlay') === '1',
    film: query.get('film') === '1',
    view: query.get('view') === 'smooth' ? 'smooth' : 'eye',
    renew: query.get('renew') !== '0',
    model: /^[a-z]{1,16}$/.exec(query.get('model') ?? '')?.[0] ?? '',
  };
}

/** A u32 in decimal, or null. */
export function parseSeed(text: string | null): number | null {
  if (text === null || !/^\d{1,10}$/.test(text)) return null;
  const value = Number(text);
  return value <= 0xffffffff ? value : null;
}

function parseCorruption(text: string | null): number | null {
  if (text === null || !/^\d?\.?\d{1,4}$/.test(text)) return null;
  const value = Number(text);
  return value >= 0 && value <= MAX_CORRUPTION ? Math.round(value * 100) / 100 : null;
}

/** The seed in an input that was left, or the one before if there is none in it. The input shows the seed that is taken. */
export function takeSeed(input: { value: string }, before: number): number {
  const seed = parseSeed(input.value) ?? before;
  input.value = String(seed);
  return seed;
}
