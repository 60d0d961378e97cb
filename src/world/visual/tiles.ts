/**
 * The look of every block face, as recipes: calm, well separated base colours, a grain of a few /255, and marks big
 * enough to survive the mips (a small world model has to dream these). Names are those of blocks.ts.
 */
import { blend, type Rgb, shift, TileCanvas } from './tile-canvas.ts';

export const PALETTE = {
  grass: 0x7fb453,
  dirt: 0x8f6a49,
  stone: 0x8a919b,
  cobble: 0x767c86,
  sand: 0xe6d3a0,
  sandstone: 0xd9bd88,
  gravel: 0x9a9088,
  snow: 0xf0f4f8,
  ice: 0xa5cdea,
  bark: 0x6b4d34,
  wood: 0xc79f65,
  leaves: 0x3f7d43,
  bedrock: 0x3a3b42,
  coal: 0x2b2d33,
  iron: 0xe2986a,
  ingot: 0xdcdfe2,
  diamond: 0x5fe0dc,
  water: 0x3f7fcf,
  lava: 0xf0741e,
  obsidian: 0x2c2140,
  flame: 0xffd56b,
  wool: 0xe9e6e0,
  cane: 0x9fcf6a,
  cactus: 0x4d8f4a,
  netherrack: 0x7c3232,
  soulsand: 0x54402f,
  glow: 0xf6d78a,
  quartz: 0xe8dcd4,
  brick: 0x3f1f26,
  portal: 0x8a3fd6,
  endstone: 0xcdd488,
  void: 0x14101f,
  arena: 0xc9c2b4,
} as const satisfies Record<string, Rgb>;

const P = PALETTE;
const ORE_SPOTS = [
  [4, 4, 2],
  [11, 3, 2],
  [8, 9, 2],
  [3, 12, 2],
  [13, 12, 2],
  [8, 14, 1],
] as const;
const PEBBLES = [
  [3, 3, 2],
  [10, 5, 2],
  [5, 10, 2],
  [13, 13, 2],
] as const;

/** A faint rim: the block grid of the ground stays readable close by and fades with the mips. */
const rimmed =
  (c: Rgb, grain: number, edge = -9) =>
  (s: number) =>
    new TileCanvas(shift(c, 1), s).grain(grain, 1).frame(0, 0, 16, 16, shift(c, edge));

const stone = (s: number) =>
  rimmed(P.stone, 3)(s).rect(1, 5, 5, 1, shift(P.stone, -9)).rect(9, 11, 6, 1, shift(P.stone, -9));
const ore = (c: Rgb) => (s: number) => new TileCanvas(P.stone, s).grain(3, 1).spots(ORE_SPOTS, c);
const planks = (s: number) => {
  const t = new TileCanvas(P.wood, s).grain(3, 1);
  for (let y = 3; y < 16; y += 4) t.rect(0, y, 16, 1, shift(P.wood, -26));
  return t
    .rect(4, 0, 1, 3, shift(P.wood, -22))
    .rect(11, 4, 1, 3, shift(P.wood, -22))
    .rect(6, 8, 1, 3, shift(P.wood, -22));
};
const bark = (s: number) => {
  const t = new TileCanvas(P.bark, s).grain(3, 1);
  for (const [x, d] of [
    [1, -12],
    [5, 10],
    [8, -12],
    [12, 8],
    [14, -10],
  ] as const)
    t.rect(x, 0, 1, 16, shift(P.bark, d));
  return t;
};
const rings = (s: number) =>
  new TileCanvas(P.wood, s)
    .grain(2, 1)
    .frame(0, 0, 16, 16, P.bark)
    .frame(3, 3, 10, 10, shift(P.wood, -24))
    .frame(6, 6, 4, 4, shift(P.wood, -24));
const cobble = (s: number) => {
  const t = new TileCanvas(shift(P.cobble, -22), s);
  for (const [x, y, w, h] of [
    [0, 0, 7, 5],
    [8, 0, 8, 4],
    [0, 6, 4, 5],
    [5, 6, 6, 5],
    [12, 5, 4, 6],
    [0, 12, 9, 4],
    [10, 12, 6, 4],
  ] as const)
    t.rect(x, y, w, h, shift(P.cobble, 6));
  return t.grain(3, 1);
};
const furnaceBody = (s: number) =>
  new TileCanvas(shift(P.cobble, 14), s).grain(3, 1).frame(0, 0, 16, 16, shift(P.cobble, -14));
