/**
 * Screens: inventory, crafting table, furnace. A mouse cursor over a grid of cells (gui-layout.ts), clicks that take, put, merge and
 * swap stacks, and the one-click recipe strip. Closing never loses items. Rules: methods/world.md 3.6.
 */
import { actionCamera, CURSOR_Q8, cameraPitchBin, cameraYawBin, hotbarOf, KEY } from './actions.ts';
import { throwStack } from './drops.ts';
import { count, EVENT, emit, milestone } from './events.ts';
import { furnaceAt } from './furnace.ts';
import { cellUnderCursor, GUI_HEIGHT, GUI_WIDTH, type GuiCell, guiCells } from './gui-layout.ts';
import { addStack, slotOrder } from './inventory.ts';
import { FUEL, packSlot, SMELTS_TO, STACK_MAX, slotCount, slotDamage, slotId } from './items.ts';
import { craftable, pay, RECIPES } from './recipes.ts';
import { player, type State, setPlayer, setSlot, slot } from './state.ts';
import { F, GUI, INV, P, PLAYER, packPos, SLOT, STAT_KIND } from './state-layout.ts';

export function openGui(s: State, kind: number, x = 0, y = 0, z = 0): void {
  setPlayer(s, P.guiKind, kind);
  setPlayer(s, P.guiPos, kind === GUI.inventory ? 0 : packPos(x, y, z) + 1);
  setPlayer(s, P.guiBlockEntity, 0);
  setPlayer(s, P.cursorX, (GUI_WIDTH / 2) << 8);
  setPlayer(s, P.cursorY, (GUI_HEIGHT / 2) << 8);
  if (kind === GUI.furnace) setPlayer(s, P.guiBlockEntity, furnaceAt(s, x, y, z, true) + 1);
  emit(s, EVENT.opened, kind);
  count(s, STAT_KIND.opened, kind);
}

export function closeGui(s: State): void {
  const kind = player(s, P.guiKind);
  if (kind === GUI.none) return;
  const held = s.u32[PLAYER + P.cursorStack];
  s.u32[PLAYER + P.cursorStack] = 0;
  returnStack(s, held);
  for (let i = 0; i < 9; i++) {
    const stack = slot(s, SLOT.grid + i);
    setSlot(s, SLOT.grid + i, 0);
    returnStack(s, stack);
  }
  setPlayer(s, P.guiKind, GUI.none);
  setPlayer(s, P.guiBlockEntity, 0);
  setPlayer(s, P.guiPos, 0);
  emit(s, EVENT.closed, kind);
}

function returnStack(s: State, stack: number): void {
  if (stack === 0) return;
  const left = addStack(s, stack);
  if (left !== 0) throwStack(s, left);
}

/** One tick of an open screen: cursor, then at most one click. `pressed` holds the keys that went down this tick. */
export function tickGui(s: State, action: number, pressed: number): void {
  const camera = actionCamera(action);
  const clamp = (v: number, size: number) => Math.max(0, Math.min((size << 8) - 1, v));
  setPlayer(s, P.cursorX, clamp(player(s, P.cursorX) + CURSOR_Q8[cameraYawBin(camera)], GUI_WIDTH));
  setPlayer(s, P.cursorY, clamp(player(s, P.cursorY) + CURSOR_Q8[cameraPitchBin(camera)], GUI_HEIGHT));
  const cell = guiCells(player(s, P.guiKind))[cellUnderCursor(player(s, P.cursorX), player(s, P.cursorY))];
  const quick = (action & KEY.sneak) !== 0;
  if ((pressed & KEY.attack) !== 0) leftClick(s, cell, quick);
  else if ((pressed & KEY.use) !== 0) rightClick(s, cell);
  else if ((pressed & KEY.drop) !== 0) dropOne(s, cell);
  else {
    const n = hotbarOf(pressed);
    if (n >= 0 && n < s.cfg.hotbarSlots) swapWithHotbar(s, cell, n);
  }
}

/** Word index of the stack behind a cell, or -1. */
function wordOf(s: State, cell: GuiCell): number {
  if (cell.kind === 'slot') return INV + cell.index;
  const be = player(s, P.guiBlockEntity) - 1;
  if (be < 0) return -1;
  if (cell.kind === 'input') return be + F.input;
  if (cell.kind === 'fuel') return be + F.fuel;
  if (cell.kind === 'output') return be + F.output;
  return -1;
}

/** May this item be put into the cell? */
function accepts(cell: GuiCell, id: number): boolean {
  if (cell.kind === 'slot') return true;
  if (cell.kind === 'input') return SMELTS_TO[id] !== 0;
  return cell.kind === 'fuel' && FUEL[id] !== 0;
}

const CURSOR = PLAYER + P.cursorStack;
const sameItem = (a: number, b: number) => slotId(a) === slotId(b) && slotDamage(a) === slotDamage(b);
const withCount = (stack: number, n: number) => packSlot(slotId(stack), n, slotDamage(stack));

