// Strip, GUI screen, crosshair, cursor and tint of one pixel. Same rules as src/world/render/overlay.ts, same bytes.

import package::world::bindings::{spec, tables, word, colour_of, ICONS_AT, COLOURS_AT, CURSOR_AT};

const REC_OVERLAY = 512u;
const R_CURSOR = 20u;
const R_CURSOR_ITEM = 27u;
const NONE = 0xffffffffu;
const STYLE_PROGRESS = 6u;
const STYLE_FLAME = 7u;

fn row_top(r: u32) -> u32 {
  return select((r * spec.view_height) / 5u, spec.height, r >= 6u);
}

fn background(style: u32) -> vec3i {
  return colour_of(tables[COLOURS_AT + style]);
}

// Colour of a cell at a pixel relative to its icon square (may lie outside it).
fn cell_pixel(cell: u32, x: i32, y: i32) -> vec3i {
  let style = (cell >> 12u) & 15u;
  if (x < 0 || y < 0) { return background(style); }
  let u = u32(x) / spec.icon_scale;
  let v = u32(y) / spec.icon_scale;
  if (u >= 8u || v >= 8u) { return background(style); }
  let bar = (cell >> 8u) & 15u;
  let bar_colour = colour_of(tables[COLOURS_AT + 16u + ((cell >> 16u) & 3u)]);
  if (style == STYLE_PROGRESS) {
    if (v < 2u || v >= 6u) { return background(style); }
    return colour_of(tables[COLOURS_AT + select(4u, 19u, u < bar)]);
  }
  if (style == STYLE_FLAME) {
    return select(background(style), bar_colour, v + bar >= 8u && u >= 2u && u < 6u);
  }
  if (v == 7u) { return select(background(style), bar_colour, u < bar); }
  let texel = tables[ICONS_AT + (cell & 255u) * 64u + v * 8u + u];
  return select(background(style), colour_of(texel), texel >= 0x1000000u);
}

// Arrow and the stack it holds; `behind` where neither covers the pixel.
fn cursor_pixel(pixel: vec2u, behind: vec3i) -> vec3i {
  let tip = word(R_CURSOR);
  if (tip == NONE) { return behind; }
  let x = i32(pixel.x) - i32(tip & 0xffffu);
  let y = i32(pixel.y) - i32(tip >> 16u);
  if (x < 0 || y < 0) { return behind; }
  let u = u32(x) / spec.icon_scale;
  let v = u32(y) / spec.icon_scale;
  if (u < 5u && v < 6u) {
    let c = tables[CURSOR_AT + v * 5u + u];
    if (c == 1u) { return vec3i(0xff, 0xff, 0xff); }
    if (c == 2u) { return vec3i(0x10, 0x18, 0x20); }
  }
  let item = word(R_CURSOR_ITEM);
  if (item > 0u && u < 8u && v < 8u) {
    let texel = tables[ICONS_AT + item * 64u + v * 8u + u];
    if (texel >= 0x1000000u) { return colour_of(texel); }
  }
  return behind;
}

fn overlay_pixel(pixel: vec2u, gui: bool) -> vec3i {
  let cell_width = spec.width / 8u;
  let column = pixel.x / cell_width;
  var row = 5u;
  if (gui) {
    row = 0u;
    while (row < 5u && pixel.y >= row_top(row + 1u)) { row++; }
  }
  let top = row_top(row);
  let size = i32(8u * spec.icon_scale);
  let x = i32(pixel.x - column * cell_width) - ((i32(cell_width) - size) >> 1u);
  let y = i32(pixel.y - top) - ((i32(row_top(row + 1u) - top) - size) >> 1u);
  return cursor_pixel(pixel, cell_pixel(word(REC_OVERLAY + row * 8u + column), x, y));
}

fn tint(c: vec3i, t: u32) -> vec3i {
  return c + (((colour_of(t) - c) * i32(t >> 24u)) >> vec3u(8u));
}

// A square of 2 pixels (per 64 of width) at the centre of the view.
fn in_crosshair(pixel: vec2u) -> bool {
  let half = max(1u, spec.width >> 6u);
  let centre = vec2u(spec.width >> 1u, spec.view_height >> 1u);
  return all(pixel + half >= centre) && all(pixel < centre + half);
}

fn crosshair(c: vec3i) -> vec3i {
  let bright = c.x + 2 * c.y + c.z > 720;
  return select(255 - ((255 - c) >> vec3u(2u)), c >> vec3u(2u), bright);
}
