/**
 * Do the dream's walls stop a player? From moments of fresh worlds the dream and the simulator walk straight on; in half of
 * them something is in the way. Motion is the mean |x_{t+1} - x_t| over the steps after the wall is reached:
 *   walkMotion   on open ground, dream / truth: 1 = as fast as the truth
 *   wallMotion   against walls, dream / dream on open ground: 0 = stands, 1 = walks through; trueWallMotion: the same of the truth
 *   pushMotion   the same of a dream that begins after six true frames of pushing and standing: it need only go on standing
 *   wallShare    share of the walls before which the dream moves less than half as much as on open ground
 */
import type { Gpu } from '../../gpu/device.ts';
import { fusedStack } from '../../nn/fused-layers.ts';
import { evaluationSpecs, frameSource } from './dataset.ts';
import { dreamEvents } from './dream-events.ts';
import { type DreamModel, LatentDream } from './play.ts';
import { WALK_COUNTED, WALK_STEPS, type WalkEvent, walkEvents } from './walk-data.ts';

export interface WalkResult {
  events: WalkEvent[];
  /** RGB bytes [WALK_STEPS, H, W, 3] of each event's dream. */
  dreamed: Uint8Array[];
  metrics: Record<string, number>;
  table: { name: string; columns: string[]; rows: (number | string)[][] };
}

export async function measureWalk(
  gpu: Gpu,
  model: DreamModel,
  o: { seed: number; events: number; context: number; streams: number; k: number; corruption: number },
): Promise<WalkResult> {
  const c = model.config;
  const events = walkEvents(evaluationSpecs(c, o.seed, 400, 240), c.frame, frameSource(c), o.events, o.context);
  const dream = new LatentDream(gpu, model, o.streams, { k: o.k, fused: fusedStack });
  const settings = { k: o.k, contextCorruption: o.corruption, seed: o.seed };
  const dreams = async (list: readonly WalkEvent[], steps: number): Promise<Uint8Array[]> => {
    const out: Uint8Array[] = [];
    for (let first = 0; first < list.length; first += o.streams) {
      const batch = list.slice(first, first + o.streams);
      out.push(...(await dreamEvents(dream, batch, settings, steps, (e) => e.action)));
    }
    return out;
  };
  const dreamed = await dreams(events, WALK_STEPS);
  const pushed = await dreams(events.filter((e) => e.stopped).map(afterPushing), WALK_STEPS - WALK_COUNTED);
  dream.dispose();
  return { events, dreamed, ...walkFigures(events, dreamed, pushed) };
}

/** What leads on from the end of a walk: its true frames end the context, as many of the first are left out. */
export function afterPushing<E extends Pick<WalkEvent, 'context' | 'contextActions' | 'action' | 'truth'>>(e: E): E {
  const { length } = e.contextActions;
  const size = e.truth.length / WALK_STEPS;
  const steps = Math.min(length, WALK_STEPS);
  const context = new Uint8Array(e.context.length);
  context.set(e.context.subarray(steps * size));
  context.set(e.truth.subarray(e.truth.length - steps * size), (length - steps) * size);
  const contextActions = new Uint32Array(length).fill(e.action);
  contextActions.set(e.contextActions.subarray(steps));
  return { ...e, context, contextActions };
}

/** The figures of given dreams, RGB bytes [WALK_STEPS, H, W, 3] for every event, and of those that begin at the wall. */
export function walkFigures(
  events: readonly Pick<WalkEvent, 'stopped' | 'truth'>[],
  dreamed: readonly Uint8Array[],
  pushed: readonly Uint8Array[] = [],
): Pick<WalkResult, 'metrics' | 'table'> {
  const motion = (frames: Uint8Array, from = WALK_COUNTED, steps = WALK_STEPS): number => {
    const size = frames.length / steps;
    let sum = 0;
    for (let k = from * size; k < steps * size; k++) sum += Math.abs(frames[k] - frames[k - size]);
    return sum / (steps - from) / size / 255;
  };
  const mean = (of: number[]): number => of.reduce((a, b) => a + b, 0) / Math.max(1, of.length);
  const rows = [false, true].map((stopped) => {
    const chosen = events.flatMap((e, i) => (e.stopped === stopped ? [i] : []));
    return { dream: chosen.map((i) => motion(dreamed[i])), truth: chosen.map((i) => motion(events[i].truth)) };
  });
  const [open, wall] = rows;
  const walks = mean(open.dream);
  return {
    metrics: {
      walkEvents: open.dream.length,
      wallEvents: wall.dream.length,
      // Without a walk on open ground there is nothing to compare with.
      ...(open.dream.length > 0 && {
        walkMotion: walks / mean(open.truth),
        wallMotion: mean(wall.dream) / walks,
        ...(pushed.length > 0 && {
          pushMotion: mean(pushed.map((f) => motion(f, 1, WALK_STEPS - WALK_COUNTED))) / walks,
        }),
        trueWallMotion: mean(wall.truth) / mean(open.truth),
      }),
      wallShare: wall.dream.filter((m) => m < walks / 2).length / Math.max(1, wall.dream.length),
    },
    table: {
      name: 'walking',
      columns: ['ground', 'n', 'motion of the dream', 'of the truth'],
      rows: [
        ['open', open.dream.length, walks, mean(open.truth)],
        ['wall', wall.dream.length, mean(wall.dream), mean(wall.truth)],
      ],
    },
  };
}
