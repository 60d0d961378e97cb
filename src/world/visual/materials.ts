/**
 * What the ray caster needs of every block state, packed into flat tables that go to WGSL as they are.
 * Collision and targeting boxes stay in shapes.ts; plants get small solid boxes here, because see-through texels
 * flicker at 64 pixels and thin boxes do not.
 */
import { B, type Box, EMISSION, FLAG, FLAGS, isWater, STATE_CLASS, TILES } from '../blocks.ts';
import { OUTLINE } from '../shapes.ts';

/** air: nothing; cube: opaque; layer: blended, seen through; boxes: opaque parts of a cell. */
export const MATERIAL = { air: 0, cube: 1, layer: 2, boxes: 3 } as const;
/** Layers of one kind merge: no face between two water cells or two panes of glass. */
export const LAYER = { water: 1, glass: 2, portal: 3, gate: 4 } as const;

const TUFT: readonly Box[] = [
  [3, 0, 4, 5, 7, 6],
  [10, 0, 3, 12, 9, 5],
  [6, 0, 10, 8, 10, 12],
];
const FLOWER: readonly Box[] = [
  [7, 0, 7, 9, 7, 9],
  [5, 7, 5, 11, 11, 11],
];
const CANES: readonly Box[] = [
  [3, 0, 3, 6, 16, 6],
  [10, 0, 5, 13, 16, 8],
  [6, 0, 11, 9, 16, 14],
];
// Wider than they are to touch: 4/16, or a torch three blocks away is thinner than a pixel.
const TORCHES: readonly Box[] = [
  [6, 0, 6, 10, 10, 10],
  [6, 3, 0, 10, 13, 4],
  [12, 3, 6, 16, 13, 10],
  [6, 3, 12, 10, 13, 16],
  [0, 3, 6, 4, 13, 10],
];
const DRAWN: Partial<Record<number, readonly Box[]>> = {
  [B.tall_grass]: TUFT,
  [B.flower_red]: FLOWER,
  [B.flower_yellow]: FLOWER,
  [B.sugar_cane]: CANES,
  ...Object.fromEntries(TORCHES.map((box, i) => [B.torch + i, [box]])),
};

function layerKind(state: number): number {
  if (isWater(state)) return LAYER.water;
  if (state === B.glass || state === B.glass_pane) return LAYER.glass;
  if (state === B.nether_portal || state === B.nether_portal + 1) return LAYER.portal;
  return state === B.end_gate ? LAYER.gate : 0;
}

function material(state: number): number {
  if (layerKind(state) > 0) return MATERIAL.layer;
  return [MATERIAL.air, MATERIAL.cube, MATERIAL.layer, MATERIAL.boxes][STATE_CLASS[state]];
}

/** Box as one word, 5 bits per coordinate: x0 | y0<<5 | z0<<10 | x1<<15 | y1<<20 | z1<<25, in 1/16 block. */
const packBox = (b: ArrayLike<number>) =>
  b[0] | (b[1] << 5) | (b[2] << 10) | (b[3] << 15) | (b[4] << 20) | (b[5] << 25);

const boxes: number[] = [];
const ranges = new Uint32Array(256 * 16);
for (let i = 0; i < ranges.length; i++) {
  const drawn = (i & 15) === 0 || FLAGS[i >> 4] & FLAG.connects ? DRAWN[i >> 4] : undefined;
  if ((i & 15) !== 0 && !(FLAGS[i >> 4] & FLAG.connects)) {
    ranges[i] = ranges[i & ~15];
    continue;
  }
  const list =
    drawn ??
    Array.from({ length: OUTLINE.count[i] }, (_, k) =>
      OUTLINE.data.subarray((OUTLINE.first[i] + k) * 6, (OUTLINE.first[i] + k) * 6 + 6),
    );
  ranges[i] = (boxes.length << 4) | list.length;
  for (const b of list) boxes.push(packBox(b));
}

/** BOX_RANGE[state * 16 + neighbour mask] = first << 4 | count, into BOXES. */
export const BOX_RANGE: Uint32Array = ranges;
export const BOXES: Uint32Array = Uint32Array.from(boxes);

/**
 * INFO[state]: bits 0..1 material, 2..4 layer kind, 5..8 emission, 9 the layer fills its cell (no box test),
 * 10 grows arms towards neighbours; 16..23 first state of the layer's kind, 24..31 how many follow it (ids of a kind are
 * neighbours, so a ray in water compares states and looks nothing up).
 */
export const INFO: Uint32Array = Uint32Array.from({ length: 256 }, (_, s) => {
  const full = BOXES[BOX_RANGE[s * 16] >> 4] === packBox([0, 0, 0, 16, 16, 16]) ? 1 : 0;
  const kind = layerKind(s);
  const same = kind ? [...Array(256).keys()].filter((t) => layerKind(t) === kind) : [0];
  const bits = material(s) | (kind << 2) | (EMISSION[s] << 5) | (full << 9) | (FLAGS[s] & FLAG.connects ? 1 << 10 : 0);
  return bits | (same[0] << 16) | ((same.length - 1) << 24);
});

/** FACE_TILES[state * 6 + face]: tile number, in blocks.ts FACE order. */
export const FACE_TILES: Uint8Array = TILES;

/** Which neighbours a fence (bit 0) or a pane (bit 1) joins. */
export const JOINS: Uint8Array = Uint8Array.from(
  { length: 256 },
  (_, s) =>
    (FLAGS[s] & FLAG.fullSolid && s !== B.glass ? 3 : 0) |
    (s === B.fence ? 1 : 0) |
    (s === B.glass_pane || s === B.glass ? 2 : 0) |
    (s === B.glass ? 1 : 0),
);
