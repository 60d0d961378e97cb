/**
 * The overlay of a frame as 8 x 6 cells: the hotbar strip, or a whole GUI screen. One cell = one icon = one 8x8 patch of
 * a 64x48 frame. What a cell means is gui-layout.ts; how it is painted is overlay.ts.
 */
import { type GuiCell, guiCells } from '../gui-layout.ts';
import { DURABILITY, slotCount, slotDamage, slotId } from '../items.ts';
import { craftable, RECIPES } from '../recipes.ts';
import type { State } from '../state.ts';
import { F, GUI, INV, P, PLAYER, SLOT } from '../state-layout.ts';
import { NONE, R, REC_OVERLAY } from './frame-rec.ts';
import { type FrameSpec, GRID_COLUMNS, GRID_ROWS } from './frame-spec.ts';

/** Cell looks; 0 shows the world. */
export const STYLE = {
  none: 0,
  slot: 1,
  selected: 2,
  panel: 3,
  guiSlot: 4,
  recipe: 5,
  progress: 6,
  flame: 7,
  guiSelected: 8,
  // Every second cell a little lighter, so that the grid can be seen without lines.
  slotAlt: 9,
  guiSlotAlt: 10,
  recipeAlt: 11,
} as const;
export const BAR = { count: 0, wear: 1, heat: 2 } as const;

const pack = (icon: number, bar: number, style: number, barColour: number) =>
  icon | (bar << 8) | (style << 12) | (barColour << 16);

/** Bar length 0..8: nothing for one item (the icon says it), then growing with the stack. */
export function countBar(count: number): number {
  if (count <= 1) return 0;
  return count >= 57 ? 8 : 1 + Math.floor(count / 8);
}

/** Overlay word of an inventory slot. A bar below a tool is what is left of it, once used. */
export function slotCell(slot: number, style: number): number {
  const id = slotCount(slot) > 0 ? slotId(slot) : 0;
  const uses = DURABILITY[id];
  if (uses > 0) {
    const wear = slotDamage(slot);
    return pack(id, wear > 0 ? Math.max(1, Math.ceil((8 * (uses - wear)) / uses)) : 0, style, BAR.wear);
  }
  return pack(id, id ? countBar(slotCount(slot)) : 0, style, BAR.count);
}

function guiCell(s: State, cell: GuiCell, recipes: readonly number[], index: number): number {
  const column = index % GRID_COLUMNS;
  const odd = (column + Math.floor(index / GRID_COLUMNS)) & 1;
  const slot = odd ? STYLE.guiSlotAlt : STYLE.guiSlot;
  // Word offset + 1 of the furnace; 0 when the world has no room for one more.
  const furnace = s.i32[PLAYER + P.guiBlockEntity] - 1;
  const word = (field: number) => (furnace < 0 ? 0 : s.u32[furnace + field]);
  switch (cell.kind) {
    case 'slot': {
      const selected = cell.index === s.i32[PLAYER + P.selected];
      return slotCell(s.u32[INV + cell.index], selected ? STYLE.guiSelected : slot);
    }
    case 'recipe':
      return cell.index < recipes.length
        ? pack(recipes[cell.index], 0, odd ? STYLE.recipeAlt : STYLE.recipe, 0)
        : pack(0, 0, STYLE.panel, 0);
    case 'input':
      return slotCell(word(F.input), slot);
    case 'fuel':
      return slotCell(word(F.fuel), slot);
    case 'output':
      return slotCell(word(F.output), slot);
    case 'flame': {
      const total = word(F.burnTotal);
      const left = total > 0 ? Math.ceil((8 * word(F.burnLeft)) / total) : 0;
      return pack(0, left, left > 0 ? STYLE.flame : STYLE.panel, BAR.heat);
    }
    case 'arrow': {
      // The arrow covers two cells: 16 steps, 8 in each.
      const done = Math.floor((16 * word(F.cook)) / s.cfg.smeltTicks);
      return pack(0, Math.max(0, Math.min(8, done - (column & 1 ? 0 : 8))), STYLE.progress, BAR.heat);
    }
    default:
      return pack(0, 0, STYLE.panel, 0);
  }
}

export function overlayRec(s: State, out: Uint32Array, at: number, spec: FrameSpec): void {
  const p = (field: number) => s.i32[PLAYER + field];
  const first = at + REC_OVERLAY;
  out[at + R.cursor] = NONE;
  if (p(P.guiKind) === GUI.none) {
    for (let c = 0; c < GRID_COLUMNS; c++)
      out[first + (GRID_ROWS - 1) * GRID_COLUMNS + c] = slotCell(
        s.u32[INV + SLOT.hotbar + c],
        c === p(P.selected) ? STYLE.selected : c & 1 ? STYLE.slotAlt : STYLE.slot,
      );
    return;
  }
  const kind = p(P.guiKind);
  const recipes = kind === GUI.furnace ? [] : craftable(s, kind === GUI.table).map((i) => RECIPES[i].output);
  const cells = guiCells(kind);
  for (let i = 0; i < cells.length; i++) out[first + i] = guiCell(s, cells[i], recipes, i);
  // The cursor lives on the 64x48 grid in Q8.
  const x = Math.floor((p(P.cursorX) * spec.width) / (64 * 256));
  const y = Math.floor((p(P.cursorY) * spec.height) / (48 * 256));
  out[at + R.cursor] =
    (Math.max(0, Math.min(spec.width - 1, x)) | (Math.max(0, Math.min(spec.height - 1, y)) << 16)) >>> 0;
  // A held stack rides beside the cursor.
  out[at + R.cursorItem] = p(P.cursorStack) ? slotId(p(P.cursorStack)) : 0;
}
