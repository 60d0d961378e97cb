/**
 * Where everything of a State lives: one ArrayBuffer of 16 KB, copied whole by fork(). Offsets in 32-bit words.
 * Fields for mobs, boats, beds, portals are laid out already so that saved states keep their meaning when those rules arrive.
 * Positions and velocities are Q16 (65536 = 1 block), angles 1/65536 turn, health/food in half hearts/drumsticks.
 */
export const STATE_BYTES = 16384;
export const STATE_WORDS = STATE_BYTES / 4;
/** First word of a state and of a snapshot. */
export const MAGIC = 0x44345753;

/** Words 0..63. */
export const H = {
  magic: 0,
  tick: 1,
  dim: 2,
  time: 3,
  worldSeed: 4,
  episodeSeed: 5,
  flags: 6,
  /** XOR of Z(dim, pos, old) ^ Z(dim, pos, new) over all block changes: 0 for an untouched world. */
  changeLo: 7,
  changeHi: 8,
  nextEntity: 9,
  schedCount: 10,
  schedSeq: 11,
  brokenTotal: 12,
  placedTotal: 13,
  spawnX: 14,
  spawnY: 15,
  spawnZ: 16,
} as const;

export const HEADER_FLAG = { scheduleOverflow: 1, died: 2 } as const;

/** Words 64..127: i32 player fields, relative to PLAYER. */
export const PLAYER = 64;
export const P = {
  x: 0,
  y: 1,
  z: 2,
  vx: 3,
  vy: 4,
  vz: 5,
  /** 0..65535; 0 looks to +z, grows clockwise seen from above. */
  yaw: 6,
  /** -16384 (up) .. 16384 (down). */
  pitch: 7,
  onGround: 8,
  sneaking: 9,
  sprinting: 10,
  health: 11,
  food: 12,
  saturation: 13,
  exhaustion: 14,
  air: 15,
  fallDist: 16,
  hurtTimer: 17,
  useTimer: 18,
  /** Packed position of the block being broken + 1, 0 = none. */
  breakPos: 19,
  breakTicks: 20,
  /** Ticks the current block needs in all: progress = breakTicks / breakNeed. */
  breakNeed: 21,
  breakCooldown: 22,
  placeCooldown: 23,
  jumpCooldown: 24,
  portalTimer: 25,
  sleepTimer: 26,
  vehicleId: 27,
  selected: 28,
  /** GUI values below; 0 = none. */
  guiKind: 29,
  /** Block entity index + 1. */
  guiBlockEntity: 30,
  /** Cursor in Q8 pixels of the 64x48 grid. */
  cursorX: 31,
  cursorY: 32,
  prevKeys: 33,
  cursorStack: 34,
  inWater: 35,
  headInWater: 36,
  swing: 37,
  spawnX: 38,
  spawnY: 39,
  spawnZ: 40,
  lastPortal: 41,
  regenTimer: 42,
  collided: 43,
  /** Packed position of the block whose GUI is open + 1. */
  guiPos: 44,
  eatTimer: 45,
} as const;

export const GUI = { none: 0, inventory: 1, table: 2, furnace: 3 } as const;

/** Words 128..175: 46 packed slots (hotbar 0..8, main 9..35, off-hand 36, crafting grid 37..45). */
export const INV = 128;
export const SLOT = { hotbar: 0, main: 9, offhand: 36, grid: 37, count: 46 } as const;

/** 64 entities of 16 words. */
export const ENT = 192;
export const ENT_MAX = 64;
export const ENT_WORDS = 16;
export const E = {
  type: 0,
  x: 1,
  y: 2,
  z: 3,
  vx: 4,
  vy: 5,
  vz: 6,
  yaw: 7,
  hp: 8,
  state: 9,
  timer: 10,
  owner: 11,
  /** Packed slot for item drops. */
  item: 12,
  flags: 13,
  anim: 14,
} as const;
export const ENTITY = { none: 0, item: 1, boat: 2, zombie: 3, pig: 4, sheep: 5 } as const;

/** 64 furnaces of 8 words; pos = packed position + 1, 0 = free. */
export const BE = ENT + ENT_MAX * ENT_WORDS;
export const BE_MAX = 64;
export const BE_WORDS = 8;
export const F = { pos: 0, input: 1, fuel: 2, output: 3, burnLeft: 4, burnTotal: 5, cook: 6 } as const;

/** 512 scheduled block ticks of 2 words: due tick, dim << 28 | kind << 22 | packed position. */
export const SCHED = BE + BE_MAX * BE_WORDS;
export const SCHED_MAX = 512;

/** Counters: 6 kinds x 80 items, then totals. */
export const STAT = SCHED + SCHED_MAX * 2;
export const STAT_KIND = { mined: 0, crafted: 1, used: 2, placed: 3, opened: 4, picked: 5 } as const;
export const STAT_WORDS = 512;
/** First tick + 1 at which the item was in the inventory; 0 = never. */
export const MILE = STAT + STAT_WORDS;
export const MILE_WORDS = 16;

/** Event ring, not part of the hash: word 0 = events ever written, then 64 x (tick, type, a, b). */
export const RING = MILE + MILE_WORDS;
export const RING_MAX = 64;
export const RING_DATA = RING + 16;
/** First reserved word: all zero from here on (checked by a test). */
export const SPARE = RING_DATA + RING_MAX * 4;

/** Packed block position, 22 bits: y << 16 | z << 8 | x. */
export const packPos = (x: number, y: number, z: number) => (y << 16) | (z << 8) | x;
export const posX = (p: number) => p & 255;
export const posZ = (p: number) => (p >>> 8) & 255;
export const posY = (p: number) => (p >>> 16) & 63;
