// Unbiased actions: keys held at random, the mouse on a random walk. Without a share of these a world model explains the future by what
// players usually do and stops listening to the action (methods/dreamer4.md 11.2).

import { CAMERA_BINS, cameraClass, hotbarKey, KEY, makeAction } from '../actions.ts';
import type { Body, Skill } from './body.ts';
import type { Draws } from './draws.ts';

/** Keys with their mean share of time held and their mean holding time in steps. */
const HELD: readonly [key: number, share: number, steps: number][] = [
  [KEY.forward, 0.45, 10],
  [KEY.back, 0.12, 6],
  [KEY.left, 0.15, 6],
  [KEY.right, 0.15, 6],
  [KEY.jump, 0.15, 4],
  [KEY.sneak, 0.05, 8],
  [KEY.sprint, 0.15, 10],
  [KEY.attack, 0.25, 12],
  [KEY.use, 0.12, 3],
];

/** Random keys and mouse as a Markov chain: what is held now is likely held in the next step. */
export class RandomHands {
  private keys = 0;
  private yaw = 0;
  private pitch = 0;
  private readonly draws: Draws;

  constructor(draws: Draws) {
    this.draws = draws;
  }

  /**
   * `pitch` is where the head is now (1/65536 turn): the walk leans back to the horizon, or it would stare at its feet for ever.
   * In water the hand mostly finds the jump key, or half of all noise would be recorded on the bottoms of ponds.
   */
  next(pitch: number, inWater: boolean): number {
    const { draws } = this;
    for (const [key, share, steps] of HELD) {
      const off = 1 / steps;
      const on = (share * off) / (1 - share);
      if (draws.chance(this.keys & key ? off : on)) this.keys ^= key;
    }
    let keys = this.keys;
    if (inWater && draws.chance(0.8)) keys |= KEY.jump | KEY.forward;
    if (draws.chance(0.06)) keys |= hotbarKey(draws.int(0, 7));
    if (draws.chance(0.004)) keys |= draws.pick([KEY.drop, KEY.swapHands, KEY.pickItem, KEY.esc]);
    this.yaw = 0.75 * this.yaw + draws.normal() * 0.85;
    this.pitch = 0.7 * this.pitch + draws.normal() * 0.65 - pitch / 9000;
    return makeAction(keys, cameraClass(bin(this.pitch), bin(this.yaw)));
  }
}

const bin = (v: number) => Math.max(0, Math.min(CAMERA_BINS - 1, Math.round(v) + 5));

/** Chance per step that a burst of random hands interrupts a script, and its length. */
export class Interference {
  private readonly hands: RandomHands;
  private readonly draws: Draws;
  private readonly start: number;
  private left = 0;

  /** `epsilon` is the share of steps taken over. */
  constructor(draws: Draws, epsilon: number) {
    this.draws = draws;
    this.hands = new RandomHands(draws);
    // Bursts last 3.5 steps on average; the start rate makes their share epsilon.
    this.start = epsilon / (3.5 * (1 - epsilon) + epsilon);
  }

  /** A random action to take instead of the script's, or -1. */
  next(pitch: number, inWater: boolean): number {
    if (this.left === 0 && this.draws.chance(this.start)) this.left = this.draws.int(1, 6);
    if (this.left === 0) return -1;
    this.left--;
    return this.hands.next(pitch, inWater);
  }
}

/** Stretches of different dullness: everything random, only the mouse, only the keys, one key held. */
export function* noise(b: Body): Skill {
  const hands = new RandomHands(b.draws);
  for (;;) {
    const mode = b.draws.weighted([5, 2, 2, 2]);
    const steps = b.draws.int(20, 120);
    const fixed = b.draws.pick([
      KEY.forward,
      KEY.forward | KEY.sprint,
      KEY.back,
      KEY.left,
      KEY.right,
      KEY.attack,
      KEY.forward | KEY.jump,
      0,
    ]);
    for (let i = 0; i < steps; i++) {
      const a = hands.next(b.pitch, b.inWater);
      const keys = a & 0x7fffff;
      const camera = a >>> 23;
      if (mode === 0) yield a;
      else if (mode === 1) yield makeAction(0, camera);
      else if (mode === 2) yield makeAction(keys);
      else yield makeAction(fixed, b.draws.chance(0.5) ? camera : undefined);
    }
  }
}
