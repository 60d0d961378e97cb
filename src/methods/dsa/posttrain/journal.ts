/**
 * What a run of post-training has behind it, in storage: finished stages with all that later ones need, and the last step of
 * the stage that runs. A killed run repeats the step or measurement it was in, and goes on to the same bits on the same
 * adapter: a stage is a function of the weights it starts from, a step of the trained state and its number. Not a cache: a
 * file of another run is an error.
 */
import {
  readSafetensors,
  type SafetensorsFile,
  type TensorToWrite,
  toFloat32,
  writeSafetensors,
} from '../../../data/safetensors.ts';
import type { Storage } from '../../../data/storage.ts';
import type { Conditions } from '../../../gpu/device.ts';
import type { ParamStore } from '../../../nn/params.ts';
import {
  CheckpointError,
  checkPrecision,
  precisionOf,
  restoreTraining,
  trainingTensors,
} from '../../../train/checkpoint.ts';
import { checkPost, type PostConfig } from './config.ts';
import type { Arm, Values } from './policy.ts';
import type { PostEvent } from './reinforce.ts';

const STAGES = 'post-stages.safetensors';
const STEP = 'post-step.safetensors';
const KIND = 'dsa post-training stages';

/** A stage that is done: what was heard of it, its weights if later stages start from them, and what else it found out. */
export interface Finished<T> {
  events: PostEvent[];
  values: Values;
  found: T;
}

/** What a stage says, and how its training loop, at most one, goes on where it was. */
export interface Stage {
  tell(event: PostEvent): void;
  /** Writes the trained state of the last kept step into the store and gives its number; 0: the stage begins. */
  begin(store: ParamStore): number;
  /** A step is done, with all that is measured after it. */
  keep(step: number, store: ParamStore): Promise<void>;
}

/** Where a kept run is. */
export interface KeptPost {
  config: PostConfig;
  seed: number;
  /** Finished stages. */
  stages: number;
}

export class Journal {
  readonly config: PostConfig;
  readonly seed: number;
  private readonly storage: Storage;
  private readonly done: Map<string, Finished<unknown>>;
  private readonly resting: SafetensorsFile | null;
  /** As the files say it; nothing before the run first meets a device. */
  private about: { precision?: string } = {};

  private constructor(
    kept: Omit<KeptPost, 'stages'>,
    storage: Storage,
    done: Journal['done'],
    resting: Journal['resting'],
  ) {
    this.config = kept.config;
    this.seed = kept.seed;
    this.storage = storage;
    this.done = done;
    this.resting = resting;
  }

  /** A new run, in the place of what the storage held. */
  static async begin(storage: Storage, config: PostConfig, seed: number): Promise<Journal> {
    await Journal.forget(storage);
    const journal = new Journal({ config, seed }, storage, new Map(), null);
    await journal.writeStages();
    return journal;
  }

  /** The run that is kept there; null if there is none. Throws CheckpointError for files of something else. */
  static async resume(storage: Storage): Promise<Journal | null> {
    const file = await stagesIn(storage);
    if (!file) return null;
    const { config, seed } = identityOf(file);
    const step = await storage.read(STEP);
    const resting = step && readSafetensors(step);
    if (resting && resting.metadata.run !== file.metadata.run) {
      throw new CheckpointError(`${STEP} belongs to another run than ${STAGES}.`);
    }
    const journal = new Journal({ config, seed }, storage, finishedOf(file), resting);
    const { precision } = { ...file.metadata, ...resting?.metadata };
    if (precision) journal.about = { precision };
    return journal;
  }

  static async kept(storage: Storage): Promise<KeptPost | null> {
    const file = await stagesIn(storage);
    return file && { ...identityOf(file), stages: JSON.parse(file.metadata.stages).length };
  }

  static async forget(storage: Storage): Promise<void> {
    await storage.remove(STAGES);
    await storage.remove(STEP);
  }

  /** Before its first stage. Throws CheckpointError on a device of another precision than the run began with. */
  meet(conditions: Conditions): void {
    checkPrecision(this.about, conditions);
    this.about = precisionOf(conditions);
  }

  /** A stage by its name: as it was kept, its events told again, or by `body`. */
  async stage<T>(
    arm: Arm,
    name: string,
    emit: (event: PostEvent) => void,
    body: (stage: Stage) => Promise<{ values?: Values; found: T }>,
  ): Promise<Finished<T>> {
    const id = `${arm} ${name}`;
    const known = this.done.get(id) as Finished<T> | undefined;
    if (known) {
      for (const event of known.events) emit(event);
      return known;
    }
    const resting = this.resting?.metadata.stage === id ? this.resting : null;
    const events: PostEvent[] = [];
    const tell = (event: PostEvent): void => {
      events.push(event);
      emit(event);
    };
    const before: PostEvent[] = resting ? JSON.parse(resting.metadata.events) : [{ kind: 'stage', arm, stage: name }];
    for (const event of before) tell(event);
    const { values = new Map(), found } = await body({
      tell,
      begin(store) {
        if (resting) restoreTraining(store, resting);
        return Number(resting?.metadata.step ?? 0);
      },
      keep: async (step, store) => {
        const at = { stage: id, step: String(step), events: JSON.stringify(events) };
        const about = { run: this.identity, ...at, ...this.about };
        await this.storage.write(STEP, writeSafetensors(await trainingTensors(store), about));
      },
    });
    const finished: Finished<T> = { events, values, found };
    this.done.set(id, finished);
    await this.writeStages();
    return finished;
  }

  private get identity(): string {
    return JSON.stringify({ config: this.config, seed: this.seed });
  }

  private async writeStages(): Promise<void> {
    const tensors = new Map<string, TensorToWrite>();
    const stages = [...this.done].map(([id, { events, values, found }]) => {
      for (const [name, v] of values) tensors.set(`${id}/${name}`, { shape: [v.length], values: v });
      return { id, events, found };
    });
    const about = { kind: KIND, run: this.identity, stages: JSON.stringify(stages), ...this.about };
    await this.storage.write(STAGES, writeSafetensors(tensors, about));
  }
}

async function stagesIn(storage: Storage): Promise<SafetensorsFile | null> {
  const bytes = await storage.read(STAGES);
  if (!bytes) return null;
  const file = readSafetensors(bytes);
  if (file.metadata.kind !== KIND) throw new CheckpointError(`${STAGES} does not hold a run of post-training.`);
  return file;
}

function identityOf({ metadata }: SafetensorsFile): { config: PostConfig; seed: number } {
  const { config, seed } = JSON.parse(metadata.run);
  checkPost(config);
  return { config, seed };
}

function finishedOf({ metadata, tensors }: SafetensorsFile): Map<string, Finished<unknown>> {
  const stages: { id: string; events: PostEvent[]; found: unknown }[] = JSON.parse(metadata.stages);
  return new Map(
    stages.map(({ id, events, found }) => {
      const own = [...tensors].filter(([name]) => name.startsWith(`${id}/`));
      const values = new Map(own.map(([name, t]) => [name.slice(id.length + 1), toFloat32(t)]));
      return [id, { events, values, found }];
    }),
  );
}
