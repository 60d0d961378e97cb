/**
 * The rungs of the model ladder (dreamer4 section 12) and every switch of the method. What differs from the paper or
 * from the specification is said beside the field.
 */
import type { FrameShape } from '../../tensor/ops/images.ts';
import type { DreamInfo } from './play-contract.ts';

export interface TokenizerConfig {
  d: number;
  /** Layers of each half. One is a time layer, the encoder's last and the decoder's first; the specification: one in four. */
  layers: number;
  heads: number;
  dim: number;
  hidden: number;
  /**
   * One latent per patch, read from the patch's own token and written back to it, instead of learned latent tokens that
   * gather from all patches (the paper's form, aligned = false). Half the tokens, and information passes from the first
   * step: with gathered latents the micro rung still showed the mean image after 200 steps (holdout 15.3 dB).
   */
  aligned: boolean;
  /** N_b latent tokens of D_b channels. */
  latents: number;
  channels: number;
  /** C_tok: frames that a time layer sees. */
  context: number;
}

export interface DynamicsConfig {
  d: number;
  layers: number;
  heads: number;
  kvHeads: number;
  dim: number;
  hidden: number;
  /** N_z spatial tokens of D_z channels: a reshape of the tokenizer's bottleneck. */
  tokens: number;
  channels: number;
  registers: number;
  /** C: frames that a time layer sees. */
  context: number;
  kMax: number;
  /**
   * Place of the time layer in every four: the last in the specification. First lets seven layers instead of three work on
   * what the past brings, which counts where there are only eight.
   */
  timeFirst: boolean;
  /** Spatial tokens also get the action and the shortcut signal directly; the paper: only as tokens beside them. */
  slotConditions: boolean;
  /**
   * Every spatial token reads its own latents of the previous frame, and the prediction is a change of them. Without it
   * the first thousand micro steps go into learning to copy: after 300 steps, one-frame predictions had half again the
   * error of the last frame repeated.
   */
  frameSkip: boolean;
  /**
   * Every spatial token also reads the change of its own latents between the two frames before, where both are known: what
   * stands still, falls or is being walked past. Needs frameSkip, and `solidContextShare` for something to learn it from.
   * No preset has it: what it brought and what it cost stands in the README beside this file.
   */
  motionSkip: boolean;
  /** Axial rotation of spatial tokens in space layers. Needs latents aligned with patches. */
  spaceRotation: boolean;
}

export interface PhaseSchedule {
  steps: number;
  lr: number;
  /** Rows and frames per row of the short batch, and of the long one (dynamics only). */
  rows: number;
  time: number;
  longRows: number;
  longTime: number;
}

export interface DreamerConfig {
  rung: 'nano' | 'micro' | 'small' | 'base';
  /** World profile (src/world/config.ts) of training, evaluation and play. */
  world: DreamInfo['world'];
  renderer: 'topdown' | 'first-person';
  frame: FrameShape;
  /** Agent steps per second. */
  hz: number;
  tokenizer: TokenizerConfig;
  dynamics: DynamicsConfig;
  /** Episodes of the usual players, of so many steps, and of players who walk against walls (`walker`). */
  data: { episodes: number; steps: number; walks: number };
  phases: { tokenizer: PhaseSchedule; dynamics: PhaseSchedule };
  /** Largest masking probability of a frame's patches in masked autoencoding. */
  maskMax: number;
  /** Weight of the perceptual stand-in; 0 = squared error only. */
  perceptual: number;
  /** Losses divided by their running RMS. */
  normaliseLosses: boolean;
  /** Extra weight of patches that changed since the previous frame; 0 in the paper. */
  changeWeight: number;
  /** Extra weight of frames that changed, dynamics loss; 0 in the paper. */
  frameChangeWeight: number;
  /** Share of rows treated as separate images. 0.3 in the paper. */
  imageShare: number;
  /**
   * Share of rows in which every second frame is finished context (signal 1 - contextCorruption, no loss). 0 in the paper;
   * independent noise levels rarely show the pattern of play, where the whole past is clean.
   */
  cleanContextShare: number;
  /**
   * Share of the other frames of such rows that are finished as well. 0: a prediction never has two finished frames before
   * it, as all have in play. Each such frame is one prediction less to learn from.
   */
  solidContextShare: number;
  /**
   * Loss weight of a frame of pure noise; 0.1 in the paper (its ramp), 1 = the same weight at every signal level. What an
   * action does is decided at low signal: after 2500 micro steps with the ramp, wrong actions cost 9 % more error only.
   */
  lossFloor: number;
  /** Share of training frames that are pure noise, besides those that the uniform grid gives; 0 in the paper. */
  noiseShare: number;
  /** Share of bootstrap rows once they are on, and the part of the run after which they start. */
  bootstrapShare: number;
  bootstrapStart: number;
  /** Part of the run over which their number then rises, in four stages; 0 = all at once. */
  bootstrapRamp: number;
  /** Share of long batches, and the last part of the run that has only long ones. */
  longShare: number;
  longOnly: number;
  /** Noise fraction of finished frames when they become context. */
  contextCorruption: number;
  /**
   * Rows with finished context draw its noise fraction between `contextCorruption` and this. The paper has one value; a
   * model that has met worse context than play should show it forgives more of its own mistakes.
   */
  contextCorruptionMax: number;
  /**
   * Share of steps in which the finished frames of such rows are the model's own predictions, and how often they were
   * handed on at most (drawn from 1 to this). 0 in the paper. Noise does not look like the model's mistakes: trained on
   * noised truth only, a dream lost a fifth of its contrast in 120 frames and ended as plain ground.
   */
  selfContextShare: number;
  selfContextDepth: number;
  /**
   * Share of rows that show a frame in which breaking, placing, using or choosing a slot changed something in view, and the
   * extra loss weight of a patch that it changed whole; 0 in the paper. They are few: without both, 8500 steps of micro
   * taught it 2 % of what the keys for breaking and placing do (`touchEffect` of the evaluation).
   */
  handsShare: number;
  handsWeight: number;
  /**
   * Logits are capped to cap * tanh(logit / cap); 0 = no cap. With normalised queries and keys a logit of the micro rung
   * stays below 6 until the gains grow, so its cap of 50 would cost a tanh per score and change nothing.
   */
  softCap: number;
  /** Of the dynamics' hidden matrices; everything else is AdamW's. */
  optimiser: 'adamw' | 'muon';
  emaDecay: number;
  weightDecay: number;
  clip: number;
  warmup: number;
  decay: number;
}

