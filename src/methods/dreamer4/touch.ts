/**
 * Does the dream break and place blocks and switch the hotbar? For every event in which a scripted player broke or placed a
 * block or chose another slot, the simulator is asked what the picture would have been without the keys for it, from a few
 * steps before the event on. The dream gets both sequences of actions. Only pixels in which the two truths differ count, after
 * the event:
 *   touchEffect     how much of the true difference the keys make in the dream: the projection of (dream with keys - dream
 *                   without) on (truth with - truth without), 0 = none, 1 = all of it, summed over events
 *   touchShare      share of events in which the dream with the keys is nearer to what happened than to what would have
 *                   happened without them; touchFalse: the same of the dream without keys
 *   minedEffect, placedEffect, slotEffect, ..   the same of blocks broken, of blocks placed and of the hotbar; the three above
 *                   are of all blocks
 */
import type { Gpu } from '../../gpu/device.ts';
import { fusedStack } from '../../nn/fused-layers.ts';
import { evaluationSpecs, frameSource } from './dataset.ts';
import { dreamEvents } from './dream-events.ts';
import { type DreamModel, LatentDream } from './play.ts';
import { touchEvents as findEvents, TOUCH_STEPS, type TouchEvent, type TouchKind, withoutKeys } from './touch-data.ts';

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
  const specs = evaluationSpecs(c, o.seed, 400, 240);
  const events = findEvents(specs, c.frame, frameSource(c), o.events, o.context);
  const dream = new LatentDream(gpu, model, o.streams, { k: o.k, fused: fusedStack });
  const settings = { k: o.k, contextCorruption: o.corruption, seed: o.seed };
  const dreamed: Uint8Array[] = [];
  const without: Uint8Array[] = [];
  for (let first = 0; first < events.length; first += o.streams) {
    const batch = events.slice(first, first + o.streams);
    const play = (action: (e: TouchEvent, step: number) => number): Promise<Uint8Array[]> =>
      dreamEvents(dream, batch, settings, TOUCH_STEPS, action);
    dreamed.push(...(await play((e, i) => e.actions[i])));
    without.push(...(await play((e, i) => withoutKeys(e.kind)(e.actions[i]))));
  }
  dream.dispose();
  return { events, dreamed, without, ...touchFigures(events, dreamed, without) };
}

/** The figures of given dreams with the keys and without, RGB bytes [TOUCH_STEPS, H, W, 3] for every event. */
export function touchFigures(
  events: readonly Pick<TouchEvent, 'kind' | 'touched' | 'untouched' | 'changed'>[],
  dreamed: readonly Uint8Array[],
  without: readonly Uint8Array[],
): Pick<TouchResult, 'metrics' | 'table'> {
  const distance = (a: Uint8Array, b: Uint8Array, at: Uint32Array): number => {
    let sum = 0;
    for (const k of at) sum += (a[k] - b[k]) ** 2;
    return sum;
  };
  const row = (name: string, kinds: TouchKind[]): (number | string)[] => {
    const chosen = events.flatMap((e, i) => (kinds.includes(e.kind) ? [i] : []));
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
  const rows = [
    row('mined', ['mined']),
    row('placed', ['placed']),
    row('blocks', ['mined', 'placed']),
    row('slot', ['slot']),
  ];
  const metrics = Object.fromEntries(
    [...['mined', 'placed', 'touch', 'slot'].entries()].flatMap(([i, name]) => {
      const [, n, effect, right, wrong] = rows[i] as number[];
      return [
        [`${name}Events`, n],
        [`${name}Effect`, effect],
        [`${name}Share`, right],
        [`${name}False`, wrong],
      ];
    }),
  );
  return {
    metrics,
    table: { name: 'touch', columns: ['event', 'n', 'effect', 'nearer with keys', 'nearer without'], rows },
  };
}
