/**
 * Builds training and evaluation data from the simulator: scripted players play, their action logs are replayed through
 * the ray caster. This file, touch-data.ts and walk-data.ts are the only ones of this method that see a simulator. Frames are
 * cached by name, since rendering a data set takes minutes; the cache is a convenience, never the data's source.
 */
import type { Storage } from '../../data/storage.ts';
import { type WorldConfig, worldConfig } from '../../world/config.ts';
import type { Episode, EpisodeSpec } from '../../world/episodes/episode.ts';
import { evaluationWorldSeed, splitOf, standardMix } from '../../world/episodes/mix.ts';
import { recordEpisode } from '../../world/episodes/record.ts';
import { Replay } from '../../world/episodes/replay.ts';
import type { PlayerId } from '../../world/players/scripted-player.ts';
import { FrameRendererCpu } from '../../world/render/frame-renderer-cpu.ts';
import { frameSpec } from '../../world/render/frame-spec.ts';
import { renderTopdown, TOPDOWN_SIZE } from '../../world/render/topdown.ts';
import type { State } from '../../world/state.ts';
import { SIM_VERSION } from '../../world/version.ts';
import type { DreamerConfig } from './config.ts';
import type { FrameEpisode, FrameSet } from './frames.ts';
import { NO_ACTION } from './play-contract.ts';
import { touchedPatches } from './touch-data.ts';

/** Players whose episodes the model learns from. The climber's screens wait for a larger rung. */
export const TRAINING_PLAYERS: readonly PlayerId[] = ['builder', 'rambler', 'miner', 'noise'];

/** The world that a rung plays in. */
export function worldOf(c: DreamerConfig): WorldConfig {
  const { width, height } = c.frame;
  const base = worldConfig(c.world);
  return c.renderer === 'topdown' ? base : { ...base, frame: { ...base.frame, width, height } };
}

/** Draws what the player of a state sees, as this rung sees it. */
export function frameSource(c: DreamerConfig): (s: State, out: Uint8Array<ArrayBuffer>, at: number) => void {
  if (c.renderer === 'topdown') {
    if (c.frame.width !== TOPDOWN_SIZE || c.frame.height !== TOPDOWN_SIZE) {
      throw new Error(
        `the top-down view has ${TOPDOWN_SIZE}x${TOPDOWN_SIZE} pixels, the configuration says ${c.frame.width}x${c.frame.height}`,
      );
    }
    return (s, out, at) => {
      renderTopdown(s, out, at);
    };
  }
  const renderer = new FrameRendererCpu(frameSpec(worldOf(c).frame));
  return (s, out, at) => {
    renderer.frame(s, out, at);
  };
}

/** Replays an episode and draws every frame. */
export function renderEpisode(c: DreamerConfig, episode: Episode, draw = frameSource(c)): FrameEpisode {
  const size = c.frame.width * c.frame.height * 3;
  const n = episode.actions.length + 1;
  const frames = new Uint8Array(n * size);
  const actions = new Uint32Array(n);
  const replay = new Replay(episode);
  draw(replay.state, frames, 0);
  actions[0] = NO_ACTION;
  for (let i = 1; i < n; i++) {
    actions[i] = replay.next();
    draw(replay.state, frames, i * size);
  }
  replay.release();
  return { frames, actions };
}

/** Where the worlds of the walkers lie beside those of the other players. */
const WALKS = 0x57a1c;

/** The episodes that a data seed stands for, training worlds only. */
export function trainingSpecs(c: DreamerConfig, seed: number): EpisodeSpec[] {
  const { episodes, steps, walks } = c.data;
  const config = worldOf(c);
  // A tenth of the worlds is held out, so draw some more than are kept.
  const drawn = (seed: number, count: number, players: readonly PlayerId[]): EpisodeSpec[] =>
    standardMix(seed, Math.ceil(count * 1.25) + 4, steps, { config, players })
      .filter((s) => splitOf(s.worldSeed) === 'train')
      .slice(0, count);
  return [...drawn(seed, episodes, TRAINING_PLAYERS), ...drawn(seed ^ WALKS, walks, ['walker'])];
}

