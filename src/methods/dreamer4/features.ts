/**
 * Numbers that the model reads besides pixels, as feature rows for a linear embedding (equal to summed embeddings):
 * the action that led into a frame (dreamer4 5.2) and the shortcut signal (tau, d) (5.1).
 */
import { NO_ACTION } from './play-contract.ts';

const KEYS = 23;
const MOUSE = 121;
const BINS = 11;

/**
 * 23 key bits, 121 mouse classes, 11 classes of pitch and 11 of yaw, 1 = labelled; padded to a multiple of 4. The two
 * short mouse parts are sums of the long one, so nothing new can be said with them; but a rare pair of pitch and yaw then
 * shares what frequent pairs have taught.
 */
export const ACTION_FEATURES = 168;

/** Bits of the keys that break and place, in the order of KEY_NAMES. */
const HANDS = (1 << 1) | (1 << 22);

/** The same action without these keys. */
export const handsOff = (action: number): number => (action === NO_ACTION ? action : (action & ~HANDS) >>> 0);

/** Bits of the keys that choose a slot of the hotbar. */
const SLOTS = 0x1ff << 5;

/** The same action without these keys. */
export const slotsOff = (action: number): number => (action === NO_ACTION ? action : (action & ~SLOTS) >>> 0);

/** Writes the features of one action. An unlabelled frame (`NO_ACTION`) is all zero: only the base vector remains. */
export function writeAction(out: Float32Array, at: number, action: number): void {
  out.fill(0, at, at + ACTION_FEATURES);
  if (action === NO_ACTION) return;
  for (let k = 0; k < KEYS; k++) out[at + k] = (action >>> k) & 1;
  const mouse = (action >>> KEYS) & 127;
  out[at + KEYS + mouse] = 1;
  out[at + KEYS + MOUSE + Math.floor(mouse / BINS)] = 1;
  out[at + KEYS + MOUSE + BINS + (mouse % BINS)] = 1;
  out[at + KEYS + MOUSE + 2 * BINS] = 1;
}

/** Width of the shortcut features: one-hot tau index 0..kMax and one-hot log2(1/d) 0..log2 kMax, padded. */
export const signalFeatures = (kMax: number): number => Math.ceil((kMax + 1 + Math.log2(kMax) + 1) / 4) * 4;

/** tau in [0, 1], d = 1/2^e. */
export function writeSignal(out: Float32Array, at: number, kMax: number, tau: number, d: number): void {
  out.fill(0, at, at + signalFeatures(kMax));
  out[at + Math.round(tau * kMax)] = 1;
  out[at + kMax + 1 + Math.round(-Math.log2(d))] = 1;
}
