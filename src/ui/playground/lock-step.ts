// The clock of the playground: one true step, then the dream of the same step, at the model's own rate. If the dream is
// slower than that, both slow down together; they never drift apart. Knows nothing of React, canvases or workers.

import type { DreamSettings } from '../../methods/dreamer4/play-contract.ts';
import type { DreamReport, Failure, GpuApi, SimApi, TruthTick } from './protocol.ts';

export interface LockStepParts {
  sim: Pick<SimApi, 'start' | 'step'>;
  dream: Pick<GpuApi, 'dreamFromTruth' | 'step' | 'rebuild'>;
  /** The next action of the visitor, or null while the scripted player walks. */
  chooseAction(): number | null;
  /** `renew`: after so many dreamed steps the dream gets true frames as context again; never without. */
  settings(): { dream: DreamSettings; film: boolean; speed: number; renew?: number };
  onTruth(tick: TruthTick): void;
  onDream(report: DreamReport): void;
  /** The dream gets true frames by itself. */
  onRenewal?(): void;
  /** The dream stopped; the truth goes on. */
  onDreamFailure(failure: Failure): void;
  onNotice(text: string): void;
}

/** A device that keeps getting lost is not rebuilt for ever. */
const MAX_LOSSES = 3;
const CALM_STEPS = 100;

const LOOKING = 'The dream is looking at the last true frames.';

const gaveUp = (failure: Failure): Failure => ({
  ...failure,
  reason: `The GPU device was lost ${MAX_LOSSES + 1} times in a row. ${failure.reason}`,
  advice: 'Close other pages that use the GPU and reload. The true world goes on.',
});

export class LockStep {
  readonly #parts: LockStepParts;
  #hz = 10;
  #due = 0;
  /** The newest true frame. */
  #at = { episode: 0, index: 0 };
  #dreaming = false;
  /** Dreamed steps since the dream last saw true frames. */
  #dreamed = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Lost devices since the last calm stretch, and dreamed steps since the last loss. */
  #losses = 0;
  #calm = 0;

  constructor(parts: LockStepParts) {
    this.#parts = parts;
  }

  set hz(value: number) {
    this.#hz = value;
  }

  get dreaming(): boolean {
    return this.#dreaming;
  }

  /** Steps and starts that are under way or wait for their turn. */
  get pending(): number {
    return this.#waiting;
  }

  /** True while a step or a start is under way. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Called often while playing; `now` in milliseconds. */
  pump(now: number): void {
    if (this.busy || now < this.#due) return;
    const interval = 1000 / (this.#hz * this.#parts.settings().speed);
    // A late step does not make the next ones hurry.
    this.#due = Math.max(this.#due + interval, now);
    void this.step();
  }

  /** One agent step of both worlds. */
  step(): Promise<void> {
    return this.#serial(async () => {
      const tick = await this.#parts.sim.step(this.#parts.chooseAction());
      this.#arrived(tick);
      if (this.#dreaming) await this.#dreamStep(tick);
      const { renew } = this.#parts.settings();
      if (!this.#dreaming || renew === undefined || this.#dreamed < renew) return;
      this.#parts.onRenewal?.();
      await this.#look();
    });
  }

  /** New episode from a seed; the dream, if there is one, starts from the same frames. */
  start(seed: number): Promise<void> {
    return this.#serial(async () => {
      await this.#restart(seed);
      if (this.#dreaming) await this.#anchor(LOOKING);
    });
  }

  /** The dream is ready: both worlds begin at the start of the seed, wherever the truth has walked meanwhile. */
  begin(seed: number): Promise<void> {
    return this.#serial(async () => {
      await this.#restart(seed);
      await this.#anchor('The dream is ready; both worlds begin at the start.');
    });
  }

  /** The dream is ready, or has to forget: the true frames of this episode become its context. */
  dreamFromHere(): Promise<void> {
    return this.#serial(() => this.#anchor(LOOKING));
  }

  stopDreaming(): void {
    this.#dreaming = false;
  }

  async #restart(seed: number): Promise<void> {
    const tick = await this.#parts.sim.start({ seed });
    this.#arrived(tick);
  }

  #arrived(tick: TruthTick): void {
    this.#at = tick;
    this.#parts.onTruth(tick);
  }

  async #anchor(notice: string): Promise<void> {
    this.#parts.onNotice(notice);
    await this.#look();
    this.#parts.onNotice('');
  }

  async #look(): Promise<void> {
    const { episode, index } = this.#at;
    // Nothing has been shown yet; the first start hands its frames over.
    if (episode === 0) {
      this.#dreaming = true;
      return;
    }
    let result = await this.#parts.dream.dreamFromTruth(episode, index);
    while (!result.ok) {
      if (!(await this.#rebuild(result))) return;
      result = await this.#parts.dream.dreamFromTruth(episode, index);
    }
    this.#dreaming = true;
    this.#dreamed = 0;
    if (result.value) this.#parts.onDream(result.value);
  }

  async #dreamStep(tick: TruthTick): Promise<void> {
    const { dream, film } = this.#parts.settings();
    const result = await this.#parts.dream.step(tick.episode, tick.index, dream, film);
    if (result.ok) {
      this.#dreamed++;
      if (++this.#calm >= CALM_STEPS) this.#losses = 0;
      this.#parts.onDream(result.value);
    } else await this.#rebuild(result);
  }

  /** False: the dream ends. */
  async #rebuild(failure: Failure): Promise<boolean> {
    this.#calm = 0;
    if (failure.code !== 'device-lost') return this.#fail(failure);
    if (++this.#losses > MAX_LOSSES) return this.#fail(gaveUp(failure));
    this.#parts.onNotice(`${failure.reason} Rebuilding it; the dream goes on from its last frames.`);
    const rebuilt = await this.#parts.dream.rebuild();
    if (!rebuilt.ok) return this.#fail(rebuilt);
    this.#parts.onNotice('');
    return true;
  }

  #fail(failure: Failure): false {
    this.#dreaming = false;
    this.#parts.onDreamFailure(failure);
    return false;
  }

  #serial(work: () => Promise<void>): Promise<void> {
    this.#waiting++;
    const done = this.#queue.then(work).finally(() => {
      this.#waiting--;
    });
    this.#queue = done.catch(() => undefined);
    return done;
  }
}
