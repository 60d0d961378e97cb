// The miner chops trees, breaks stone and ore with the right tool, digs earth and sand, cuts short stairs into the ground, and picks up what falls.

import { I, PLACES } from '../items.ts';
import { type Body, DEGREE, type Skill } from './body.ts';
import { breakHere, collect, fetchBlock, takeTool } from './dig.ts';
import type { Cell } from './path.ts';
import { placeAtCrosshair } from './place.ts';
import { deeds, fiddleHotbar, placeSomething, travel } from './rambler.ts';
import type { Kind } from './sight.ts';
import { climbOut, digStair } from './tunnel.ts';
import { lookAround, stroll } from './walk.ts';

/** The nearest remembered block of a kind that is worth the walk, or null. */
export function nearest(b: Body, kind: Kind, range = 40): Cell | null {
  let best: Cell | null = null;
  let bestCost = range;
  for (const c of b.sight.remembered(kind)) {
    const cost = effort(b, c);
    if (cost < bestCost) {
      best = c;
      bestCost = cost;
    }
  }
  return best;
}

/** Breaks blocks of a kind one after another, starting at the nearest, and picks up the drops. True when at least one fell. */
export function* gather(b: Body, kind: Kind, want: number): Skill {
  let got = 0;
  const failed = new Set<number>();
  for (let tries = 0; tries < want + 3 && got < want; tries++) {
    const c = nearestOf(b, kind, failed);
    if (!c) break;
    if (yield* fetchBlock(b, c)) got++;
    else failed.add((c.y << 16) | (c.z << 8) | c.x);
    if (b.draws.chance(0.5)) yield* collect(b, 4, 30);
  }
  yield* collect(b, 6, 60);
  return got > 0;
}

function nearestOf(b: Body, kind: Kind, without: Set<number>): Cell | null {
  const first = nearest(b, kind);
  if (!first || !without.has((first.y << 16) | (first.z << 8) | first.x)) return first;
  const rest = b.sight.remembered(kind).filter((c) => !without.has((c.y << 16) | (c.z << 8) | c.x));
  return rest.length > 0 ? rest.reduce((p, q) => (effort(b, q) < effort(b, p) ? q : p)) : null;
}

/** Distance, where height counts double and depth four times: what is below has to be dug for. */
const effort = (b: Body, c: Cell) =>
  Math.hypot(c.x + 0.5 - b.x, c.z + 0.5 - b.z) + (c.y < b.y - 1 ? 4 : 2) * Math.abs(c.y - b.y);

/** Down a few steps, perhaps a torch, perhaps a level stretch, and up again. */
function* shaft(b: Body): Skill {
  const depth = b.draws.int(2, 5);
  if (!(yield* digStair(b, -1, depth))) yield* b.wait(2);
  if (b.draws.chance(0.5)) {
    const torch = b.hotbarWith((item) => item === I.torch);
    if (torch >= 0) {
      yield* b.select(torch);
      b.aim(b.yaw, b.draws.between(5, 40) * DEGREE);
      yield* b.wait(4);
      yield* placeAtCrosshair(b);
    }
  }
  if (b.draws.chance(0.5)) yield* digStair(b, 0, b.draws.int(2, 5));
  yield* collect(b, 4, 30);
  return yield* climbOut(b);
}

/** What to do when a seen block of the kind is near; falls back to walking on. */
const seek = (kind: Kind, low: number, high: number) =>
  function* (b: Body): Skill {
    if (!nearest(b, kind)) {
      yield* lookAround(b, 1);
      if (!nearest(b, kind)) return yield* travel(b, 8, 24);
    }
    return yield* gather(b, kind, b.draws.int(low, high));
  };

/** Digs straight at the ground in front, a few blocks with the shovel. */
function* digGround(b: Body): Skill {
  const n = b.draws.int(2, 6);
  for (let k = 0; k < n; k++) {
    b.aim(b.yaw + b.draws.normal() * 15 * DEGREE, b.draws.between(35, 70) * DEGREE);
    for (let i = 0; i < 8 && b.aimError() > 3 * DEGREE; i++) yield b.act(0);
    const hit = b.crosshair();
    if (!hit) continue;
    yield* takeTool(b, b.sight.at(hit.x, hit.y, hit.z));
    yield* breakHere(b, hit, 40);
  }
  return yield* collect(b, 4, 30);
}

export const miner = (b: Body): Skill =>
  deeds(b, [
    [26, seek('log', 2, 6)],
    [22, seek('stone', 3, 8)],
    [8, seek('coal', 1, 3)],
    [6, seek('iron', 1, 3)],
    [6, seek('sand', 2, 5)],
    [6, seek('leaves', 2, 5)],
    [4, seek('plant', 1, 3)],
    [8, digGround],
    [9, shaft],
    [5, fiddleHotbar],
    [5, (p) => lookAround(p, p.draws.int(1, 3))],
    [8, (p) => travel(p, 6, 20)],
    [4, (p) => stroll(p, p.draws.int(10, 30))],
    [
      5,
      function* (p) {
        return PLACES[p.held()] !== 0 ? yield* placeSomething(p) : false;
      },
    ],
  ]);
