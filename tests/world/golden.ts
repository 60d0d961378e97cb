/**
 * Replays whose hashes are compared with a stored list, in Node and in a browser: the same bits on every engine.
 * No test framework here, so that a page can import it.
 */
import { actionKeys, CAMERA_NULL, cameraClass, hotbarKey, KEY, makeAction } from '../../src/world/actions.ts';
import { type ProfileName, worldConfig } from '../../src/world/config.ts';
import { hex64, mix32 } from '../../src/world/hash.ts';
import { restore, snapshot } from '../../src/world/snapshot.ts';
import type { State } from '../../src/world/state.ts';
import { step } from '../../src/world/step.ts';
import { createWorld, fork, hash, release } from '../../src/world/world.ts';

export const GOLDEN_TICKS = 2000;
const EVERY = 100;

/**
 * A restless player as a pure function: walks, turns, digs, builds, opens screens and clicks in them. Keys persist for some ticks, so
 * that blocks do get broken; `mood` leans each log towards another activity.
 */
export function restlessAction(seed: number, tick: number): number {
  const phase = mix32(tick >> 4, seed, 1, 0);
  const jitter = mix32(tick, seed, 2, 0);
  const mood = mix32(tick >> 7, seed, 3, 0) % 5;
  let keys = 0;
  if (mood !== 2 && (phase & 3) !== 0) keys |= KEY.forward;
  if ((phase & 12) === 0) keys |= phase & 16 ? KEY.left : KEY.right;
  if ((phase & 96) === 0 || mood === 3) keys |= KEY.jump;
  if ((phase & 384) === 0) keys |= KEY.sprint;
  if ((phase & 7680) === 0) keys |= KEY.sneak;
  if (mood === 0 || mood === 2) keys |= KEY.attack;
  if (mood === 1) keys |= jitter & 1 ? KEY.use : 0;
  if ((phase >>> 13) % 7 === 0) keys |= hotbarKey((phase >>> 16) & 7);
  if (mood === 4 && (tick & 31) === 7) keys |= KEY.inventory;
  if (mood === 4) keys |= jitter & 2 ? KEY.attack : jitter & 4 ? KEY.use : 0;
  if (jitter % 97 === 0) keys |= KEY.drop;
  if (jitter % 211 === 0) keys |= KEY.pickItem;
  let camera = CAMERA_NULL;
  if ((jitter & 0x30) !== 0 || mood === 4) {
    const pitch = mood === 2 ? 5 + ((jitter >>> 8) & 1) : 4 + ((jitter >>> 8) % 3);
    camera = cameraClass(mood === 4 ? (jitter >>> 8) % 11 : pitch, (jitter >>> 16) % 11);
  }
  return makeAction(actionKeys(keys), camera);
}

/** Plays the ticks from `from` to `to` and reports the hash every 100. */
export function replayHashes(s: State, seed: number, to: number, from = 0): string[] {
  const out: string[] = [];
  for (let t = from; t < to; t++) {
    step(s, restlessAction(seed, t));
    if ((t + 1) % EVERY === 0) out.push(hex64(hash(s)));
  }
  return out;
}

const LOGS: readonly (readonly [ProfileName, number])[] = [
  ['ci', 11],
  ['ci', 12],
  ['mini', 21],
  ['meadow', 31],
  ['meadow', 32],
];

interface Log {
  name: string;
  seed: number;
  start(): State;
}

/** `episodes` episode seeds in each of the first `worlds` worlds. */
function logs(episodes: number, worlds: number): Log[] {
  return LOGS.slice(0, worlds).flatMap(([profile, world]) =>
    Array.from({ length: episodes }, (_, e) => ({
      name: `${profile}/${world}/${e}`,
      seed: world * 64 + e,
      start: () => createWorld(worldConfig(profile), world, { episodeSeed: e }),
    })),
  );
}

const lines = (name: string, hashes: string[], from = 0) =>
  hashes.map((h, i) => `${name}:${from + (i + 1) * EVERY} ${h}`);

/** Hashes of 20 logs of 2000 ticks (4 episode seeds in each of 5 worlds), every 100 ticks, as "profile/world/episode:tick hash". */
export function goldenReplay(episodes = 4, worlds = LOGS.length): string[] {
  return logs(episodes, worlds).flatMap(({ name, seed, start }) => {
    const s = start();
    const hashes = replayHashes(s, seed, GOLDEN_TICKS);
    release(s);
    return lines(name, hashes);
  });
}

/** The second halves of all logs, played by a fork and by a restored snapshot of tick 1000 while the original plays on as well. */
export function goldenBranches(): string[] {
  const half = GOLDEN_TICKS / 2;
  return logs(4, LOGS.length).flatMap(({ name, seed, start }) => {
    const s = start();
    replayHashes(s, seed, half);
    return [fork(s), restore(snapshot(s)), s].flatMap((branch) => {
      const hashes = replayHashes(branch, seed, GOLDEN_TICKS, half);
      release(branch);
      return lines(name, hashes, half);
    });
  });
}
