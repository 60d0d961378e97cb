/** Fork, snapshot, restore, page sharing, and the hash. */
import { describe, expect, it } from 'vitest';
import { KEY, makeAction } from '../../src/world/actions.ts';
import { B } from '../../src/world/blocks.ts';
import { setBlock } from '../../src/world/change.ts';
import { configCrc, worldConfig } from '../../src/world/config.ts';
import { hex64 } from '../../src/world/hash.ts';
import { PAGE_CELLS, pool } from '../../src/world/pool.ts';
import { restore, snapshot } from '../../src/world/snapshot.ts';
import { blockAt, lightAt, type State } from '../../src/world/state.ts';
import { BE, ENT, H, INV, MILE, PLAYER, SCHED, SPARE, STAT, STATE_WORDS } from '../../src/world/state-layout.ts';
import { step, stepAction } from '../../src/world/step.ts';
import { createWorld, fork, hash, release } from '../../src/world/world.ts';
import { replayHashes, restlessAction } from './golden.ts';
import { blocksAreConsistent, lightIsExact } from './invariants.ts';

const cfg = worldConfig('ci');
const key = (s: State) => hex64(hash(s));

function play(s: State, seed: number, from: number, ticks: number): State {
  for (let t = from; t < from + ticks; t++) step(s, restlessAction(seed, t));
  return s;
}

const allBlocks = (s: State) => {
  const out: number[] = [];
  for (let y = 0; y < 64; y++)
    for (let z = 0; z < s.sizeZ; z++)
      for (let x = 0; x < s.sizeX; x++) out.push(blockAt(s, x, y, z) | (lightAt(s, x, y, z) << 8));
  return out;
};

describe('worlds', () => {
  it('with the same seeds are equal, with other seeds differ', () => {
    const a = replayHashes(createWorld(cfg, 7), 1, 400);
    expect(replayHashes(createWorld(cfg, 7), 1, 400)).toEqual(a);
    expect(replayHashes(createWorld(cfg, 7, { episodeSeed: 1 }), 1, 400)).not.toEqual(a);
    expect(replayHashes(createWorld(cfg, 8), 1, 400)).not.toEqual(a);
    expect(replayHashes(createWorld(worldConfig('ci', { breakDen: 1 }), 7), 1, 400)).not.toEqual(a);
  });

  it('start where and with what they are told', () => {
    const s = createWorld(cfg, 7, { at: [20, 50, 21], yaw: 16384, items: [['torch', 5]], time: 18000 });
    expect(s.i32[H.time]).toBe(18000);
    expect(() => createWorld(cfg, 7, { items: [['boat', 2]] })).toThrow(/does not fit a stack of 1/);
    expect(() =>
      worldConfig('ci', {
        dims: [
          [40, 64, 64],
          [64, 64, 64],
          [64, 64, 64],
        ],
      }),
    ).toThrow(/multiples of 16/);
  });
});

describe('fork', () => {
  it('at tick 1000 continues like the original, and neither sees the other change', () => {
    const a = play(createWorld(cfg, 7), 3, 0, 1000);
    const b = fork(a);
    const c = fork(a);
    const blocks = allBlocks(c);
    play(a, 3, 1000, 1000);
    play(b, 3, 1000, 1000);
    expect(key(b)).toBe(key(a));
    expect(allBlocks(b)).toEqual(allBlocks(a));
    play(b, 99, 2000, 300);
    expect(key(b)).not.toBe(key(a));
    expect(allBlocks(c)).toEqual(blocks);
    for (const s of [a, b, c]) expect(lightIsExact(s)).toBe('');
  });

  it('shares pages until a write, and then copies one section only', () => {
    const a = createWorld(cfg, 7);
    const b = fork(a);
    const used = pool.used();
    setBlock(b, 10, 5, 10, B.glass);
    expect(pool.used() - used).toBeLessThanOrEqual(2);
    const differing = [...a.handles].filter((h, i) => h !== b.handles[i]).length;
    expect(differing).toBeLessThanOrEqual(2);
    expect(blockAt(a, 10, 5, 10)).not.toBe(B.glass);
  });

  it('does not run out of pages over thousands of forks, and pages of live states survive collection', () => {
    const base = play(createWorld(cfg, 7), 5, 0, 300);
    const kept = fork(base);
    setBlock(kept, 8, 40, 8, B.glass);
    const before = key(kept);
    const blocks = allBlocks(kept);
    for (let i = 0; i < 3000; i++) {
      const s = fork(base);
      setBlock(s, i & 63, 40, (i >> 6) & 63, B.wool);
      release(s);
    }
    expect(pool.capacity * PAGE_CELLS).toBeLessThan(64 << 20);
    expect(allBlocks(kept)).toEqual(blocks);
    expect(key(kept)).toBe(before);
  });
});

