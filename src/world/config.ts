/**
 * WorldConfig: everything that distinguishes one kind of world from another, in one plain record.
 * Profiles `ci`, `mini`, `faithful` follow methods/world.md 0.1 with the 64x48 frames of the design; `meadow` is the easy world a
 * small world model learns first, `park` an easier one still. All run the same code. configCrc() is stored in every episode file.
 */
import { crc32 } from './hash.ts';
import type { ItemName } from './item-ids.ts';

export type Biome = 'plains' | 'forest' | 'desert' | 'snowy';

export interface WorldConfig {
  profile: string;
  /** [x, y, z] blocks of overworld, nether, end; multiples of 16, at most 256 x 64 x 256. */
  dims: readonly (readonly [number, number, number])[];
  frame: { width: number; height: number; ssaa: 1 | 2; viewDistance: number };
  /** Game ticks (20 Hz) per agent step. */
  ticksPerStep: number;
  /** `none` crafts in a 3x3 grid by hand, whose screens (nine columns) are not part of this version: only `strip` can craft. */
  craftAssist: 'none' | 'strip';
  /** Who walks climbs a whole block without a jump; absent = no. What stops a player then stands before the eyes. */
  autoStep?: boolean;
  /** Break times are multiplied by breakNum / breakDen and rounded up. */
  breakNum: number;
  breakDen: number;
  /** Ticks per smelted item; fuel times scale with it (200 = documented times). */
  smeltTicks: number;
  survival: boolean;
  mobs: boolean;
  /** Episode limit in ticks. */
  episodeTicks: number;
  hotbarSlots: 8 | 9;
  mainSlots: 24 | 27;
  /** Height amplitude in percent of the documented terrain (100 = 25 blocks between lowest and highest). */
  relief: number;
  /** Ponds in percent of the usual frequency; they are dug into land whatever the relief. */
  ponds: number;
  /** Trees in percent of the documented density. */
  treeDensity: number;
  biomes: readonly Biome[];
  caves: boolean;
  /** Stone outcrops with ores at the surface, per 16 columns of 16x16. */
  outcrops: number;
  /** false = noon for ever. */
  dayCycle: boolean;
  /** Guarantees of methods/world.md 4: enough logs, stone, coal, iron and diamond near the spawn. */
  ladder: boolean;
  /** Items at the start: hotbar first, then the main inventory. */
  startKit: readonly (readonly [ItemName, number])[];
}

const FAITHFUL: WorldConfig = {
  profile: 'faithful',
  dims: [
    [256, 64, 256],
    [128, 64, 128],
    [128, 64, 128],
  ],
  frame: { width: 640, height: 360, ssaa: 1, viewDistance: 48 },
  ticksPerStep: 1,
  craftAssist: 'none',
  breakNum: 1,
  breakDen: 1,
  smeltTicks: 200,
  survival: true,
  mobs: true,
  episodeTicks: 72000,
  hotbarSlots: 9,
  mainSlots: 27,
  relief: 100,
  ponds: 100,
  treeDensity: 100,
  biomes: ['plains', 'forest', 'desert', 'snowy'],
  caves: true,
  outcrops: 0,
  dayCycle: true,
  ladder: true,
  startKit: [],
};

const MINI: WorldConfig = {
  ...FAITHFUL,
  profile: 'mini',
  dims: [
    [128, 64, 128],
    [96, 64, 96],
    [96, 64, 96],
  ],
  frame: { width: 64, height: 48, ssaa: 2, viewDistance: 32 },
  ticksPerStep: 2,
  craftAssist: 'strip',
  breakNum: 1,
  breakDen: 2,
  smeltTicks: 100,
  episodeTicks: 12000,
  hotbarSlots: 8,
  mainSlots: 24,
  outcrops: 2,
};

const CI: WorldConfig = {
  ...MINI,
  profile: 'ci',
  dims: [
    [64, 64, 64],
    [64, 64, 64],
    [64, 64, 64],
  ],
  frame: { width: 64, height: 48, ssaa: 1, viewDistance: 32 },
  breakDen: 4,
  smeltTicks: 40,
  survival: false,
  mobs: false,
  episodeTicks: 2400,
};

const MEADOW: WorldConfig = {
  ...MINI,
  profile: 'meadow',
  survival: false,
  mobs: false,
  relief: 30,
  treeDensity: 300,
  biomes: ['plains'],
  caves: false,
  outcrops: 7,
  dayCycle: false,
  startKit: [
    ['stone_pickaxe', 1],
    ['stone_axe', 1],
    ['stone_shovel', 1],
    ['planks', 64],
    ['cobblestone', 64],
    ['dirt', 64],
    ['sand', 64],
    ['torch', 64],
  ],
};

// Where what keys do can be seen in the picture before: nothing out of sight stops a player, and what the right tool breaks is
// gone a step or two later, so that neither a step below the picture nor the progress of cracks must be remembered.
const PARK: WorldConfig = { ...MEADOW, profile: 'park', relief: 10, ponds: 30, autoStep: true, breakDen: 8 };

export const PROFILES = { ci: CI, mini: MINI, faithful: FAITHFUL, meadow: MEADOW, park: PARK } as const;
export type ProfileName = keyof typeof PROFILES;

/** A profile with changes: `worldConfig('mini', { dayCycle: false })`. Throws on impossible sizes. */
export function worldConfig(profile: ProfileName, change: Partial<WorldConfig> = {}): WorldConfig {
  const cfg = { ...PROFILES[profile], ...change };
  for (const [x, y, z] of cfg.dims)
    if (x % 16 || y !== 64 || z % 16 || x < 32 || z < 32 || x > 256 || z > 256)
      throw new Error(`world size ${x}x${y}x${z}: x and z must be multiples of 16 in 32..256, y must be 64`);
  if (cfg.biomes.length === 0) throw new Error('a world needs at least one biome');
  return cfg;
}

/** Same numbers, same CRC, whatever the key order. */
export function configCrc(cfg: WorldConfig): number {
  const sorted = (v: unknown): unknown =>
    Array.isArray(v)
      ? v.map(sorted)
      : v && typeof v === 'object'
        ? Object.fromEntries(
            Object.entries(v)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([k, x]) => [k, sorted(x)]),
          )
        : v;
  return crc32(new TextEncoder().encode(JSON.stringify(sorted(cfg))));
}
