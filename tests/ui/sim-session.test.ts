// The sim worker's logic: same seed same start, steps as the simulator takes them, true frames to the gpu worker.

import { describe, expect, test } from 'vitest';
import { NO_ACTION } from '../../src/methods/dreamer4/play-contract.ts';
import { PRELUDE_STEPS, type TruthMessage } from '../../src/ui/playground/protocol.ts';
import { SimSession } from '../../src/ui/playground/sim-session.ts';
import { hotbarKey, KEY, makeAction, NULL_ACTION } from '../../src/world/actions.ts';

const SIZE = 64 * 48 * 3;

class Port {
  sent: TruthMessage[] = [];
  postMessage(message: TruthMessage) {
    this.sent.push(message);
  }
}

async function started(seed: number) {
  const port = new Port();
  const session = new SimSession();
  const info = await session.open(null, port as unknown as MessagePort);
  const tick = await session.start({ seed });
  return { port, session, info, tick };
}

describe('a start', () => {
  test('tells the frame size and the rate', async () => {
    const { info } = await started(1);
    expect(info).toMatchObject({ width: 64, height: 48, hz: 10, ticksPerStep: 2 });
  });

  test('is the same for the same seed and differs between seeds', async () => {
    const [a, b, c] = [await started(7), await started(7), await started(8)];
    expect(a.tick.rgb).toEqual(b.tick.rgb);
    expect(a.port.sent).toEqual(b.port.sent);
    expect(a.tick.rgb).not.toEqual(c.tick.rgb);
  });

  test('sends the walk into the world as context, and its last frame is frame 0', async () => {
    const { port, tick } = await started(3);
    const [message] = port.sent;
    if (message.kind !== 'episode') throw new Error('the first message begins an episode');
    expect(message.actions).toHaveLength(PRELUDE_STEPS + 1);
    expect(message.actions[0]).toBe(NO_ACTION);
    expect([...message.actions.slice(1)].every((action) => action >>> 30 === 0)).toBe(true);
    expect(message.frames).toHaveLength((PRELUDE_STEPS + 1) * SIZE);
    expect(message.frames.slice(-SIZE)).toEqual(tick.rgb);
    expect(tick).toMatchObject({ index: 0, action: NO_ACTION, episode: 1 });
  });

  test('is what the gallery shows', async () => {
    const { session, tick } = await started(5);
    expect(await session.preview(5)).toEqual(tick.rgb);
  });

  test('looking at the gallery does not disturb the running world', async () => {
    const plain = await started(4);
    const disturbed = await started(4);
    await disturbed.session.preview(6);
    const action = makeAction(KEY.forward);
    expect((await disturbed.session.step(action)).rgb).toEqual((await plain.session.step(action)).rgb);
  });
});

describe('frames of another size', () => {
  test.each([
    ['the map from above', 32, 32],
    ['a larger picture', 96, 64],
  ])('%s', async (_, width, height) => {
    const { session, port } = await started(3);
    expect(await session.suit({ world: 'park', width, height })).toMatchObject({ ok: true, value: { width, height } });
    const tick = await session.start({ seed: 3 });
    expect(tick.rgb).toHaveLength(width * height * 3);
    expect(new Set(tick.rgb).size).toBeGreaterThan(8);
    expect(port.sent.at(-1)).toMatchObject({ kind: 'episode', width, height });
  });

  test('a size that nobody draws is refused with a sentence', async () => {
    const { session } = await started(3);
    const result = await session.suit({ world: 'park', width: 30, height: 30 });
    expect(result).toMatchObject({ ok: false, code: 'bad-checkpoint' });
    expect(result.ok === false && result.reason).toContain('30x30');
    expect((await session.step(NULL_ACTION)).rgb).toHaveLength(SIZE);
  });
});

describe('steps', () => {
  test('without a world are refused', async () => {
    await expect(new SimSession().step(NULL_ACTION)).rejects.toThrow('no world has been started');
  });

  test('the visitor’s actions replay to the same frames', async () => {
    const actions = [KEY.forward, KEY.forward | KEY.jump, KEY.attack, 0].map((keys) => makeAction(keys));
    const [a, b] = [await started(2), await started(2)];
    for (const action of actions)
      expect((await a.session.step(action)).rgb).toEqual((await b.session.step(action)).rgb);
  });

  test('each true frame goes to the gpu worker with its action and index', async () => {
    const { port, session } = await started(2);
    const action = makeAction(KEY.left);
    const tick = await session.step(action);
    expect(port.sent[1]).toEqual({ kind: 'frame', episode: 1, index: 1, action, rgb: tick.rgb });
    // Two buffers: the page and the gpu worker each take their own.
    expect((port.sent[1] as { rgb: Uint8Array }).rgb.buffer).not.toBe(tick.rgb.buffer);
  });

  test('turning right grows the yaw, walking forward moves along it', async () => {
    const { session, tick } = await started(2);
    const right = 60 + 3;
    const turned = await session.step(makeAction(0, right));
    expect(Math.sin(turned.camera.yaw - tick.camera.yaw)).toBeGreaterThan(0);
    for (const seed of [1, 2, 3, 4, 5]) {
      const { session: walker, tick: from } = await started(seed);
      let last = from;
      for (let i = 0; i < 5; i++) last = await walker.step(makeAction(KEY.forward));
      const along =
        -Math.sin(last.camera.yaw) * (last.camera.x - from.camera.x) +
        Math.cos(last.camera.yaw) * (last.camera.z - from.camera.z);
      // A wall may stop the walk; nothing may reverse it.
      expect(along).toBeGreaterThan(-0.1);
      if (seed === 2) expect(along).toBeGreaterThan(0.5);
    }
  });

  test('the hotbar key is seen in the next tick', async () => {
    const { session } = await started(2);
    expect((await session.step(makeAction(hotbarKey(5)))).slot).toBe(5);
  });

  test('the inventory key opens a screen with a cursor', async () => {
    const { session } = await started(2);
    const tick = await session.step(makeAction(KEY.inventory));
    expect(tick.guiOpen).toBe(true);
    expect(tick.cursor[0]).toBeGreaterThanOrEqual(0);
    expect(tick.cursor[0]).toBeLessThan(64);
  });

  test('the scripted player moves the picture, the same way for the same seed', async () => {
    const [a, b] = [await started(9), await started(9)];
    const seen = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const tick = await a.session.step(null);
      expect(await b.session.step(null)).toMatchObject({ action: tick.action });
      seen.add(Buffer.from(tick.rgb).toString('base64'));
    }
    expect(seen.size).toBeGreaterThan(10);
  });

  test('visitor and scripted player may take turns', async () => {
    const { session } = await started(9);
    for (let i = 0; i < 10; i++) await session.step(null);
    await session.step(makeAction(KEY.forward));
    const tick = await session.step(null);
    expect(tick.index).toBe(12);
  });
});
