/**
 * Block states (u8) and what is true of each: class, boxes, light, hardness, drop, face tiles.
 * Pure data for the simulator, the renderers and the players; colours live in visual/, rules in the step modules.
 * Hardness, tool tiers and light levels are the documented 1.16 figures; our own choices are in methods/world.md 2.3 and 3.4.
 */
import { I, type ItemName, TOOL } from './item-ids.ts';

/** Render class: nothing, an opaque unit cube, a see-through volume (water, portal), or boxes smaller than the cell or alpha-tested. */
export const CLASS = { air: 0, cube: 1, translucent: 2, shape: 3 } as const;

/** Face order used by every table: -y, +y, -z (north), +z (south), -x (west), +x (east). */
export const FACE = { down: 0, up: 1, north: 2, south: 3, west: 4, east: 5 } as const;
export const FACE_DX = [0, 0, 0, 0, -1, 1] as const;
export const FACE_DY = [-1, 1, 0, 0, 0, 0] as const;
export const FACE_DZ = [0, 0, -1, 1, 0, 0] as const;

/** Facing = yaw quadrant: 0 south (+z), 1 west (-x), 2 north (-z), 3 east (+x). */
export const FACING_DX = [0, -1, 0, 1] as const;
export const FACING_DZ = [1, 0, -1, 0] as const;
const FACING_FACE = [FACE.south, FACE.west, FACE.north, FACE.east] as const;

export const FLAG = {
  /** A placed block may overwrite the cell. */
  replaceable: 1,
  /** Falls when the cell below is not solid. */
  falls: 2,
  /** Water or lava: no collision, not targeted. */
  fluid: 4,
  /** Pops off when its support goes. */
  needsSupport: 8,
  /** Texels with alpha 0 let the ray pass (glass, panes, plants). */
  alphaTest: 16,
  /** Two crossed panels. */
  cross: 32,
  /** Boxes depend on the four horizontal neighbours (pane, fence). */
  connects: 64,
  /** Full unit collision box: supports torches, joins fences. */
  fullSolid: 128,
} as const;

/** First state id of every block; multi-state blocks add the offsets given beside them. */
export const B = {
  air: 0,
  bedrock: 1,
  stone: 2,
  cobblestone: 3,
  dirt: 4,
  grass: 5,
  sand: 6,
  sandstone: 7,
  gravel: 8,
  snow: 9,
  ice: 10,
  log: 11,
  leaves: 12,
  planks: 13,
  coal_ore: 14,
  iron_ore: 15,
  diamond_ore: 16,
  iron_block: 17,
  diamond_block: 18,
  glass: 19,
  glass_pane: 20,
  fence: 21,
  crafting_table: 22,
  /** + facing*2 + lit */
  furnace: 23,
  /** + 0 on the floor, + 1 + facing on a wall and pointing along facing */
  torch: 31,
  /** + facing*4 + open*2 + upper half */
  door: 36,
  /** + facing*2 + head half */
  bed: 52,
  wool: 60,
  sugar_cane: 61,
  tall_grass: 62,
  flower_red: 63,
  flower_yellow: 64,
  cactus: 65,
  /** + 0 source, + 1..7 flowing level, + 8 falling */
  water: 66,
  lava: 75,
  obsidian: 76,
  netherrack: 77,
  soul_sand: 78,
  glowstone: 79,
  quartz_ore: 80,
  nether_brick: 81,
  /** + 0 panel across x, + 1 panel across z */
  nether_portal: 82,
  end_stone: 84,
  end_gate: 85,
  gate_frame: 86,
  end_plant: 87,
  /** + 0..3: floors that mark play-test areas */
  marker: 88,
} as const;

export const STATE_COUNT = 92;

/** x0,y0,z0,x1,y1,z1 in 1/16 block; y1 may exceed 16 in collision boxes (fence 24). */
export type Box = readonly [number, number, number, number, number, number];

export interface StateSpec {
  name: string;
  class: number;
  /** Tile names, in FACE order. */
  tiles: readonly [string, string, string, string, string, string];
  /** Outline and render boxes. Empty for air. */
  boxes: readonly Box[];
  collision: readonly Box[];
  /** Light lost on entering the cell beyond the usual 1 (0 clear, 15 blocks all). */
  opacity: number;
  emission: number;
  /** Hardness in tenths; -1 = unbreakable. */
  hardness10: number;
  tool: number;
  /** 0 = any hand, 1 wood, 2 stone, 3 iron, 4 diamond: below it the block drops nothing. */
  minTier: number;
  /** Item dropped by a harvestable break; 0 = none. Leaves and furnace contents are rules of the break step. */
  drop: number;
  flags: number;
}

