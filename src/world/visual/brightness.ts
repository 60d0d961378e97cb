/**
 * How light becomes colour: brightness by smoothed light level, shade by face, sky by time of day. Integers only.
 * One table gives ambient occlusion, torch light and cave darkness, because an opaque neighbour counts as light 0.
 */
import { skyLevel } from '../daylight.ts';
import { blend, type Rgb } from './tile-canvas.ts';

/** Brightness of a cave without any light, 0..255: dark, but its shapes can still be told apart. */
const AMBIENT = 34;

/** LIGHT_LUT[sum of four light levels, 0..60] = 0..255; f(t) = t (3 - t) / 2 keeps the dark end steep and corners soft. */
export const LIGHT_LUT: Uint8Array = Uint8Array.from({ length: 64 }, (_, i) => {
  const t = Math.min(i, 60);
  return AMBIENT + Math.floor(((255 - AMBIENT) * t * (180 - t)) / 7200);
});

/** Multiplier / 256 by face (down, up, north, south, west, east): a gentle sun from above and the south. */
export const FACE_SHADE = [150, 256, 214, 226, 194, 200] as const;

const DAY = { zenith: 0x6aa6e6, horizon: 0xcfe4f2 };
const DUSK = { zenith: 0x4a5f9e, horizon: 0xf0b08a };
const NIGHT = { zenith: 0x0d1430, horizon: 0x222c4c };

/** Time of the fixed day of worlds without a day cycle. */
export const NOON = 6000;

/** Sky light lost at this time of day, 0 by day to 11 by night. */
export const nightDarkness = (time: number): number => 15 - skyLevel(time);

/** Zenith and horizon colours at this time of day, through dusk in the ramps. */
export function skyColours(time: number): { zenith: Rgb; horizon: Rgb } {
  const dark = nightDarkness(time);
  const [a, b, t] = dark <= 5 ? [DAY, DUSK, dark * 51] : [DUSK, NIGHT, (dark - 5) * 42];
  return { zenith: blend(a.zenith, b.zenith, t), horizon: blend(a.horizon, b.horizon, t) };
}
