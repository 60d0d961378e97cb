// Recording and replaying: what scripted players do in a world comes back bit for bit, and whatever was tampered with is noticed.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  actionCamera,
  actionKeys,
  cameraClass,
  cameraPitchBin,
  cameraYawBin,
  makeAction,
} from '../../src/world/actions.ts';
import { PROFILES, worldConfig } from '../../src/world/config.ts';
import { balance, stock } from '../../src/world/episodes/balance.ts';
import { checkEpisodes } from '../../src/world/episodes/check.ts';
import { coverage } from '../../src/world/episodes/coverage.ts';
import { EpisodeFile, encodeEpisodes } from '../../src/world/episodes/d4d.ts';
import { type Episode, hashCount } from '../../src/world/episodes/episode.ts';
import {
  dataWorldSeed,
  evaluationWorldSeed,
  isEvaluationWorld,
  SHARES,
  splitOf,
  standardMix,
} from '../../src/world/episodes/mix.ts';
import { EpisodeRecorder, recordEpisode } from '../../src/world/episodes/record.ts';
import { Replay, ReplayMismatch } from '../../src/world/episodes/replay.ts';
import { EVENT } from '../../src/world/events.ts';
import { PLAYER_IDS, type PlayerId } from '../../src/world/players/scripted-player.ts';
import { createWorld, hash, SIM_VERSION } from '../../src/world/world.ts';

const STEPS = 230;
// The meadow in the size of the ci worlds, which are generated four times as fast.
const SMALL = { dims: PROFILES.ci.dims };
const meadow = worldConfig('meadow', SMALL);
const spec = (player: PlayerId, over = {}) => ({
  config: player === 'climber' ? worldConfig('ci') : meadow,
  worldSeed: 4242,
  episodeSeed: 7,
  player,
  steps: STEPS,
  ...over,
});

const episodes = new Map<PlayerId, Episode>();
beforeAll(() => {
  for (const id of PLAYER_IDS) episodes.set(id, recordEpisode(spec(id)));
}, 60_000);
const of = (id: PlayerId) => episodes.get(id) as Episode;

describe('recording', () => {
  it.each(PLAYER_IDS)('%s: the file gives back an episode that replays', (id) => {
    const file = new EpisodeFile(encodeEpisodes([of(id)], SIM_VERSION), SIM_VERSION);
    expect(file.read(0)).toEqual(of(id));
    const replay = new Replay(file.read(0));
    replay.seek(STEPS);
    expect(replay.done).toBe(true);
    expect(replay.next()).toBe(-1);
    expect(hash(replay.state)).toEqual([...of(id).hashes.slice(-2)]);
    replay.release();
  });

  it('is a function of its specification', () => {
    expect(recordEpisode(spec('builder'))).toEqual(of('builder'));
    expect(recordEpisode(spec('builder', { episodeSeed: 8 })).actions).not.toEqual(of('builder').actions);
  });

  it('hashes every hundred ticks and the end', () => {
    expect(hashCount(2 * STEPS)).toBe(5);
    for (const id of PLAYER_IDS) expect(of(id).hashes).toHaveLength(10);
    expect(hashCount(400)).toBe(4);
    expect(hashCount(0)).toBe(0);
  });

  it('lists events in order of time, each once', () => {
    const { events } = of('builder');
    expect(events.length).toBeGreaterThan(10);
    expect(events.map((e) => e.tick)).toEqual(events.map((e) => e.tick).sort((a, b) => a - b));
    const placed = events.filter((e) => e.type === EVENT.placed).length;
    const replay = new Replay(of('builder'));
    replay.seek(STEPS);
    const carried = (s: typeof replay.state) => stock(s);
    expect(placed).toBeGreaterThan(0);
    expect(carried(replay.state).some((n) => n > 0)).toBe(true);
    replay.release();
  });

  it('refuses an unknown player and a state that is already under way', () => {
    expect(() => recordEpisode({ ...spec('builder'), player: 'nobody' })).toThrow(/unknown player "nobody"/);
    const s = createWorld(worldConfig('ci'), 1);
    new EpisodeRecorder(s, { config: s.cfg, worldSeed: 1, episodeSeed: 0, player: 'human' }).step(60 << 23);
    expect(() => new EpisodeRecorder(s, { config: s.cfg, worldSeed: 1, episodeSeed: 0, player: 'human' })).toThrow(
      /tick 0/,
    );
  });
});

