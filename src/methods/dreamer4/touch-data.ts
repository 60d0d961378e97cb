/**
 * What hands do to the picture: the simulator is asked what a player would have seen without the keys for breaking, placing,
 * using and slots. Marks for training (frames.ts) and events for the evaluation (touch.ts).
 */

import { type FrameShape, patchCell } from '../../tensor/ops/images.ts';
import { KEY } from '../../world/actions.ts';
import type { Episode, EpisodeSpec } from '../../world/episodes/episode.ts';
import { recordEpisode } from '../../world/episodes/record.ts';
import { Replay } from '../../world/episodes/replay.ts';
import { EVENT } from '../../world/events.ts';
import { player, type State } from '../../world/state.ts';
import { P } from '../../world/state-layout.ts';
import { stepAction } from '../../world/step.ts';
import { fork, release } from '../../world/world.ts';
import { handsOff, slotsOff } from './features.ts';

/** Draws what the player of a state sees, RGB bytes [H, W, 3] at `at`. */
type Draw = (s: State, out: Uint8Array<ArrayBuffer>, at: number) => void;

/**
 * Mark of all patches when the player walks and something holds them. Nothing changes in such a frame, and what changes weighs
 * more in the loss: without a mark of its own, a guess between standing and walking on is better off walking.
 */
export const STOPPED = 48;
const WALKING = KEY.forward | KEY.back | KEY.left | KEY.right;
/** Blocks a step, in 1/65536: who walks freely makes 28,000. */
const HELD = 2000;

/** Bytes by which a channel must differ to be seen as different. */
const DIFFERENT = 24;

/**
 * What hands did, per frame and patch (FrameEpisode.touched): the simulator plays every action that breaks, places, uses
 * or chooses a slot once more without these keys, and the two pictures are compared. A share of bytes rather than yes or
 * no: a crack changes a few pixels of a patch in most frames of breaking, the block's coming or going changes nearly all
 * of them in one.
 */
export function touchedPatches(
  { width, height, patch }: FrameShape,
  episode: Episode,
  frames: Uint8Array,
  draw: Draw,
): Uint8Array<ArrayBuffer> {
  const size = width * height * 3;
  const columns = width / patch;
  const patches = columns * (height / patch);
  /** Index of the patch that holds a pixel's byte. */
  const patchOf = new Uint16Array(size);
  const cells = Array.from({ length: patches }, (_, p) => patchCell(p, columns).join());
  for (let k = 0; k < size; k++) {
    const [x, y] = [Math.floor(k / 3) % width, Math.floor(k / 3 / width)];
    patchOf[k] = cells.indexOf([Math.floor(x / patch), Math.floor(y / patch)].join());
  }
  const out = new Uint8Array((episode.actions.length + 1) * patches);
  const other = new Uint8Array(size);
  const count = new Uint16Array(patches);
  const replay = new Replay(episode);
  for (let i = 1; i <= episode.actions.length; i++) {
    const action = episode.actions[i - 1];
    const idle = slotsOff(handsOff(action));
    const without = idle === action ? null : fork(replay.state);
    const [x, z] = [player(replay.state, P.x), player(replay.state, P.z)];
    replay.next();
    const s = replay.state;
    const walks = (action & WALKING) !== 0 && player(s, P.guiKind) === 0 && player(s, P.collided) === 1;
    if (walks && Math.hypot(player(s, P.x) - x, player(s, P.z) - z) < HELD) {
      out.fill(STOPPED, i * patches, (i + 1) * patches);
    }
    if (!without) continue;
    stepAction(without, idle);
    draw(without, other, 0);
    release(without);
    count.fill(0);
    for (let k = 0; k < size; k++) {
      if (Math.abs(frames[i * size + k] - other[k]) > DIFFERENT) count[patchOf[k]] += 1;
    }
    for (let p = 0; p < patches; p++) {
      const at = i * patches + p;
      out[at] = Math.max(out[at], Math.ceil((255 * count[p]) / (3 * patch ** 2)));
    }
  }
  replay.release();
  return out;
}

/** Steps before the event at which the two sequences part, and steps that are dreamed. */
export const TOUCH_BEFORE = 3;
export const TOUCH_STEPS = 8;
/** Frames after the event that count: the first to the third with the block changed. */
const FIRST = TOUCH_BEFORE;
const LAST = TOUCH_BEFORE + 3;
/** What happens: a block is broken or placed, another slot of the hotbar is chosen. */
export type TouchKind = 'mined' | 'placed' | 'slot';

/** The same action without the keys that make the event. */
export const withoutKeys = (kind: TouchKind): ((action: number) => number) => (kind === 'slot' ? slotsOff : handsOff);