const FULL: readonly Box[] = [[0, 0, 0, 16, 16, 16]];
const NONE: readonly Box[] = [];
const CROSS_BOXES = (h: number): readonly Box[] => [
  [1, 0, 7, 15, h, 8],
  [7, 0, 1, 8, h, 15],
];

const specs: StateSpec[] = [];

type Partial6 = string | readonly [string, string, string, string, string, string];
interface Opt {
  tiles?: Partial6;
  boxes?: readonly Box[];
  collision?: readonly Box[];
  class?: number;
  opacity?: number;
  emission?: number;
  hard?: number;
  tool?: number;
  tier?: number;
  drop?: ItemName;
  flags?: number;
}

function add(id: number, name: string, o: Opt = {}): void {
  const cls = o.class ?? CLASS.cube;
  const tiles = o.tiles ?? name;
  const boxes = o.boxes ?? FULL;
  const collision = o.collision ?? (cls === CLASS.translucent || cls === CLASS.air ? NONE : boxes);
  const full = collision === FULL ? FLAG.fullSolid : 0;
  specs[id] = {
    name,
    class: cls,
    tiles: typeof tiles === 'string' ? [tiles, tiles, tiles, tiles, tiles, tiles] : tiles,
    boxes,
    collision,
    opacity: o.opacity ?? (cls === CLASS.cube ? 15 : 0),
    emission: o.emission ?? 0,
    hardness10: o.hard ?? 0,
    tool: o.tool ?? TOOL.none,
    minTier: o.tier ?? 0,
    drop: o.drop ? I[o.drop] : 0,
    flags: (o.flags ?? 0) | full,
  };
}

/** Top, bottom and four sides, with one special side for blocks that face somewhere. */
function sided(bottom: string, top: string, side: string, front?: string, facing = 0) {
  const t: [string, string, string, string, string, string] = [bottom, top, side, side, side, side];
  if (front) t[FACING_FACE[facing]] = front;
  return t;
}

const pick = (hard: number, tier = 1): Opt => ({ hard, tool: TOOL.pickaxe, tier });
const axe = (hard: number): Opt => ({ hard, tool: TOOL.axe });
const shovel = (hard: number): Opt => ({ hard, tool: TOOL.shovel });
const plant: Opt = {
  class: CLASS.shape,
  boxes: CROSS_BOXES(14),
  collision: NONE,
  flags: FLAG.cross | FLAG.alphaTest | FLAG.needsSupport,
};

add(B.air, 'air', { class: CLASS.air, boxes: NONE, flags: FLAG.replaceable });
add(B.bedrock, 'bedrock', { hard: -1 });
add(B.stone, 'stone', { ...pick(15), drop: 'cobblestone' });
add(B.cobblestone, 'cobblestone', { ...pick(20), drop: 'cobblestone' });
add(B.dirt, 'dirt', { ...shovel(5), drop: 'dirt' });
add(B.grass, 'grass', { ...shovel(6), drop: 'dirt', tiles: sided('dirt', 'grass_top', 'grass_side') });
add(B.sand, 'sand', { ...shovel(5), drop: 'sand', flags: FLAG.falls });
add(B.sandstone, 'sandstone', {
  ...pick(8),
  drop: 'sandstone',
  tiles: sided('sandstone_top', 'sandstone_top', 'sandstone_side'),
});
add(B.gravel, 'gravel', { ...shovel(6), drop: 'gravel', flags: FLAG.falls });
add(B.snow, 'snow', { ...shovel(2), drop: 'snow' });
add(B.ice, 'ice', { hard: 5, tool: TOOL.pickaxe });
add(B.log, 'log', { ...axe(20), drop: 'log', tiles: sided('log_top', 'log_top', 'log_side') });
add(B.leaves, 'leaves', { hard: 2, opacity: 1 });
add(B.planks, 'planks', { ...axe(20), drop: 'planks' });
add(B.coal_ore, 'coal_ore', { ...pick(30), drop: 'coal' });
add(B.iron_ore, 'iron_ore', { ...pick(30, 2), drop: 'iron_ore' });
add(B.diamond_ore, 'diamond_ore', { ...pick(30, 3), drop: 'diamond' });
add(B.iron_block, 'iron_block', { ...pick(50, 2), drop: 'iron_block' });
add(B.diamond_block, 'diamond_block', { ...pick(50, 3), drop: 'diamond_block' });
add(B.glass, 'glass', { class: CLASS.shape, hard: 3, flags: FLAG.alphaTest });
add(B.glass_pane, 'glass_pane', {
  class: CLASS.shape,
  hard: 3,
  tiles: 'glass',
  boxes: [[7, 0, 7, 9, 16, 9]],
  flags: FLAG.alphaTest | FLAG.connects,
});
add(B.fence, 'fence', {
  class: CLASS.shape,
  ...axe(20),
  drop: 'fence',
  tiles: 'planks',
  boxes: [[6, 0, 6, 10, 16, 10]],
  collision: [[6, 0, 6, 10, 24, 10]],
  flags: FLAG.connects,
});
add(B.crafting_table, 'crafting_table', {
  ...axe(25),
  drop: 'crafting_table',
  tiles: sided('planks', 'crafting_table_top', 'crafting_table_side'),
});
for (let f = 0; f < 4; f++)
  for (let lit = 0; lit < 2; lit++)
    add(B.furnace + f * 2 + lit, 'furnace', {
      ...pick(35),
      drop: 'furnace',
      emission: lit ? 13 : 0,
      tiles: sided('furnace_top', 'furnace_top', 'furnace_side', lit ? 'furnace_front_lit' : 'furnace_front', f),
    });
