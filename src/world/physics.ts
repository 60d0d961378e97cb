/**
 * Player movement in Q16 integers: acceleration, gravity, drag, water, sneaking at edges. Collisions: collide.ts.
 * Constants are the documented 1.16 player constants (methods/world.md 3.1); check values are tested to 0.1 %.
 */
import { KEY } from './actions.ts';
import { B, isWater } from './blocks.ts';
import { HALF_WIDTH, HEIGHT_SNEAK, HEIGHT_STAND, isFree, sweep } from './collide.ts';
import { blockAt, player, type State, setPlayer } from './state.ts';
import { P, PLAYER } from './state-layout.ts';
import { cosQ14, sinQ14 } from './trig.ts';

const GRAVITY = 5243;
const VERTICAL_DRAG = 64225;
const JUMP = 27525;
const SPRINT_JUMP = 13107;
const GROUND_ACCEL = [6423, 8349, 1927] as const;
const AIR_ACCEL = [1285, 1670, 386] as const;
const GROUND_FRICTION = 35783;
const ICE_FRICTION = 58445;
const AIR_FRICTION = 59638;
const WATER_ACCEL = 1285;
const WATER_INERTIA = 52429;
const WATER_GRAVITY = 328;
const LAVA_INERTIA = 32768;
const LAVA_GRAVITY = 1311;
const SWIM_UP = 2621;
const EXIT_IMPULSE = 19661;
const CUT_OFF = 197;
const STEP_UP = 39322;
/** With WorldConfig.autoStep; a sneaking player keeps to low edges. */
const AUTO_STEP = 65536;
const EDGE_STEP = 3277;
const CURRENT = 918;
/** 1/sqrt(2) in Q14. */
const DIAGONAL = 11585;

/** Q16 product rounded to nearest: rounding down would pull every motion towards -x and -z and cost the jump its last tick. */
const mul = (a: number, b: number) => Math.floor((a * b + 32768) / 65536);

/** Surface height of a fluid in a cell, Q16 above the cell floor; 0 if none. */
function fluidTop(s: State, x: number, y: number, z: number, lava: boolean): number {
  const state = blockAt(s, x, y, z);
  if (lava) return state === B.lava ? 65536 : 0;
  if (!isWater(state)) return 0;
  if (isWater(blockAt(s, x, y + 1, z))) return 65536;
  const level = state - B.water;
  return level === 8 ? 65536 : level === 0 ? 57344 : (15 - 2 * level) << 12;
}

/** Is any part of the box between feet + 0.1 and feet + top in the fluid? */
function inFluid(s: State, x: number, y: number, z: number, top: number, lava: boolean): boolean {
  for (let cx = (x - HALF_WIDTH) >> 16; cx <= (x + HALF_WIDTH) >> 16; cx++)
    for (let cz = (z - HALF_WIDTH) >> 16; cz <= (z + HALF_WIDTH) >> 16; cz++)
      for (let cy = y >> 16; cy <= (y + top) >> 16; cy++) {
        const h = fluidTop(s, cx, cy, cz, lava);
        if (h > 0 && (cy << 16) + h > y + 6554) return true;
      }
  return false;
}

/** Horizontal direction in which the water at a cell flows, Q14 components (0 for still water). */
export function flow(s: State, x: number, y: number, z: number): [number, number] {
  const self = blockAt(s, x, y, z);
  if (!isWater(self)) return [0, 0];
  const depth = (st: number) => (st - B.water === 8 ? 0 : st - B.water);
  let fx = 0;
  let fz = 0;
  for (let d = 0; d < 4; d++) {
    const ox = d === 0 ? 1 : d === 1 ? -1 : 0;
    const oz = d === 2 ? 1 : d === 3 ? -1 : 0;
    const n = blockAt(s, x + ox, y, z + oz);
    if (!isWater(n)) continue;
    const k = depth(n) - depth(self);
    fx += ox * k;
    fz += oz * k;
  }
  if (fx === 0 && fz === 0) return [0, 0];
  const diagonal = fx !== 0 && fz !== 0 ? DIAGONAL : 16384;
  return [Math.sign(fx) * diagonal, Math.sign(fz) * diagonal];
}

