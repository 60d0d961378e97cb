// The voxel ray caster: one thread per pixel, z = frame of the batch. Integers only; src/world/render/raycast.ts is the
// same text in TypeScript and gives the same bytes. Formats: positions Q12, directions Q14, ray parameter s Q18 (depth
// along the camera axis). Every product fits 32 bits; ad >= 4, so no division by zero.
// Not a rasteriser and not the human view: this is what agents and world models see.

import package::world::bindings::{
  spec, recs, cells, tables, depth1, pixels, rec, word, colour_of,
  INFO_AT, RANGE_AT, BOXES_AT, TILES_AT, JOINS_AT, LUT_AT, SHADE_AT, CRACKS_AT, ATLAS_AT,
};
import package::world::overlay::{overlay_pixel, tint, crosshair, in_crosshair};

const REC_WORDS = 576u;
const R_BASE = 3u;
const R_DX = 6u;
const R_DY = 9u;
const R_DARK = 12u;
const R_CRACK_CELL = 13u;
const R_CRACK_STAGE = 14u;
const R_ZENITH = 15u;
const R_HORIZON = 16u;
const R_TOP = 17u;
const R_ENTITY_COUNT = 18u;
const R_TINT = 19u;
const R_FLAGS = 21u;
const R_SUN = 22u;
const R_EYE_SKY = 24u;
const R_EYE_LAYER = 25u;
const R_EYE_STATE = 26u;
const R_EYE_PASS = 28u;
const REC_SECTIONS = 64u;
const REC_ENTITIES = 320u;
const FLAG_GUI = 1u;
const FLAG_CROSSHAIR = 2u;
const FLAG_SUN = 4u;

const CUBE = 1u;
const LAYER = 2u;
const WATER = 1u;
const OPEN_AIR = 0xf000u;
const OPEN_AIR_SECTION = 0x8000f000u;
const MAX_CELLS = 256;
const FAR = 0x40000000;
// How a ray ends
const END_NONE = 0;
const END_SKY = 1;
const END_SOLID = 2;
const END_FAR = 3;
const SUN_COLOUR = vec3i(255, 244, 214);
const EYE_LAYER_ALPHA = 90;
const TILE_TEXELS = 341u;

// Eye and frame
var<private> o: vec3i;
var<private> dark: i32;
var<private> top_y: i32;
var<private> eye_sky: i32;
// Ray
var<private> d: vec3i;
var<private> ad: vec3i;
var<private> inv: vec3i;
var<private> d1: i32;
var<private> sky_colour: vec3i;
// Results of box() and shade()
var<private> box_s: i32;
var<private> box_axis: u32;
var<private> alpha: i32;
var<private> face_sky: i32;

// floor(f * inv / 4096) for f <= 4096, without 64-bit products.
fn fmul(f: vec3i) -> vec3i {
  return f * (inv >> vec3u(12u)) + ((f * (inv & vec3i(4095))) >> vec3u(12u));
}
// floor(ad * s / 2^20): how far the ray has moved along each axis, Q12.
fn travel(s: i32) -> vec3i {
  return (ad * (s >> 10u) + ((ad * (s & 1023)) >> vec3u(10u))) >> vec3u(10u);
}
// Ray parameter after distances of f (Q12, any length); FAR where the ray is nearly parallel to the axis.
fn reach(f: vec3i) -> vec3i {
  let long = (f >> vec3u(12u)) * inv + fmul(f & vec3i(4095));
  return select(select(long, vec3i(FAR), inv >= vec3i(0x1000000)), fmul(f), f <= vec3i(4096));
}
fn vec_word(i: u32) -> vec3i {
  return vec3i(i32(recs[rec + i]), i32(recs[rec + i + 1u]), i32(recs[rec + i + 2u]));
}
fn lut(level: i32) -> i32 {
  return i32(tables[LUT_AT + u32(level)]);
}
fn info_of(state: u32) -> u32 {
  return tables[INFO_AT + state];
}

// Cell value inside the window; open air above it, an opaque floor below it.
fn cell(p: vec3i) -> u32 {
  if (p.y > 63) { return OPEN_AIR; }
  if (p.y < 0) { return 1u; }
  return inner_cell(p);
}
fn inner_cell(p: vec3i) -> u32 {
  let q = vec3u(p);
  let t = recs[rec + REC_SECTIONS + (((q.y >> 4u) << 6u) | ((q.z >> 4u) << 3u) | (q.x >> 4u))];
  if (t >= 0x80000000u) { return t & 0xffffu; }
  let i = (t << 12u) | ((q.y & 15u) << 8u) | ((q.z & 15u) << 4u) | (q.x & 15u);
  return (cells[i >> 1u] >> ((i & 1u) << 4u)) & 0xffffu;
}

