/**
 * The action: one u32 with 23 key bits (alphabetical MineRL order) and a 7-bit camera class, as in methods/world.md 6.
 * The same integer comes from a keyboard, a scripted player, a file and a model. Quantiser: VPT's mu-law, 11 bins per axis.
 */
export const KEY_NAMES = [
  'ESC',
  'attack',
  'back',
  'drop',
  'forward',
  'hotbar.1',
  'hotbar.2',
  'hotbar.3',
  'hotbar.4',
  'hotbar.5',
  'hotbar.6',
  'hotbar.7',
  'hotbar.8',
  'hotbar.9',
  'inventory',
  'jump',
  'left',
  'pickItem',
  'right',
  'sneak',
  'sprint',
  'swapHands',
  'use',
] as const;
export type KeyName = (typeof KEY_NAMES)[number];

/** Bit masks by key. */
export const KEY = {
  esc: 1 << 0,
  attack: 1 << 1,
  back: 1 << 2,
  drop: 1 << 3,
  forward: 1 << 4,
  hotbar1: 1 << 5,
  inventory: 1 << 14,
  jump: 1 << 15,
  left: 1 << 16,
  pickItem: 1 << 17,
  right: 1 << 18,
  sneak: 1 << 19,
  sprint: 1 << 20,
  swapHands: 1 << 21,
  use: 1 << 22,
} as const;
export const KEY_COUNT = 23;
export const KEY_MASK = (1 << KEY_COUNT) - 1;
const HOTBAR_SHIFT = 5;
const HOTBAR_MASK = 0x1ff << HOTBAR_SHIFT;
/** Mask of the key for hotbar slot n = 0..8. */
export const hotbarKey = (n: number) => 1 << (HOTBAR_SHIFT + n);

export const CAMERA_BINS = 11;
export const CAMERA_CLASSES = 121;
export const CAMERA_NULL = 60;
const CAMERA_SHIFT = 23;
/** The action that does nothing. */
export const NULL_ACTION = CAMERA_NULL << CAMERA_SHIFT;

/** Per-tick angle of bin 0..10 in 1/65536 turn: 0, 0.615, 1.609, 3.215, 5.809, 10 degrees. */
export const CAMERA_ANGLE = [-1820, -1058, -585, -293, -112, 0, 112, 293, 585, 1058, 1820] as const;
/** Half-way thresholds of the mu-law on |angle|; at or above thresholds[k] the bin is k + 1 steps from the centre. */
export const CAMERA_THRESHOLDS = [50, 192, 422, 794, 1394] as const;
/** GUI cursor travel per tick of bin 0..10, Q8 pixels of the 64x48 grid: 0, 1/2, 1, 2, 4, 8 px. */
export const CURSOR_Q8 = [-2048, -1024, -512, -256, -128, 0, 128, 256, 512, 1024, 2048] as const;

export const makeAction = (keys: number, camera: number = CAMERA_NULL) =>
  ((keys & KEY_MASK) | (camera << CAMERA_SHIFT)) >>> 0;
export const actionKeys = (a: number) => a & KEY_MASK;
export const actionCamera = (a: number) => (a >>> CAMERA_SHIFT) & 127;
export const cameraClass = (pitchBin: number, yawBin: number) => CAMERA_BINS * pitchBin + yawBin;
export const cameraPitchBin = (camera: number) => Math.floor(camera / CAMERA_BINS);
export const cameraYawBin = (camera: number) => camera % CAMERA_BINS;

/** Nearest bin (0..10) for an angle per tick in 1/65536 turn; larger turns saturate. */
export function angleToBin(angle: number): number {
  const m = Math.abs(angle);
  let k = 0;
  while (k < 5 && m >= CAMERA_THRESHOLDS[k]) k++;
  return angle < 0 ? 5 - k : 5 + k;
}

/** Encodes a per-tick turn (1/65536 turn, pitch > 0 looks down, yaw > 0 turns right). */
export const encodeCamera = (yaw: number, pitch: number) => cameraClass(angleToBin(pitch), angleToBin(yaw));

/**
 * VPT grouping: opposite keys cancel, sneak beats sprint, the highest hotbar key wins, reserved bits are zero and an
 * impossible camera class is null. Idempotent.
 */
export function canonicalise(action: number): number {
  let k = action & KEY_MASK;
  if ((k & KEY.forward) !== 0 && (k & KEY.back) !== 0) k &= ~(KEY.forward | KEY.back);
  if ((k & KEY.left) !== 0 && (k & KEY.right) !== 0) k &= ~(KEY.left | KEY.right);
  if ((k & KEY.sprint) !== 0 && (k & KEY.sneak) !== 0) k &= ~KEY.sprint;
  const hot = (k & HOTBAR_MASK) >> HOTBAR_SHIFT;
  if ((hot & (hot - 1)) !== 0) k = (k & ~HOTBAR_MASK) | (1 << (HOTBAR_SHIFT + 31 - Math.clz32(hot)));
  let camera = (action >>> CAMERA_SHIFT) & 127;
  if (camera >= CAMERA_CLASSES) camera = CAMERA_NULL;
  return makeAction(k, camera);
}

/** Hotbar slot 0..8 selected by a canonical action, or -1. */
export function hotbarOf(action: number): number {
  const hot = (action & HOTBAR_MASK) >> HOTBAR_SHIFT;
  return hot === 0 ? -1 : 31 - Math.clz32(hot);
}

/** The two heads of a model: 23 key bits and the camera class. */
export function actionViews(action: number): { keys: Uint8Array; camera: number } {
  const keys = new Uint8Array(KEY_COUNT);
  for (let i = 0; i < KEY_COUNT; i++) keys[i] = (action >>> i) & 1;
  return { keys, camera: actionCamera(action) };
}

export function actionFromViews(keys: ArrayLike<number>, camera: number): number {
  let bits = 0;
  for (let i = 0; i < KEY_COUNT; i++) if (keys[i]) bits |= 1 << i;
  return makeAction(bits, camera);
}

/** Action with the named keys held: `press('forward', 'jump')`. */
export const keysOf = (...names: KeyName[]) => names.reduce((m, n) => m | (1 << KEY_NAMES.indexOf(n)), 0);
