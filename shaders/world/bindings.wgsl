// What the frame kernel reads and writes, and the few functions that its parts share. No entry point. Storage first, the
// uniform last, all read_write: the engine's binding convention (src/gpu/pipelines.ts); only `pixels` is written.

struct Spec {
  width: u32,
  height: u32,
  view_height: u32,
  ssaa: u32,
  view_distance: i32,
  fog_start16: i32,
  mip_depth: i32,
  icon_scale: u32,
  frames: u32,
  pad0: u32,
  pad1: u32,
  pad2: u32,
}

// [frames, 576] FrameRec (frame-rec.ts)
@group(0) @binding(0) var<storage, read_write> recs: array<u32>;
// Page slots of 4096 cells, two u16 per word: block state | light << 8
@group(0) @binding(1) var<storage, read_write> cells: array<u32>;
// Visual tables back to back; the *_AT constants say where each begins
@group(0) @binding(2) var<storage, read_write> tables: array<u32>;
// Depth of a point one block away, per sample of the view
@group(0) @binding(3) var<storage, read_write> depth1: array<u32>;
// [frames, height, width] r | g<<8 | b<<16 | 255<<24
@group(0) @binding(4) var<storage, read_write> pixels: array<u32>;
@group(0) @binding(5) var<uniform> spec: Spec;

override INFO_AT: u32 = 0;
override RANGE_AT: u32 = 0;
override BOXES_AT: u32 = 0;
override TILES_AT: u32 = 0;
override JOINS_AT: u32 = 0;
override LUT_AT: u32 = 0;
override SHADE_AT: u32 = 0;
override CRACKS_AT: u32 = 0;
override ATLAS_AT: u32 = 0;
override ICONS_AT: u32 = 0;
override COLOURS_AT: u32 = 0;
override CURSOR_AT: u32 = 0;

// First word of this thread's record
var<private> rec: u32;

fn word(i: u32) -> u32 {
  return recs[rec + i];
}

fn colour_of(w: u32) -> vec3i {
  return vec3i(i32(w & 255u), i32((w >> 8u) & 255u), i32((w >> 16u) & 255u));
}
