/**
 * A Dreamer 4 run as the page and the command line drive it: data from the simulator, tokenizer, token cache, dynamics.
 * Every step is a function of (configuration, seed, step), so a run that is saved and resumed is bit-identical.
 */
import {
  readSafetensors,
  type SafetensorsFile,
  type TensorToWrite,
  toFloat32,
  writeSafetensors,
} from '../../data/safetensors.ts';
import type { Storage } from '../../data/storage.ts';
import type { Gpu } from '../../gpu/device.ts';
import {
  CheckpointError,
  checkedTraining,
  checkPrecision,
  precisionOf,
  shippedTensors,
  startFromShipped,
  trainingTensors,
} from '../../train/checkpoint.ts';
import { requireFinite } from '../../train/finite.ts';
import type { EpisodeSpec } from '../../world/episodes/episode.ts';
import { advanceSteps } from '../advance.ts';
import { ConfigError } from '../config-values.ts';
import type { Budget, Checkpoint, Method, Phase, Query, RunContext, RunState, Session, View } from '../contract.ts';
import { type DreamerConfig, presets } from './config.ts';
import { checkConfig, parseConfig } from './config-file.ts';
import { buildFrames, holdoutSpecs, trainingSpecs } from './dataset.ts';
import { DynamicsTrainer } from './dynamics-trainer.ts';
import type { FrameSet } from './frames.ts';
import { type DreamModel, LatentDream } from './play.ts';
import { type Dream, PLAY_CORRUPTION } from './play-contract.ts';
import { TokenizerTrainer } from './tokenizer-trainer.ts';
import {
  type LatentStats,
  latentSize,
  latentStats,
  packTokens,
  type TokenEpisode,
  tokenCacheName,
  tokenise,
  unpackTokens,
} from './tokens.ts';

export interface DreamerContext extends RunContext {
  /** Keeps rendered episodes across runs. */
  cache?: Storage;
}

export type DreamerPhase = 'data' | 'tokenizer' | 'tokens' | 'dynamics';

/** Metrics are read back every so many steps: a read waits for the GPU, which costs a real one more than a step. */
const metricsEvery = (gpu: Gpu): number => (gpu.conditions.software ? 10 : 50);
/** Held-out episodes that a run looks at. */
export const HOLDOUT_EPISODES = 4;
/** Episodes encoded side by side when the token cache is made. */
const tokenStreams = (gpu: Gpu): number => (gpu.conditions.software ? 32 : 512);
/** Prefix of the weights in a training checkpoint that a dynamics which does not exist yet will start from. */
const START = 'start/';

export class DreamerSession implements Session<RunState> {
  readonly phases: readonly Phase[];
  readonly config: DreamerConfig;
  readonly tokenizer: TokenizerTrainer;
  private readonly context: DreamerContext;
  private readonly gpu: Gpu;
  private trainer: DynamicsTrainer | null = null;
  private readonly specs: EpisodeSpec[];
  private frames: FrameSet;
  private holdout: FrameSet | null = null;
  private tokens: TokenEpisode[] | null = null;
  private stats: LatentStats | null = null;
  private tokensDone = 0;
  private dream: LatentDream | null = null;
  private readonly flops = { done: 0 };
  /** Weights that the dynamics starts from, and what the card says about where a warm start came from. */
  private start: SafetensorsFile | null = null;
  private origin = '';

  constructor(context: DreamerContext, config: DreamerConfig) {
    this.context = context;
    this.gpu = context.gpu;
    this.config = config;
    this.specs = trainingSpecs(config, context.seed);
    this.frames = { width: config.frame.width, height: config.frame.height, episodes: [] };
    this.tokenizer = new TokenizerTrainer(context.gpu, config, context.seed);
    this.phases = [
      { id: 'data', title: 'Play and render episodes', steps: this.specs.length },
      { id: 'tokenizer', title: 'Tokenizer', steps: config.phases.tokenizer.steps },
      { id: 'tokens', title: 'Encode all frames', steps: this.specs.length },
      { id: 'dynamics', title: 'Dynamics', steps: config.phases.dynamics.steps },
    ];
  }

  /** Floating point operations of all training steps so far. */
  get trainingFlops(): number {
    return this.flops.done;
  }