for (let a = 0; a < 5; a++) {
  // A wall torch leans against the cell side opposite to where it points.
  const wall: readonly Box[] = [
    [
      [7, 3, 0, 9, 13, 3],
      [13, 3, 7, 16, 13, 9],
      [7, 3, 13, 9, 13, 16],
      [0, 3, 7, 3, 13, 9],
    ][a - 1] as unknown as Box,
  ];
  add(B.torch + a, 'torch', {
    class: CLASS.shape,
    emission: 14,
    drop: 'torch',
    boxes: a === 0 ? [[7, 0, 7, 9, 10, 9]] : wall,
    collision: NONE,
    flags: FLAG.needsSupport,
    tiles: ['torch_side', 'torch_top', 'torch_side', 'torch_side', 'torch_side', 'torch_side'],
  });
}
// Panel positions by side of the cell: south-facing closed doors stand at the north side, i.e. nearest to the placer.
const PANEL: readonly Box[] = [
  [0, 0, 0, 16, 16, 3],
  [13, 0, 0, 16, 16, 16],
  [0, 0, 13, 16, 16, 16],
  [0, 0, 0, 3, 16, 16],
];
for (let f = 0; f < 4; f++)
  for (let open = 0; open < 2; open++)
    for (let half = 0; half < 2; half++)
      add(B.door + f * 4 + open * 2 + half, 'door', {
        class: CLASS.shape,
        ...axe(30),
        drop: 'door',
        // Opening swings the panel to the left side as seen by the placer: the next entry of the ring.
        boxes: [PANEL[open ? (f + 1) & 3 : f]],
        tiles: half ? 'door_upper' : 'door_lower',
        flags: FLAG.needsSupport,
      });
for (let f = 0; f < 4; f++)
  for (let head = 0; head < 2; head++)
    add(B.bed + f * 2 + head, 'bed', {
      class: CLASS.shape,
      hard: 2,
      drop: 'bed',
      boxes: [[0, 0, 0, 16, 9, 16]],
      tiles: sided('planks', head ? 'bed_head' : 'bed_foot', 'bed_side'),
      flags: FLAG.needsSupport,
    });
