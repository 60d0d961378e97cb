// Working in an open screen with the cursor: the hand moves it by the same mouse classes that turn the head, then clicks.

import { CURSOR_Q8, cameraClass, KEY, makeAction } from '../actions.ts';
import { B } from '../blocks.ts';
import { cellCentre, guiCells } from '../gui-layout.ts';
import { I } from '../items.ts';
import { craftable, RECIPES } from '../recipes.ts';
import { player } from '../state.ts';
import { GUI, P } from '../state-layout.ts';
import { type Body, DEGREE, type Skill } from './body.ts';
import { soft, visibleSpot } from './dig.ts';
import type { Cell } from './path.ts';
import { walkTo, withinReach } from './walk.ts';

/** Camera bin whose cursor travel per step (Q8 pixels) comes nearest to a wanted distance. */
function cursorBin(distance: number, ticksPerStep: number): number {
  let best = 5;
  for (let k = 0; k < CURSOR_Q8.length; k++) {
    if (Math.abs(CURSOR_Q8[k] * ticksPerStep - distance) < Math.abs(CURSOR_Q8[best] * ticksPerStep - distance))
      best = k;
  }
  return best;
}

/** Moves the cursor to the middle of a cell (0..47, row by row), give or take two pixels. */
export function* pointAt(b: Body, cell: number): Skill {
  const [cx, cy] = cellCentre(cell);
  const tx = cx + b.draws.normal() * 200;
  const ty = cy + b.draws.normal() * 200;
  for (let i = 0; i < 25 && b.gui !== 0; i++) {
    const dx = tx - player(b.state, P.cursorX);
    const dy = ty - player(b.state, P.cursorY);
    if (Math.abs(dx) < 600 && Math.abs(dy) < 600) return true;
    const hand = 1 + 0.1 * b.draws.normal() * b.persona.noise;
    const k = b.state.cfg.ticksPerStep;
    yield makeAction(0, cameraClass(cursorBin(dy * hand, k), cursorBin(dx * hand, k)));
  }
  return false;
}

function* click(b: Body): Skill {
  for (let i = b.draws.int(1, 3); i > 0; i--) yield makeAction(0);
  yield makeAction(KEY.attack);
  for (let i = b.draws.int(1, 2); i > 0; i--) yield makeAction(0);
  return true;
}

/** Crafts an item by its cell of the recipe strip until the player has `want` of it. The screen must be open. */
export function* craftInStrip(b: Body, item: number, want: number): Skill {
  for (let tries = 0; tries < 12 && b.gui !== 0 && b.count(item) < want; tries++) {
    const index = craftable(b.state, b.gui === GUI.table).findIndex((r) => RECIPES[r].output === item);
    const cell = guiCells(b.gui).findIndex((c) => c.kind === 'recipe' && c.index === index);
    if (index < 0 || cell < 0) return false;
    if (!(yield* pointAt(b, cell))) return false;
    yield* click(b);
  }
  return b.count(item) >= want;
}

/** Opens the inventory, runs what is to be done in it, closes it. */
export function* inInventory(b: Body, work: (b: Body) => Skill): Skill {
  b.wantsGui = true;
  try {
    for (let i = 0; i < 6 && b.gui === 0; i++) yield b.act(i % 2 === 0 ? KEY.inventory : 0);
    if (b.gui !== GUI.inventory) return false;
    yield* b.wait(b.draws.int(2, 6));
    const done = yield* work(b);
    yield* b.closeGui();
    return done;
  } finally {
    b.wantsGui = false;
  }
}

/** Opens a block's screen (table or furnace) by walking up to it and using it. */
export function* atBlock(b: Body, c: Cell, kind: number, work: (b: Body) => Skill): Skill {
  if (!visibleSpot(b, c) && !(yield* walkTo(b, withinReach(c, 3.4)))) return false;
  const spot = visibleSpot(b, c);
  if (!spot) return false;
  b.wantsGui = true;
  try {
    for (let i = 0; i < 20 && b.gui === 0; i++) {
      b.aimAt(...spot);
      const hit = b.crosshair();
      const on = hit !== null && hit.x === c.x && hit.y === c.y && hit.z === c.z;
      yield b.act(on && i % 2 === 0 ? KEY.use : !on && b.aimError() < 3 * DEGREE && soft(b, hit) ? KEY.attack : 0);
    }
    if (b.gui !== kind) return false;
    yield* b.wait(b.draws.int(2, 5));
    const done = yield* work(b);
    yield* b.closeGui();
    return done;
  } finally {
    b.wantsGui = false;
  }
}

/** The nearest crafting table that the player remembers within `range`. */
export function knownTable(b: Body, range: number): Cell | null {
  let best: Cell | null = null;
  let bestDistance = range;
  for (const c of b.sight.remembered('table')) {
    const d = Math.hypot(c.x - b.x, c.y - b.y, c.z - b.z);
    if (d < bestDistance) {
      best = c;
      bestDistance = d;
    }
  }
  return best;
}

export const TABLE = { item: I.crafting_table, block: B.crafting_table } as const;