/** One tick of movement; true if the player jumped off the ground. */
export function movePlayer(s: State, keys: number): boolean {
  let jumped = false;
  const w = s.i32;
  let x = w[PLAYER + P.x];
  let y = w[PLAYER + P.y];
  let z = w[PLAYER + P.z];
  let vx = w[PLAYER + P.vx];
  let vy = w[PLAYER + P.vy];
  let vz = w[PLAYER + P.vz];
  const forward = ((keys & KEY.forward) !== 0 ? 1 : 0) - ((keys & KEY.back) !== 0 ? 1 : 0);
  const strafe = ((keys & KEY.right) !== 0 ? 1 : 0) - ((keys & KEY.left) !== 0 ? 1 : 0);

  stance(s, keys, forward);
  const sneaking = player(s, P.sneaking) === 1;
  const sprinting = player(s, P.sprinting) === 1;
  const height = sneaking ? HEIGHT_SNEAK : HEIGHT_STAND;
  const water = inFluid(s, x, y, z, 45875, false);
  const lava = !water && inFluid(s, x, y, z, 45875, true);
  const wasGround = player(s, P.onGround) === 1;
  setPlayer(s, P.inWater, water ? 1 : lava ? 2 : 0);

  if (Math.abs(vx) < CUT_OFF) vx = 0;
  if (Math.abs(vy) < CUT_OFF) vy = 0;
  if (Math.abs(vz) < CUT_OFF) vz = 0;

  const yaw = player(s, P.yaw);
  const sin = sinQ14(yaw);
  const cos = cosQ14(yaw);
  let cooldown = player(s, P.jumpCooldown);
  if (cooldown > 0) cooldown--;
  if ((keys & KEY.jump) !== 0) {
    if (water || lava) vy += SWIM_UP;
    else if (wasGround && cooldown === 0) {
      vy = JUMP;
      jumped = true;
      cooldown = 10;
      if (sprinting) {
        vx += Math.round((-sin * SPRINT_JUMP) / 16384);
        vz += Math.round((cos * SPRINT_JUMP) / 16384);
      }
    }
  } else cooldown = 0;
  setPlayer(s, P.jumpCooldown, cooldown);
  if (water && sneaking) vy -= SWIM_UP;

  const below = blockAt(s, x >> 16, (y - 32768) >> 16, z >> 16);
  const gait = sneaking ? 2 : sprinting ? 1 : 0;
  const slippery = below === B.ice;
  const accel =
    water || lava ? WATER_ACCEL : wasGround ? (slippery ? iceAccel(gait) : GROUND_ACCEL[gait]) : AIR_ACCEL[gait];
  if (forward !== 0 || strafe !== 0) {
    const scale = forward !== 0 && strafe !== 0 ? DIAGONAL : 16384;
    // Right of the heading is (-cos, -sin) in (x, z).
    vx += Math.round((accel * scale * (-sin * forward - cos * strafe)) / 268435456);
    vz += Math.round((accel * scale * (cos * forward - sin * strafe)) / 268435456);
  }
  if (water) {
    const [fx, fz] = flow(s, x >> 16, y >> 16, z >> 16);
    vx += Math.round((fx * CURRENT) / 16384);
    vz += Math.round((fz * CURRENT) / 16384);
  }

  let dx = vx;
  let dz = vz;
  if (sneaking && wasGround && !water) [dx, dz] = holdEdge(s, x, y, z, dx, dz, height);
  const stepUp = !wasGround ? 0 : s.cfg.autoStep && !sneaking ? AUTO_STEP : STEP_UP;
  const m = sweep(s, x, y, z, HALF_WIDTH, height, dx, vy, dz, stepUp);
  const hitX = m.dx !== dx;
  const hitZ = m.dz !== dz;
  const onGround = vy < 0 && m.dy > vy;
  x += m.dx;
  y += m.dy;
  z += m.dz;
  const fell = m.dy < 0 && !water && !lava ? -m.dy : 0;
  if (hitX) vx = 0;
  if (hitZ) vz = 0;
  const climbed = m.dy;
  if (onGround || (vy > 0 && climbed < vy)) vy = 0;
  const blocked = hitX || hitZ;

  if (water) {
    vx = mul(vx, WATER_INERTIA);
    vz = mul(vz, WATER_INERTIA);
    vy = mul(vy, WATER_INERTIA) - WATER_GRAVITY;
    if (blocked && isFree(s, x + dx, y + STEP_UP, z + dz, HALF_WIDTH, height)) vy = EXIT_IMPULSE;
  } else if (lava) {
    vx = mul(vx, LAVA_INERTIA);
    vz = mul(vz, LAVA_INERTIA);
    vy = mul(vy, LAVA_INERTIA) - LAVA_GRAVITY;
    if (blocked && isFree(s, x + dx, y + STEP_UP, z + dz, HALF_WIDTH, height)) vy = EXIT_IMPULSE;
  } else {
    const friction = wasGround ? (slippery ? ICE_FRICTION : GROUND_FRICTION) : AIR_FRICTION;
    vx = mul(vx, friction);
    vz = mul(vz, friction);
    vy = mul(vy - GRAVITY, VERTICAL_DRAG);
  }
  if (blocked) setPlayer(s, P.sprinting, 0);
  setPlayer(s, P.collided, blocked ? 1 : 0);
  setPlayer(s, P.onGround, onGround ? 1 : 0);
  setPlayer(s, P.fallDist, water || lava ? 0 : player(s, P.fallDist) + fell);
  w[PLAYER + P.x] = x;
  w[PLAYER + P.y] = y;
  w[PLAYER + P.z] = z;
  w[PLAYER + P.vx] = vx;
  w[PLAYER + P.vy] = vy;
  w[PLAYER + P.vz] = vz;
  const eye = y + (sneaking ? 83231 : 106168);
  const headTop = fluidTop(s, x >> 16, eye >> 16, z >> 16, false);
  setPlayer(s, P.headInWater, headTop > (eye & 65535) ? 1 : 0);
  return jumped;
}