// Light level 0..15 of a cell after the night's loss, -1 if opaque.
fn light(v: u32) -> i32 {
  if ((info_of(v & 255u) & 3u) == CUBE) { return -1; }
  return max(i32(v >> 12u) - dark, i32((v >> 8u) & 15u));
}

// Sum of the four cells that meet in a face corner; behind two opaque sides the diagonal is hidden.
fn corner(centre: i32, a: i32, b: i32, diagonal: i32) -> i32 {
  var far = max(diagonal, 0);
  if (a < 0 && b < 0) { far = 0; }
  return centre + max(a, 0) + max(b, 0) + far;
}

// Smoothed light 0..60 in the plane of cell p, spanned by u and w, at texel (a, b). One cell look-up in a loop: nine
// inlined ones multiply the compile time.
fn face_light(p: vec3i, u: vec3i, w: vec3i, a: i32, b: i32) -> i32 {
  var l: array<i32, 9>;
  for (var i = 0; i < 9; i++) {
    let v = cell(p + u * (i % 3 - 1) + w * (i / 3 - 1));
    if (i == 4) { face_sky = i32(v >> 12u); }
    l[i] = light(v);
  }
  let centre = max(l[4], 0);
  let low = corner(centre, l[3], l[1], l[0]) * (15 - a) + corner(centre, l[5], l[1], l[2]) * a;
  let high = corner(centre, l[3], l[7], l[6]) * (15 - a) + corner(centre, l[5], l[7], l[8]) * a;
  return (low * (15 - b) + high * b) / 225;
}

// Sky colour along the ray: gradient by elevation, square sun.
fn sky() -> vec3i {
  let t = clamp(((d.y * (d1 >> 4u)) >> 14u) >> 5u, 0, 256);
  let horizon = colour_of(word(R_HORIZON));
  let zenith = colour_of(word(R_ZENITH));
  if ((word(R_FLAGS) & FLAG_SUN) != 0u) {
    let sx = i32(word(R_SUN));
    let sy = i32(word(R_SUN + 1u));
    let along = (d.x * sx + d.y * sy) >> 14u;
    let across = (d.y * sx - d.x * sy) >> 14u;
    if (along > 0 && abs(across) * 10 < along && ad.z * 10 < along) { return SUN_COLOUR; }
  }
  return horizon + (((zenith - horizon) * t) >> vec3u(8u));
}

fn dim(c: vec3i, sky_light: i32) -> vec3i {
  let k = lut(4 * max(sky_light, eye_sky)) + 1;
  return (c * k) >> vec3u(8u);
}

// Fades a colour into the sky of this ray; in places without sky light the fog is dark.
fn fog(c: vec3i, s: i32, sky_light: i32) -> vec3i {
  let span = spec.view_distance * 16 - spec.fog_start16;
  let t = min((((s * 16) / d1 - spec.fog_start16) * 256) / span, 256);
  if (t <= 0) { return c; }
  return c + (((dim(sky_colour, sky_light) - c) * t) >> vec3u(8u));
}

// Does the ray enter the box lo..hi? Sets box_s and box_axis; a ray that starts inside misses.
fn box(lo: vec3i, hi: vec3i) -> bool {
  let forward = d >= vec3i(0);
  let near = select(o - hi, lo - o, forward);
  let far = select(o - lo, hi - o, forward);
  let into = select(vec3i(-1), reach(near), near >= vec3i(0));
  let out = reach(far);
  let enter = max(max(into.x, into.y), into.z);
  box_axis = select(select(2u, 1u, into.y == enter), 0u, into.x == enter);
  box_s = enter;
  return all(far >= vec3i(0)) && enter >= 0 && enter < min(min(out.x, out.y), out.z);
}

