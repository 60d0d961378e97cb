// What hands and walls do to the picture, as the simulator says: marks of hands for training, events for the evaluation.
import { beforeAll, describe, expect, test } from 'vitest';
import { presets } from '../../../src/methods/dreamer4/config.ts';
import { evaluationSpecs, frameSource, renderEpisode, trainingSpecs } from '../../../src/methods/dreamer4/dataset.ts';
import { handsOff, slotsOff } from '../../../src/methods/dreamer4/features.ts';
import { touchedFrames } from '../../../src/methods/dreamer4/frames.ts';
import { tokenWeights } from '../../../src/methods/dreamer4/noise-levels.ts';
import { NO_ACTION } from '../../../src/methods/dreamer4/play-contract.ts';
import { touchFigures } from '../../../src/methods/dreamer4/touch.ts';
import {
  STOPPED,
  TOUCH_BEFORE,
  TOUCH_STEPS,
  type TouchKind,
  touchEvents,
  touchedPatches,
  withoutKeys,
} from '../../../src/methods/dreamer4/touch-data.ts';
import { afterPushing, walkFigures } from '../../../src/methods/dreamer4/walk.ts';
import { WALK_COUNTED, WALK_STEPS, walkEvents } from '../../../src/methods/dreamer4/walk-data.ts';
import { patchCell } from '../../../src/tensor/ops/images.ts';
import { CAMERA_NULL, cameraClass, hotbarKey, KEY } from '../../../src/world/actions.ts';
import type { EpisodeSpec } from '../../../src/world/episodes/episode.ts';
import { recordEpisode } from '../../../src/world/episodes/record.ts';
import { EVENT } from '../../../src/world/events.ts';

const c = presets.micro;
const { width, height, patch } = c.frame;
const size = width * height * 3;
const WALK = KEY.forward | KEY.back | KEY.left | KEY.right | KEY.jump;
const patches = (width / patch) * (height / patch);