const KIND: ReadonlyMap<number, TouchKind> = new Map([
  [EVENT.mined, 'mined'],
  [EVENT.placed, 'placed'],
  [EVENT.selected, 'slot'],
]);

export interface TouchEvent {
  kind: TouchKind;
  /** RGB bytes [context, H, W, 3] and the action before each. */
  context: Uint8Array<ArrayBuffer>;
  contextActions: Uint32Array;
  actions: Uint32Array;
  /** RGB bytes [TOUCH_STEPS, H, W, 3]: what happened, and what would have happened without the keys. */
  touched: Uint8Array<ArrayBuffer>;
  untouched: Uint8Array<ArrayBuffer>;
  /** Indices into the bytes of `touched` that count. */
  changed: Uint32Array;
}

/** Bytes of the frames that count in which the two truths differ: in the hotbar, the lowest eighth, for a slot, above it for a block. */
function changedBytes(kind: TouchKind, a: Uint8Array, b: Uint8Array, width: number, height: number): Uint32Array {
  const out: number[] = [];
  const size = width * height * 3;
  const hotbar = width * Math.floor((height * 7) / 8);
  const [from, to] = kind === 'slot' ? [hotbar, width * height] : [0, hotbar];
  for (let i = FIRST; i < LAST; i++) {
    for (let p = from; p < to; p++) {
      const k = i * size + p * 3;
      const most = Math.max(Math.abs(a[k] - b[k]), Math.abs(a[k + 1] - b[k + 1]), Math.abs(a[k + 2] - b[k + 2]));
      if (most > DIFFERENT) out.push(k, k + 1, k + 2);
    }
  }
  return Uint32Array.from(out);
}

/**
 * Events that are looked for together, at most so many in an episode, if the two truths differ in at least the given share of
 * the picture, on average over the frames that count. Neither choice depends on the other.
 */
const GROUPS: readonly { kinds: readonly TouchKind[]; most: number; enough: number }[] = [
  { kinds: ['mined', 'placed'], most: 4, enough: 0.013 },
  { kinds: ['slot'], most: 2, enough: 0.003 },
];

/**
 * `wanted` events of the given episodes with blocks, as many broken as placed, and half as many with slots, from players that
 * build or dig.
 */
export function touchEvents(
  specs: readonly EpisodeSpec[],
  { width, height }: FrameShape,
  draw: Draw,
  wanted: number,
  context: number,
): TouchEvent[] {
  const size = width * height * 3;
  const out: TouchEvent[] = [];
  const counts = { mined: 0, placed: 0, slot: 0 };
  const full = (kind: TouchKind): boolean => counts[kind] >= wanted / 2;
  for (const spec of specs) {
    if (full('mined') && full('placed') && full('slot')) break;
    if (spec.player !== 'builder' && spec.player !== 'miner') continue;
    const episode = recordEpisode(spec);
    for (const { kinds, most, enough } of GROUPS) {
      let free = context;
      let here = 0;
      const replay = new Replay(episode);
      for (const event of episode.events) {
        const kind = KIND.get(event.type);
        if (!kind || !kinds.includes(kind) || full(kind) || here >= most) continue;
        // Step `at` makes the event; the context ends with the picture before step `start`.
        const at = Math.floor(event.tick / episode.config.ticksPerStep);
        const start = at - TOUCH_BEFORE;
        if (start < free || start + TOUCH_STEPS > episode.actions.length) continue;
        const pictures = new Uint8Array(context * size);
        const contextActions = new Uint32Array(context);
        replay.seek(start - context + 1);
        contextActions[0] = episode.actions[start - context];
        draw(replay.state, pictures, 0);
        for (let i = 1; i < context; i++) {
          contextActions[i] = replay.next();
          draw(replay.state, pictures, i * size);
        }
        const actions = new Uint32Array(TOUCH_STEPS);
        const touched = new Uint8Array(TOUCH_STEPS * size);
        const untouched = new Uint8Array(TOUCH_STEPS * size);
        const other = fork(replay.state);
        for (let i = 0; i < TOUCH_STEPS; i++) {
          actions[i] = replay.next();
          draw(replay.state, touched, i * size);
          stepAction(other, withoutKeys(kind)(actions[i]));
          draw(other, untouched, i * size);
        }
        release(other);
        free = replay.step + context;
        const changed = changedBytes(kind, touched, untouched, width, height);
        if (changed.length < enough * size * (LAST - FIRST)) continue;
        counts[kind] += 1;
        here += 1;
        out.push({ kind, context: pictures, contextActions, actions, touched, untouched, changed });
      }
      replay.release();
    }
  }
  return out;
}