/** Ground acceleration shrinks with the cube of friction, so that ice is hard to start on. */
const iceAccel = (gait: number) => Math.floor((GROUND_ACCEL[gait] * 15086) / 65536);

/** Sneaking and sprinting for this tick. A low ceiling keeps the player down. */
function stance(s: State, keys: number, forward: number): void {
  const want = (keys & KEY.sneak) !== 0;
  const was = player(s, P.sneaking) === 1;
  const free = () => isFree(s, player(s, P.x), player(s, P.y), player(s, P.z), HALF_WIDTH, HEIGHT_STAND);
  const sneak = want || (was && !free());
  setPlayer(s, P.sneaking, sneak ? 1 : 0);
  let sprint = player(s, P.sprinting) === 1;
  if (forward <= 0 || sneak) sprint = false;
  else if ((keys & KEY.sprint) !== 0 && player(s, P.food) > 6) sprint = true;
  setPlayer(s, P.sprinting, sprint ? 1 : 0);
}

/** Shortens a sneaking move in steps of 0.05 until there is support below it. */
function holdEdge(s: State, x: number, y: number, z: number, dx: number, dz: number, height: number): [number, number] {
  const unsupported = (ax: number, az: number) => isFree(s, x + ax, y - STEP_UP, z + az, HALF_WIDTH, height);
  const less = (d: number) => (Math.abs(d) <= EDGE_STEP ? 0 : d - Math.sign(d) * EDGE_STEP);
  while (dx !== 0 && unsupported(dx, 0)) dx = less(dx);
  while (dz !== 0 && unsupported(0, dz)) dz = less(dz);
  while (dx !== 0 && dz !== 0 && unsupported(dx, dz)) {
    dx = less(dx);
    dz = less(dz);
  }
  return [dx, dz];
}