// Nearest box of a cell; sets box_s and box_axis. Water under water is a full cube.
fn hit_boxes(state: u32, info: u32, p: vec3i) -> bool {
  var mask = 0u;
  if ((info & 1024u) != 0u) {
    let kind = select(1u, 2u, (info & 3u) == LAYER);
    // North, south, west, east
    for (var i = 0u; i < 4u; i++) {
      let step = select(-1, 1, (i & 1u) == 1u);
      let at = p + select(vec3i(step, 0, 0), vec3i(0, 0, step), i < 2u);
      if ((tables[JOINS_AT + (cell(at) & 255u)] & kind) != 0u) { mask |= 1u << i; }
    }
  }
  var top = 0u;
  if (((info >> 2u) & 7u) == WATER && ((info_of(cell(p + vec3i(0, 1, 0)) & 255u) >> 2u) & 7u) == WATER) { top = 16u; }
  let range = tables[RANGE_AT + ((state << 4u) | mask)];
  var best = FAR;
  var axis = 0u;
  let base = p << vec3u(12u);
  for (var k = 0u; k < (range & 15u); k++) {
    let b = tables[BOXES_AT + (range >> 4u) + k];
    let y1 = select((b >> 20u) & 31u, top, top > 0u);
    let lo = vec3i(vec3u(b & 31u, (b >> 5u) & 31u, (b >> 10u) & 31u) << vec3u(8u));
    let hi = vec3i(vec3u((b >> 15u) & 31u, y1, (b >> 25u) & 31u) << vec3u(8u));
    if (box(base + lo, base + hi)) {
      if (box_s < best) {
        best = box_s;
        axis = box_axis;
      }
    }
  }
  box_s = best;
  box_axis = axis;
  return best < FAR;
}

fn shaded_face(axis: u32) -> u32 {
  if (axis == 1u) { return select(0u, 1u, d.y < 0); }
  if (axis == 2u) { return select(2u, 3u, d.z < 0); }
  return select(4u, 5u, d.x < 0);
}

// Colour of the face entered along `axis` at parameter s, its tile alpha in `alpha`; whole = the face of a unit cube.
fn shade(state: u32, p: vec3i, axis: u32, s: i32, whole: bool) -> vec3i {
  let way = travel(s);
  let at = o + select(-way, way, d >= vec3i(0)) - (p << vec3u(12u));
  let f = clamp(at, vec3i(0), vec3i(4095)) >> vec3u(8u);
  let face = shaded_face(axis);
  let flip = (face & 1u) == 1u;
  // Texel (u, v), and the same point along the two axes of the face (a, b).
  var a = f.x;
  var b = f.y;
  var u = select(15 - f.x, f.x, flip);
  var v = 15 - f.y;
  var along = vec3i(1, 0, 0);
  var across = vec3i(0, 1, 0);
  if (axis == 1u) {
    b = f.z;
    u = f.x;
    v = f.z;
    across = vec3i(0, 0, 1);
  } else if (axis == 0u) {
    a = f.z;
    u = select(f.z, 15 - f.z, flip);
    along = vec3i(0, 0, 1);
  }
  var level = 0;
  if (whole) {
    var front = p;
    front[axis] += select(-1, 1, flip);
    level = face_light(front, along, across, a, b);
  } else {
    let here = cell(p);
    face_sky = i32(here >> 12u);
    level = max(4 * light(here), 0);
  }
  level = max(level, i32((info_of(state) >> 5u) & 15u) * 4);
  var mip = 0u;
  if (s > spec.mip_depth * 8) { mip = 4u; }
  else if (s > spec.mip_depth * 4) { mip = 3u; }
  else if (s > spec.mip_depth * 2) { mip = 2u; }
  else if (s > spec.mip_depth) { mip = 1u; }
  if (!whole) { mip = min(mip, 2u); }
  // Levels begin at 0, 256, 320, 336, 340: 341 minus the texels from this level on.
  let size = 16u >> mip;
  let offset = 341u - (4u * size * size - 1u) / 3u;
  let tile = tables[TILES_AT + state * 6u + face];
  let texel = tables[ATLAS_AT + tile * TILE_TEXELS + offset + (u32(v) >> mip) * size + (u32(u) >> mip)];
  alpha = i32(texel >> 24u);
  var k = (lut(level) + 1) * i32(tables[SHADE_AT + face]);
  let stage = word(R_CRACK_STAGE);
  if (stage > 0u && word(R_CRACK_CELL) == u32((p.z << 16u) | (p.y << 8u) | p.x)) {
    let crack = tables[CRACKS_AT + u32((v << 4u) | u)];
    k = (k * select(256 - 20 * i32(stage), 96, crack > 0u && crack <= stage)) >> 8u;
  }
  return fog((colour_of(texel) * k) >> vec3u(16u), s, face_sky);
}

