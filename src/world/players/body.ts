// A player's body: eyes, hand and the law by which the hand moves the mouse. It reads the state and makes u32 actions; it decides nothing.
// Its sines and roundings are the engine's own, so another browser may play another game from the same seed; the recorded actions replay anywhere.
// Skills (walk.ts, dig.ts, place.ts, craft.ts) are generators that yield one action per agent step and find the state moved on when resumed.

import { angleToBin, cameraClass, hotbarKey, KEY, makeAction } from '../actions.ts';
import { B, FACE_DX, FACE_DY, FACE_DZ, FLAG, FLAGS } from '../blocks.ts';
import { slotCount, slotId } from '../items.ts';
import { eyeY, player, type State, slot } from '../state.ts';
import { P, SLOT } from '../state-layout.ts';
import { BLOCK_REACH, target } from '../targeting.ts';
import type { Draws } from './draws.ts';
import type { Cell } from './path.ts';
import type { Persona } from './persona.ts';
import { CellWalk, Sight } from './sight.ts';

/** One action per yield; the return value tells whether the skill reached its aim. */
export type Skill = Generator<number, boolean, void>;

export const DEGREE = 65536 / 360;
const Q16 = 1 / 65536;
const RADIANS = (2 * Math.PI) / 65536;
/** A hand's breadth less than the rules allow. */
export const REACH = BLOCK_REACH - 0.1;

export interface Hit extends Cell {
  /** Cell on the near side of the hit face: where a block would be placed. */
  before: Cell;
}

/** Signed difference of two angles, in [-32768, 32768). */
export const turnBetween = (from: number, to: number) => ((((to - from) % 65536) + 98304) % 65536) - 32768;

export class Body {
  state: State;
  readonly draws: Draws;
  readonly persona: Persona;
  readonly sight: Sight;
  /** Where the player is bound for when it looks for something: kept until it proves fruitless. */
  course = 0;
  /** Set by a skill that works in an open screen; otherwise a screen is closed at once. */
  wantsGui = false;
  /** Where the eyes want to be, or null: then they rest. */
  private aimYaw = 0;
  private aimPitch = 0;
  private aiming = false;
  private overshoot = 0;
  private glanceSteps = 0;
  private glanceYaw = 0;
  private glancePitch = 0;

  constructor(s: State, draws: Draws, persona: Persona) {
    this.state = s;
    this.draws = draws;
    this.persona = persona;
    this.sight = new Sight(s);
    this.course = draws.int(0, 65535);
  }

  /** To be called once before every action. */
  sense(s: State): void {
    this.state = s;
    this.sight.feel(s, Math.floor(this.x), Math.floor(this.y), Math.floor(this.z));
    if (this.gui === 0) this.sight.look(s, this.eye, this.yaw * RADIANS, this.pitch * RADIANS, this.draws);
  }

  /** Feet, in blocks. */
  get x(): number {
    return player(this.state, P.x) * Q16;
  }
  get y(): number {
    return player(this.state, P.y) * Q16;
  }
  get z(): number {
    return player(this.state, P.z) * Q16;
  }
  get eye(): readonly [number, number, number] {
    return [this.x, eyeY(this.state) * Q16, this.z];
  }
  get yaw(): number {
    return player(this.state, P.yaw);
  }
  get pitch(): number {
    return player(this.state, P.pitch);
  }
  get onGround(): boolean {
    return player(this.state, P.onGround) !== 0;
  }
  get inWater(): boolean {
    return player(this.state, P.inWater) !== 0;
  }
  get gui(): number {
    return player(this.state, P.guiKind);
  }
  get selected(): number {
    return player(this.state, P.selected);
  }
  get hotbarSlots(): number {
    return this.state.cfg.hotbarSlots;
  }

  /** Standing cell. A tenth of a block of slack keeps feet on a slab edge or in a shallow step in the right cell. */
  cell(): Cell {
    return { x: Math.floor(this.x), y: Math.floor(this.y + 0.1), z: Math.floor(this.z) };
  }

  /** Item in a slot of the hotbar (0..) or the bag, 0 = none. */
  itemIn(slotIndex: number): number {
    return slotId(slot(this.state, slotIndex));
  }

  held(): number {
    return this.itemIn(this.selected);
  }

  /** How many of an item the player carries, hotbar and main. */
  count(item: number): number {
    let n = 0;
    for (let i = 0; i < SLOT.offhand; i++) {
      const v = slot(this.state, i);
      if (slotId(v) === item) n += slotCount(v);
    }
    return n;
  }

  /** First hotbar slot whose item satisfies the test, or -1. */
  hotbarWith(test: (item: number) => boolean): number {
    for (let i = 0; i < this.hotbarSlots; i++) {
      const v = slot(this.state, i);
      if (slotCount(v) > 0 && test(slotId(v))) return i;
    }
    return -1;
  }

  aim(yaw: number, pitch: number): void {
    const error = turnBetween(this.yaw, yaw);
    // A hand that swings far often swings a little too far.
    if (!this.aiming && Math.abs(error) > 40 * DEGREE && this.draws.chance(0.5)) {
      this.overshoot = error * this.draws.between(0.05, 0.15);
    }
    this.aimYaw = yaw;
    this.aimPitch = Math.max(-16384, Math.min(16384, pitch));
    this.aiming = true;
  }