/** The specification's values for its small rungs, but for cleanContextShare: 0.25 there. */
const common = {
  hz: 10,
  maskMax: 0.9,
  perceptual: 0.2,
  normaliseLosses: true,
  changeWeight: 4,
  frameChangeWeight: 2,
  imageShare: 0.3,
  cleanContextShare: 0.5,
  solidContextShare: 0,
  lossFloor: 0.1,
  noiseShare: 0,
  bootstrapShare: 0.25,
  bootstrapStart: 0.2,
  bootstrapRamp: 0.05,
  longShare: 0.1,
  longOnly: 0.1,
  contextCorruption: 0.1,
  contextCorruptionMax: 0.1,
  selfContextShare: 0,
  selfContextDepth: 2,
  handsShare: 0,
  handsWeight: 0,
  softCap: 50,
  optimiser: 'adamw' as DreamerConfig['optimiser'],
  emaDecay: 0.999,
  weightDecay: 0.1,
  clip: 1,
  warmup: 0.05,
  decay: 0.1,
};

/** The specification's dynamics. */
const plain = { timeFirst: false, slotConditions: false, frameSkip: false, motionSkip: false, spaceRotation: false };

// The rung that ships, for a budget of some hours of two CPU cores. It differs from the ladder:
// - context 96 frames = 9.6 s instead of 32, hence longer long rows (T2 > C);
// - latents aligned with patches, one spatial token each, narrower layers: a turned camera is then a look at the
//   neighbour's token, the same for every place. Packed 2x2 to twelve tokens of 32 channels (d 96), the direct paths below
//   included, wrong actions cost 0.1 % more error after 150 steps; with 48 tokens 2 % after 50;
// - three tokenizer layers a half instead of four, its context 8 frames (what its rows show it) instead of 16, masking
//   up to one half instead of 0.9.
const micro: DreamerConfig = {
  ...common,
  rung: 'micro',
  world: 'park',
  renderer: 'first-person',
  frame: { width: 64, height: 48, patch: 8 },
  tokenizer: {
    d: 64,
    layers: 3,
    heads: 4,
    dim: 16,
    hidden: 160,
    aligned: true,
    latents: 48,
    channels: 8,
    context: 8,
  },
  dynamics: {
    d: 64,
    layers: 8,
    heads: 4,
    kvHeads: 2,
    dim: 16,
    hidden: 160,
    tokens: 48,
    channels: 8,
    registers: 2,
    context: 96,
    kMax: 32,
    timeFirst: true,
    slotConditions: true,
    frameSkip: true,
    motionSkip: false,
    spaceRotation: true,
  },
  data: { episodes: 160, steps: 600, walks: 0 },
  maskMax: 0.5,
  softCap: 0,
  phases: {
    tokenizer: { steps: 2800, lr: 2e-3, rows: 8, time: 8, longRows: 0, longTime: 0 },
    dynamics: { steps: 7000, lr: 3e-3, rows: 6, time: 12, longRows: 1, longTime: 104 },
  },
  // Play always starts from true frames here, so start frames need less of the budget than in the paper.
  imageShare: 0.05,
  // Most of the budget goes where the action decides: a prediction from pure noise behind a finished frame. One in five
  // frames is that; with independent levels it is one in fifty.
  cleanContextShare: 0.8,
  lossFloor: 1,
  noiseShare: 0.5,
  contextCorruptionMax: 0.4,
  selfContextShare: 0.5,
  bootstrapStart: 0.3,
  longShare: 0.2,
  longOnly: 0.03,
  decay: 0.3,
  optimiser: 'muon',
};