export function holdoutSpecs(c: DreamerConfig, seed: number, count: number): EpisodeSpec[] {
  return standardMix(seed, count * 16 + 16, c.data.steps, { config: worldOf(c), players: TRAINING_PLAYERS })
    .filter((s) => splitOf(s.worldSeed) === 'holdout')
    .slice(0, count);
}

/** Fresh worlds of an evaluation seed: odd world seeds, which no data set contains. */
export function evaluationSpecs(c: DreamerConfig, seed: number, count: number, steps: number): EpisodeSpec[] {
  return standardMix(seed, count, steps, { config: worldOf(c), players: TRAINING_PLAYERS }).map((s, i) => ({
    ...s,
    worldSeed: evaluationWorldSeed(seed, i),
  }));
}

function pack(e: FrameEpisode): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4 + e.actions.byteLength + e.frames.byteLength);
  new DataView(out.buffer).setUint32(0, e.actions.length, true);
  out.set(new Uint8Array(e.actions.buffer), 4);
  out.set(e.frames, 4 + e.actions.byteLength);
  return out;
}

function unpack(bytes: Uint8Array<ArrayBuffer>, size: number): FrameEpisode | null {
  if (bytes.byteLength < 4) return null;
  const n = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (bytes.byteLength !== 4 + n * 4 + n * size) return null;
  return { actions: new Uint32Array(bytes.slice(4, 4 + n * 4).buffer), frames: bytes.slice(4 + n * 4) };
}

/** Raised when the same state is drawn in another way: frames in the cache are then drawn again. */
const LOOK = 2;
/** Other rules make other states of the same actions. Names from before they were part of them stand for version 802399137. */
const RULES = SIM_VERSION === 802399137 ? '' : `-${SIM_VERSION}`;

/** Name of an episode's frames in the cache. */
export const frameName = (c: DreamerConfig, spec: EpisodeSpec): string =>
  `${c.renderer}-${LOOK}${RULES}-${c.world}-${c.frame.width}x${c.frame.height}-${spec.player}-${spec.worldSeed}-${spec.episodeSeed}-${spec.steps}.frames`;

const playedAs = ({ actions }: FrameEpisode, recorded: Episode): boolean =>
  actions.length === recorded.actions.length + 1 && recorded.actions.every((action, i) => action === actions[i + 1]);

/**
 * Records and renders episodes one by one; `cache` keeps finished ones across runs. `onEpisode` reports progress and may
 * await, so that a caller stays responsive. `marks` adds what hands changed (FrameEpisode.touched) where the configuration uses it.
 */
export async function buildFrames(
  c: DreamerConfig,
  specs: EpisodeSpec[],
  cache: Storage | null,
  onEpisode: (done: number, total: number) => void | Promise<void> = () => undefined,
  marks = false,
): Promise<FrameSet> {
  const size = c.frame.width * c.frame.height * 3;
  const draw = frameSource(c);
  const episodes: FrameEpisode[] = [];
  for (const spec of specs) {
    const name = frameName(c, spec);
    const file = name.replace(/frames$/, 'touched-7');
    // Takes a tenth of the time of rendering, and tells whether the cached frames are of a player who acted otherwise.
    const recorded = recordEpisode(spec);
    const known = cache ? await cache.read(name) : null;
    let episode = known ? unpack(known, size) : null;
    if (!episode || !playedAs(episode, recorded)) {
      // Marks belong to the frames they were made of, so they go first.
      await cache?.remove(file);
      episode = renderEpisode(c, recorded, draw);
      await cache?.write(name, pack(episode));
    }
    if (marks && (c.handsShare > 0 || c.handsWeight > 0)) {
      const known = await cache?.read(file);
      const patches = size / 3 / c.frame.patch ** 2;
      if (known?.length === episode.actions.length * patches) episode.touched = known;
      else {
        episode.touched = touchedPatches(c.frame, recorded, episode.frames, draw);
        await cache?.write(file, episode.touched);
      }
    }
    episodes.push(episode);
    await onEpisode(episodes.length, specs.length);
  }
  return { width: c.frame.width, height: c.frame.height, episodes };
}