  private phase(): DreamerPhase {
    if (this.frames.episodes.length < this.specs.length) return 'data';
    if (this.tokenizer.step < this.config.phases.tokenizer.steps) return 'tokenizer';
    if (!this.tokens) return 'tokens';
    return 'dynamics';
  }

  state(): RunState {
    const phase = this.phase();
    const steps = {
      data: this.frames.episodes.length,
      tokenizer: this.tokenizer.step,
      tokens: this.tokensDone,
      dynamics: this.trainer?.step ?? 0,
    };
    return {
      phase,
      step: steps[phase],
      done: phase === 'dynamics' && steps.dynamics >= this.config.phases.dynamics.steps,
    };
  }

  advance(budget: Budget): Promise<'more' | 'done'> {
    return advanceSteps(
      budget,
      this.context,
      () => this.state(),
      () => this.step(),
    );
  }

  private async step(): Promise<void> {
    const phase = this.phase();
    if (phase === 'data') await this.nextEpisode();
    else if (phase === 'tokenizer') await this.tokenizerStep();
    else if (phase === 'tokens') await this.encodeAll();
    else await this.dynamicsStep();
  }

  private async nextEpisode(): Promise<void> {
    const spec = this.specs[this.frames.episodes.length];
    const { episodes } = await buildFrames(this.config, [spec], this.context.cache ?? null, undefined, true);
    this.frames.episodes.push(...episodes);
  }

  private async tokenizerStep(): Promise<void> {
    this.tokenizer.advance(this.frames);
    this.flops.done += this.tokenizer.program.stats.flops;
    await this.tokenizer.program.throttle();
    await this.report('tokenizer', this.tokenizer);
  }

  private async encodeAll(): Promise<void> {
    const { cache } = this.context;
    const { store } = this.tokenizer;
    if (this.tokenizer.step === 0 && this.origin === '') {
      throw new ConfigError('phases.tokenizer.steps=0 needs a trained tokenizer: start with --from');
    }
    const name = cache ? await tokenCacheName(store, 'average', this.frames) : '';
    const known = cache ? await cache.read(name) : null;
    this.tokens = known ? unpackTokens(known, this.frames, latentSize(this.config)) : null;
    if (!this.tokens) {
      const streams = Math.min(tokenStreams(this.gpu), this.frames.episodes.length);
      this.tokens = await tokenise(this.gpu, this.config, store, 'average', this.frames, streams, (done, total) => {
        const episodes = Math.floor((done / total) * this.specs.length);
        if (episodes > this.tokensDone) {
          this.tokensDone = episodes;
          this.context.emit({ kind: 'log', text: `encoded ${done} of ${total} frames` });
        }
      });
      await cache?.write(name, packTokens(this.tokens));
    }
    this.stats = latentStats(this.tokens, latentSize(this.config));
    this.trainer ??= new DynamicsTrainer(this.gpu, this.config, this.context.seed);
    // A resumed trainer has them already, the averaged copy with the roundings of its steps.
    if (this.trainer.step > 0) return;
    if (this.start) startFromShipped(this.trainer.store, this.start);
    this.trainer.setStats(this.stats);
  }

  private async dynamicsStep(): Promise<void> {
    const { trainer, tokens, stats } = this;
    if (!trainer || !tokens || !stats) throw new Error('the token cache is missing');
    this.flops.done += trainer.advance(tokens, stats);
    await trainer.throttle();
    await this.report('dynamics', trainer);
  }

  private async report(phase: 'tokenizer' | 'dynamics', trainer: TokenizerTrainer | DynamicsTrainer): Promise<void> {
    const { step } = trainer;
    if (step % metricsEvery(this.gpu) !== 0 && step !== this.config.phases[phase].steps && step !== 1) return;
    const values = await trainer.metrics();
    await requireFinite(`${phase} step ${step}`, values, trainer.store);
    this.context.emit({ kind: 'metrics', phase, step, values });
  }

  /** The networks as they are now; null before the dynamics exists. */
  model(): DreamModel | null {
    if (!this.trainer || !this.stats) return null;
    return {
      config: this.config,
      tokenizer: this.tokenizer.store,
      dynamics: this.trainer.store,
      slab: 'average',
      stats: this.stats,
      title: `${this.config.rung}, ${this.trainer.step} steps`,
    };
  }