// Nearest entity box whose screen bounds hold the pixel: its index or -1; sets box_s and box_axis.
fn hit_entity(pixel: vec2u) -> i32 {
  var best = FAR;
  var axis = 0u;
  var index = -1;
  let count = word(R_ENTITY_COUNT);
  let q = pixel >> vec2u(2u);
  for (var e = 0u; e < count; e++) {
    let at = REC_ENTITIES + e * 8u;
    let bounds = word(at + 7u);
    if (q.x < (bounds & 255u) || q.x > ((bounds >> 8u) & 255u) || q.y < ((bounds >> 16u) & 255u) || q.y > (bounds >> 24u)) { continue; }
    if (box(vec_word(at), vec_word(at + 3u))) {
      if (box_s < best) {
        best = box_s;
        axis = box_axis;
        index = i32(e);
      }
    }
  }
  box_s = best;
  box_axis = axis;
  return index;
}

// Weight of a layer seen for a distance: water thickens by 1/256 per 1/16 block, at most 80.
fn layer_weight(kind: u32, base: i32, length: i32, left: i32) -> i32 {
  var w = base;
  if (kind == WATER) { w += min((length * 16) / d1, 80); }
  w = select(w + (w >> 7u), 256, w > 255);
  return (left * w) >> 8u;
}

// One sample. CPU adapters run both sides of every branch, so the march is a tight loop of its own and everything that
// happens at a cell (boxes, shading) stands outside it.
fn sample_colour(pixel: vec2u) -> vec3i {
  ad = max(abs(d), vec3i(4));
  inv = vec3i(vec3u(0xffffffffu) / vec3u(ad));
  sky_colour = sky();
  var p = o >> vec3u(12u);
  let forward = d >= vec3i(0);
  let step = select(vec3i(-1), vec3i(1), forward);
  let add = inv;
  var next = fmul(select(o - (p << vec3u(12u)), ((p + 1) << vec3u(12u)) - o, forward));
  let stop = spec.view_distance * d1;
  var entity_s = FAR;
  var entity_axis = 0u;
  var entity = -1;
  if (word(R_ENTITY_COUNT) > 0u) {
    entity = hit_entity(pixel);
    entity_s = box_s;
    entity_axis = box_axis;
  }
  let limit = min(stop, entity_s);
  let sections = rec + REC_SECTIONS;
  // Layers seen so far, front to back: weight left for what lies behind, weighted colour sum.
  var left = 256;
  var sum = vec3i(0);
  var layers = 0;
  var pending = word(R_EYE_LAYER);
  var pend_colour = vec3i(0);
  var pend_alpha = EYE_LAYER_ALPHA;
  var pend_s = 0;
  if (pending > 0u) {
    let tile = tables[TILES_AT + word(R_EYE_STATE) * 6u];
    pend_colour = (colour_of(tables[ATLAS_AT + tile * TILE_TEXELS + 340u]) * (lut(4 * eye_sky) + 1)) >> vec3u(8u);
  }
  // Upwards, above the highest block there is only sky.
  let ceiling = select(0x7fffffffu, u32(top_y), forward.y);
  // States that the ray passes without a stop: air, or the layer it is in. Layers of a kind have neighbouring ids.
  var pass_from = word(R_EYE_PASS) & 255u;
  var pass_span = word(R_EYE_PASS) >> 8u;
  var s = 0;
  var value = OPEN_AIR;
  var end = END_NONE;
  var c = vec3i(0);
  // A stop per cell at most.
  for (var n = 0; n < MAX_CELLS; n++) {
    var mx = false;
    var my = false;
    var out = false;
    loop {
      mx = next.x < next.y && next.x < next.z;
      my = !mx && next.y < next.z;
      let m = vec3<bool>(mx, my, !(mx || my));
      s = min(min(next.x, next.y), next.z);
      next += select(vec3i(0), add, m);
      p += select(vec3i(0), step, m);
      let q = vec3u(p);
      out = (q.x | q.z) > 127u || q.y > ceiling;
      let t = select(recs[sections + (((q.y & 48u) << 2u) | ((q.z & 112u) >> 1u) | ((q.x >> 4u) & 7u))], OPEN_AIR_SECTION, q.y > 63u);
      let i = ((t & 0x3ffffu) << 12u) | ((q.y & 15u) << 8u) | ((q.z & 15u) << 4u) | (q.x & 15u);
      let here = select((cells[i >> 1u] >> ((i & 1u) << 4u)) & 0xffffu, t & 0xffffu, t >= 0x80000000u);
      // Fog at the far end is as bright as the last cell before it.
      value = select(here, value, s >= limit);
      if (out || s >= limit || (value & 255u) - pass_from > pass_span) { break; }
    }
    if (out) {
      end = END_SKY;
      break;
    }
    if (s >= limit) {
      end = END_FAR;
      break;
    }
    let axis = select(select(2u, 1u, my), 0u, mx);
    let info = info_of(value & 255u);
    if (pending > 0u) {
      let w = layer_weight(pending, pend_alpha, s - pend_s, left);
      sum += pend_colour * w;
      left -= w;
      pending = 0u;
    }
    pass_from = 0u;
    pass_span = 0u;
    let material = info & 3u;
    if (material == 0u) { continue; }
    let kind = (info >> 2u) & 7u;
    var entry = s;
    var entry_axis = axis;
    var whole = material == CUBE || (info & 512u) != 0u;
    if (!whole) {
      if (!hit_boxes(value & 255u, info, p)) { continue; }
      entry = box_s;
      entry_axis = box_axis;
      whole = kind == WATER;
    }
    if (material == LAYER) {
      pass_from = (info >> 16u) & 255u;
      pass_span = info >> 24u;
    }
    // Two layers at most; and what stands behind an entity is not seen.
    if ((material == LAYER && layers == 2) || entry >= entity_s) { continue; }
    let shaded = shade(value & 255u, p, entry_axis, entry, whole);
    if (material != LAYER) {
      s = entry;
      c = shaded;
      end = END_SOLID;
      break;
    }
    layers++;
    pend_colour = shaded;
    pending = kind;
    pend_alpha = alpha;
    pend_s = entry;
  }
  if (end != END_SOLID) {
    c = sky_colour;
    if (end != END_SKY) {
      s = stop;
      c = dim(c, i32(value >> 12u));
    }
    if (entity >= 0 && entity_s < stop) {
      s = entity_s;
      end = END_SOLID;
      let colour = word(REC_ENTITIES + u32(entity) * 8u + 6u);
      let k = (lut(i32((colour >> 24u) & 63u)) + 1) * i32(tables[SHADE_AT + shaded_face(entity_axis)]);
      c = fog((colour_of(colour) * k) >> vec3u(16u), s, eye_sky);
    }
  }
  if (pending > 0u) {
    // Towards the sky a layer is as thick as it gets.
    let length = select(s - pend_s, 5 * d1, end == END_SKY);
    let w = layer_weight(pending, pend_alpha, length, left);
    sum += pend_colour * w;
    left -= w;
  }
  return (sum + c * left) >> vec3u(8u);
}

