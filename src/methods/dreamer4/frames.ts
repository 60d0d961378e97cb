/**
 * Training data as the method sees it: episodes of frames and of the actions that led into them. The training code has
 * no access to the simulator (offline rule, dreamer4 11.2); who builds this from the simulator is dataset.ts.
 */
import { mix32, uniform01 } from '../../gpu/rng.ts';

export interface FrameEpisode {
  /** RGB bytes [n, H, W, 3]. */
  frames: Uint8Array<ArrayBuffer>;
  /** [n]; actions[i] led into frame i, the first is NO_ACTION. */
  actions: Uint32Array<ArrayBuffer>;
  /**
   * [n, patches]; share of the patch, 0 to 255, that would look different without the keys for breaking, placing, using and slots.
   * Of a frame before which something stopped a walk, a fixed share (STOPPED of touch-data.ts).
   */
  touched?: Uint8Array<ArrayBuffer>;
}

type FrameMarks = Pick<FrameEpisode, 'actions' | 'touched'>;

export interface FrameSet {
  width: number;
  height: number;
  episodes: FrameEpisode[];
}

export interface Window {
  episode: number;
  start: number;
}

/** Windows of `time` frames, drawn with the counter (seed, step, row): the same for every rerun. */
export function drawWindows(
  set: { lengths: number[] },
  rows: number,
  time: number,
  seed: number,
  step: number,
): Window[] {
  const usable = set.lengths.map((n, i) => ({ i, starts: n - time + 1 })).filter((e) => e.starts > 0);
  const total = usable.reduce((sum, e) => sum + e.starts, 0);
  if (total === 0) throw new Error(`No episode has ${time} frames; the longest has ${Math.max(0, ...set.lengths)}.`);
  return Array.from({ length: rows }, (_, row) => {
    let at = mix32(seed, step, row, 77) % total;
    for (const e of usable) {
      if (at < e.starts) return { episode: e.i, start: at };
      at -= e.starts;
    }
    throw new Error('unreachable: the window lies past the last episode');
  });
}

/** Share of the picture that must be marked in a frame to be chosen: a block that comes or goes, another slot, seldom a crack. */
const ENOUGH = 0.008;

/** Frames in which the player's hands changed something larger in view, or in which a walk was stopped. */
export function touchedFrames(episodes: readonly FrameMarks[]): { episode: number; frame: number }[] {
  return episodes.flatMap(({ actions, touched }, episode) => {
    const patches = touched ? touched.length / actions.length : 0;
    return Array.from(actions.keys())
      .filter((frame) => {
        const marks = touched?.subarray(frame * patches, (frame + 1) * patches);
        return (marks?.reduce((sum, share) => sum + share, 0) ?? 0) > ENOUGH * 255 * patches;
      })
      .map((frame) => ({ episode, frame }));
  });
}

/**
 * As `drawWindows`, but a `share` of the rows shows one of the `chosen` frames, at an odd place unless the episode
 * ends there: where rows have finished context, even frames are it (noise-levels.ts).
 */
export function drawWindowsAround(
  set: { lengths: number[] },
  chosen: readonly { episode: number; frame: number }[],
  share: number,
  rows: number,
  time: number,
  seed: number,
  step: number,
): Window[] {
  const windows = drawWindows(set, rows, time, seed, step);
  if (share === 0 || chosen.length === 0) return windows;
  return windows.map((window, row) => {
    if (uniform01(mix32(seed, step, row, 78)) >= share) return window;
    const { episode, frame } = chosen[mix32(seed, step, row, 79) % chosen.length];
    const last = set.lengths[episode] - time;
    if (last < 0) return window;
    const before = 1 + 2 * (mix32(seed, step, row, 80) % Math.max(1, time >> 1));
    return { episode, start: Math.min(last, Math.max(0, frame - before)) };
  });
}
