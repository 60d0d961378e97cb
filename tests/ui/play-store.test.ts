// The status line says the most important thing; the small meters count right.

import { describe, expect, test } from 'vitest';
import type { AdapterReport } from '../../src/gpu/device.ts';
import type { DreamInfo } from '../../src/methods/dreamer4/play-contract.ts';
import { ActionSampler } from '../../src/ui/playground/action-sampler.ts';
import { GamepadReader } from '../../src/ui/playground/gamepad.ts';
import { ACTION_KEYS, KEY_LIST, LOOK_KEYS } from '../../src/ui/playground/keys.ts';
import { INITIAL, type PlayState, statusLine, trueFrames } from '../../src/ui/playground/play-store.ts';
import type { TruthTick } from '../../src/ui/playground/protocol.ts';
import { RateMeter } from '../../src/ui/playground/rate.ts';
import { TRACE_ROWS, TraceLog } from '../../src/ui/playground/trace-log.ts';
import { actionKeys, KEY } from '../../src/world/actions.ts';

describe('statusLine', () => {
  const truth = {} as TruthTick;
  const line = (change: Partial<PlayState>) =>
    statusLine({ ...INITIAL, truth, dream: { phase: 'loading' }, ...change });

  test('a failed simulator beats everything', () => {
    expect(line({ simFailure: 'It broke.', hidden: true, notice: 'x' })).toBe('It broke.');
  });
  test('before the first frame the world is being built', () => {
    expect(line({ truth: null })).toMatch(/^Building/);
  });
  test('hidden and paused say so', () => {
    expect(line({ hidden: true })).toMatch(/hidden/);
    expect(line({ playing: false })).toBe('Paused.');
  });
  test('the way to take over fits the device', () => {
    const failed = { phase: 'failed', failure: { ok: false, code: 'no-checkpoint', reason: '', advice: '' } } as const;
    expect(line({ dream: failed })).toMatch(/game key/);
    expect(line({ dream: failed, touch: true })).toMatch(/Touch/);
    expect(line({ dream: failed, driver: 'visitor' })).toBe('You are walking.');
    const ready = { phase: 'ready', info: { hz: 20 } as DreamInfo } as const;
    expect(line({ dream: ready })).toMatch(/every 3 s/);
    expect(line({ dream: ready, settings: { ...INITIAL.settings, renew: false } })).not.toMatch(/every/);
    expect(line({ dream: failed, driver: 'visitor', otherTab: true })).toMatch(/another tab/);
  });
});

test('true frames at hand: the walk in and what followed, at most what a dream takes on this adapter', () => {
  const at = (index: number, contextFrames: number, software: boolean) =>
    trueFrames({
      ...INITIAL,
      truth: { index } as TruthTick,
      dream: { phase: 'ready', info: { contextFrames } as DreamInfo },
      adapter: { software } as AdapterReport,
    });
  expect(at(0, 96, false)).toBe(17);
  expect(at(5, 96, true)).toBe(22);
  expect(at(500, 96, true)).toBe(32);
  expect(at(500, 16, true)).toBe(16);
  expect(at(500, 96, false)).toBe(96);
  expect(trueFrames(INITIAL)).toBe(0);
});

test('the rate of steady events', () => {
  const meter = new RateMeter(2000);
  expect(meter.mark(0)).toBeNull();
  expect(meter.mark(100)).toBeCloseTo(10, 6);
  let rate: number | null = null;
  for (let now = 200; now <= 5000; now += 100) rate = meter.mark(now);
  expect(rate).toBeCloseTo(10, 6);
  meter.clear();
  expect(meter.mark(5100)).toBeNull();
});

test('the trace keeps its window, joins late dreams, and marks new context', () => {
  const trace = new TraceLog();
  trace.clear();
  for (let index = 0; index < TRACE_ROWS + 5; index++) trace.step(index, index);
  expect(trace.rows()).toHaveLength(TRACE_ROWS);
  expect(trace.rows()[0].index).toBe(5);
  trace.attach(TRACE_ROWS, 21);
  expect(trace.rows().find(({ index }) => index === TRACE_ROWS)?.psnr).toBe(21);
  trace.mark();
  trace.step(1000, 0);
  trace.step(1001, 0);
  expect(
    trace
      .rows()
      .filter(({ anchored, index }) => anchored && index >= 1000)
      .map(({ index }) => index),
  ).toEqual([1000]);
});

describe('keys', () => {
  test('no key both acts and looks, and each bit is a key of the action', () => {
    for (const code of Object.keys(LOOK_KEYS)) expect(ACTION_KEYS[code]).toBeUndefined();
    for (const bit of Object.values(ACTION_KEYS)) expect(bit & ((1 << 23) - 1)).toBe(bit);
  });
  test('walking, hands, jumping, sneaking, sprinting, inventory and eight slots are on the keyboard', () => {
    const all = Object.values(ACTION_KEYS).reduce((bits, bit) => bits | bit, 0);
    for (const bit of Object.values(KEY)) if (bit !== KEY.esc && bit !== KEY.pickItem) expect(all & bit).toBe(bit);
    expect(all & (0xff << 5)).toBe(0xff << 5);
    expect(KEY_LIST.length).toBeGreaterThan(10);
  });
});

describe('gamepad', () => {
  const pad = (axes: number[], pressed: number[] = []) =>
    ({ axes, buttons: Array.from({ length: 17 }, (_, i) => ({ pressed: pressed.includes(i) })) }) as unknown as Gamepad;

  test('sticks walk and look, triggers act, and rest is rest', () => {
    const sampler = new ActionSampler();
    const reader = new GamepadReader(sampler);
    expect(reader.read(pad([0.1, 0.1, 0.1, 0.1]), 0.016, 0)).toBe(false);
    expect(reader.read(pad([0, -1, 1, 0], [7]), 0.1, 16)).toBe(true);
    const action = sampler.sample();
    expect(actionKeys(action)).toBe(KEY.forward | KEY.attack);
    expect(sampler.active).toBe(true);
    reader.read(pad([0, 0, 0, 0]), 0.016, 32);
    sampler.sample();
    expect(actionKeys(sampler.sample())).toBe(0);
  });

  test('a bumper held is one slot, not many', () => {
    const sampler = new ActionSampler();
    const reader = new GamepadReader(sampler);
    for (let i = 0; i < 10; i++) reader.read(pad([0, 0, 0, 0], [5]), 0.016, i);
    expect(actionKeys(sampler.sample())).toBe(1 << 6);
    expect(actionKeys(sampler.sample())).toBe(0);
  });
});