describe('snapshot', () => {
  it('restores to a state that continues identically, in a few kilobytes', () => {
    for (const profile of ['ci', 'meadow'] as const) {
      const a = play(createWorld(worldConfig(profile), 9), 4, 0, 1000);
      const bytes = snapshot(a);
      expect(bytes.length).toBeLessThan(20000);
      const b = restore(bytes);
      expect(key(b)).toBe(key(a));
      expect(allBlocks(b)).toEqual(allBlocks(a));
      play(a, 4, 1000, 500);
      play(b, 4, 1000, 500);
      expect(key(b)).toBe(key(a));
      expect(configCrc(b.cfg)).toBe(configCrc(a.cfg));
    }
  });

  it('of a fresh world is as small for a seed from 2^31 on as for any other', () => {
    const [low, high] = [100_000_001, 3_000_000_002].map((seed) => snapshot(createWorld(cfg, seed)).length);
    expect(Math.abs(high - low)).toBeLessThan(100);
  });

  it('refuses foreign, damaged and other-version bytes with one clear error', () => {
    const bytes = snapshot(createWorld(cfg, 9));
    expect(() => restore(new Uint8Array(3))).toThrow(/not a world snapshot/);
    expect(() => restore(new Uint8Array(100))).toThrow(/not a world snapshot/);
    const version = bytes.slice();
    version[4] ^= 1;
    expect(() => restore(version)).toThrow(/simulator version/);
    for (const at of [12, 40, bytes.length - 1]) {
      const damaged = bytes.slice();
      damaged[at] ^= 16;
      expect(() => restore(damaged)).toThrow(/damaged/);
    }
    expect(() => restore(bytes.subarray(0, bytes.length - 5))).toThrow(/damaged/);
  });
});

describe('hash', () => {
  it('ignores the order of changes and the event ring, and returns to the old value when a change is undone', () => {
    const a = createWorld(cfg, 7);
    const start = [a.u32[H.changeLo], a.u32[H.changeHi]];
    expect(start).toEqual([0, 0]);
    setBlock(a, 20, 50, 20, B.stone);
    setBlock(a, 22, 50, 20, B.glass);
    const b = createWorld(cfg, 7);
    setBlock(b, 22, 50, 20, B.glass);
    setBlock(b, 20, 50, 20, B.stone);
    expect(key(a)).toBe(key(b));
    setBlock(b, 20, 50, 20, B.air);
    expect(key(a)).not.toBe(key(b));
    setBlock(b, 22, 50, 20, B.air);
    expect([b.u32[H.changeLo], b.u32[H.changeHi]]).toEqual([0, 0]);
    expect(blocksAreConsistent(a, createWorld(cfg, 7))).toBe('');
  });

  it('sees a single changed word anywhere in the dynamic state', () => {
    const s = createWorld(cfg, 7);
    const base = key(s);
    for (const word of [
      H.tick,
      H.time,
      PLAYER,
      INV,
      INV + 40,
      ENT + 5,
      BE + 90,
      SCHED + 70,
      STAT + 50,
      MILE,
      SPARE,
      STATE_WORDS - 1,
    ]) {
      s.i32[word] ^= 1;
      expect(key(s), `word ${word}`).not.toBe(base);
      s.i32[word] ^= 1;
    }
    expect(key(s)).toBe(base);
  });
});

it('an agent step is ticksPerStep ticks with press edges in the first only', () => {
  const a = createWorld(worldConfig('mini'), 7);
  const b = fork(a);
  const actions = [KEY.forward, KEY.inventory, 0, KEY.inventory, KEY.jump | KEY.forward].map((k) => makeAction(k));
  for (const x of actions) {
    stepAction(a, x);
    step(b, x);
    step(b, x);
  }
  expect(key(a)).toBe(key(b));
  expect(a.i32[H.tick]).toBe(10);
});