  /**
   * A dream that shares the weights of the training: every frame is of the weights as they are then. `steps`: how many they
   * have seen. Who opens one disposes it. Null while the dynamics has learned nothing.
   */
  live(): { steps: number; open(): Dream } | null {
    const model = this.model();
    if (!model || !this.trainer || this.trainer.step === 0) return null;
    return { steps: this.trainer.step, open: () => new LatentDream(this.gpu, model, 1) };
  }

  /**
   * Starts from the weights of a shipped checkpoint instead of random ones: the tokenizer if its shape is the same, and
   * the dynamics too if both shapes are. For a new run only. `name` goes into the run's record. Returns what was taken.
   */
  startFrom(bytes: Uint8Array<ArrayBuffer>, name: string): 'tokenizer' | 'tokenizer and dynamics' {
    const file = readSafetensors(bytes);
    if (file.metadata.method !== 'dreamer4' || file.metadata.kind !== 'model') {
      throw new CheckpointError('Only a shipped checkpoint of Dreamer 4 can be started from.');
    }
    const theirs = parseConfig(file.metadata.config ?? '{}');
    const { d, channels, motionSkip } = this.config.dynamics;
    if (motionSkip && !theirs.dynamics.motionSkip) {
      // A path that starts at zero changes nothing in a model that was trained without it.
      theirs.dynamics.motionSkip = true;
      for (const [name, inputs] of [
        ['dyn.motion.w', channels],
        ['dyn.known.w', 4],
      ] as const)
        file.tensors.set(name, { dtype: 'F32', shape: [inputs, d], bytes: new Uint8Array(inputs * d * 4) });
    }
    const same = (key: 'frame' | 'tokenizer' | 'dynamics'): boolean =>
      JSON.stringify(theirs[key]) === JSON.stringify(this.config[key]);
    if (!same('frame') || !same('tokenizer')) {
      throw new CheckpointError(`${name} has a tokenizer of another shape; nothing of it can be used.`);
    }
    startFromShipped(this.tokenizer.store, file);
    this.start = same('dynamics') ? file : null;
    const taken = this.start ? 'tokenizer and dynamics' : 'tokenizer';
    this.origin = `${taken} of ${name}`;
    return taken;
  }

  async save(): Promise<Checkpoint> {
    // Metrics are not read at every step, and a good checkpoint must not be replaced by a bad one.
    const { tokenizer, trainer } = this;
    if (trainer && trainer.step > 0) {
      await requireFinite(`dynamics step ${trainer.step}`, await trainer.metrics(), trainer.store);
    } else if (tokenizer.step > 0) {
      await requireFinite(`tokenizer step ${tokenizer.step}`, await tokenizer.metrics(), tokenizer.store);
    }
    const tensors = await trainingTensors(this.tokenizer.store, 'tokenizer/');
    tensors.set('tokenizer/normaliser', await this.small(this.tokenizer.normaliser, 128));
    if (this.trainer) {
      for (const [name, t] of await trainingTensors(this.trainer.store, 'dynamics/')) tensors.set(name, t);
      tensors.set('dynamics/normaliser', await this.small(this.trainer.normaliser, 64));
    } else if (this.start) {
      // The dynamics begins only after the tokens: until then what it will start from has to stay.
      for (const [name, t] of this.start.tensors) {
        if (!tokenizer.store.specs.has(name)) tensors.set(START + name, { shape: t.shape, values: toFloat32(t) });
      }
    }
    const metadata = {
      method: 'dreamer4',
      kind: 'training',
      config: JSON.stringify(this.config),
      seed: String(this.context.seed),
      tokenizerStep: String(this.tokenizer.step),
      dynamicsStep: String(this.trainer?.step ?? 0),
      flops: String(this.flops.done),
      ...(this.origin ? { origin: this.origin } : {}),
      ...precisionOf(this.gpu.conditions),
    };
    return { name: 'dreamer4-training.safetensors', bytes: writeSafetensors(tensors, metadata) };
  }