fn view_pixel(pixel: vec2u) -> vec3i {
  o = vec_word(0u);
  dark = i32(word(R_DARK));
  top_y = i32(word(R_TOP));
  eye_sky = i32(word(R_EYE_SKY));
  let base = vec_word(R_BASE);
  let dx = vec_word(R_DX);
  let dy = vec_word(R_DY);
  let columns = spec.width * spec.ssaa;
  var sum = vec3i(0);
  for (var j = 0u; j < spec.ssaa; j++) {
    for (var i = 0u; i < spec.ssaa; i++) {
      let x = pixel.x * spec.ssaa + i;
      let y = pixel.y * spec.ssaa + j;
      d = (base + i32(x) * dx + i32(y) * dy) >> vec3u(6u);
      d1 = i32(depth1[y * columns + x]);
      sum += sample_colour(pixel);
    }
  }
  return select(sum, (sum + 2) >> vec3u(2u), spec.ssaa == 2u);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= spec.width || id.y >= spec.height || id.z >= spec.frames) { return; }
  rec = id.z * REC_WORDS;
  let gui = (word(R_FLAGS) & FLAG_GUI) != 0u;
  var c = vec3i(0);
  if (gui || id.y >= spec.view_height) {
    c = overlay_pixel(id.xy, gui);
  } else {
    c = tint(view_pixel(id.xy), word(R_TINT));
    if ((word(R_FLAGS) & FLAG_CROSSHAIR) != 0u && in_crosshair(id.xy)) { c = crosshair(c); }
  }
  pixels[(id.z * spec.height + id.y) * spec.width + id.x] = 0xff000000u | u32(c.x) | (u32(c.y) << 8u) | (u32(c.z) << 16u);
}
