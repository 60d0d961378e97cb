/** Movement against the documented speeds and heights of methods/world.md 3.1 (tolerance 0.1 %). */
import { describe, expect, it } from 'vitest';
import type { KeyName } from '../../src/world/actions.ts';
import { cameraClass, makeAction } from '../../src/world/actions.ts';
import { B } from '../../src/world/blocks.ts';
import { setBlock } from '../../src/world/change.ts';
import { player, type State, setPlayer, writeBlock } from '../../src/world/state.ts';
import { P } from '../../src/world/state-layout.ts';
import { step, stepAction } from '../../src/world/step.ts';
import { FLOOR, face, flat, hold, standAt } from './arena.ts';

const at = (s: State, f: number) => player(s, f) / 65536;

/** Steady speed in blocks per second along z. */
function speed(s: State, ...keys: KeyName[]): number {
  hold(s, 40, ...keys);
  const z = at(s, P.z);
  hold(s, 40, ...keys);
  return (at(s, P.z) - z) / 2;
}

const near = (value: number, expected: number, part = 0.001) => {
  expect(Math.abs(value - expected) / expected, `${value} instead of ${expected}`).toBeLessThan(part);
};

describe('player physics', () => {
  it('walks, sprints and sneaks at the documented speeds', () => {
    near(speed(flat('mini', {}, 64, 20), 'forward'), 4.317);
    near(speed(flat('mini', {}, 64, 20), 'forward', 'sprint'), 5.612);
    near(speed(flat('mini', {}, 64, 20), 'forward', 'sneak'), 1.295);
  });

  it('moves diagonally no faster than straight', () => {
    const s = flat('mini', {}, 64, 20);
    hold(s, 40, 'forward', 'left');
    const [x, z] = [at(s, P.x), at(s, P.z)];
    hold(s, 20, 'forward', 'left');
    near(Math.hypot(at(s, P.x) - x, at(s, P.z) - z), 4.317);
  });

  it('goes where the axes say: yaw 0 is +z, right of it is -x, yaw 90 degrees is -x', () => {
    const s = flat();
    hold(s, 10, 'forward');
    expect(at(s, P.z)).toBeGreaterThan(33);
    expect(at(s, P.x)).toBe(32.5);
    hold(s, 10, 'right');
    expect(at(s, P.x)).toBeLessThan(32.5);
    const t = flat();
    face(t, 90, 0);
    hold(t, 10, 'forward');
    expect(at(t, P.x)).toBeLessThan(32);
    expect(Math.abs(at(t, P.z) - 32.5)).toBeLessThan(0.001);
  });

  it('jumps 1.252 blocks high and lands after 12 ticks', () => {
    const s = flat();
    const top: number[] = [];
    step(s, makeAction(1 << 15));
    top.push(at(s, P.y));
    while (player(s, P.onGround) === 0) {
      hold(s, 1);
      top.push(at(s, P.y));
    }
    near(Math.max(...top) - (FLOOR + 1), 1.252);
    expect(top.length).toBe(12);
  });

  it('repeats a held jump no sooner than every 10 ticks and jumps one block high steps', () => {
    const s = flat();
    for (let x = 0; x < 64; x++) for (let z = 36; z < 64; z++) writeBlock(s, x, FLOOR + 1, z, B.stone);
    hold(s, 40, 'forward', 'jump');
    expect(at(s, P.y)).toBeGreaterThanOrEqual(FLOOR + 2);
    expect(at(s, P.z)).toBeGreaterThan(37);
  });

  it('falls 20 blocks in 25 ticks', () => {
    const s = flat();
    standAt(s, 32.5, FLOOR + 21, 32.5);
    let ticks = 0;
    do {
      hold(s, 1);
      ticks++;
    } while (player(s, P.onGround) === 0);
    expect(ticks).toBe(25);
    expect(at(s, P.y)).toBe(FLOOR + 1);
  });

  it('swims at 1.96 blocks per second and floats up while jump is held', () => {
    const s = flat('mini', {}, 64, 20);
    for (let y = FLOOR - 6; y <= FLOOR; y++)
      for (let x = 60; x < 70; x++) for (let z = 10; z < 60; z++) writeBlock(s, x, y, z, B.water);
    standAt(s, 64.5, FLOOR - 4, 20.5);
    near(speed(s, 'forward'), 1.96);
    const y = at(s, P.y);
    hold(s, 20, 'jump');
    expect(at(s, P.y)).toBeGreaterThan(y + 1);
  });

  it('climbs out of water at a bank', () => {
    const s = flat();
    for (let x = 28; x < 36; x++)
      for (let z = 28; z < 36; z++) for (let y = FLOOR - 2; y <= FLOOR; y++) writeBlock(s, x, y, z, B.water);
    standAt(s, 32.5, FLOOR - 1, 32.5);
    hold(s, 80, 'forward', 'jump');
    expect(at(s, P.z)).toBeGreaterThan(36);
    expect(at(s, P.y)).toBeGreaterThanOrEqual(FLOOR + 1);
  });

  it('is stopped by a wall at its half width and ends a sprint there', () => {
    const s = flat();
    for (let y = FLOOR + 1; y < FLOOR + 4; y++) for (let x = 0; x < 64; x++) writeBlock(s, x, y, 36, B.stone);
    hold(s, 60, 'forward', 'sprint');
    expect(player(s, P.z)).toBe(36 * 65536 - 19661);
    hold(s, 1, 'forward');
    expect(player(s, P.sprinting)).toBe(0);
  });

  it('climbs a whole block by itself only where the world says so, two blocks and sneaking never', () => {
    const walk = (autoStep: boolean, height: number, ...keys: KeyName[]) => {
      const s = flat('mini', { autoStep });
      for (let y = FLOOR + 1; y <= FLOOR + height; y++)
        for (let x = 0; x < 64; x++) for (let z = 36; z < 64; z++) writeBlock(s, x, y, z, B.stone);
      hold(s, 100, ...keys);
      return at(s, P.z);
    };
    const wall = 36 - 19661 / 65536;
    expect(walk(true, 1, 'forward')).toBeGreaterThan(40);
    expect(walk(false, 1, 'forward')).toBe(wall);
    expect(walk(true, 2, 'forward')).toBe(wall);
    expect(walk(true, 1, 'forward', 'sneak')).toBe(wall);
  });

  it('does not leave the world', () => {
    const s = flat();
    hold(s, 400, 'forward', 'sprint', 'jump');
    expect(at(s, P.z)).toBeLessThan(64);
    expect(at(s, P.y)).toBeGreaterThanOrEqual(FLOOR + 1);
  });

  it('sneaking keeps its feet on the last block; walking does not', () => {
    const edge = (...keys: KeyName[]) => {
      const s = flat();
      for (let x = 0; x < 64; x++) for (let z = 34; z < 64; z++) writeBlock(s, x, FLOOR, z, B.air);
      hold(s, 120, ...keys);
      return s;
    };
    const careful = edge('forward', 'sneak');
    expect(at(careful, P.y)).toBe(FLOOR + 1);
    expect(at(careful, P.z)).toBeLessThanOrEqual(34.3);
    expect(at(careful, P.z)).toBeGreaterThan(34);
    expect(at(edge('forward'), P.y)).toBeLessThan(FLOOR + 1);
  });

  it('walks over a bed without jumping but not over a fence', () => {
    const s = flat();
    for (let x = 30; x < 36; x++) {
      writeBlock(s, x, FLOOR + 1, 35, B.bed + 0);
      writeBlock(s, x, FLOOR + 1, 36, B.bed + 1);
    }
    hold(s, 60, 'forward');
    expect(at(s, P.z)).toBeGreaterThan(37);
    const t = flat();
    for (let x = 0; x < 64; x++) writeBlock(t, x, FLOOR + 1, 36, B.fence);
    hold(t, 60, 'forward', 'jump');
    expect(at(t, P.z)).toBeLessThan(36.1);
  });

  it('stays crouched under a low ceiling after sneak is released', () => {
    const s = flat();
    hold(s, 2, 'sneak');
    for (let x = 30; x < 36; x++) for (let z = 30; z < 36; z++) writeBlock(s, x, FLOOR + 2, z, B.stone);
    expect(player(s, P.sneaking)).toBe(1);
    hold(s, 2);
    expect(player(s, P.sneaking)).toBe(1);
  });

  it('slides on ice', () => {
    const glide = (floor: number) => {
      const s = flat('mini', {}, 64, 20);
      for (let x = 60; x < 70; x++) for (let z = 10; z < 60; z++) writeBlock(s, x, FLOOR, z, floor);
      hold(s, 40, 'forward');
      const z = at(s, P.z);
      hold(s, 40);
      return at(s, P.z) - z;
    };
    expect(glide(B.ice)).toBeGreaterThan(3 * glide(B.stone));
  });

  it('drifts with flowing water', () => {
    const s = flat();
    for (let x = 24; x < 40; x++)
      for (let z = 31; z < 34; z++) writeBlock(s, x, FLOOR, z, B.water + Math.min(7, Math.floor((x - 24) / 2)));
    standAt(s, 30.5, FLOOR, 32.5);
    hold(s, 10);
    expect(at(s, P.x)).toBeGreaterThan(30.5);
  });

  it('turns by the class angle in every tick and clamps the pitch', () => {
    const s = flat();
    stepAction(s, makeAction(0, cameraClass(5, 10)));
    expect(player(s, P.yaw)).toBe(2 * 1820);
    for (let i = 0; i < 20; i++) step(s, makeAction(0, cameraClass(10, 5)));
    expect(player(s, P.pitch)).toBe(16384);
    for (let i = 0; i < 40; i++) step(s, makeAction(0, cameraClass(0, 5)));
    expect(player(s, P.pitch)).toBe(-16384);
  });

  it('is not pushed when a block is set elsewhere', () => {
    const s = flat();
    const before = [player(s, P.x), player(s, P.y), player(s, P.z)];
    setBlock(s, 35, FLOOR + 1, 35, B.stone);
    setPlayer(s, P.swing, 0);
    hold(s, 5);
    expect([player(s, P.x), player(s, P.y), player(s, P.z)]).toEqual(before);
  });
});
