// Everything that crosses a thread in the playground, in one place. Types and plain constants only.
//
//   page --Comlink--> sim worker   (SimApi)    the true simulator and its pictures
//   page --Comlink--> gpu worker   (GpuApi)    the device, the dream, its canvas
//   sim worker --MessagePort--> gpu worker     (TruthMessage) true frames: context of the dream and its yardstick

import type { AdapterReport } from '../../gpu/device.ts';
import type { DreamInfo, DreamSettings, DreamTiming } from '../../methods/dreamer4/play-contract.ts';
import type { ShippedModel } from './checkpoint-source.ts';

/** A result that may fail for reasons the visitor has to know: one sentence what, one sentence what to do. */
export type Outcome<T> = { ok: true; value: T } | Failure;

export interface Failure {
  ok: false;
  code: FailureCode;
  reason: string;
  advice: string;
}

export type FailureCode = 'no-webgpu' | 'device-lost' | 'no-checkpoint' | 'bad-checkpoint' | 'network' | 'internal';

/** Where an episode begins: a world and the scripted walk into it. Same numbers, same world, same first frames. */
export interface EpisodeStart {
  seed: number;
}

/** Agent steps that a scripted player walks before frame 0, so that the dream starts with a past. */
export const PRELUDE_STEPS = 16;

/** True frames given to a dream on a CPU adapter: each costs a pass, and both worlds wait meanwhile. */
export const SOFTWARE_CONTEXT = 32;

/** What the simulator must show a model: the worlds it was trained in, and its frames. */
export type KnownWorld = Pick<DreamInfo, 'world' | 'width' | 'height'>;

export interface SimInfo extends KnownWorld {
  /** Agent steps per second. */
  hz: number;
  ticksPerStep: number;
}

export interface TruthTick {
  episode: number;
  /** Agent steps since the start; 0 is the start frame. */
  index: number;
  /** The action that led here; NO_ACTION at index 0. */
  action: number;
  guiOpen: boolean;
  cursor: [number, number];
  slot: number;
  rgb: Uint8Array;
  /** What the step took, in milliseconds. */
  simulateMs: number;
  renderMs: number;
  camera: CameraPose;
}

/** Eye position in blocks, angles in radians; yaw 0 looks along +z, pitch > 0 looks down. */
export interface CameraPose {
  x: number;
  y: number;
  z: number;
  yaw: number;
  pitch: number;
}

export interface SimApi {
  /** `truth`: canvas of the truth pane; `toGpu`: true frames go out here. */
  open(truth: OffscreenCanvas | null, toGpu: MessagePort): Promise<SimInfo>;
  /** From the next start on, worlds and frames are those that a model knows: 32x32 is the map from above, anything else the player's view. */
  suit(model: KnownWorld): Promise<Outcome<SimInfo>>;
  /** Begins an episode: draws its first frame, sends the prelude to the gpu worker. */
  start(start: EpisodeStart): Promise<TruthTick>;
  /** One agent step; `action` null lets the scripted player choose. */
  step(action: number | null): Promise<TruthTick>;
  /** Start frame of a seed as RGB bytes, for the gallery. */
  preview(seed: number): Promise<Uint8Array>;
  /**
   * Sections around the player whose faces changed since the last call, nearest first, at most `limit`; forgets what was
   * sent before when `fresh`. Sections that are out of sight again are simply left to the receiver.
   */
  mesh(limit: number, fresh: boolean): Promise<SectionMesh[]>;
}

export const VERTEX = 8;

/** Blocks after which water does not get thicker to the eye (`layer_weight` of shaders/world/frame.wgsl). */
export const DEEP = 5;

/** Visible faces of one 16x16x16 section. Vertices in blocks relative to `at`; indices of opaque faces, then of see-through ones. */
export interface SectionMesh {
  key: string;
  at: [number, number, number];
  /** x, y, z, u, v, tile, light (0..1), blocks of water below a surface that looks up: VERTEX floats per vertex. */
  vertices: Float32Array;
  opaque: Uint32Array;
  translucent: Uint32Array;
}

export type TruthMessage =
  | {
      kind: 'episode';
      episode: number;
      width: number;
      height: number;
      /** `[n, height, width, 3]`, oldest first; the last one is frame 0 of the play. */
      frames: Uint8Array;
      actions: Uint32Array;
    }
  | { kind: 'frame'; episode: number; index: number; action: number; rgb: Uint8Array };

export interface DreamReport {
  episode: number;
  index: number;
  rgb: Uint8Array;
  /** `[k, height, width, 3]`; empty unless asked for. */
  film: Uint8Array;
  ringFill: number;
  timing: DreamTiming;
  /** Against the true frame of the same index, decibels. */
  psnr: number;
  /** Mean absolute difference per 8x8-pixel cell, 0..1, row by row. */
  cells: Float32Array;
  /** Mean and standard deviation of the dreamed pixels, 0..1, and the same of the frames it started from. */
  mean: number;
  deviation: number;
  startMean: number;
  startDeviation: number;
}

/** A checkpoint that came with the page, loaded. */
export interface ShippedDream {
  info: DreamInfo;
  model: ShippedModel;
  /** All that came with it, the smallest first. */
  models: readonly ShippedModel[];
}

export interface GpuApi {
  /** Opens the device. `canvas`: the dream pane. */
  open(canvas: OffscreenCanvas | null, truth: MessagePort): Promise<Outcome<AdapterReport>>;
  /** Fetches `index.json` under `base` and loads the checkpoint of the rung `wanted`, or the default one. */
  loadShipped(base: string, wanted: string): Promise<Outcome<ShippedDream>>;
  loadBytes(bytes: Uint8Array<ArrayBuffer>): Promise<Outcome<DreamInfo>>;
  /** Waits for true frame `index` of `episode`; forgets the dream, and the true frames up to that one become its context. */
  dreamFromTruth(episode: number, index: number): Promise<Outcome<DreamReport | null>>;
  /** Waits for true frame `index` of `episode`, dreams the same step, draws and measures it. */
  step(episode: number, index: number, settings: DreamSettings, film: boolean): Promise<Outcome<DreamReport>>;
  /** After a lost device: new device, same checkpoint, context from the last frames that were dreamed. */
  rebuild(): Promise<Outcome<DreamInfo>>;
}