describe('hands', () => {
  let builder: EpisodeSpec;
  let walker: EpisodeSpec;
  beforeAll(() => {
    walker = trainingSpecs({ ...c, data: { episodes: 0, steps: 400, walks: 1 } }, 9)[0];
    builder = evaluationSpecs({ ...c, data: { ...c.data, episodes: 1, steps: 200 } }, 3, 40, 200).find(
      (s) => s.player === 'builder',
    ) as EpisodeSpec;
  });

  test('the key bits are those of breaking, placing and slots, and only these are taken away', () => {
    const slots = Array.from({ length: 9 }, (_, n) => hotbarKey(n)).reduce((all, bit) => all | bit);
    const turn = cameraClass(3, 9) << 23;
    for (const bit of Object.values(KEY)) {
      const hand = bit === KEY.attack || bit === KEY.use;
      expect(handsOff((bit | turn | KEY.attack | KEY.use) >>> 0)).toBe(((hand ? 0 : bit) | turn) >>> 0);
      expect(slotsOff((bit | turn | slots) >>> 0)).toBe(((bit & slots ? 0 : bit) | turn) >>> 0);
    }
    expect([handsOff(NO_ACTION), slotsOff(NO_ACTION)]).toEqual([NO_ACTION, NO_ACTION]);
  });

  test('frames are marked where hands were used and a block came or went', () => {
    const episode = recordEpisode(builder);
    const { frames, actions } = renderEpisode(c, episode);
    const touched = touchedPatches(c.frame, episode, frames, frameSource(c));
    expect(touched.length).toBe(actions.length * patches);
    const marked = new Set(touchedFrames([{ actions, touched }]).map((f) => f.frame));
    for (const frame of marked) expect(slotsOff(handsOff(actions[frame]))).not.toBe(actions[frame]);
    const events = episode.events.filter((e) => e.type === EVENT.mined || e.type === EVENT.placed);
    expect(events.length).toBeGreaterThan(3);
    const seen = events.filter((e) => marked.has(Math.floor(e.tick / episode.config.ticksPerStep) + 1));
    expect(seen.length / events.length).toBeGreaterThan(0.6);
    // Where the player does nothing else, nearly all that moves lies in marked patches, in the order of the latents.
    let [inside, all] = [0, 0];
    for (const frame of marked) {
      if (actions[frame] >>> 23 !== CAMERA_NULL || (handsOff(actions[frame]) & WALK) !== 0) continue;
      for (let p = 0; p < patches; p++) {
        const [column, row] = patchCell(p, width / patch);
        for (let i = 0; i < patch * patch; i++) {
          const k = frame * size + ((row * patch + Math.floor(i / patch)) * width + column * patch + (i % patch)) * 3;
          if (Math.abs(frames[k] - frames[k - size]) <= 24) continue;
          all += 1;
          inside += touched[frame * patches + p] > 0 ? 1 : 0;
        }
      }
    }
    expect(all).toBeGreaterThan(200);
    expect(inside / all).toBeGreaterThan(0.7);
  });

  test('weights of tokens: of their frame, more where marked', () => {
    const config = { ...presets.micro, handsWeight: 20 };
    const touched = new Uint8Array(2 * config.dynamics.tokens);
    touched[config.dynamics.tokens + 5] = 51;
    const weights = tokenWeights(config, Float32Array.from([0, 3]), touched);
    expect([weights[5], weights[config.dynamics.tokens + 4], weights[config.dynamics.tokens + 5]]).toEqual([0, 3, 15]);
  });

  test('events: the truths are equal until the keys part them, and differ where it says', () => {
    const events = touchEvents([builder], c.frame, frameSource(c), 4, 16);
    const episode = recordEpisode(builder);
    const whole = renderEpisode(c, episode);
    const types: number[] = [EVENT.mined, EVENT.placed, EVENT.selected];
    const ticks = episode.events.filter((e) => types.includes(e.type)).map((e) => e.tick);
    const of = (kind: string): number => events.filter((e) => e.kind === kind).length;
    expect(of('mined') + of('placed')).toBeGreaterThan(1);
    expect(of('slot')).toBeGreaterThan(0);
    for (const e of events) {
      // The same frames and actions as in the episode, the event in step TOUCH_BEFORE.
      const from = ticks
        .map((tick) => Math.floor(tick / episode.config.ticksPerStep) - TOUCH_BEFORE + 1 - 16)
        .find((at) => at >= 0 && Buffer.compare(e.context, whole.frames.subarray(at * size, (at + 16) * size)) === 0);
      expect(from).toBeDefined();
      const at = (from as number) + 16;
      expect(e.contextActions).toEqual(whole.actions.slice(at - 16, at));
      expect(e.actions).toEqual(whole.actions.slice(at, at + TOUCH_STEPS));
      expect(Buffer.compare(e.touched, whole.frames.subarray(at * size, (at + TOUCH_STEPS) * size))).toBe(0);
      expect(e.actions.length).toBe(TOUCH_STEPS);
      expect(e.changed.length).toBeGreaterThan(0);
      const last = e.actions.findIndex((action) => withoutKeys(e.kind)(action) !== action);
      expect(last).toBeLessThanOrEqual(TOUCH_BEFORE);
      expect(e.touched.subarray(0, last * size)).toEqual(e.untouched.subarray(0, last * size));
      expect([...e.changed].some((k) => e.touched[k] !== e.untouched[k])).toBe(true);
      expect(e.changed[0]).toBeGreaterThanOrEqual(TOUCH_BEFORE * size);
      const hotbar = (size * 7) / 8;
      expect([...e.changed].every((k) => k % size >= hotbar === (e.kind === 'slot'))).toBe(true);
    }
  });

  test('walks: the truth stands before a wall and goes on where nothing is', () => {
    const events = walkEvents([walker], c.frame, frameSource(c), 4, 16);
    const whole = renderEpisode(c, recordEpisode(walker));
    expect(new Set(events.map((e) => e.stopped)).size).toBe(2);
    for (const { stopped, context, contextActions, truth } of events) {
      const at = Array.from(whole.actions.keys()).find(
        (i) => Buffer.compare(context, whole.frames.subarray(i * size, (i + 16) * size)) === 0,
      );
      expect(at).toBeDefined();
      expect(contextActions).toEqual(whole.actions.slice(at, (at as number) + 16));
      let motion = 0;
      for (let k = WALK_COUNTED * size; k < WALK_STEPS * size; k++) motion += Math.abs(truth[k] - truth[k - size]);
      motion /= (WALK_STEPS - WALK_COUNTED) * size;
      if (stopped) expect(motion).toBeLessThan(0.5);
      else expect(motion).toBeGreaterThan(1.5);
    }
  });

  test('frames in which something holds who walks are marked whole, and look like the frame before', () => {
    const episode = recordEpisode(walker);
    const draw = frameSource(c);
    const { frames } = renderEpisode(c, episode, draw);
    const marks = touchedPatches(c.frame, episode, frames, draw);
    const held = Array.from(episode.actions.keys(), (i) => i + 1).filter((i) =>
      marks.subarray(i * patches, (i + 1) * patches).every((mark) => mark >= STOPPED),
    );
    expect(held.length).toBeGreaterThan(5);
    expect(held.length).toBeLessThan(episode.actions.length / 2);
    for (const i of held) expect(episode.actions[i - 1] & WALK).not.toBe(0);
    const still = held.filter((i) => episode.actions[i - 1] >>> 23 === CAMERA_NULL);
    let moved = 0;
    for (const i of still)
      for (let k = i * size; k < (i + 1) * size; k++) moved += Math.abs(frames[k] - frames[k - size]);
    expect(moved / (still.length * size)).toBeLessThan(0.5);
  });
});

