// The gpu worker's side of the stream of true frames: keeps the recent past of the running episode (the context that
// "continue the dream from here" needs) and lets a dream step wait for the true frame of its index.

import type { TruthMessage } from './protocol.ts';

export interface TrueFrame {
  index: number;
  action: number;
  rgb: Uint8Array;
}

interface Waiter {
  episode: number;
  index: number;
  resolve: (frame: TrueFrame) => void;
}

export class TruthFeed {
  /** Frames kept; at least the context of any shipped model (9.6 s at 20 Hz). */
  readonly #limit: number;
  #episode = -1;
  #past: TrueFrame[] = [];
  #waiters: Waiter[] = [];
  width = 0;
  height = 0;

  constructor(limit = 192) {
    this.#limit = limit;
  }

  accept(message: TruthMessage): void {
    if (message.kind === 'episode') {
      const { frames, actions, width, height } = message;
      const size = width * height * 3;
      this.#episode = message.episode;
      this.width = width;
      this.height = height;
      this.#past = Array.from(actions, (action, i) => ({
        index: i - actions.length + 1,
        action,
        rgb: frames.subarray(i * size, (i + 1) * size),
      }));
    } else if (message.episode === this.#episode) {
      this.#past.push(message);
    }
    if (this.#past.length > this.#limit) this.#past.splice(0, this.#past.length - this.#limit);
    this.#waiters = this.#waiters.filter((waiter) => {
      const frame = this.#find(waiter.episode, waiter.index);
      if (frame) waiter.resolve(frame);
      return !frame;
    });
  }

  /** Resolves once the frame is here; page and simulator speak over different ports, so either may come first. */
  frame(episode: number, index: number): Promise<TrueFrame> {
    const frame = this.#find(episode, index);
    if (frame) return Promise.resolve(frame);
    return new Promise((resolve) => this.#waiters.push({ episode, index, resolve }));
  }

  /** The last `count` true frames, oldest first. */
  recent(count: number): readonly TrueFrame[] {
    return this.#past.slice(-count);
  }

  get latest(): TrueFrame | null {
    return this.#past.at(-1) ?? null;
  }

  #find(episode: number, index: number): TrueFrame | undefined {
    if (episode !== this.#episode) return undefined;
    return this.#past.findLast((frame) => frame.index === index);
  }
}

/** Frames and actions in the layout of `Dream.observe` for one stream. */
export function packContext(frames: readonly TrueFrame[]): { rgb: Uint8Array; actions: Uint32Array } {
  const size = frames[0]?.rgb.length ?? 0;
  const rgb = new Uint8Array(frames.length * size);
  for (const [i, frame] of frames.entries()) rgb.set(frame.rgb, i * size);
  return { rgb, actions: Uint32Array.from(frames, (frame) => frame.action) };
}
