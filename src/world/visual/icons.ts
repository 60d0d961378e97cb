/**
 * Item icons, 8 wide and 7 high (the eighth row of a cell is the count bar), drawn so that one 8x8 patch tells items apart.
 * Blocks are little cubes made from their tiles; everything else is a letter picture with a palette.
 */
import { FACE, TILES } from '../blocks.ts';
import { I, ITEM_COUNT, type ItemName, PLACES } from '../items.ts';
import { ATLAS, MIP_OFFSET, TILE_TEXELS, tileMean } from './atlas.ts';
import { packRgba, type Rgb, shift } from './tile-canvas.ts';
import { PALETTE as C } from './tiles.ts';

export const ICON = 8;
export const ICON_TEXELS = ICON * ICON;

/** Front, top and right side of a cube seen from above its right edge. From the corner, seven pixels look like a shirt. */
const CUBE = ['..ttttt.', '.tttttr.', 'fffffrr.', 'fffffrr.', 'fffffrr.', 'fffffr..', '........'];
const TORCH = ['...yy...', '..yYYy..', '..yYYy..', '...ss...', '...ss...', '...ss...', '...ss...'];
const PICTURES: Partial<Record<ItemName, [string[], Record<string, Rgb>]>> = {
  torch: [TORCH, { y: 0xf29b38, Y: 0xfff0a8, s: shift(C.bark, 24) }],
  stick: [
    ['......s.', '.....ss.', '....ss..', '...ss...', '..ss....', '.ss.....', '.s......'],
    { s: shift(C.bark, 34) },
  ],
  coal: [
    ['........', '..kkk...', '.kkggk..', '.kgkkkk.', '.kkkkkk.', '..kkkk..', '........'],
    { k: 0x15171c, g: 0x8a909c },
  ],
  charcoal: [
    ['........', '...kkk..', '..krkkk.', '.kkkkrk.', '.krkkk..', '.kkkk...', '........'],
    { k: 0x4a3226, r: 0xb07048 },
  ],
  iron_ingot: [
    ['........', '..wwwww.', '.wwwwwws', 'wwwwwwss', 'sssssss.', '.sssss..', '........'],
    { w: C.ingot, s: 0x9aa0a8 },
  ],
  diamond: [
    ['........', '..dddd..', '.dwdddd.', '.ddddds.', '..ddds..', '...ds...', '........'],
    { d: C.diamond, w: 0xe6ffff, s: 0x2f9fb0 },
  ],
  apple: [
    ['....g...', '..rrgrr.', '.rwrrrr.', '.rrrrrr.', '.rrrrrr.', '..rrrr..', '...rr...'],
    { r: 0xcf3a3a, g: 0x4d8f4a, w: 0xf6b0a8 },
  ],
  raw_meat: [
    ['........', '.ppppp..', 'ppwpppp.', 'ppppppp.', '.pppppw.', '..ppwww.', '........'],
    { p: 0xe58b8b, w: 0xf6e6dc },
  ],
  cooked_meat: [
    ['........', '.bbbbb..', 'bbobbbb.', 'bbbbobb.', '.bbbbbw.', '..bbwww.', '........'],
    { b: 0x8f5632, o: 0xb87a48, w: 0xf6e6dc },
  ],
  rotten_flesh: [
    ['........', '.ggrgg..', 'ggrrggg.', '.gggrrg.', '..grgg..', '...gg...', '........'],
    { g: 0x7f8a4a, r: 0xa0533c },
  ],
  bucket: [
    ['........', '.wwwwww.', '.wkkkkw.', '.wwwwww.', '.swwwws.', '..sww s.'.replace(' ', 'w'), '..ssss..'],
    { w: C.ingot, k: 0x4a4f57, s: 0x9aa0a8 },
  ],
  water_bucket: [
    ['........', '.wbbbbw.', '.wbbbbw.', '.wwwwww.', '.swwwws.', '..swws..', '..ssss..'],
    { w: C.ingot, b: C.water, s: 0x9aa0a8 },
  ],
  boat: [
    ['........', '........', 'b......b', 'bb....bb', 'bwwwwwwb', '.bbbbbb.', '..bbbb..'],
    { b: C.wood, w: 0x8a6238 },
  ],
  quartz: [
    ['...w....', '..www...', '..wwws..', '.wwwwss.', '.wwwsss.', '..wsss..', '...ss...'],
    { w: 0xfdf6f0, s: 0xc9b8b0 },
  ],
  flint_lighter: [
    ['........', '.kk..ww.', 'kkk.w..w', 'kkk.w..w', '.kk.w...', '....w..w', '.....ww.'],
    { k: C.coal, w: C.ingot },
  ],
  door: [
    ['..bbbb..', '..bwwb..', '..bwwb..', '..bbbb..', '..bbyb..', '..bbbb..', '..bbbb..'],
    { b: 0xa47a48, w: 0xbfe0ea, y: 0xe6c35a },
  ],
  bed: [
    ['........', '........', 'www.....', 'wwwrrrrr', 'rrrrrrrr', 'bbbbbbbb', 'b......b'],
    { w: 0xf0ece4, r: 0xb8434a, b: C.wood },
  ],
  fence: [['........', '.b....b.', 'bbbbbbbb', '.b....b.', 'bbbbbbbb', '.b....b.', '.b....b.'], { b: C.wood }],
  glass_pane: [
    ['.wwwwww.', '.w...cw.', '.w..c.w.', '.w.c..w.', '.wc...w.', '.w....w.', '.wwwwww.'],
    { w: 0xb8dce8, c: 0xffffff },
  ],
  glass: [
    ['wwwwwwww', 'w....c.w', 'w...c..w', 'w..c..cw', 'w.c..c.w', 'w...c..w', 'wwwwwwww'],
    { w: 0xd7eef5, c: 0xffffff },
  ],
  sugar_cane: [
    ['.g...g..', '.g.g.g..', '.k.g.k..', '.g.k.g..', '.g.g.g..', '.k.g.k..', '.g.k.g..'],
    { g: C.cane, k: shift(C.cane, -50) },
  ],
  flower_red: [
    ['..rrr...', '.rryrr..', '.rrrrr..', '..rrr...', '...g....', '..gg.g..', '...gg...'],
    { r: 0xd8484c, y: 0xf6e27a, g: 0x4d8f4a },
  ],
  flower_yellow: [
    ['........', '..y.y...', '.yyyyy..', '..yoy...', '.yygyy..', '..ggg...', '...g....'],
    { y: 0xf2cf4a, o: 0xd88f2a, g: 0x4d8f4a },
  ],
};

