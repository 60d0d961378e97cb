/**
 * Does the dream break and place blocks? For every event in which a scripted player broke or placed a block, the simulator is
 * asked what the picture would have been without the keys for breaking and placing, from a few steps before the event on. The
 * dream gets both sequences of actions. Only pixels in which the two truths differ count, after the event:
 *   touchEffect     how much of the true difference the keys make in the dream: the projection of (dream with keys - dream
 *                   without) on (truth with - truth without), 0 = none, 1 = all of it, summed over events
 *   touchShare      share of events in which the dream with the keys is nearer to what happened than to what would have
 *                   happened without them; touchFalse: the same of the dream without keys
 */
import type { Gpu } from '../../gpu/device.ts';
import { fusedStack } from '../../nn/fused-layers.ts';
import { evaluationSpecs, frameSource } from './dataset.ts';
import { handsOff } from './features.ts';
import { type DreamModel, LatentDream } from './play.ts';
import { NO_ACTION } from './play-contract.ts';
import { TOUCH_STEPS, type TouchEvent, touchEvents } from './touch-data.ts';

export interface TouchResult {
  events: TouchEvent[];
  /** RGB bytes [TOUCH_STEPS, H, W, 3] of each event's dream with the keys and without. */
  dreamed: Uint8Array[];
  without: Uint8Array[];
  metrics: Record<string, number>;
  table: { name: string; columns: string[]; rows: (number | string)[][] };
}

/** Dreams every event twice, `streams` at a time. */
export async function measureTouch(
  gpu: Gpu,
  model: DreamModel,
  o: { seed: number; events: number; context: number; streams: number; k: number; corruption: number },
): Promise<TouchResult> {
  const c = model.config;
  const size = c.frame.width * c.frame.height * 3;
  const specs = evaluationSpecs(c, o.seed, 400, 240);
  const events = touchEvents(specs, c.frame, frameSource(c), o.events, o.context);
  const dream = new LatentDream(gpu, model, o.streams, { k: o.k, fused: fusedStack });
  const settings = { k: o.k, contextCorruption: o.corruption, seed: o.seed };
  const play = async (batch: TouchEvent[], change: (action: number) => number): Promise<Uint8Array[]> => {
    dream.reset();
    const n = o.streams;
    const pictures = new Uint8Array(o.context * n * size);
    const actions = new Uint32Array(o.context * n);
    for (let i = 0; i < o.context; i++) {
      batch.forEach((e, s) => {
        pictures.set(e.context.subarray(i * size, (i + 1) * size), (i * n + s) * size);
        actions[i * n + s] = e.contextActions[i];
      });
    }
    await dream.observe(pictures, actions);
    const out = batch.map(() => new Uint8Array(TOUCH_STEPS * size));
    for (let i = 0; i < TOUCH_STEPS; i++) {
      const row = new Uint32Array(n).fill(NO_ACTION);
      batch.forEach((e, s) => {
        row[s] = change(e.actions[i]);
      });
      const { rgb } = await dream.step(row, settings, { rgb: true });
      out.forEach((frames, s) => {
        frames.set(rgb.subarray(s * size, (s + 1) * size), i * size);
      });
    }
    return out;
  };
  const dreamed: Uint8Array[] = [];
  const without: Uint8Array[] = [];
  for (let first = 0; first < events.length; first += o.streams) {
    const batch = events.slice(first, first + o.streams);
    dreamed.push(...(await play(batch, (action) => action)));
    without.push(...(await play(batch, handsOff)));
  }
  dream.dispose();
  const distance = (a: Uint8Array, b: Uint8Array, at: Uint32Array): number => {
    let sum = 0;
    for (const k of at) sum += (a[k] - b[k]) ** 2;
    return sum;
  };
  const row = (name: string, chosen: number[]): (number | string)[] => {
    let [effect, norm, right, wrong] = [0, 0, 0, 0];
    for (const i of chosen) {
      const { touched, untouched, changed } = events[i];
      let [dot, square] = [0, 0];
      for (const k of changed) {
        const d = touched[k] - untouched[k];
        dot += d * (dreamed[i][k] - without[i][k]);
        square += d * d;
      }
      effect += dot;
      norm += square;
      if (distance(dreamed[i], touched, changed) < distance(dreamed[i], untouched, changed)) right += 1;
      if (distance(without[i], touched, changed) < distance(without[i], untouched, changed)) wrong += 1;
    }
    const n = chosen.length;
    return [name, n, effect / Math.max(1, norm), right / Math.max(1, n), wrong / Math.max(1, n)];
  };
  const all = events.map((_, i) => i);
  const rows = [
    row(
      'mined',
      all.filter((i) => events[i].kind === 'mined'),
    ),
    row(
      'placed',
      all.filter((i) => events[i].kind === 'placed'),
    ),
    row('all', all),
  ];
  const [, , touchEffect, touchShare, touchFalse] = rows[2] as number[];
  return {
    events,
    dreamed,
    without,
    metrics: { touchEvents: events.length, touchEffect, touchShare, touchFalse },
    table: { name: 'touch', columns: ['event', 'n', 'effect', 'nearer with keys', 'nearer without'], rows },
  };
}