  aimAt(x: number, y: number, z: number): void {
    const [ex, ey, ez] = this.eye;
    const flat = Math.hypot(x - ex, z - ez);
    this.aim(Math.atan2(ex - x, z - ez) / RADIANS, Math.atan2(ey - y, flat) / RADIANS);
  }

  /** Direction of travel: yaw towards a point, the pitch wherever this player rests the eyes. */
  heading(x: number, z: number, pitch: number = this.persona.restPitch): void {
    this.aim(Math.atan2(this.x - x, z - this.z) / RADIANS, pitch);
  }

  rest(): void {
    this.aiming = false;
  }

  /** Angle left between the eyes and their aim, in 1/65536 turn. */
  aimError(): number {
    if (!this.aiming) return 0;
    return Math.hypot(turnBetween(this.yaw, this.aimYaw), this.aimPitch - this.pitch);
  }

  /** The action of this step: the given keys, and the mouse on its way to the aim. In an open screen the mouse lies still. */
  act(keys: number): number {
    return this.gui === 0 ? makeAction(keys, this.turn()) : makeAction(keys);
  }

  private turn(): number {
    const { persona } = this;
    let yaw = this.aiming ? turnBetween(this.yaw, this.aimYaw) + this.overshoot : 0;
    let pitch = this.aiming ? this.aimPitch - this.pitch : 0;
    this.overshoot *= 0.6;
    if (this.glanceSteps > 0) {
      this.glanceSteps--;
      yaw += this.glanceYaw;
      pitch += this.glancePitch;
    }
    return cameraClass(this.bin(pitch, 0.7 * persona.noise), this.bin(yaw, persona.noise));
  }

  /** Bin of one axis for an error: a share of it, shakily; small errors are closed at once. A step turns twice the class's angle. */
  private bin(error: number, noise: number): number {
    // The smallest turn is 1.2 degrees per step: correcting less than most of it would set the hand swinging for ever.
    if (Math.abs(error) < 0.8 * DEGREE) return angleToBin(0);
    const far = Math.abs(error) > 4 * DEGREE;
    const { gain, swift } = this.persona;
    const wanted = far ? Math.max(-swift, Math.min(swift, error * gain)) : error;
    const shake = this.draws.normal() * noise * (0.08 * Math.abs(wanted) + 0.2 * DEGREE);
    return angleToBin((wanted + shake) / this.state.cfg.ticksPerStep);
  }

  /** Lets the eyes stray for a few steps while the hand goes on with what it does. */
  glance(): void {
    this.glanceSteps = this.draws.int(3, 9);
    this.glanceYaw = this.draws.normal() * 35 * DEGREE;
    this.glancePitch = this.draws.normal() * 12 * DEGREE;
  }

  /**
   * First block on the line of sight to a point, among what has been seen; null when the line is free up to the point's reach.
   * Plants and torches do not count unless one of them is the `goal`: one looks past them, and they give way at a touch.
   */
  firstHit(x: number, y: number, z: number, goal: Cell): Hit | null {
    const [ex, ey, ez] = this.eye;
    const length = Math.hypot(x - ex, y - ey, z - ez) || 1;
    const walk = new CellWalk(this.eye, (x - ex) / length, (y - ey) / length, (z - ez) / length);
    let before = { x: walk.x, y: walk.y, z: walk.z };
    while (walk.distance <= REACH) {
      const here = { x: walk.x, y: walk.y, z: walk.z };
      const b = this.sight.at(here.x, here.y, here.z);
      const wanted = here.x === goal.x && here.y === goal.y && here.z === goal.z;
      if (b > B.air && (FLAGS[b] & FLAG.fluid) === 0 && (wanted || (FLAGS[b] & FLAG.needsSupport) === 0))
        return { ...here, before };
      before = here;
      walk.next();
    }
    return null;
  }

  /** What the crosshair is on, within reach. */
  crosshair(): Hit | null {
    const t = target(this.state);
    if (!t.hit) return null;
    const { x, y, z, face } = t;
    // A block placed at tall grass takes its cell.
    if ((FLAGS[this.sight.at(x, y, z)] & FLAG.replaceable) !== 0) return { x, y, z, before: { x, y, z } };
    return { x, y, z, before: { x: x + FACE_DX[face], y: y + FACE_DY[face], z: z + FACE_DZ[face] } };
  }

  /** Nothing but the mouse for some steps, and staying afloat. */
  *wait(steps: number): Skill {
    for (let i = 0; i < steps; i++) yield this.act(this.inWater ? KEY.jump : 0);
    return true;
  }

  /** The short hesitation before something new. */
  *react(): Skill {
    yield* this.wait(this.draws.int(...(this.persona.reaction as [number, number])));
    return true;
  }

  /** Selects a hotbar slot by its key, sometimes after hitting a neighbouring one. */
  *select(slotIndex: number): Skill {
    if (this.draws.chance(this.persona.slip)) {
      yield this.act(hotbarKey((slotIndex + this.draws.pick([1, this.hotbarSlots - 1])) % this.hotbarSlots));
      yield* this.wait(this.draws.int(1, 4));
    }
    for (let tries = 0; tries < 3 && this.selected !== slotIndex; tries++) yield this.act(hotbarKey(slotIndex));
    return this.selected === slotIndex;
  }

  /** Leaves an open screen. */
  *closeGui(): Skill {
    for (let tries = 0; tries < 4 && this.gui !== 0; tries++) {
      yield this.act(tries % 2 === 0 ? KEY.inventory : 0);
    }
    return this.gui === 0;
  }
}