const TOOLS: Record<string, string[]> = {
  pickaxe: ['.hhhhhh.', 'hhhsshhh', 'hd.ss.dh', '...ss...', '...ss...', '...ss...', '...ss...'],
  axe: ['.sshhh..', '.sshhhh.', '.sshhhd.', '.ssdd...', '.ss.....', '.ss.....', '.ss.....'],
  shovel: ['...hh...', '..hhhh..', '..hhhd..', '..dhhd..', '...ss...', '...ss...', '...ss...'],
  sword: ['......hh', '.....hhd', '....hhd.', '.k.hhd..', '..khd...', '..skk...', '.ss.....'],
};
const METAL: Record<string, Rgb> = { wooden: 0xb07f45, stone: 0xb2b8c2, iron: 0xe8ebee, diamond: C.diamond };

function paint(out: Uint32Array, at: number, rows: readonly string[], colours: Record<string, Rgb>): void {
  rows.forEach((row, y) => {
    for (let x = 0; x < ICON; x++) if (row[x] !== '.') out[at + y * ICON + x] = packRgba(colours[row[x]]);
  });
}

const scale = (rgb: number, k: number) =>
  (Math.min(255, ((rgb & 255) * k) >> 8) |
    (Math.min(255, (((rgb >>> 8) & 255) * k) >> 8) << 8) |
    (Math.min(255, (((rgb >>> 16) & 255) * k) >> 8) << 16) |
    0xff000000) >>>
  0;

/** A cube in 8x7 pixels: top in its mean colour, sides sampled from the 4x4 mip so that ores keep their spots. */
function cube(out: Uint32Array, at: number, state: number): void {
  const topTexel = packRgba(tileMean(TILES[state * 6 + FACE.up]));
  for (let y = 0; y < CUBE.length; y++)
    for (let x = 0; x < ICON; x++) {
      const c = CUBE[y][x];
      if (c === '.') continue;
      const front = c === 'f';
      const tile = TILES[state * 6 + (front ? FACE.south : FACE.west)];
      const u = front ? (x * 4) / 5 : 2 * (x - 5);
      const v = front ? y - 2 : y + x - 7;
      const texel = Math.max(0, Math.min(3, Math.floor(v))) * 4 + Math.floor(u);
      const side = ATLAS[tile * TILE_TEXELS + MIP_OFFSET[2] + texel];
      out[at + y * ICON + x] = c === 't' ? scale(topTexel, 276) : scale(side, front ? 236 : 160);
    }
}

/** ICONS[item * 64 + y * 8 + x], packed texels; alpha 0 shows the cell behind. */
export const ICONS: Uint32Array = (() => {
  const out = new Uint32Array(ITEM_COUNT * ICON_TEXELS);
  for (const [name, id] of Object.entries(I) as [ItemName, number][]) {
    if (id === I.none) continue;
    const at = id * ICON_TEXELS;
    const picture = PICTURES[name];
    const [metal, kind] = name.split('_');
    if (picture) paint(out, at, ...picture);
    else if (TOOLS[kind] && METAL[metal] !== undefined)
      paint(out, at, TOOLS[kind], {
        h: METAL[metal],
        d: shift(METAL[metal], -46),
        s: shift(C.bark, 14),
        k: shift(C.bark, -20),
      });
    else if (PLACES[id]) cube(out, at, PLACES[id]);
    else throw new Error(`no icon for the item "${name}"`);
  }
  return out;
})();

/** Mean colour of an item's icon, for the little cube it becomes when dropped; torches and tools keep their own tint. */
export function iconMean(item: number): Rgb {
  let r = 0;
  let g = 0;
  let b = 0;
  let n = 0;
  for (let i = 0; i < ICON_TEXELS; i++) {
    const t = ICONS[item * ICON_TEXELS + i];
    if (t >>> 24 === 0) continue;
    r += t & 255;
    g += (t >>> 8) & 255;
    b += (t >>> 16) & 255;
    n++;
  }
  if (n === 0) return 0;
  return (Math.floor(r / n) << 16) | (Math.floor(g / n) << 8) | Math.floor(b / n);
}
