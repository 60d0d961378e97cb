/**
 * The topdown renderer of the smallest models: 32x32 pixels = 8x8 columns of 4 px, seen from above, north up. Tiles stay
 * on the grid, the player's marker moves within its own tile by quarter blocks, and a second pixel shows its heading.
 * TypeScript only.
 */
import { B, CLASS, FACE, isWater, STATE_CLASS, TILES } from '../blocks.ts';
import { blockAt, lightAt, type State } from '../state.ts';
import { H, P, PLAYER } from '../state-layout.ts';
import { cosQ14, sinQ14 } from '../trig.ts';
import { tileMean } from '../visual/atlas.ts';
import { LIGHT_LUT, NOON, nightDarkness } from '../visual/brightness.ts';

export const TOPDOWN_SIZE = 32;
const TILE_PX = 4;
const TILES_ACROSS = TOPDOWN_SIZE / TILE_PX;
/** Column and row of the player's tile. */
const CENTRE = 4;
/** Blocks looked down from above the player's head before a column counts as a pit. */
const DEPTH = 12;
const MARKER = 0xfff6e0;
const HEADING = 0xe0483c;
const PIT = 0x14161c;

/** Colour of a column: its highest block below the player's head, lighter above the feet and darker below. */
function column(s: State, x: number, z: number, feet: number, dark: number): number {
  // Two blocks above the feet is what a player can still see over.
  for (let y = feet + 2; y > feet - DEPTH; y--) {
    const state = blockAt(s, x, y, z);
    if (STATE_CLASS[state] === CLASS.air || (STATE_CLASS[state] === CLASS.shape && state === B.tall_grass)) continue;
    const light = lightAt(s, x, y + 1, z);
    const level = Math.max(light & 15, (light >> 4) - dark, 0);
    const water = isWater(state);
    const shade = water ? 236 : Math.max(150, Math.min(280, 236 + 18 * (y + 1 - feet)));
    return scale(tileMean(TILES[state * 6 + FACE.up]), (LIGHT_LUT[4 * level] * shade) >> 8);
  }
  return PIT;
}

function scale(rgb: number, k: number): number {
  const c = (shift: number) => Math.min(255, (((rgb >> shift) & 255) * k) >> 8);
  return (c(16) << 16) | (c(8) << 8) | c(0);
}

/** Writes 32 x 32 x 3 RGB bytes of the map around the player. */
export function renderTopdown(s: State, out = new Uint8Array(TOPDOWN_SIZE * TOPDOWN_SIZE * 3), outAt = 0): Uint8Array {
  const px = s.i32[PLAYER + P.x];
  const pz = s.i32[PLAYER + P.z];
  const feet = s.i32[PLAYER + P.y] >> 16;
  const dark = nightDarkness(s.cfg.dayCycle ? s.i32[H.time] : NOON);
  const put = (x: number, y: number, rgb: number) => {
    const o = outAt + (y * TOPDOWN_SIZE + x) * 3;
    out[o] = rgb >> 16;
    out[o + 1] = (rgb >> 8) & 255;
    out[o + 2] = rgb & 255;
  };
  for (let row = 0; row < TILES_ACROSS; row++)
    for (let col = 0; col < TILES_ACROSS; col++) {
      const rgb = column(s, (px >> 16) + col - CENTRE, (pz >> 16) + row - CENTRE, feet, dark);
      for (let i = 0; i < TILE_PX * TILE_PX; i++) put(col * TILE_PX + (i & 3), row * TILE_PX + (i >> 2), rgb);
    }
  // Marker: one pixel per quarter block, and the pixel it faces (one of 8).
  const x = CENTRE * TILE_PX + ((px >> 14) & 3);
  const y = CENTRE * TILE_PX + ((pz >> 14) & 3);
  const yaw = s.i32[PLAYER + P.yaw];
  const toward = (v: number) => (v > 6270 ? 1 : v < -6270 ? -1 : 0);
  put(x, y, MARKER);
  put(x - toward(sinQ14(yaw)), y + toward(cosQ14(yaw)), HEADING);
  return out;
}
