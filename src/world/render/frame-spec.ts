/**
 * The geometry of a frame: world view above a hotbar strip, samples per pixel, view distance, and the tables that depend
 * on nothing else. Vertical field of view 70 degrees (the setting of the VPT recordings).
 */
import type { WorldConfig } from '../config.ts';

/** Columns and rows of the overlay: an icon grid that covers the frame in a GUI screen, and its last row otherwise. */
export const GRID_COLUMNS = 8;
export const GRID_ROWS = 6;

/** tan(35 degrees) in Q14. */
const TAN_V = 11472;

export interface FrameSpec {
  readonly width: number;
  readonly height: number;
  /** Rows of world view; the strip below has height - viewHeight rows. */
  readonly viewHeight: number;
  /** Samples per pixel and axis. */
  readonly ssaa: 1 | 2;
  /** Radial, in blocks. Fog runs from fogStart16 / 16 blocks to here. */
  readonly viewDistance: number;
  readonly fogStart16: number;
  /** Half-width and half-height of the image plane at depth 1, Q14. */
  readonly tanH: number;
  readonly tanV: number;
  /** Depth in blocks (Q18) up to which mip 0 is used; doubles per level. */
  readonly mipDepth: number;
  /** Pixels per icon texel, at least 1. */
  readonly iconScale: number;
  /** Per sample, row by row: depth along the camera axis (Q18) of a point one block away along the ray. */
  readonly depth1: Uint32Array;
}

export function frameSpec(frame: WorldConfig['frame']): FrameSpec {
  const { width, height, ssaa, viewDistance } = frame;
  if (width % GRID_COLUMNS !== 0 || height < 48 || width > 1024)
    throw new Error(`frame ${width}x${height}: the width must be a multiple of 8 up to 1024, the height at least 48`);
  if (viewDistance < 8 || viewDistance > 48) throw new Error(`view distance ${viewDistance}: must be 8..48 blocks`);
  const viewHeight = height - Math.floor(height / GRID_ROWS);
  const tanH = Math.floor((TAN_V * width) / viewHeight);
  const columns = width * ssaa;
  const rows = viewHeight * ssaa;
  const depth1 = new Uint32Array(columns * rows);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const a = ((2 * x + 1 - columns) * tanH) / (columns * 16384);
      const b = ((2 * y + 1 - rows) * TAN_V) / (rows * 16384);
      depth1[y * columns + x] = Math.floor(262144 / Math.sqrt(1 + a * a + b * b));
    }
  return {
    width,
    height,
    viewHeight,
    ssaa,
    viewDistance,
    fogStart16: viewDistance * 9,
    tanH,
    tanV: TAN_V,
    // One texel (1/16 block) per pixel at this depth.
    mipDepth: Math.floor((262144 * viewHeight * 16384) / (2 * TAN_V * 16)),
    iconScale: Math.max(1, Math.floor(Math.min(width / 64, height / 48))),
    depth1,
  };
}

/** First pixel row of overlay row r (0..6). */
export const gridRowTop = (spec: FrameSpec, r: number): number =>
  r >= GRID_ROWS ? spec.height : Math.floor((r * spec.viewHeight) / (GRID_ROWS - 1));