const furnaceFront = (mouth: Rgb) => (s: number) =>
  furnaceBody(s).rect(3, 3, 10, 2, shift(P.cobble, -34)).rect(3, 8, 10, 6, P.coal).rect(5, 9, 6, 5, mouth);
const glassPane = (s: number) =>
  new TileCanvas(0xd7eef5, s).opacity(
    56,
    (x, y) => x === 0 || y === 0 || x === 15 || y === 15 || x + y === 10 || x + y === 11,
  );
const doorHalf = (top: boolean) => (s: number) => {
  const c = blend(P.wood, P.bark, 90);
  const t = new TileCanvas(c, s).grain(2, 1).frame(0, 0, 16, 16, shift(c, -24));
  if (top) return t.rect(3, 3, 4, 5, 0xbfe0ea).rect(9, 3, 4, 5, 0xbfe0ea).rect(3, 11, 10, 1, shift(c, -24));
  return t.rect(3, 3, 10, 4, shift(c, -14)).rect(3, 10, 10, 4, shift(c, -14)).rect(12, 0, 2, 2, 0xe6c35a);
};
const plain =
  (c: Rgb, grain = 2) =>
  (s: number) =>
    new TileCanvas(c, s).grain(grain, 1);
const framed = (c: Rgb, edge: number) => (s: number) =>
  new TileCanvas(c, s).grain(2, 1).frame(0, 0, 16, 16, shift(c, edge)).rect(2, 2, 5, 1, shift(c, 14));

const workbenchTop = (s: number) => {
  const t = planks(s).frame(0, 0, 16, 16, P.bark);
  return t.rect(1, 5, 14, 1, P.bark).rect(1, 10, 14, 1, P.bark).rect(5, 1, 1, 14, P.bark).rect(10, 1, 1, 14, P.bark);
};
const workbenchSide = (s: number) =>
  planks(s)
    .rect(0, 0, 16, 4, shift(P.wood, -40))
    .frame(0, 0, 16, 16, P.bark)
    .rect(4, 7, 2, 6, 0x8f979f)
    .rect(9, 6, 4, 3, 0x8f979f)
    .rect(10, 9, 2, 4, P.bark);