  private async small(buffer: GPUBuffer, words: number): Promise<TensorToWrite> {
    const staging = this.gpu.device.createBuffer({
      size: words * 4,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = this.gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, words * 4);
    this.gpu.device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return { shape: [words], values };
  }

  async load(checkpoint: Checkpoint): Promise<void> {
    const file = readSafetensors(checkpoint.bytes as Uint8Array<ArrayBuffer>);
    const { metadata } = file;
    if (metadata.method !== 'dreamer4' || metadata.kind !== 'training') {
      throw new CheckpointError('This file is not a training checkpoint of Dreamer 4.');
    }
    if (Number(metadata.seed) !== this.context.seed) {
      throw new CheckpointError(
        `This checkpoint was trained with seed ${metadata.seed}, this run has seed ${this.context.seed}.`,
      );
    }
    checkPrecision(metadata, this.gpu.conditions);
    const { steps } = this.config.phases.tokenizer;
    if (Number(metadata.dynamicsStep) > 0 && Number(metadata.tokenizerStep) < steps) {
      throw new ConfigError(
        `phases.tokenizer.steps=${steps}: the dynamics has learned from tokens of ${metadata.tokenizerStep} tokenizer steps, more would change them`,
      );
    }
    const normaliser = (name: string): Uint8Array<ArrayBuffer> => {
      const t = file.tensors.get(name);
      if (!t) throw new CheckpointError(`The checkpoint has no tensor ${name}.`);
      return t.bytes.slice();
    };
    // All parts are checked before the first is written: a file that does not fit changes nothing.
    const parts: (() => void)[] = [checkedTraining(this.tokenizer.store, file, 'tokenizer/')];
    const write = (buffer: GPUBuffer, bytes: Uint8Array<ArrayBuffer>): void =>
      this.gpu.device.queue.writeBuffer(buffer, 0, bytes);
    const tokenizerState = normaliser('tokenizer/normaliser');
    parts.push(() => write(this.tokenizer.normaliser, tokenizerState));
    let trainer: DynamicsTrainer | null = null;
    if (file.tensors.has('dynamics/normaliser')) {
      const loaded = this.trainer ?? new DynamicsTrainer(this.gpu, this.config, this.context.seed);
      const dynamicsState = normaliser('dynamics/normaliser');
      try {
        parts.push(checkedTraining(loaded.store, file, 'dynamics/'));
      } catch (error) {
        if (loaded !== this.trainer) loaded.dispose();
        throw error;
      }
      parts.push(() => {
        write(loaded.normaliser, dynamicsState);
        loaded.step = Number(metadata.dynamicsStep);
      });
      // So that a loaded model can be played before its frames are tokens again.
      const [mean, std] = ['mean', 'std'].map((name) => file.tensors.get(`dynamics/average/latent.${name}`));
      if (mean && std) {
        parts.push(() => {
          this.stats = { mean: toFloat32(mean), std: toFloat32(std) };
        });
      }
      trainer = loaded;
    }
    for (const part of parts) part();
    this.trainer = trainer ?? this.trainer;
    this.tokenizer.step = Number(metadata.tokenizerStep);
    this.flops.done = Number(metadata.flops ?? 0);
    this.origin = metadata.origin ?? '';
    const start = [...file.tensors].filter(([name]) => name.startsWith(START));
    this.start =
      start.length > 0
        ? {
            metadata: {},
            tensors: new Map(start.map(([name, t]) => [name.slice(START.length), { ...t, bytes: t.bytes.slice() }])),
          }
        : null;
    this.tokens = null;
  }

  /** The averaged weights in half precision: what ships and what the playground loads. */
  async export(title: string, about: Record<string, string> = {}): Promise<Checkpoint> {
    const model = this.model();
    if (!model) throw new Error('There is no dynamics to export yet.');
    return { name: `dreamer4-${this.config.rung}.safetensors`, bytes: await shipModel(model, { title, ...about }) };
  }

  private async holdoutFrames(): Promise<FrameSet> {
    this.holdout ??= await buildFrames(
      this.config,
      holdoutSpecs(this.config, this.context.seed, HOLDOUT_EPISODES),
      this.context.cache ?? null,
    );
    return this.holdout;
  }

  /** PSNR of reconstructions of held-out episodes, averaged weights. */
  async tokenizerPsnr(windows = 4): Promise<number> {
    return (await this.tokenizer.evaluate(await this.holdoutFrames(), windows, 5)).psnr;
  }

  async inspect(_query: Query): Promise<View> {
    const { width, height } = this.config.frame;
    const columns = 8;
    const size = width * height * 3;
    const set = this.frames.episodes.length > 0 && this.phase() === 'data' ? this.frames : await this.holdoutFrames();
    const model = this.model();
    if (!model || !this.trainer || this.trainer.step === 0) {
      const { pixels, truth } = await this.tokenizer.evaluate(set, 1, 5);
      const made = new Uint8Array(columns * size);
      for (let i = 0; i < columns * width * height; i++) {
        made.set([pixels[i] & 255, (pixels[i] >> 8) & 255, (pixels[i] >> 16) & 255], i * 3);
      }
      return {
        width,
        height,
        columns,
        rows: [
          { title: 'truth', rgb: truth.slice(0, columns * size) },
          { title: 'reconstruction', rgb: made },
        ],
      };
    }
    this.dream ??= new LatentDream(this.gpu, model, 1);
    const context = 16;
    const episode = set.episodes[this.trainer.step % set.episodes.length];
    this.dream.reset();
    await this.dream.observe(episode.frames.subarray(0, context * size), episode.actions.subarray(0, context));
    const made = new Uint8Array(columns * size);
    const truth = new Uint8Array(columns * size);
    const settings = { k: 4, contextCorruption: PLAY_CORRUPTION, seed: 1 };
    // Every second frame, so that the row spans more of the dream.
    for (let i = 0; i < columns * 2; i++) {
      const at = context + i;
      const frame = await this.dream.step(episode.actions.slice(at, at + 1), settings, { rgb: i % 2 === 1 });
      if (i % 2 === 0) continue;
      made.set(frame.rgb, (i >> 1) * size);
      truth.set(episode.frames.subarray(at * size, (at + 1) * size), (i >> 1) * size);
    }
    return {
      width,
      height,
      columns,
      rows: [
        { title: 'truth', rgb: truth },
        { title: 'dream', rgb: made },
      ],
    };
  }

  dispose(): void {
    this.dream?.dispose();
    this.tokenizer.dispose();
    this.trainer?.dispose();
  }
}

/** A shipped checkpoint: both networks, latent statistics in f32, configuration and title. */
export async function shipModel(model: DreamModel, metadata: Record<string, string>): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = new Map<string, TensorToWrite>();
  for (const store of [model.tokenizer, model.dynamics]) {
    for (const [name, t] of await shippedTensors(store, model.slab)) tensors.set(name, t);
  }
  tensors.set('latent.mean', { shape: [model.stats.mean.length], values: model.stats.mean });
  tensors.set('latent.std', { shape: [model.stats.std.length], values: model.stats.std });
  return writeSafetensors(tensors, {
    method: 'dreamer4',
    kind: 'model',
    config: JSON.stringify(model.config),
    ...metadata,
  });
}