export const presets: Record<DreamerConfig['rung'], DreamerConfig> = {
  nano: {
    ...common,
    rung: 'nano',
    world: 'meadow',
    renderer: 'topdown',
    frame: { width: 32, height: 32, patch: 8 },
    tokenizer: { d: 32, layers: 2, heads: 2, dim: 16, hidden: 96, aligned: true, latents: 16, channels: 4, context: 8 },
    dynamics: {
      d: 48,
      layers: 4,
      heads: 3,
      kvHeads: 1,
      dim: 16,
      hidden: 128,
      tokens: 4,
      channels: 16,
      registers: 1,
      context: 16,
      kMax: 8,
      ...plain,
    },
    data: { episodes: 20, steps: 500, walks: 0 },
    phases: {
      tokenizer: { steps: 940, lr: 2e-3, rows: 8, time: 8, longRows: 0, longTime: 0 },
      dynamics: { steps: 940, lr: 2e-3, rows: 8, time: 8, longRows: 3, longTime: 24 },
    },
    emaDecay: 0.995,
  },
  micro,
  // The rung for graphics processors. It differs from the ladder: micro's frame and micro's form (latents aligned with
  // patches, direct paths, its schedule of noise), wider and deeper, with twice the channels. At 96x64 a step of the same
  // rows takes twice as long on an H200 (7 instead of 14 a second), and of few steps more are worth more than more pixels.
  small: {
    ...micro,
    rung: 'small',
    world: 'meadow',
    tokenizer: { ...micro.tokenizer, d: 128, layers: 4, heads: 4, dim: 32, hidden: 384, channels: 16 },
    dynamics: { ...micro.dynamics, d: 192, layers: 12, heads: 6, dim: 32, hidden: 512, channels: 16 },
    data: { episodes: 400, steps: 600, walks: 0 },
    phases: {
      tokenizer: { steps: 1500, lr: 1.5e-3, rows: 32, time: 8, longRows: 0, longTime: 0 },
      dynamics: { steps: 3000, lr: 2e-3, rows: 24, time: 16, longRows: 3, longTime: 104 },
    },
  },
  base: {
    ...common,
    rung: 'base',
    world: 'meadow',
    renderer: 'first-person',
    frame: { width: 160, height: 96, patch: 8 },
    tokenizer: {
      d: 256,
      layers: 8,
      heads: 8,
      dim: 32,
      hidden: 704,
      aligned: false,
      latents: 128,
      channels: 16,
      context: 32,
    },
    dynamics: {
      d: 512,
      layers: 16,
      heads: 8,
      kvHeads: 2,
      dim: 64,
      hidden: 1408,
      tokens: 64,
      channels: 32,
      registers: 8,
      context: 96,
      kMax: 64,
      ...plain,
    },
    data: { episodes: 2400, steps: 900, walks: 0 },
    phases: {
      tokenizer: { steps: 11700, lr: 4e-4, rows: 16, time: 32, longRows: 0, longTime: 0 },
      dynamics: { steps: 9800, lr: 3e-4, rows: 64, time: 32, longRows: 16, longTime: 128 },
    },
  },
};

/**
 * The paper's value of every switch, or the specification's where the paper is silent (its optimiser, soft cap, bootstrap
 * share, warm-up and decay are not known). Shapes stay the rung's: frame, widths, layers, number of latents, context, steps,
 * batches and data; so do the world of the data and what play takes for K and context noise.
 */
export function paperFaithful(config: DreamerConfig): DreamerConfig {
  return {
    ...config,
    ...common,
    hz: config.hz,
    emaDecay: config.rung === 'nano' ? 0.995 : 0.999,
    changeWeight: 0,
    frameChangeWeight: 0,
    cleanContextShare: 0,
    tokenizer: { ...config.tokenizer, aligned: false },
    dynamics: { ...config.dynamics, ...plain },
  };
}

/** Slots of one frame in the dynamics: action, shortcut, spatial, registers. */
export const worldSlots = (c: DynamicsConfig): number => 2 + c.tokens + c.registers;
