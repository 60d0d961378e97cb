/**
 * A session that outlives its device, for the workers of pages: a copy of the run is taken by the clock, and when survive()
 * meets a lost device another one goes on from that copy, to the same bits. What was done since is done again. What is asked
 * of the session outside of survive() fails with its device. Not a store: whoever wants the run to outlive the tab writes
 * what save() gives.
 */
import type { Gpu } from '../gpu/device.ts';
import type { Checkpoint, Session } from './contract.ts';

export interface SafeParts<S extends Session> {
  /** A device that is not lost. */
  device(): Promise<Gpu>;
  create(gpu: Gpu): S | Promise<S>;
  now(): number;
  /** Milliseconds of work that a lost device may cost. */
  everyMs: number;
}

/** Devices that are opened anew without a copy in between: what kills them again and again will kill the next one too. */
const MAX_REBUILDS = 3;
/** A failed command may be heard of before the loss itself. */
const LOSS_MS = 200;

export class SafeSession<S extends Session> {
  readonly #parts: SafeParts<S>;
  #made: { gpu: Gpu; session: S };
  #copy: Uint8Array<ArrayBuffer> | null;
  #copiedAt: number;
  #rebuilds = 0;

  private constructor(parts: SafeParts<S>, made: { gpu: Gpu; session: S }, copy: Uint8Array<ArrayBuffer> | null) {
    this.#parts = parts;
    this.#made = made;
    this.#copy = copy;
    this.#copiedAt = parts.now();
  }

  /** A new session, or one that goes on from a copy. Throws what device(), create() and load() throw. */
  static async open<S extends Session>(
    parts: SafeParts<S>,
    copy: Uint8Array<ArrayBuffer> | null = null,
  ): Promise<SafeSession<S>> {
    return new SafeSession(parts, await make(parts, copy), copy);
  }

  get session(): S {
    return this.#made.session;
  }

  get gpu(): Gpu {
    return this.#made.gpu;
  }

  /**
   * Does a piece of work. If the device gets lost in it, or was before, another one takes its place and the reason of the loss
   * comes back: the work has not been done. Throws what else went wrong.
   */
  async survive(work: (session: S) => Promise<unknown>): Promise<string | null> {
    try {
      if (this.gpu.lostReason !== null) throw new Error(`The GPU device was lost: ${this.gpu.lostReason}`);
      await work(this.session);
      return null;
    } catch (error) {
      await Promise.race([this.gpu.lost, new Promise((resolve) => setTimeout(resolve, LOSS_MS))]);
      const reason = this.gpu.lostReason;
      if (reason === null || this.#rebuilds >= MAX_REBUILDS) throw error;
      this.#rebuilds += 1;
      this.session.dispose();
      this.#made = await make(this.#parts, this.#copy);
      this.#copiedAt = this.#parts.now();
      return reason;
    }
  }

  /** Whether the copy is older than it may be. */
  get due(): boolean {
    return this.#parts.now() - this.#copiedAt > this.#parts.everyMs;
  }

  /** The run as it is now, which is also where a new device would go on. */
  async save(): Promise<Checkpoint> {
    const checkpoint = await this.session.save();
    this.#copy = checkpoint.bytes;
    this.#copiedAt = this.#parts.now();
    this.#rebuilds = 0;
    return checkpoint;
  }

  /** The last copy; null before there is one. */
  get copy(): Uint8Array<ArrayBuffer> | null {
    return this.#copy;
  }

  /** Back to the last copy: what came after it is gone. False if there is none. Throws what load() throws. */
  async restore(): Promise<boolean> {
    if (!this.#copy) return false;
    await this.session.load({ name: 'kept.safetensors', bytes: this.#copy });
    return true;
  }

  /** Another point of the run. Throws what load() throws. */
  async load(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.session.load({ name: 'resumed.safetensors', bytes });
    this.#copy = bytes;
    this.#copiedAt = this.#parts.now();
  }

  dispose(): void {
    this.session.dispose();
  }
}

async function make<S extends Session>(
  parts: SafeParts<S>,
  copy: Uint8Array<ArrayBuffer> | null,
): Promise<{ gpu: Gpu; session: S }> {
  const gpu = await parts.device();
  const session = await parts.create(gpu);
  try {
    if (copy) await session.load({ name: 'kept.safetensors', bytes: copy });
  } catch (error) {
    session.dispose();
    throw error;
  }
  return { gpu, session };
}
