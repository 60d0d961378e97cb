// The rambler explores: planned walks to places it has seen, aimless strolls into whatever stands there, much looking about, a swim, a hop,
// now and then a block broken or placed.

import { KEY } from '../actions.ts';
import { PLACES } from '../items.ts';
import { type Body, DEGREE, type Skill } from './body.ts';
import { breakHere } from './dig.ts';
import { type Cell, standable } from './path.ts';
import { placeAtCrosshair } from './place.ts';
import { climbOut, underground } from './tunnel.ts';
import { lookAround, near, pan, stroll, walkTo } from './walk.ts';

/** A known standing cell about in the direction given, or else mostly ahead; null when none is found. */
export function somewhere(b: Body, low: number, high: number, course?: number): Cell | null {
  for (let tries = 0; tries < 12; tries++) {
    // Mostly onwards: people turn back less often than they go on.
    const ahead = ((course ?? b.yaw) / 32768) * Math.PI;
    const onwards = course !== undefined || b.draws.chance(0.75);
    const angle = onwards
      ? ahead + (course === undefined ? 0.8 : 0.4) * b.draws.normal()
      : b.draws.between(0, 2 * Math.PI);
    const distance = b.draws.between(low, high);
    const x = Math.floor(b.x - distance * Math.sin(angle));
    const z = Math.floor(b.z + distance * Math.cos(angle));
    // From the top down: the surface rather than a cave below it.
    const y0 = Math.floor(b.y);
    for (let y = y0 + 14; y >= y0 - 8; y--) if (standable(b.sight, x, y, z)) return { x, y, z };
  }
  return null;
}

export function* travel(b: Body, low: number, high: number): Skill {
  const to = somewhere(b, low, high);
  if (!to) return yield* stroll(b, b.draws.int(10, 40));
  return yield* walkTo(b, near(to, 1.5), 200);
}

/** Runs through some hotbar slots, in order or at random. */
export function* fiddleHotbar(b: Body): Skill {
  const n = b.hotbarSlots;
  const start = b.draws.int(0, n - 1);
  const count = b.draws.int(2, n);
  const inOrder = b.draws.chance(0.6);
  for (let i = 0; i < count; i++) {
    yield* b.select(inOrder ? (start + i) % n : b.draws.int(0, n - 1));
    yield* b.wait(b.draws.int(0, 4));
  }
  return true;
}

/** Looks at the ground or a wall nearby and breaks what the crosshair is on. */
export function* breakSomething(b: Body): Skill {
  b.aim(b.yaw + b.draws.normal() * 30 * DEGREE, b.draws.between(26, 65) * DEGREE);
  for (let i = 0; i < 8 && b.aimError() > 3 * DEGREE; i++) yield b.act(0);
  const hit = b.crosshair();
  return hit ? yield* breakHere(b, hit, 30) : false;
}

export function* placeSomething(b: Body): Skill {
  const slotIndex = b.hotbarWith((item) => PLACES[item] !== 0);
  if (slotIndex < 0) return false;
  if (PLACES[b.held()] === 0) yield* b.select(slotIndex);
  b.aim(b.yaw + b.draws.normal() * 30 * DEGREE, b.draws.between(24, 55) * DEGREE);
  for (let i = 0; i < 8 && b.aimError() > 3 * DEGREE; i++) yield b.act(0);
  return yield* placeAtCrosshair(b);
}

function* hop(b: Body): Skill {
  const steps = b.draws.int(6, 24);
  const keys = KEY.jump | b.draws.pick([0, KEY.forward, KEY.forward | KEY.sprint, KEY.left, KEY.right]);
  for (let i = 0; i < steps; i++) yield b.act(keys);
  return true;
}

function* swim(b: Body): Skill {
  const water = b.sight.remembered('water');
  if (water.length === 0) return false;
  yield* walkTo(b, near(b.draws.pick(water), 1.2), 150);
  if (b.inWater && b.draws.chance(0.4)) {
    // A look under water: no jump key, so the body sinks.
    b.aim(b.yaw, b.draws.between(10, 50) * DEGREE);
    for (let i = 0; i < 15; i++) yield b.act(KEY.forward);
  }
  return yield* stroll(b, b.draws.int(20, 60));
}

/** Out of the water, to dry ground that the player has seen. */
function* ashore(b: Body): Skill {
  for (let tries = 0; tries < 8; tries++) {
    const to = somewhere(b, 3, 14, b.draws.int(0, 65535));
    if (to && !b.sight.water(to.x, to.y, to.z)) return yield* walkTo(b, near(to, 1.2), 120);
  }
  return yield* lookAround(b, 2);
}

type Deed = readonly [weight: number, run: (b: Body) => Skill];

const DEEDS: readonly Deed[] = [
  [22, (b) => travel(b, 6, 24)],
  [22, (b) => stroll(b, b.draws.int(15, 70))],
  [
    4,
    (b) =>
      stroll(b, b.draws.int(8, 30), {
        keys: b.draws.pick([KEY.back, KEY.left, KEY.right, KEY.forward | KEY.left, KEY.forward | KEY.right]),
      }),
  ],
  [3, (b) => stroll(b, b.draws.int(15, 40), { keys: KEY.forward | KEY.sneak })],
  [6, (b) => stroll(b, b.draws.int(15, 50), { jumpy: 0.25 })],
  [14, (b) => lookAround(b, b.draws.int(1, 4))],
  [7, (b) => pan(b, b.draws.pick([-1, 1]) * b.draws.between(60, 360), b.draws.between(2, 14))],
  [4, hop],
  [3, swim],
  [7, fiddleHotbar],
  [12, breakSomething],
  [12, placeSomething],
  [3, (b) => b.wait(b.draws.int(4, 20))],
];

export function* deeds(b: Body, list: readonly Deed[]): Skill {
  const weights = list.map(([w]) => w);
  for (;;) {
    if (underground(b) && b.draws.chance(0.8)) yield* climbOut(b);
    if (b.inWater && b.draws.chance(0.7)) yield* ashore(b);
    const done = yield* list[b.draws.weighted(weights)][1](b);
    if (!done) yield* b.wait(1);
    if (b.draws.chance(0.3)) yield* b.react();
  }
}

export const rambler = (b: Body): Skill => deeds(b, DEEDS);
