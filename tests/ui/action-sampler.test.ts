// Hands to action words: latching, carry, double tap, cursor.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ActionSampler } from '../../src/ui/playground/action-sampler.ts';
import {
  actionCamera,
  actionKeys,
  CAMERA_ANGLE,
  CAMERA_NULL,
  CURSOR_Q8,
  cameraPitchBin,
  cameraYawBin,
  hotbarKey,
  hotbarOf,
  KEY,
  NULL_ACTION,
} from '../../src/world/actions.ts';

const yawOf = (action: number) => CAMERA_ANGLE[cameraYawBin(actionCamera(action))];
const pitchOf = (action: number) => CAMERA_ANGLE[cameraPitchBin(actionCamera(action))];
const cursorX = (action: number) => CURSOR_Q8[cameraYawBin(actionCamera(action))] / 256;
const cursorY = (action: number) => CURSOR_Q8[cameraPitchBin(actionCamera(action))] / 256;

describe('keys', () => {
  test('nothing held is the null action', () => {
    const sampler = new ActionSampler();
    expect(sampler.sample()).toBe(NULL_ACTION);
    expect(sampler.active).toBe(false);
  });

  test('a held key is in every step until it is released', () => {
    const sampler = new ActionSampler();
    sampler.press('KeyW', KEY.forward, 0);
    expect(actionKeys(sampler.sample())).toBe(KEY.forward);
    expect(actionKeys(sampler.sample())).toBe(KEY.forward);
    sampler.release('KeyW');
    expect(actionKeys(sampler.sample())).toBe(0);
  });

  test('a key pressed and released within one step counts once', () => {
    const sampler = new ActionSampler();
    sampler.press('Space', KEY.jump, 0);
    sampler.release('Space');
    expect(actionKeys(sampler.sample())).toBe(KEY.jump);
    expect(actionKeys(sampler.sample())).toBe(0);
  });

  test('two taps of forward sprint until it is released', () => {
    const sampler = new ActionSampler();
    sampler.press('KeyW', KEY.forward, 1000);
    sampler.release('KeyW');
    sampler.press('KeyW', KEY.forward, 1200);
    expect(actionKeys(sampler.sample())).toBe(KEY.forward | KEY.sprint);
    sampler.release('KeyW');
    sampler.press('KeyW', KEY.forward, 3000);
    expect(actionKeys(sampler.sample())).toBe(KEY.forward);
  });

  test('opposite keys cancel and sneak beats sprint', () => {
    const sampler = new ActionSampler();
    sampler.press('KeyW', KEY.forward, 0);
    sampler.press('KeyS', KEY.back, 0);
    sampler.press('ShiftLeft', KEY.sneak, 0);
    sampler.press('ControlLeft', KEY.sprint, 0);
    expect(actionKeys(sampler.sample())).toBe(KEY.sneak);
  });

  test('the wheel walks around the hotbar, one slot per step', () => {
    const sampler = new ActionSampler();
    sampler.body = { ...sampler.body, slot: 7 };
    sampler.scroll(1);
    expect(hotbarOf(sampler.sample())).toBe(0);
    sampler.body = { ...sampler.body, slot: 0 };
    sampler.scroll(-1);
    expect(hotbarOf(sampler.sample())).toBe(7);
    expect(hotbarOf(sampler.sample())).toBe(-1);
  });

  test('a slot that does not exist is not selected', () => {
    const sampler = new ActionSampler();
    sampler.selectSlot(8);
    expect(sampler.sample()).toBe(NULL_ACTION);
    sampler.selectSlot(3);
    expect(actionKeys(sampler.sample())).toBe(hotbarKey(3));
  });

  test('clear forgets everything', () => {
    const sampler = new ActionSampler();
    sampler.press('KeyW', KEY.forward, 0);
    sampler.look(40, 40);
    sampler.scroll(2);
    sampler.clear();
    expect(sampler.sample()).toBe(NULL_ACTION);
  });
});

describe('looking', () => {
  test('the mouse turns by the bin nearest to its travel per tick', () => {
    const sampler = new ActionSampler(2);
    // 10 degrees in one step of two ticks: 5 degrees per tick, nearest bin 5.81.
    sampler.turnDegrees(10, 0);
    expect(yawOf(sampler.sample())).toBe(1058);
  });

  test('what is left over comes in later steps, and the sum is what the hand did', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 1, maxLength: 30 }), (moves) => {
        const sampler = new ActionSampler(2);
        let turned = 0;
        for (const dx of moves) {
          sampler.look(dx, 0);
          turned += 2 * yawOf(sampler.sample());
        }
        for (let i = 0; i < 40; i++) turned += 2 * yawOf(sampler.sample());
        const meant = (moves.reduce((a, b) => a + b, 0) * 0.15 * 65536) / 360;
        // The smallest turn of a step is 224 units: half of it may remain, plus the dust that is dropped per step.
        return Math.abs(turned - meant) <= 112 + 28 * (moves.length + 1);
      }),
    );
  });

  test('a flick never spins on for more than ten degrees', () => {
    const sampler = new ActionSampler(2);
    sampler.look(5000, 0);
    expect(yawOf(sampler.sample())).toBe(1820);
    let later = 0;
    for (let i = 0; i < 20; i++) later += 2 * yawOf(sampler.sample());
    expect(later).toBeLessThanOrEqual((10 * 65536) / 360 + 112);
  });

  test('down is positive pitch', () => {
    const sampler = new ActionSampler();
    sampler.look(0, 50);
    const action = sampler.sample();
    expect(pitchOf(action)).toBeGreaterThan(0);
    expect(yawOf(action)).toBe(0);
  });

  test('a resting hand is the null camera', () => {
    const sampler = new ActionSampler();
    sampler.look(3, 0);
    for (let i = 0; i < 5; i++) sampler.sample();
    expect(actionCamera(sampler.sample())).toBe(CAMERA_NULL);
  });
});

describe('an open screen', () => {
  const open = (cursor: [number, number]) => ({ guiOpen: true, cursor, slot: 0, slots: 8 });

  test('the mouse moves the cursor instead of the head', () => {
    const sampler = new ActionSampler(2);
    sampler.body = open([32, 24]);
    sampler.cursorScale = 0.1;
    sampler.look(80, 0);
    // 8 pixels in a step: 4 per tick.
    expect(cursorX(sampler.sample())).toBe(4);
  });

  test('pointing reaches any pixel and clicks once there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 0, max: 47 }), (x, y) => {
        const sampler = new ActionSampler(2);
        const at: [number, number] = [32, 24];
        sampler.body = open(at);
        sampler.pointAt(x, y, KEY.attack);
        let clicks = 0;
        for (let i = 0; i < 12; i++) {
          const action = sampler.sample();
          if (actionKeys(action) & KEY.attack) {
            clicks++;
            expect(Math.abs(at[0] - x)).toBeLessThanOrEqual(2);
            expect(Math.abs(at[1] - y)).toBeLessThanOrEqual(2);
          }
          at[0] += 2 * cursorX(action);
          at[1] += 2 * cursorY(action);
          sampler.body = open([at[0], at[1]]);
        }
        expect(clicks).toBe(1);
      }),
    );
  });

  test('turning that was pending when the screen opened is dropped', () => {
    const sampler = new ActionSampler();
    sampler.turnDegrees(30, 0);
    sampler.body = open([32, 24]);
    expect(actionCamera(sampler.sample())).toBe(CAMERA_NULL);
    sampler.body = { ...sampler.body, guiOpen: false };
    expect(actionCamera(sampler.sample())).toBe(CAMERA_NULL);
  });
});
