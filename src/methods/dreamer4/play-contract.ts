/**
 * What a playable dream offers to the page, the command line and the evaluation.
 * A dream is a batch of one or more streams that advance in lock-step, one frame per action.
 */

/**
 * Noise fraction of dreamed frames unless somebody chooses another. 0.1 in the paper; with 0.25, which the micro rung's
 * training covers, the dream moves three quarters as much as the truth instead of half as much, at the same error.
 */
export const PLAY_CORRUPTION = 0.25;

/** Settings that may change from frame to frame without losing the context. */
export interface DreamSettings {
  /** Denoising steps per frame (power of two, 1..kMax of the checkpoint). */
  k: number;
  /** Noise fraction mixed into a finished frame before it becomes context, 0..0.5. */
  contextCorruption: number;
  /** Seed of the sampling noise. */
  seed: number;
}

/** Facts about the loaded checkpoint. */
export interface DreamInfo {
  title: string;
  /** Profile of the worlds that it was trained in (src/world/config.ts). */
  world: 'meadow' | 'park';
  /** Frame width and height in pixels. */
  width: number;
  height: number;
  /** Frames per second that the model was trained at. */
  hz: number;
  /** Context window in frames and seconds. */
  contextFrames: number;
  contextSeconds: number;
  kMax: number;
  parameters: number;
  /** Spatial tokens and channels per token of one latent frame. */
  latent: [tokens: number, channels: number];
}

/** Milliseconds of the last frame by stage; null where the adapter cannot time it. */
export interface DreamTiming {
  total: number;
  denoise: number | null;
  commit: number | null;
  decode: number | null;
  dispatches: number;
}

export interface DreamFrame {
  /** RGB bytes, `[streams, height, width, 3]`; empty unless asked for. */
  rgb: Uint8Array;
  /** Predicted clean frame after each denoising step, `[k, height, width, 3]` of stream 0; empty unless asked for. */
  film: Uint8Array;
  index: number;
  /** Frames in the key/value ring (0..contextFrames). */
  ringFill: number;
  timing: DreamTiming;
}

export interface Dream {
  readonly info: DreamInfo;
  readonly streams: number;
  /** Forgets everything; frame counter 0. */
  reset(): void;
  /**
   * Feeds true frames as context. `frames` `[n, streams, height, width, 3]` RGB bytes, `actions` `[n, streams]`:
   * actions[i] is the action that led into frame i; `NO_ACTION` (0xffffffff) for the first frame of an episode.
   */
  observe(frames: Uint8Array, actions: Uint32Array): Promise<void>;
  /** Dreams the next frame after `actions` `[streams]`. */
  step(actions: Uint32Array, settings: DreamSettings, want?: { rgb?: boolean; film?: boolean }): Promise<DreamFrame>;
  /** Draws the newest frame of stream 0 on a WebGPU canvas context (page only); no read-back. */
  present?(canvas: GPUCanvasContext): void;
  dispose(): void;
}

/** Stands for "no action known": the first frame of an episode or an unlabelled frame. */
export const NO_ACTION = 0xffffffff;
