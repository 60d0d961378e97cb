/**
 * FrameRec: everything one frame shows, as 576 u32 words, for the WGSL caster and its TypeScript twin alike.
 * Coordinates are relative to a window of 8 x 4 x 8 sections around the eye (the world is 64 high, so y is absolute).
 */
export const REC_WORDS = 576;

/** Header words. Colours are r | g<<8 | b<<16 (| a<<24). */
export const R = {
  /** Eye, i32 Q12 in window coordinates. */
  eye: 0,
  /** Ray of sample (x, y) = (base + x dx + y dy) >> 6, i32 Q20, three words each. */
  base: 3,
  dx: 6,
  dy: 9,
  /** Sky light lost to the night, 0..11. */
  dark: 12,
  /** Cell being broken: x | y<<8 | z<<16, or NONE; stage 1..4. */
  crackCell: 13,
  crackStage: 14,
  zenith: 15,
  horizon: 16,
  /** No block of the window is above this y. */
  topY: 17,
  entityCount: 18,
  /** Blended over the view, a = strength. */
  tint: 19,
  /** GUI cursor, frame pixels: x | y<<16, or NONE. */
  cursor: 20,
  flags: 21,
  /** Direction of the sun, Q14: x and y (it moves in the plane z = 0). */
  sunX: 22,
  sunY: 23,
  /** Sky light at the eye, 0..15: fog is dark in caves. */
  eyeSky: 24,
  /** Layer kind that the eye is in, 0 = air; its state. */
  eyeLayer: 25,
  eyeState: 26,
  /** Item held by the GUI cursor, 0 = none. */
  cursorItem: 27,
  /** States that a ray passes from the eye on: first id | (last - first) << 8; 0 in air. */
  eyePass: 28,
} as const;

export const NONE = 0xffffffff;
export const REC_FLAG = { gui: 1, crosshair: 2, sun: 4 } as const;

/**
 * Section table: index (sy << 6 | sz << 3 | sx). Bit 31 set = uniform, cell value in bits 0..15; else a slot of the page store.
 * Cell value = block state | light << 8, light = sky << 4 | block.
 */
export const REC_SECTIONS = 64;
export const UNIFORM = 0x80000000;
/** Air under the open sky. */
export const OPEN_AIR = 0xf000;
export const WINDOW_SECTIONS = 8;

/** Entity boxes, 8 words: lo xyz, hi xyz (Q12, window), colour | light 0..60 << 24, screen bounds in 4-pixel units x0 | x1<<8 | y0<<16 | y1<<24. */
export const REC_ENTITIES = 320;
export const REC_ENTITY_MAX = 24;
export const REC_ENTITY_WORDS = 8;

/** Overlay cells, 8 x 6: icon | bar << 8 (length 0..8) | style << 12 | bar colour << 16. */
export const REC_OVERLAY = 512;
