// Keeps the last minute of both panes as raw frames. At 64x48 they are so small (18 kB per step for both) that a minute
// costs 11 MB, so nothing needs to be encoded while playing: video.ts does that on request.

export interface ClipFrame {
  index: number;
  dream: Uint8Array | null;
  truth: Uint8Array;
  psnr: number | null;
}

export const CLIP_SECONDS = 60;

/** First in, first out; holds at most `capacity` frames. */
export class ClipRing {
  readonly #frames: ClipFrame[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(frame: ClipFrame): void {
    this.#frames.push(frame);
    if (this.#frames.length > this.#capacity) this.#frames.shift();
  }

  /** The dream of a step arrives after its truth. */
  attachDream(index: number, dream: Uint8Array, psnr: number): void {
    for (let i = this.#frames.length - 1; i >= 0 && this.#frames[i].index >= index; i--) {
      if (this.#frames[i].index === index) Object.assign(this.#frames[i], { dream, psnr });
    }
  }

  clear(): void {
    this.#frames.length = 0;
  }

  get length(): number {
    return this.#frames.length;
  }

  frames(): readonly ClipFrame[] {
    return this.#frames.slice();
  }
}

export function download(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
