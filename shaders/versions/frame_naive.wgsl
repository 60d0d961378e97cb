// The ray caster with one loop for everything: a cell a turn, with its look-up, its boxes and its shading. First rung of the
// ladder. The one in use, whose parts it shares and whose every byte it gives: world/frame.wgsl.

import package::world::bindings::{spec, recs, tables, depth1, pixels, rec, word, colour_of, TILES_AT, SHADE_AT, ATLAS_AT};
import package::world::overlay::{overlay_pixel, tint, crosshair, in_crosshair};
import package::world::frame::{
  REC_WORDS, R_BASE, R_DX, R_DY, R_DARK, R_TOP, R_ENTITY_COUNT, R_TINT, R_FLAGS, R_EYE_SKY, R_EYE_LAYER, R_EYE_STATE, R_EYE_PASS,
  REC_ENTITIES, FLAG_GUI, FLAG_CROSSHAIR, CUBE, LAYER, WATER, OPEN_AIR, MAX_CELLS, FAR, END_NONE, END_SKY, END_SOLID, END_FAR,
  EYE_LAYER_ALPHA, TILE_TEXELS, o, dark, top_y, eye_sky, d, ad, inv, d1, sky_colour, box_s, box_axis, alpha,
  fmul, vec_word, lut, info_of, cell, sky, dim, fog, hit_boxes, shaded_face, shade, hit_entity, layer_weight,
};

fn sample_colour(pixel: vec2u) -> vec3i {
  ad = max(abs(d), vec3i(4));
  inv = vec3i(vec3u(0xffffffffu) / vec3u(ad));
  sky_colour = sky();
  var p = o >> vec3u(12u);
  let forward = d >= vec3i(0);
  let step = select(vec3i(-1), vec3i(1), forward);
  var next = fmul(select(o - (p << vec3u(12u)), ((p + 1) << vec3u(12u)) - o, forward));
  let stop = spec.view_distance * d1;
  var entity_s = FAR;
  let entity = hit_entity(pixel);
  if (entity >= 0) { entity_s = box_s; }
  let entity_axis = box_axis;
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
  var pass_from = word(R_EYE_PASS) & 255u;
  var pass_span = word(R_EYE_PASS) >> 8u;
  var s = 0;
  var axis = 0u;
  var value = OPEN_AIR;
  var end = END_NONE;
  var c = vec3i(0);
  for (var n = 0; n < MAX_CELLS; n++) {
    if (next.x < next.y && next.x < next.z) { axis = 0u; }
    else if (next.y < next.z) { axis = 1u; }
    else { axis = 2u; }
    s = next[axis];
    next[axis] += inv[axis];
    p[axis] += step[axis];
    if (p.x < 0 || p.x > 127 || p.z < 0 || p.z > 127 || p.y < 0 || (forward.y && p.y > top_y)) {
      end = END_SKY;
      break;
    }
    if (s >= min(stop, entity_s)) {
      end = END_FAR;
      break;
    }
    value = cell(p);
    let state = value & 255u;
    if (state - pass_from <= pass_span) { continue; }
    let info = info_of(state);
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
      if (!hit_boxes(state, info, p)) { continue; }
      entry = box_s;
      entry_axis = box_axis;
      whole = kind == WATER;
    }
    if (material == LAYER) {
      pass_from = (info >> 16u) & 255u;
      pass_span = info >> 24u;
    }
    if ((material == LAYER && layers == 2) || entry >= entity_s) { continue; }
    let shaded = shade(state, p, entry_axis, entry, whole);
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
  var sum = vec3i(0);
  for (var j = 0u; j < spec.ssaa; j++) {
    for (var i = 0u; i < spec.ssaa; i++) {
      let x = pixel.x * spec.ssaa + i;
      let y = pixel.y * spec.ssaa + j;
      d = (vec_word(R_BASE) + i32(x) * vec_word(R_DX) + i32(y) * vec_word(R_DY)) >> vec3u(6u);
      d1 = i32(depth1[y * spec.width * spec.ssaa + x]);
      sum += sample_colour(pixel);
    }
  }
  return select(sum, (sum + 2) >> vec3u(2u), spec.ssaa == 2u);
}

@compute @workgroup_size(8, 8)
fn naive(@builtin(global_invocation_id) id: vec3u) {
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
