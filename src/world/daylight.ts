/**
 * The day: 24,000 ticks, noon at 6000. Sky light counts 15 by day and 4 by night, with linear ramps of 1000 ticks at dusk
 * (12,000) and dawn (23,000). Stored light never changes with the hour; readers subtract.
 */
import type { State } from './state.ts';
import { H } from './state-layout.ts';

export const DAY_TICKS = 24000;
const NIGHT_LEVEL = 4;

/** Strength of the sky at a time of day, 4..15. */
export function skyLevel(time: number): number {
  if (time < 12000) return 15;
  if (time < 13000) return 15 - Math.floor(((time - 12000) * 11) / 1000);
  if (time < 23000) return NIGHT_LEVEL;
  return NIGHT_LEVEL + Math.floor(((time - 23000) * 11) / 1000);
}

/** Brightness 0..15 of a light byte (sky << 4 | block) at the present hour. */
export const brightness = (s: State, light: number) =>
  Math.max(light & 15, Math.max(0, (light >> 4) - (15 - skyLevel(s.i32[H.time]))));