describe('figures', () => {
  const shown = 48;
  const touch = (kind: TouchKind) => {
    const touched = new Uint8Array(TOUCH_STEPS * shown).fill(100);
    const untouched = touched.slice();
    const changed = Uint32Array.from([TOUCH_BEFORE * shown + 3, TOUCH_BEFORE * shown + 4]);
    for (const k of changed) touched[k] = 180;
    return { kind, touched, untouched, changed };
  };
  const events = [touch('mined'), touch('placed'), touch('placed'), touch('slot')];

  test('of hands: a dream that is the truth, one that does not listen, one that listens half', () => {
    const truth = touchFigures(
      events,
      events.map((e) => e.touched),
      events.map((e) => e.untouched),
    );
    expect(truth.metrics).toMatchObject({
      touchEvents: 3,
      touchEffect: 1,
      touchShare: 1,
      touchFalse: 0,
      slotEffect: 1,
    });
    const deaf = events.map((e) => e.untouched);
    expect(touchFigures(events, deaf, deaf).metrics).toMatchObject({ touchEffect: 0, touchShare: 0, slotShare: 0 });
    // Everything that was placed appears to three quarters, whatever the keys; nothing else happens.
    const eager = events.map((e) => (e.kind === 'placed' ? e.touched.map((v) => (v === 180 ? 160 : v)) : e.untouched));
    expect(touchFigures(events, eager, deaf).metrics).toMatchObject({
      placedEvents: 2,
      placedEffect: 0.75,
      placedShare: 1,
      placedFalse: 0,
      minedShare: 0,
      touchEffect: 0.5,
      slotEffect: 0,
    });
    expect(touchFigures(events, eager, eager).metrics).toMatchObject({ placedEffect: 0, placedFalse: 1 });
  });

  test('a push goes on where the walk ends', () => {
    const bytes = (n: number, from: number) => Uint8Array.from({ length: 2 * n }, (_, k) => from + Math.floor(k / 2));
    const contextActions = Uint32Array.from({ length: 15 }, (_, i) => i);
    const e = { context: bytes(15, 0), contextActions, action: 99, truth: bytes(WALK_STEPS, 100) };
    const pushed = afterPushing(e);
    expect(pushed.context).toEqual(Uint8Array.from([...bytes(3, 12), ...bytes(WALK_STEPS, 100)]));
    expect([...pushed.contextActions]).toEqual([12, 13, 14, ...Array(WALK_STEPS).fill(99)]);
    const short = { ...e, context: bytes(2, 0), contextActions: contextActions.subarray(0, 2) };
    expect(afterPushing(short).context).toEqual(bytes(2, 110));
  });

  test('of walks: a dream that is the truth, one without walls, one that stands', () => {
    const moving = (by: number) =>
      Uint8Array.from({ length: WALK_STEPS * shown }, (_, k) => by * Math.floor(k / shown));
    const walks = [
      { stopped: false, truth: moving(4) },
      { stopped: true, truth: moving(0) },
    ];
    const of = (open: number, wall: number) => walkFigures(walks, [moving(open), moving(wall)]).metrics;
    expect(of(4, 0)).toMatchObject({ walkMotion: 1, wallMotion: 0, trueWallMotion: 0, wallShare: 1, wallEvents: 1 });
    expect(of(2, 2)).toMatchObject({ walkMotion: 0.5, wallMotion: 1, wallShare: 0 });
    expect(of(4, 1)).toMatchObject({ wallMotion: 0.25, wallShare: 1 });
    const begun = moving(2).subarray(0, (moving(2).length / WALK_STEPS) * (WALK_STEPS - WALK_COUNTED));
    expect(walkFigures(walks, [moving(4), moving(4)], [begun]).metrics).toMatchObject({
      wallMotion: 1,
      pushMotion: 0.5,
    });
    const { metrics } = walkFigures(walks.slice(1), [moving(1)]);
    expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
    expect(metrics).not.toHaveProperty('wallMotion');
  });
});