/** Recipe per tile name; the argument seeds the grain. */
export const TILE_RECIPES: Record<string, (seed: number) => TileCanvas> = {
  bedrock: (s) => new TileCanvas(P.bedrock, s).grain(8, 2),
  stone,
  cobblestone: cobble,
  dirt: rimmed(P.dirt, 4),
  grass_top: rimmed(P.grass, 4, -14),
  grass_side: (s) => {
    const t = new TileCanvas(P.dirt, s).grain(4, 1).rect(0, 0, 16, 4, shift(P.grass, -6));
    for (const x of [1, 2, 6, 9, 10, 14]) t.rect(x, 4, 1, 1, shift(P.grass, -14));
    return t;
  },
  snowy_side: (s) => new TileCanvas(P.dirt, s).grain(4, 1).rect(0, 0, 16, 5, shift(P.snow, -6)),
  sand: rimmed(P.sand, 3, -11),
  sandstone_side: (s) =>
    new TileCanvas(P.sandstone, s)
      .grain(2, 1)
      .rect(0, 0, 16, 3, shift(P.sandstone, 14))
      .rect(0, 9, 16, 1, shift(P.sandstone, -18))
      .rect(0, 14, 16, 2, shift(P.sandstone, -14)),
  sandstone_top: plain(shift(P.sandstone, 10), 2),
  gravel: (s) => new TileCanvas(P.gravel, s).grain(5, 1).spots(PEBBLES, shift(P.gravel, -16)),
  snow: rimmed(P.snow, 2, -11),
  ice: (s) => new TileCanvas(P.ice, s).grain(2, 1).rect(3, 3, 4, 1, 0xd8ecfa).rect(9, 10, 4, 1, 0xd8ecfa),
  log_side: bark,
  log_top: rings,
  leaves: (s) => new TileCanvas(P.leaves, s).grain(7, 1).grain(3, 2),
  planks,
  coal_ore: ore(P.coal),
  iron_ore: ore(P.iron),
  diamond_ore: ore(P.diamond),
  iron_block: framed(0xc2cbd8, -36),
  diamond_block: framed(P.diamond, -36),
  glass: glassPane,
  crafting_table_top: workbenchTop,
  crafting_table_side: workbenchSide,
  furnace_top: furnaceBody,
  furnace_side: furnaceBody,
  furnace_front: furnaceFront(0x3a3d44),
  furnace_front_lit: furnaceFront(P.flame),
  // Floor torches show rows 6..15, wall torches 3..12 (texels follow the cell, not the box).
  torch_side: (s) =>
    new TileCanvas(P.flame, s).rect(0, 9, 16, 1, 0xf29b38).rect(0, 10, 16, 6, blend(P.bark, P.wood, 96)),
  torch_top: plain(0xfff3c4, 0),
  door_upper: doorHalf(true),
  door_lower: doorHalf(false),
  wool: plain(P.wool, 3),
  bed_foot: (s) => new TileCanvas(0xb8434a, s).grain(2, 1),
  bed_head: (s) => new TileCanvas(0xb8434a, s).grain(2, 1).rect(0, 0, 16, 7, 0xf0ece4),
  bed_side: (s) => new TileCanvas(0xb8434a, s).rect(0, 8, 16, 8, P.wood),
  sugar_cane: (s) =>
    new TileCanvas(P.cane, s).rect(0, 4, 16, 1, shift(P.cane, -30)).rect(0, 11, 16, 1, shift(P.cane, -30)),
  tall_grass: plain(shift(P.grass, -20), 6),
  flower_red: (s) => new TileCanvas(0xd8484c, s).rect(0, 8, 16, 8, shift(P.grass, -30)),
  flower_yellow: (s) => new TileCanvas(0xf2cf4a, s).rect(0, 8, 16, 8, shift(P.grass, -30)),
  cactus_side: (s) => {
    const t = new TileCanvas(P.cactus, s).grain(2, 1);
    for (const x of [2, 7, 12]) t.rect(x, 0, 1, 16, shift(P.cactus, -22));
    return t;
  },
  cactus_top: (s) => new TileCanvas(shift(P.cactus, 18), s).frame(0, 0, 16, 16, shift(P.cactus, -10)),
  water: (s) => new TileCanvas(P.water, s).grain(2, 2).opacity(150),
  lava: (s) => new TileCanvas(P.lava, s).grain(8, 2).spots(PEBBLES, 0xffb347),
  obsidian: (s) => new TileCanvas(P.obsidian, s).grain(5, 1),
  netherrack: (s) => new TileCanvas(P.netherrack, s).grain(6, 1),
  soul_sand: (s) => new TileCanvas(P.soulsand, s).grain(4, 1).spots(PEBBLES, shift(P.soulsand, -20)),
  glowstone: (s) => new TileCanvas(P.glow, s).grain(6, 1).spots(PEBBLES, 0xfff2c2),
  quartz_ore: (s) => new TileCanvas(P.netherrack, s).grain(6, 1).spots(ORE_SPOTS, P.quartz),
  nether_brick: (s) =>
    new TileCanvas(P.brick, s)
      .rect(0, 3, 16, 1, 0x25121a)
      .rect(0, 7, 16, 1, 0x25121a)
      .rect(0, 11, 16, 1, 0x25121a)
      .rect(0, 15, 16, 1, 0x25121a),
  nether_portal: (s) => new TileCanvas(P.portal, s).grain(8, 2).opacity(170),
  end_stone: (s) => new TileCanvas(P.endstone, s).grain(4, 1),
  end_gate: (s) => new TileCanvas(P.void, s).grain(6, 1),
  gate_frame_side: framed(blend(P.endstone, P.obsidian, 120), -30),
  gate_frame_top: framed(blend(P.endstone, 0x3f8f7f, 120), -30),
  end_plant: plain(0x7a5a86, 4),
  marker_0: plain(P.arena, 2),
  marker_1: plain(shift(P.arena, -40), 2),
  marker_2: plain(0xc98f7a, 2),
  marker_3: plain(0x7a9ec9, 2),
};
