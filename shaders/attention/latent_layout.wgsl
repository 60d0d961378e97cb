// Attention whose keys and values are two stretches of one row (MLA): kv [sequences, length, groups, W], keys are the first
// DK channels, values DV channels from `values` on. groups 1 is the MQA form over latents (values = first channels of the
// key), groups = heads the MHA form, between them grouped queries. q [rows, heads, DK]; row r belongs to sequence r / per.
// What a row sees, by `mode`:
//   0 dense   the keys lo..hi-1 of its bounds
//   1 masked  those of them whose bit is set in choice [rows, ceil(length / 32)]
//   2 gather  the keys listed in choice [rows, width], NONE = no more
// Kernels that have ROW_LANES: 0 puts the heads of a row next to each other, which in MQA form read one key row; 1 puts rows
// (or keys) of one head next to each other: in MHA form the lanes of a GPU then read one address instead of one per head.
// `causal` 1 promises that row r of a sequence sees no key after its own place (per = length).
const NONE: u32 = 0xffffffffu;

struct Params {
  rows: u32, heads: u32, groups: u32, per: u32, length: u32, width: u32, mode: u32, values: u32,
  splits: u32, causal: u32, scale: f32,
}

// Row widths in quads: the values may lie inside the key (latents) or behind it.
fn row_quads(key: u32, value: u32, offset: u32) -> u32 {
  return max(key, offset + value);
}
