/** A small Dreamer 4 for tests, and a world for it that needs no simulator: a square on a still picture, moved by keys. */
import { mix32 } from '../../src/gpu/rng.ts';
import { type DreamerConfig, presets } from '../../src/methods/dreamer4/config.ts';
import type { FrameEpisode, FrameSet } from '../../src/methods/dreamer4/frames.ts';
import { NO_ACTION } from '../../src/methods/dreamer4/play-contract.ts';
import { normals, type ParamStore } from '../../src/nn/params.ts';
import { sizeOf } from '../../src/tensor/graph.ts';

/** 16x16 frames, four space-time layers in the dynamics, everything as small as the kernels allow. */
export const tiny: DreamerConfig = {
  ...presets.nano,
  frame: { width: 16, height: 16, patch: 4 },
  tokenizer: { d: 16, layers: 2, heads: 2, dim: 8, hidden: 24, aligned: true, latents: 16, channels: 4, context: 4 },
  dynamics: {
    d: 16,
    layers: 4,
    heads: 2,
    kvHeads: 1,
    dim: 8,
    hidden: 24,
    tokens: 4,
    channels: 16,
    registers: 1,
    context: 5,
    kMax: 8,
    timeFirst: false,
    slotConditions: false,
    frameSkip: false,
    motionSkip: false,
    spaceRotation: false,
  },
  softCap: 50,
};

/** Every departure of the micro rung's dynamics: time layers first, conditions in every slot, the frame before as a base. */
export const direct: DreamerConfig = {
  ...tiny,
  dynamics: {
    ...tiny.dynamics,
    timeFirst: true,
    slotConditions: true,
    frameSkip: true,
    motionSkip: true,
    spaceRotation: true,
  },
};

/** The paper's form: latent tokens that gather from all patches. */
export const gathered: DreamerConfig = {
  ...tiny,
  tokenizer: { ...tiny.tokenizer, layers: 3, aligned: false, latents: 8, channels: 8 },
};

/** Replaces what starts at zero, so that outputs depend on inputs before any training. */
export function shake(store: ParamStore, seed: number): void {
  let stream = 0;
  for (const spec of store.specs.values()) {
    stream += 1;
    if (spec.init.kind === 'zeros' && spec.shape.length > 1) {
      store.write(
        'value',
        spec.name,
        normals(seed, stream, sizeOf(spec.shape)).map((v) => v * 0.3),
      );
    }
  }
}

/** Where a key leads: left, right, up, down. */
const MOVES: [x: number | null, y: number | null][] = [
  [0, null],
  [1, null],
  [null, 0],
  [null, 1],
];
/** The words of an action: keys in the low 23 bits, the mouse class that stands still above. */
const STILL_MOUSE = 60 << 23;

/**
 * Episodes of a bright square on a fixed backdrop, standing in one quarter of the picture. Keys 0 to 3 move it left,
 * right, up and down; at a border it stays. What comes next depends on the key and on where the square was.
 */
export function moverFrames(size: number, episodes: number, length: number, seed: number): FrameSet {
  const bytes = size * size * 3;
  const half = size / 2;
  const margin = size / 16;
  const episode = (e: number): FrameEpisode => {
    const frames = new Uint8Array(length * bytes);
    const actions = new Uint32Array(length);
    let column = mix32(seed, e, 0, 1) & 1;
    let line = mix32(seed, e, 0, 2) & 1;
    for (let i = 0; i < length; i++) {
      const key = mix32(seed, e, i, 3) & 3;
      actions[i] = i === 0 ? NO_ACTION : STILL_MOUSE | (1 << key);
      if (i > 0) {
        column = MOVES[key][0] ?? column;
        line = MOVES[key][1] ?? line;
      }
      const left = column * half + margin;
      const top = line * half + margin;
      for (let p = 0; p < size * size; p++) {
        const x = p % size;
        const y = Math.floor(p / size);
        const inside = x >= left && x < left + half - 2 * margin && y >= top && y < top + half - 2 * margin;
        const backdrop = [40 + 2 * x, 60 + ((x >> 2) ^ (y >> 2)) * 6, 150 - 2 * y];
        frames.set(inside ? [250, 220, 40] : backdrop, i * bytes + p * 3);
      }
    }
    return { frames, actions };
  };
  return { width: size, height: size, episodes: Array.from({ length: episodes }, (_, e) => episode(e)) };
}

/** Mean squared error of two pictures in 0..1. */
export function meanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / a.length / 65025;
}

export const psnr = (mse: number): number => -10 * Math.log10(Math.max(mse, 1e-12));
