/**
 * What a player sees who walks straight on, from moments of scripted episodes: against something that stops them, or on open
 * ground. For the evaluation (walk.ts).
 */

import type { FrameShape } from '../../tensor/ops/images.ts';
import { KEY, makeAction } from '../../world/actions.ts';
import type { EpisodeSpec } from '../../world/episodes/episode.ts';
import { recordEpisode } from '../../world/episodes/record.ts';
import { Replay } from '../../world/episodes/replay.ts';
import { player, type State } from '../../world/state.ts';
import { P } from '../../world/state-layout.ts';
import { stepAction } from '../../world/step.ts';
import { fork, release } from '../../world/world.ts';

/** Steps that are walked, and the first of those that count: until then a player may still be on the way to the wall. */
export const WALK_STEPS = 12;
export const WALK_COUNTED = 6;
/** Steps between two tries in an episode. */
const EVERY = 40;
const WALK = makeAction(KEY.forward);
/** Blocks between the places at the first and at the last step that counts, in 1/65536: at most to stand, at least to walk. */
const STANDS = 0.02 * 65536;
const WALKS = 1.5 * 65536;

export interface WalkEvent {
  /** Whether something stopped the player. */
  stopped: boolean;
  /** RGB bytes [context, H, W, 3] and the action before each. */
  context: Uint8Array<ArrayBuffer>;
  contextActions: Uint32Array;
  /** The one action of all steps. */
  action: number;
  /** RGB bytes [WALK_STEPS, H, W, 3]. */
  truth: Uint8Array<ArrayBuffer>;
}

/** Whether who walks on after these actions is stopped; null if neither that nor a walk. Draws nothing: most moments are neither. */
function walksInto(state: State, actions: Uint32Array): boolean | null {
  const s = fork(state);
  for (const action of actions) stepAction(s, action);
  let [x, z] = [0, 0];
  for (let i = 0; i < WALK_STEPS; i++) {
    stepAction(s, WALK);
    if (i === WALK_COUNTED - 1) [x, z] = [player(s, P.x), player(s, P.z)];
  }
  const way = Math.hypot(player(s, P.x) - x, player(s, P.z) - z);
  // An open screen stops a player too, and water or a fall shows other things than a walk.
  const walking = player(s, P.guiKind) === 0 && player(s, P.onGround) !== 0 && !player(s, P.inWater);
  release(s);
  if (!walking || (way > STANDS && way < WALKS)) return null;
  return way <= STANDS;
}

/** `wanted` events, half of them stopped, at most two of a kind an episode. */
export function walkEvents(
  specs: readonly EpisodeSpec[],
  { width, height }: FrameShape,
  draw: (s: State, out: Uint8Array<ArrayBuffer>, at: number) => void,
  wanted: number,
  context: number,
): WalkEvent[] {
  const size = width * height * 3;
  const out: WalkEvent[] = [];
  const count = (stopped: boolean): number => out.filter((e) => e.stopped === stopped).length;
  for (const spec of specs) {
    if (out.length >= wanted) break;
    const replay = new Replay(recordEpisode(spec));
    const here = [0, 0];
    for (let start = context; start < replay.episode.actions.length; start += Math.max(EVERY, context)) {
      replay.seek(start - context + 1);
      const contextActions = replay.episode.actions.slice(start - context, start);
      const stopped = walksInto(replay.state, contextActions.subarray(1));
      if (stopped === null || count(stopped) >= wanted / 2 || here[+stopped] >= 2) continue;
      const pictures = new Uint8Array(context * size);
      draw(replay.state, pictures, 0);
      for (let i = 1; i < context; i++) {
        replay.next();
        draw(replay.state, pictures, i * size);
      }
      const walker = fork(replay.state);
      const truth = new Uint8Array(WALK_STEPS * size);
      for (let i = 0; i < WALK_STEPS; i++) {
        stepAction(walker, WALK);
        draw(walker, truth, i * size);
      }
      release(walker);
      here[+stopped] += 1;
      out.push({ stopped, context: pictures, contextActions, action: WALK, truth });
    }
    replay.release();
  }
  return out;
}