/** Configuration and seed of the run that a training checkpoint belongs to. */
export function checkpointRun(bytes: Uint8Array<ArrayBuffer>): { config: DreamerConfig; seed: number } {
  const { metadata } = readSafetensors(bytes);
  if (metadata.method !== 'dreamer4' || metadata.config === undefined) {
    throw new CheckpointError('This file is not a checkpoint of Dreamer 4.');
  }
  return { config: parseConfig(metadata.config), seed: Number(metadata.seed ?? 0) };
}

export const dreamer4: Method<DreamerConfig> = {
  id: 'dreamer4',
  title: 'Dreamer 4',
  presets,
  fields: [
    {
      key: 'data.episodes',
      label: 'Episodes',
      hint: 'Worlds that scripted players explore for training data',
      min: 4,
      max: 5000,
      step: 1,
    },
    {
      key: 'data.steps',
      label: 'Steps per episode',
      hint: 'Ten steps are one second of play',
      min: 128,
      max: 3000,
      step: 1,
    },
    {
      key: 'phases.tokenizer.steps',
      label: 'Tokenizer steps',
      hint: 'Optimiser steps of masked autoencoding',
      min: 10,
      max: 100000,
      step: 10,
    },
    {
      key: 'phases.dynamics.steps',
      label: 'Dynamics steps',
      hint: 'Optimiser steps of shortcut forcing',
      min: 10,
      max: 100000,
      step: 10,
    },
    {
      key: 'phases.tokenizer.lr',
      label: 'Tokenizer learning rate',
      hint: 'Peak of the schedule',
      min: 0.00001,
      max: 0.01,
      step: 0.0001,
    },
    {
      key: 'phases.dynamics.lr',
      label: 'Dynamics learning rate',
      hint: 'Peak of the schedule',
      min: 0.00001,
      max: 0.01,
      step: 0.0001,
    },
  ],
  create: async (context, config) => new DreamerSession(context, checkConfig(config)),
};