function leftClick(s: State, cell: GuiCell, quick: boolean): void {
  if (cell.kind === 'recipe') {
    craft(s, cell.index, quick);
    return;
  }
  const at = wordOf(s, cell);
  if (at < 0) return;
  if (quick) {
    quickMove(s, cell, at);
    return;
  }
  const held = s.u32[CURSOR];
  const here = s.u32[at];
  if (held === 0) {
    s.u32[CURSOR] = here;
    s.u32[at] = 0;
    if (cell.kind === 'output') taken(s, here, slotCount(here));
    return;
  }
  if (cell.kind === 'output') {
    // Taking more of the same onto the cursor, never putting.
    if (here === 0 || !sameItem(held, here) || slotCount(held) + slotCount(here) > STACK_MAX[slotId(here)]) return;
    s.u32[CURSOR] = withCount(held, slotCount(held) + slotCount(here));
    s.u32[at] = 0;
    taken(s, here, slotCount(here));
    return;
  }
  if (!accepts(cell, slotId(held))) return;
  if (here !== 0 && sameItem(held, here)) {
    const n = Math.min(slotCount(held), Math.max(0, STACK_MAX[slotId(here)] - slotCount(here)));
    s.u32[at] = withCount(here, slotCount(here) + n);
    s.u32[CURSOR] = withCount(held, slotCount(held) - n);
  } else {
    s.u32[at] = held;
    s.u32[CURSOR] = here;
  }
}

function rightClick(s: State, cell: GuiCell): void {
  const at = wordOf(s, cell);
  if (at < 0) return;
  const held = s.u32[CURSOR];
  const here = s.u32[at];
  if (held === 0) {
    const n = (slotCount(here) + 1) >> 1;
    s.u32[CURSOR] = withCount(here, n);
    s.u32[at] = withCount(here, slotCount(here) - n);
    if (cell.kind === 'output') taken(s, here, n);
    return;
  }
  if (cell.kind === 'output' || !accepts(cell, slotId(held))) return;
  if (here !== 0 && (!sameItem(held, here) || slotCount(here) >= STACK_MAX[slotId(here)])) return;
  s.u32[at] = withCount(held, slotCount(here) + 1);
  s.u32[CURSOR] = withCount(held, slotCount(held) - 1);
}

/** Between hotbar, main inventory and the furnace. */
function quickMove(s: State, cell: GuiCell, at: number): void {
  const stack = s.u32[at];
  if (stack === 0) return;
  if (cell.kind !== 'slot') {
    const left = addStack(s, stack);
    s.u32[at] = left;
    const n = slotCount(stack) - slotCount(left);
    if (cell.kind === 'output' && n > 0) taken(s, stack, n);
    return;
  }
  const be = player(s, P.guiBlockEntity) - 1;
  if (player(s, P.guiKind) === GUI.furnace && be >= 0) {
    const to = SMELTS_TO[slotId(stack)] !== 0 ? F.input : FUEL[slotId(stack)] !== 0 ? F.fuel : -1;
    if (to >= 0 && moveInto(s, at, be + to)) return;
  }
  const hotbar = cell.index < SLOT.main;
  const targets = slotOrder(s).filter((i) => i < SLOT.main !== hotbar);
  for (const i of targets) if (s.u32[INV + i] !== 0) moveInto(s, at, INV + i);
  for (const i of targets) if (s.u32[INV + i] === 0 && s.u32[at] !== 0) moveInto(s, at, INV + i);
}

/** Moves what fits from one stack onto an equal or empty one; true if anything moved. */
function moveInto(s: State, from: number, to: number): boolean {
  const a = s.u32[from];
  const b = s.u32[to];
  if (a === 0 || (b !== 0 && !sameItem(a, b))) return false;
  const n = Math.min(slotCount(a), STACK_MAX[slotId(a)] - slotCount(b));
  if (n <= 0) return false;
  s.u32[to] = withCount(a, slotCount(b) + n);
  s.u32[from] = withCount(a, slotCount(a) - n);
  return true;
}

function dropOne(s: State, cell: GuiCell): void {
  const at = wordOf(s, cell);
  if (at < 0 || s.u32[at] === 0) return;
  const stack = s.u32[at];
  if (cell.kind === 'output') taken(s, stack, 1);
  s.u32[at] = withCount(stack, slotCount(stack) - 1);
  throwStack(s, withCount(stack, 1));
}

function swapWithHotbar(s: State, cell: GuiCell, n: number): void {
  if (cell.kind !== 'slot') return;
  const a = slot(s, cell.index);
  setSlot(s, cell.index, slot(s, n));
  setSlot(s, n, a);
}

/** One click crafts once; with sneak as often as possible. */
function craft(s: State, position: number, many: boolean): void {
  if (s.cfg.craftAssist !== 'strip') return;
  const atTable = player(s, P.guiKind) === GUI.table;
  const index = craftable(s, atTable)[position];
  if (index === undefined) return;
  for (let i = 0; i < (many ? 64 : 1); i++) if (!craftOnce(s, index, atTable)) return;
}

function craftOnce(s: State, index: number, atTable: boolean): boolean {
  const r = RECIPES[index];
  if (!pay(s, r, atTable)) return false;
  returnStack(s, packSlot(r.output, r.count));
  emit(s, EVENT.crafted, r.output, r.count);
  count(s, STAT_KIND.crafted, r.output, r.count);
  milestone(s, r.output);
  return true;
}

/** Crafts a recipe without the screen, for tests and curricula; never part of the action space or of results. */
export const craftDirect = (s: State, index: number) => craftOnce(s, index, true);

function taken(s: State, stack: number, n: number): void {
  if (stack === 0) return;
  emit(s, EVENT.smeltedTaken, slotId(stack), n);
  count(s, STAT_KIND.crafted, slotId(stack), n);
  milestone(s, slotId(stack));
}
