/**
 * The tile atlas: every tile of blocks.ts with its mip chain 16, 8, 4, 2, 1, as packed texels (r | g<<8 | b<<16 | a<<24).
 * Mips are integer 2x2 means, so the atlas is one fixed sequence of bytes (tests hold its hash).
 */
import { TILE_NAMES } from '../blocks.ts';
import { packRgba, TILE, type TileCanvas } from './tile-canvas.ts';
import { TILE_RECIPES } from './tiles.ts';

/** Texels of one tile with its mips: 256 + 64 + 16 + 4 + 1. */
export const TILE_TEXELS = 341;
/** Offset of mip level m inside a tile. */
export const MIP_OFFSET = [0, 256, 320, 336, 340] as const;
export const MIP_LEVELS = 5;

function pyramid(canvas: TileCanvas, out: Uint32Array, at: number): void {
  for (let i = 0; i < TILE * TILE; i++) out[at + i] = packRgba(canvas.rgb[i], canvas.alpha[i]);
  for (let m = 1; m < MIP_LEVELS; m++) {
    const size = TILE >> m;
    const from = at + MIP_OFFSET[m - 1];
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const i = from + 2 * y * 2 * size + 2 * x;
        const four = [out[i], out[i + 1], out[i + 2 * size], out[i + 2 * size + 1]];
        let texel = 0;
        for (let k = 0; k < 32; k += 8) {
          const sum = four.reduce((t, v) => t + ((v >>> k) & 255), 0);
          texel |= ((sum + 2) >> 2) << k;
        }
        out[at + MIP_OFFSET[m] + y * size + x] = texel >>> 0;
      }
  }
}

/** ATLAS[tile * TILE_TEXELS + MIP_OFFSET[m] + v * (16 >> m) + u]. */
export const ATLAS: Uint32Array = (() => {
  const out = new Uint32Array(TILE_NAMES.length * TILE_TEXELS);
  TILE_NAMES.forEach((name, i) => {
    const recipe = TILE_RECIPES[name];
    if (!recipe) throw new Error(`no recipe for the tile "${name}" of blocks.ts`);
    pyramid(recipe(i), out, i * TILE_TEXELS);
  });
  return out;
})();

/** Mean colour of a tile as 0xRRGGBB: its last mip. */
export function tileMean(tile: number): number {
  const t = ATLAS[tile * TILE_TEXELS + MIP_OFFSET[4]];
  return ((t & 255) << 16) | (t & 0xff00) | ((t >>> 16) & 255);
}
