// The walker finds out what stops it: it walks straight on without turning its head, pushes against what it meets, jumps, slides off.
// The other players plan their ways and are seldom stopped, so a model sees little of it.

import { KEY } from '../actions.ts';
import { type Body, DEGREE, type Skill } from './body.ts';
import type { Cell } from './path.ts';
import { cliffAhead } from './walk.ts';

/** Slower than this, in blocks a step, is stopped; walking makes 0.43. */
const STOPPED = 0.1;

const WAYS = [
  [8, KEY.forward],
  [3, KEY.forward | KEY.sprint],
  [2, KEY.forward | KEY.left],
  [2, KEY.forward | KEY.right],
  [1, KEY.left],
  [1, KEY.right],
  [1, KEY.back],
] as const;

/** Blocks to the first thing seen on the way that a player who does not jump cannot pass; Infinity if none is near. */
function wayTo(b: Body, yaw: number): number {
  const y = Math.floor(b.y + 0.1);
  for (let r = 0.6; r < 7; r += 0.4) {
    const x = Math.floor(b.x - r * Math.sin((yaw * Math.PI) / 32768));
    const z = Math.floor(b.z + r * Math.cos((yaw * Math.PI) / 32768));
    if (b.sight.solid(x, y, z) || b.sight.solid(x, y + 1, z)) return r;
  }
  return Number.POSITIVE_INFINITY;
}

/** A trunk or a rock about as high as the eyes, some steps away; null if none is known. */
function wallNear(b: Body): Cell | null {
  const eyes = Math.floor(b.eye[1]);
  const walls = [...b.sight.remembered('log'), ...b.sight.remembered('stone')].filter((c) => {
    const way = Math.hypot(c.x + 0.5 - b.x, c.z + 0.5 - b.z);
    return Math.abs(c.y - eyes) <= 2 && way > 1.5 && way < 18;
  });
  return walls.length > 0 ? b.draws.pick(walls) : null;
}

/** Turns to another direction, mostly one in which something stands, and comes to rest. */
function* turn(b: Body): Skill {
  const drawn = Array.from({ length: 8 }, () => b.yaw + b.draws.pick([-1, 1]) * b.draws.between(10, 170) * DEGREE);
  const yaw = (b.draws.chance(0.85) && drawn.find((yaw) => wayTo(b, yaw) < 7)) || drawn[0];
  b.aim(yaw, b.draws.chance(0.6) ? b.persona.restPitch : b.draws.between(-15, 40) * DEGREE);
  for (let i = 0; i < 24 && b.aimError() > 2 * DEGREE; i++) yield b.act(0);
  b.rest();
  return true;
}

/** Turns to a trunk or a rock and walks up to it, eyes on it until it is near. */
function* approach(b: Body, wall: Cell): Skill {
  for (let i = 0; i < 70; i++) {
    const [x, z] = [wall.x + 0.5, wall.z + 0.5];
    if (Math.hypot(x - b.x, z - b.z) < 1.5) break;
    b.heading(x, z);
    yield b.act(b.aimError() > 12 * DEGREE ? 0 : b.inWater ? KEY.forward | KEY.jump : KEY.forward);
  }
  b.rest();
  return true;
}

/** Holds the keys until something has stopped it for some steps; true if something has. */
function* march(b: Body, keys = WAYS[b.draws.weighted(WAYS.map(([weight]) => weight))][1]): Skill {
  const patience = b.draws.int(4, 24);
  const steps = b.draws.int(15, 50);
  let [x, z] = [b.x, b.z];
  let stopped = 0;
  for (let i = 0; i < steps && stopped < patience; i++) {
    if ((keys & KEY.forward) !== 0 && b.onGround && cliffAhead(b, b.yaw)) return false;
    yield b.act(b.inWater ? keys | KEY.jump : keys);
    stopped = Math.hypot(b.x - x, b.z - z) < STOPPED && i > 1 ? stopped + 1 : 0;
    [x, z] = [b.x, b.z];
  }
  return stopped > 0;
}

export function* walker(b: Body): Skill {
  for (;;) {
    const wall = b.draws.chance(0.6) ? wallNear(b) : null;
    if (wall) yield* approach(b, wall);
    const stopped = yield* march(b, wall ? KEY.forward : undefined);
    if (b.draws.chance(0.15)) yield* b.wait(b.draws.int(1, 8));
    // Over it, if it is one block high.
    if (stopped && b.draws.chance(0.3))
      for (let i = b.draws.int(4, 10); i > 0; i--) yield b.act(KEY.jump | KEY.forward);
    else yield* turn(b);
  }
}
