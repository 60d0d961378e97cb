/**
 * Painting of the overlay, pixel by pixel: strip or GUI cells, crosshair, cursor, tint. Twin of shaders/world/overlay.wgsl.
 * Frames are multiples of 64x48; an icon pixel is a whole number of frame pixels and icons are centred in their cells.
 */
import { ICON, ICON_TEXELS, ICONS } from '../visual/icons.ts';
import { NONE, R, REC_FLAG, REC_OVERLAY } from './frame-rec.ts';
import { type FrameSpec, GRID_COLUMNS, GRID_ROWS, gridRowTop } from './frame-spec.ts';

const rgb = (hex: number) => ((hex >> 16) & 255) | (hex & 0xff00) | ((hex & 255) << 16);

/** Background by STYLE (overlay-rec.ts), then bar colours from index 16, as r | g<<8 | b<<16. */
export const OVERLAY_COLOURS: Uint32Array = (() => {
  const c = new Uint32Array(24);
  // STYLE order: none, slot, selected, panel, guiSlot, recipe, progress, flame, guiSelected, then the lighter cells
  const backs = [
    0, 0x2b303c, 0x4f97e8, 0x20242c, 0x39404f, 0x3a5748, 0x20242c, 0x20242c, 0x3f6ea6, 0x353c4a, 0x444c5e, 0x466a57,
  ];
  backs.forEach((hex, i) => {
    c[i] = rgb(hex);
  });
  [0x7fd069, 0x58b8e0, 0xf29b38, 0xf2f2f2].forEach((hex, i) => {
    c[16 + i] = rgb(hex);
  });
  return c;
})();

/** Cursor arrow, 5 x 6: 1 white, 2 outline. */
const ARROW = ['20000', '22000', '21200', '21120', '21112', '22222'];
export const CURSOR_WIDTH = 5;
export const CURSOR_HEIGHT = 6;
export const CURSOR: Uint8Array = Uint8Array.from(ARROW.join(''), Number);
const CURSOR_WHITE = 0xffffff;
const CURSOR_DARK = 0x201810;

/** Paints everything above the world view of the record into `out` (RGB bytes). */
export function paintOverlay(spec: FrameSpec, rec: Uint32Array, at: number, out: Uint8Array, outAt: number): void {
  const { width, viewHeight, iconScale } = spec;
  const gui = (rec[at + R.flags] & REC_FLAG.gui) !== 0;
  const put = (x: number, y: number, c: number) => {
    const o = outAt + (y * width + x) * 3;
    out[o] = c & 255;
    out[o + 1] = (c >> 8) & 255;
    out[o + 2] = (c >> 16) & 255;
  };
  if (!gui) {
    tint(rec[at + R.tint], out, outAt, width * viewHeight);
    if ((rec[at + R.flags] & REC_FLAG.crosshair) !== 0) crosshair(spec, out, outAt);
  }
  const cellWidth = width / GRID_COLUMNS;
  for (let row = gui ? 0 : GRID_ROWS - 1; row < GRID_ROWS; row++) {
    const top = gridRowTop(spec, row);
    const cellHeight = gridRowTop(spec, row + 1) - top;
    const iconX = (cellWidth - ICON * iconScale) >> 1;
    const iconY = (cellHeight - ICON * iconScale) >> 1;
    for (let y = 0; y < cellHeight; y++)
      for (let x = 0; x < width; x++) {
        const column = Math.floor(x / cellWidth);
        const word = rec[at + REC_OVERLAY + row * GRID_COLUMNS + column];
        put(x, top + y, cellPixel(word, x - column * cellWidth - iconX, y - iconY, iconScale));
      }
  }
  if (rec[at + R.cursor] !== NONE) cursor(spec, rec, at, put);
}

/** Colour of a cell at a pixel relative to its icon square (may lie outside it). */
function cellPixel(word: number, x: number, y: number, scale: number): number {
  const back = OVERLAY_COLOURS[(word >> 12) & 15];
  if (x < 0 || y < 0) return back;
  const u = Math.floor(x / scale);
  const v = Math.floor(y / scale);
  if (u >= ICON || v >= ICON) return back;
  const bar = (word >> 8) & 15;
  const barColour = OVERLAY_COLOURS[16 + ((word >> 16) & 3)];
  const style = (word >> 12) & 15;
  if (style === 6) return v >= 2 && v < 6 ? (u < bar ? OVERLAY_COLOURS[19] : OVERLAY_COLOURS[4]) : back;
  if (style === 7) return v >= ICON - bar && u >= 2 && u < 6 ? barColour : back;
  if (v === ICON - 1) return u < bar ? barColour : back;
  const texel = ICONS[(word & 255) * ICON_TEXELS + v * ICON + u];
  return texel >>> 24 ? texel & 0xffffff : back;
}

function tint(word: number, out: Uint8Array, outAt: number, pixels: number): void {
  const a = word >>> 24;
  if (a === 0) return;
  for (let i = 0; i < pixels; i++)
    for (let k = 0; k < 3; k++) {
      const o = outAt + i * 3 + k;
      out[o] += ((((word >> (8 * k)) & 255) - out[o]) * a) >> 8;
    }
}

/** A square of 2 pixels (per 64 of width) at the centre: white on dark, dark on bright. */
function crosshair(spec: FrameSpec, out: Uint8Array, outAt: number): void {
  const half = Math.max(1, spec.width >> 6);
  const cx = spec.width >> 1;
  const cy = spec.viewHeight >> 1;
  for (let y = cy - half; y < cy + half; y++)
    for (let x = cx - half; x < cx + half; x++) {
      const o = outAt + (y * spec.width + x) * 3;
      const bright = out[o] + 2 * out[o + 1] + out[o + 2] > 720;
      for (let k = 0; k < 3; k++) out[o + k] = bright ? out[o + k] >> 2 : 255 - ((255 - out[o + k]) >> 2);
    }
}

function cursor(spec: FrameSpec, rec: Uint32Array, at: number, put: (x: number, y: number, c: number) => void): void {
  const k = spec.iconScale;
  const x0 = rec[at + R.cursor] & 0xffff;
  const y0 = rec[at + R.cursor] >>> 16;
  const item = rec[at + R.cursorItem];
  // A held stack hangs from the tip of the arrow, then the arrow goes over it.
  if (item > 0)
    for (let v = 0; v < ICON; v++)
      for (let u = 0; u < ICON; u++) {
        const texel = ICONS[item * ICON_TEXELS + v * ICON + u];
        if (texel >>> 24) square(spec, x0 + u * k, y0 + v * k, k, texel & 0xffffff, put);
      }
  for (let v = 0; v < CURSOR_HEIGHT; v++)
    for (let u = 0; u < CURSOR_WIDTH; u++) {
      const c = CURSOR[v * CURSOR_WIDTH + u];
      if (c > 0) square(spec, x0 + u * k, y0 + v * k, k, c === 1 ? CURSOR_WHITE : CURSOR_DARK, put);
    }
}

function square(
  spec: FrameSpec,
  x0: number,
  y0: number,
  k: number,
  c: number,
  put: (x: number, y: number, c: number) => void,
): void {
  for (let y = y0; y < Math.min(y0 + k, spec.height); y++)
    for (let x = x0; x < Math.min(x0 + k, spec.width); x++) put(x, y, c);
}
