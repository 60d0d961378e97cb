// Dreams of events: every stream sees the true frames before its event, then dreams its own actions.

import type { LatentDream } from './play.ts';
import { type DreamSettings, NO_ACTION } from './play-contract.ts';

/** Pictures [context, H, W, 3] that lead to an event, and the action before each. */
export interface EventContext {
  context: Uint8Array<ArrayBuffer>;
  contextActions: Uint32Array;
}

/** RGB bytes [steps, H, W, 3] of each event of a batch, which holds at most as many as the dream has streams. */
export async function dreamEvents<E extends EventContext>(
  dream: LatentDream,
  batch: readonly E[],
  settings: DreamSettings,
  steps: number,
  action: (event: E, step: number) => number,
): Promise<Uint8Array[]> {
  dream.reset();
  const n = dream.streams;
  const length = batch[0].contextActions.length;
  const size = batch[0].context.length / length;
  const pictures = new Uint8Array(length * n * size);
  const actions = new Uint32Array(length * n);
  for (let i = 0; i < length; i++) {
    batch.forEach((e, s) => {
      pictures.set(e.context.subarray(i * size, (i + 1) * size), (i * n + s) * size);
      actions[i * n + s] = e.contextActions[i];
    });
  }
  await dream.observe(pictures, actions);
  const out = batch.map(() => new Uint8Array(steps * size));
  for (let i = 0; i < steps; i++) {
    const row = new Uint32Array(n).fill(NO_ACTION);
    batch.forEach((e, s) => {
      row[s] = action(e, i);
    });
    const { rgb } = await dream.step(row, settings, { rgb: true });
    out.forEach((frames, s) => {
      frames.set(rgb.subarray(s * size, (s + 1) * size), i * size);
    });
  }
  return out;
}
