/**
 * Boxes of a block state once its neighbours are known: panes and fences grow arms towards what they join.
 * Flat tables indexed by state * 16 + mask (mask bits: 1 north, 2 south, 4 west, 8 east; 0 for every other block).
 */
import { B, type Box, CLASS, FLAG, FLAGS, STATE_CLASS, STATE_COUNT, STATES } from './blocks.ts';

/** Box count and first box (of 6 numbers, 1/16 block) per state * 16 + mask. */
export interface BoxTable {
  count: Uint8Array;
  first: Uint16Array;
  data: Uint8Array;
}

function connected(state: number, mask: number, height: number): Box[] {
  const fence = state === B.fence;
  const a = fence ? 6 : 7;
  const b = fence ? 10 : 9;
  const boxes: Box[] = [];
  if (mask === 0 || fence) boxes.push([a, 0, a, b, height, b]);
  if (mask & 12) boxes.push([mask & 4 ? 0 : 7, 0, 7, mask & 8 ? 16 : 9, height, 9]);
  if (mask & 3) boxes.push([7, 0, mask & 1 ? 0 : 7, 9, height, mask & 2 ? 16 : 9]);
  return boxes;
}

function table(kind: 'boxes' | 'collision'): BoxTable {
  const count = new Uint8Array(256 * 16);
  const first = new Uint16Array(256 * 16);
  const data: number[] = [];
  for (let state = 0; state < STATE_COUNT; state++) {
    const spec = STATES[state];
    for (let mask = 0; mask < 16; mask++) {
      const grows = (spec.flags & FLAG.connects) !== 0;
      const i = state * 16 + mask;
      if (!grows && mask > 0) {
        count[i] = count[state * 16];
        first[i] = first[state * 16];
        continue;
      }
      const boxes = grows ? connected(state, mask, kind === 'collision' && state === B.fence ? 24 : 16) : spec[kind];
      count[i] = boxes.length;
      first[i] = data.length / 6;
      for (const box of boxes) data.push(...box);
    }
  }
  return { count, first, data: Uint8Array.from(data) };
}

export const OUTLINE = table('boxes');
export const COLLISION = table('collision');

/** Does a pane or fence join this neighbour? Same kind, or a full solid block. */
export const joins = (self: number, neighbour: number) =>
  neighbour === self || (FLAGS[neighbour] & FLAG.fullSolid) !== 0 || (self === B.glass_pane && neighbour === B.glass);

/** Mask for a state from its four horizontal neighbours; 0 unless it connects. */
export function connectMask(state: number, north: number, south: number, west: number, east: number): number {
  if ((FLAGS[state] & FLAG.connects) === 0) return 0;
  return (
    (joins(state, north) ? 1 : 0) |
    (joins(state, south) ? 2 : 0) |
    (joins(state, west) ? 4 : 0) |
    (joins(state, east) ? 8 : 0)
  );
}

export const isOpaqueCube = (state: number) => STATE_CLASS[state] === CLASS.cube;
