// Turns what hands do (keys, mouse, sticks, fingers) into one action word per agent step. Not an event listener: the
// listeners in keyboard.ts, pointer.ts and gamepad.ts call it. Quantiser and carry rule: methods/world.md section 6.

import {
  angleToBin,
  CAMERA_ANGLE,
  CURSOR_Q8,
  cameraClass,
  canonicalise,
  hotbarKey,
  KEY,
  makeAction,
} from '../../world/actions.ts';

/** Angle units (1/65536 turn) per degree. */
const UNITS_PER_DEGREE = 65536 / 360;
/** The VPT recorder's scale: one mouse pixel turns the head by 0.15 degrees. */
const MOUSE_UNITS = 0.15 * UNITS_PER_DEGREE;
/** A flick may leave at most this much turn for later steps, so that the view never spins on by itself. */
const CARRY_LIMIT = 10 * UNITS_PER_DEGREE;
const DOUBLE_TAP_MS = 280;

export interface BodyState {
  /** A screen with a cursor (inventory, table, furnace) is open. */
  guiOpen: boolean;
  /** Cursor in pixels of the frame. */
  cursor: readonly [x: number, y: number];
  /** Selected hotbar slot, 0.. */
  slot: number;
  slots: number;
}

export class ActionSampler {
  body: BodyState = { guiOpen: false, cursor: [32, 24], slot: 0, slots: 8 };
  /** Frame pixels per mouse pixel while a screen is open; the view sets it from its own size. */
  cursorScale = 0.1;
  readonly #ticks: number;
  readonly #held = new Map<string, number>();
  #latched = 0;
  #tapped: { bit: number; at: number } = { bit: 0, at: -1e9 };
  #sprintUntilRelease = false;
  #yaw = 0;
  #pitch = 0;
  #cursorX = 0;
  #cursorY = 0;
  #wheel = 0;
  #target: { x: number; y: number; click: number } | null = null;

  /** `ticksPerStep`: game ticks that repeat the camera class within one agent step. */
  constructor(ticksPerStep = 2) {
    this.#ticks = ticksPerStep;
  }

  /** `source` tells two ways of holding the same key apart (a key and a pad button). `at` in milliseconds. */
  press(source: string, bit: number, at: number): void {
    if (this.#held.has(source)) return;
    this.#held.set(source, bit);
    this.#latched |= bit;
    if (bit === KEY.forward && this.#tapped.bit === bit && at - this.#tapped.at < DOUBLE_TAP_MS)
      this.#sprintUntilRelease = true;
    this.#tapped = { bit, at };
  }

  release(source: string): void {
    const bit = this.#held.get(source);
    this.#held.delete(source);
    if (bit === KEY.forward) this.#sprintUntilRelease = false;
  }

  /** A press and release within one step. */
  tap(bit: number): void {
    this.#latched |= bit;
  }

  /** Everything up, nothing pending: focus was lost or play stopped. */
  clear(): void {
    this.#held.clear();
    this.#latched = 0;
    this.#sprintUntilRelease = false;
    this.#yaw = this.#pitch = this.#cursorX = this.#cursorY = this.#wheel = 0;
    this.#target = null;
  }

  /** Mouse movement in CSS pixels; moves the cursor while a screen is open, else turns the head. */
  look(dx: number, dy: number): void {
    if (this.body.guiOpen) {
      this.#target = null;
      this.#cursorX += dx * this.cursorScale;
      this.#cursorY += dy * this.cursorScale;
    } else {
      this.turn(dx * MOUSE_UNITS, dy * MOUSE_UNITS);
    }
  }

  /** Turn in angle units, yaw > 0 right, pitch > 0 down. */
  turn(yaw: number, pitch: number): void {
    this.#yaw += yaw;
    this.#pitch += pitch;
  }

  turnDegrees(yaw: number, pitch: number): void {
    this.turn(yaw * UNITS_PER_DEGREE, pitch * UNITS_PER_DEGREE);
  }

  /** Moves the cursor of an open screen to a frame pixel over the next steps, then clicks with `bit`. */
  pointAt(x: number, y: number, bit: number): void {
    this.#target = { x, y, click: bit };
  }

  /** One notch of the wheel: next (+1) or previous (-1) hotbar slot. */
  scroll(notches: number): void {
    this.#wheel += notches;
  }

  selectSlot(slot: number): void {
    if (slot >= 0 && slot < this.body.slots) this.#latched |= hotbarKey(slot);
  }

  /** True while anything is held or waits to be sent. */
  get active(): boolean {
    return (
      this.#held.size > 0 ||
      this.#latched !== 0 ||
      this.#wheel !== 0 ||
      this.#yaw !== 0 ||
      this.#pitch !== 0 ||
      this.#target !== null
    );
  }

  /** The action of the next agent step; what the quantiser leaves over is carried. */
  sample(): number {
    let keys = this.#latched;
    for (const bit of this.#held.values()) keys |= bit;
    if (this.#sprintUntilRelease) keys |= KEY.sprint;
    this.#latched = 0;
    if (this.#wheel !== 0) {
      const { slot, slots } = this.body;
      keys |= hotbarKey((((slot + Math.sign(this.#wheel)) % slots) + slots) % slots);
      this.#wheel -= Math.sign(this.#wheel);
    }
    if (this.body.guiOpen) {
      this.#yaw = this.#pitch = 0;
      return canonicalise(makeAction(keys | this.#aimAtTarget(), this.#cursorStep()));
    }
    this.#cursorX = this.#cursorY = 0;
    this.#target = null;
    const yawBin = angleToBin(this.#yaw / this.#ticks);
    const pitchBin = angleToBin(this.#pitch / this.#ticks);
    this.#yaw = carry(this.#yaw - CAMERA_ANGLE[yawBin] * this.#ticks);
    this.#pitch = carry(this.#pitch - CAMERA_ANGLE[pitchBin] * this.#ticks);
    return canonicalise(makeAction(keys, cameraClass(pitchBin, yawBin)));
  }

  #aimAtTarget(): number {
    if (!this.#target) return 0;
    const { x, y, click } = this.#target;
    const dx = x - this.body.cursor[0];
    const dy = y - this.body.cursor[1];
    if (Math.abs(dx) <= 2 && Math.abs(dy) <= 2) {
      this.#target = null;
      this.#cursorX = this.#cursorY = 0;
      return click;
    }
    this.#cursorX = dx;
    this.#cursorY = dy;
    return 0;
  }

  #cursorStep(): number {
    const xBin = cursorBin(this.#cursorX / this.#ticks);
    const yBin = cursorBin(this.#cursorY / this.#ticks);
    this.#cursorX -= (CURSOR_Q8[xBin] / 256) * this.#ticks;
    this.#cursorY -= (CURSOR_Q8[yBin] / 256) * this.#ticks;
    return cameraClass(yBin, xBin);
  }
}

/** Below 0.15 of a degree nothing is kept: rounding dust must not make the sampler look busy for ever. */
function carry(rest: number): number {
  if (Math.abs(rest) < MOUSE_UNITS) return 0;
  return Math.max(-CARRY_LIMIT, Math.min(CARRY_LIMIT, rest));
}

/** Bin whose travel per tick is nearest to `pixels`. */
function cursorBin(pixels: number): number {
  let best = 5;
  for (let bin = 0; bin < CURSOR_Q8.length; bin++) {
    if (Math.abs(CURSOR_Q8[bin] / 256 - pixels) < Math.abs(CURSOR_Q8[best] / 256 - pixels)) best = bin;
  }
  return best;
}