describe('replaying', () => {
  it('reports the first hash that is not met', () => {
    const bad = { ...of('rambler'), actions: of('rambler').actions.slice() };
    const camera = actionCamera(bad.actions[120]);
    const other = cameraClass(cameraPitchBin(camera), (cameraYawBin(camera) + 1) % 11);
    bad.actions[120] = makeAction(actionKeys(bad.actions[120]), other);
    const replay = new Replay(bad);
    let error: unknown;
    try {
      replay.seek(STEPS);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(ReplayMismatch);
    // Step 120 is tick 240, and the next hash is that of tick 300.
    expect((error as ReplayMismatch).tick).toBe(300);
    replay.release();
  });

  it('reports a wrong hash at the very end', () => {
    const bad = { ...of('rambler'), hashes: of('rambler').hashes.slice() };
    bad.hashes[9] ^= 1;
    const replay = new Replay(bad);
    expect(() => replay.seek(STEPS)).toThrow(/at tick 460/);
    replay.release();
  });
});

describe('checks', () => {
  it('pass on every player: replay, fork and the balance of items', () => {
    const sum = checkEpisodes([...episodes.values()]);
    expect(sum).toMatchObject({ episodes: 6, forks: 6, hashes: 30, balanced: 6 });
    expect(sum.items).toBeGreaterThan(1000);
  });

  it('name the episode and the item when something came from nowhere', () => {
    const builder = of('builder');
    const gained = stock(createWorld(builder.config, 1));
    const before = gained.slice();
    gained[12]++;
    expect(balance(before, gained, [], true).wrong).toEqual([{ item: 'planks', difference: 1 }]);
    gained[12] -= 2;
    expect(balance(before, gained, [], false).wrong).toEqual([{ item: 'planks', difference: -1 }]);
    expect(balance(before, gained, [], true).wrong).toEqual([]);
    const crafted = { tick: 0, type: EVENT.crafted, a: 12, b: 4 };
    const forged = { ...builder, events: [...builder.events, crafted] };
    expect(() => checkEpisodes([of('rambler'), forged])).toThrow(
      /episode 1 \(builder\): items do not add up: .*log \+1.*planks -4|planks -4.*log \+1/,
    );
  });
});

describe('the standard mix', () => {
  const mix = standardMix(11, 400, 100);

  it('keeps its shares in every prefix', () => {
    for (const n of [20, 100, 400]) {
      for (const id of PLAYER_IDS) {
        const share = mix.slice(0, n).filter((s) => s.player === id).length / n;
        expect(Math.abs(share - SHARES[id])).toBeLessThanOrEqual(1 / n + 1e-9);
      }
    }
    expect(standardMix(11, 20, 100)).toEqual(mix.slice(0, 20));
    expect(Object.values(SHARES).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  it('gives every episode a world of its own, and other seeds other worlds', () => {
    const seeds = new Set(mix.map((s) => s.worldSeed));
    expect(seeds.size).toBe(400);
    for (const s of standardMix(12, 400, 100)) expect(seeds.has(s.worldSeed)).toBe(false);
  });

  it('never meets a world of any evaluation', () => {
    for (let seed = 0; seed < 50; seed++) {
      for (let i = 0; i < 50; i++) {
        expect(isEvaluationWorld(dataWorldSeed(seed, i))).toBe(false);
        expect(isEvaluationWorld(evaluationWorldSeed(seed, i))).toBe(true);
      }
    }
  });

  it('holds out a tenth of the worlds', () => {
    const held = Array.from({ length: 5000 }, (_, i) => splitOf(dataWorldSeed(3, i))).filter(
      (s) => s === 'holdout',
    ).length;
    // Four standard deviations of a binomial with p = 0.1.
    expect(Math.abs(held / 5000 - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / 5000));
  });

  it('shuffles the kit of about half of the episodes and takes it from the climber', () => {
    const kit = JSON.stringify(worldConfig('meadow').startKit);
    const others = mix.filter((s) => s.player !== 'climber');
    const plain = others.filter((s) => JSON.stringify(s.config.startKit) === kit).length / others.length;
    expect(plain).toBeGreaterThan(0.4);
    expect(plain).toBeLessThan(0.6);
    const sorted = (k: readonly unknown[]) => k.map((x) => JSON.stringify(x)).sort();
    for (const s of others) expect(sorted(s.config.startKit)).toEqual(sorted(worldConfig('meadow').startKit));
    expect(new Set(others.map((s) => JSON.stringify(s.config))).size).toBe(8);
    for (const s of mix) if (s.player === 'climber') expect(s.config.startKit).toEqual([]);
  });

  it('can be limited to some players', () => {
    for (const s of standardMix(1, 5, 10, { players: ['walker'] })) expect(s.player).toBe('walker');
    const two = standardMix(1, 55, 10, { players: ['builder', 'rambler'] });
    expect(two.filter((s) => s.player === 'builder')).toHaveLength(30);
  });

  it('exercises every input: what a world model is to learn is there', () => {
    const c = coverage(standardMix(5, 10, 200, { config: meadow }).map(recordEpisode));
    expect(c.steps).toBe(2000);
    expect(c.minutes).toBeCloseTo(10 / 3, 9);
    expect(c.mouse).toBeGreaterThan(0.4);
    expect(c.mouse).toBeLessThan(0.95);
    expect(c.forward).toBeGreaterThan(0.2);
    expect(c.moving).toBeGreaterThan(0.2);
    expect(c.attack).toBeGreaterThan(0.04);
    expect(c.use).toBeGreaterThan(0.01);
    expect(c.jump).toBeGreaterThan(0.03);
    expect(c.slotChanges).toBeGreaterThan(4);
    expect(c.broken).toBeGreaterThan(4);
    expect(c.placed).toBeGreaterThan(3);
    expect(c.metres).toBeGreaterThan(30);
    expect(coverage([]).mouse).toBe(0);
  }, 60_000);
});