add(B.wool, 'wool', { hard: 8, drop: 'wool' });
add(B.sugar_cane, 'sugar_cane', { ...plant, boxes: CROSS_BOXES(16), drop: 'sugar_cane' });
add(B.tall_grass, 'tall_grass', { ...plant, flags: (plant.flags as number) | FLAG.replaceable });
add(B.flower_red, 'flower_red', { ...plant, boxes: CROSS_BOXES(11), drop: 'flower_red' });
add(B.flower_yellow, 'flower_yellow', { ...plant, boxes: CROSS_BOXES(11), drop: 'flower_yellow' });
add(B.cactus, 'cactus', {
  class: CLASS.shape,
  hard: 4,
  drop: 'cactus',
  boxes: [[1, 0, 1, 15, 16, 15]],
  tiles: sided('cactus_top', 'cactus_top', 'cactus_side'),
  flags: FLAG.needsSupport,
});
for (let l = 0; l < 9; l++)
  add(B.water + l, 'water', {
    class: CLASS.translucent,
    boxes: [[0, 0, 0, 16, l === 8 ? 16 : l === 0 ? 14 : 14 - 2 * l + 1, 16]],
    opacity: 2,
    hard: -1,
    flags: FLAG.fluid | FLAG.replaceable,
  });
add(B.lava, 'lava', {
  class: CLASS.cube,
  boxes: [[0, 0, 0, 16, 16, 16]],
  collision: NONE,
  emission: 15,
  opacity: 2,
  hard: -1,
  flags: FLAG.fluid | FLAG.replaceable,
});
add(B.obsidian, 'obsidian', { ...pick(500, 4), drop: 'obsidian' });
add(B.netherrack, 'netherrack', { ...pick(4), drop: 'netherrack' });
add(B.soul_sand, 'soul_sand', { ...shovel(5), drop: 'soul_sand' });
add(B.glowstone, 'glowstone', { hard: 3, emission: 15, drop: 'glowstone' });
add(B.quartz_ore, 'quartz_ore', { ...pick(30), drop: 'quartz' });
add(B.nether_brick, 'nether_brick', { ...pick(20), drop: 'nether_brick' });
for (let axis = 0; axis < 2; axis++)
  add(B.nether_portal + axis, 'nether_portal', {
    class: CLASS.translucent,
    boxes: [axis ? [6, 0, 0, 10, 16, 16] : [0, 0, 6, 16, 16, 10]],
    emission: 11,
    hard: -1,
  });
add(B.end_stone, 'end_stone', { ...pick(30), drop: 'end_stone' });
add(B.end_gate, 'end_gate', { class: CLASS.translucent, boxes: [[0, 0, 0, 16, 12, 16]], emission: 15, hard: -1 });
add(B.gate_frame, 'gate_frame', {
  class: CLASS.shape,
  boxes: [[0, 0, 0, 16, 13, 16]],
  hard: -1,
  tiles: sided('gate_frame_side', 'gate_frame_top', 'gate_frame_side'),
});
add(B.end_plant, 'end_plant', {
  class: CLASS.shape,
  boxes: [[4, 0, 4, 12, 16, 12]],
  hard: 4,
  drop: 'end_plant',
});
for (let m = 0; m < 4; m++) add(B.marker + m, `marker_${m}`, { hard: -1 });

/** The table, indexed by state id. */
export const STATES: readonly StateSpec[] = specs;

/** Every tile name once; TILES holds 6 indices into it per state, in FACE order. */
export const TILE_NAMES: readonly string[] = [
  ...new Set(specs.filter((s) => s.class !== CLASS.air).flatMap((s) => s.tiles)),
];
const tileIndex = new Map(TILE_NAMES.map((n, i) => [n, i]));

const column = (f: (s: StateSpec) => number) =>
  Uint8Array.from({ length: 256 }, (_, i) => (specs[i] ? f(specs[i]) : 0));
export const TILES = Uint8Array.from({ length: 256 * 6 }, (_, i) => {
  const s = specs[Math.floor(i / 6)];
  return s ? (tileIndex.get(s.tiles[i % 6]) ?? 0) : 0;
});
export const STATE_CLASS = column((s) => s.class);
export const OPACITY = column((s) => s.opacity);
export const EMISSION = column((s) => s.emission);
export const TOOL_KIND = column((s) => s.tool);
export const MIN_TIER = column((s) => s.minTier);
export const DROP = column((s) => s.drop);
export const FLAGS = column((s) => s.flags);
export const HARDNESS10 = Int16Array.from({ length: 256 }, (_, i) => specs[i]?.hardness10 ?? -1);

export const isWater = (state: number) => state >= B.water && state <= B.water + 8;
export const isDoor = (state: number) => state >= B.door && state < B.door + 16;
export const isBed = (state: number) => state >= B.bed && state < B.bed + 8;
export const isFurnace = (state: number) => state >= B.furnace && state < B.furnace + 8;
export const isTorch = (state: number) => state >= B.torch && state < B.torch + 5;
