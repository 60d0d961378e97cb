// The page's half while it is open: owns the worker, hands it files and prompts, keeps the files for a device that gets lost.

import { type Remote, releaseProxy, transfer, wrap } from 'comlink';
import type { TextRequest } from '../../lm/qwen/generator.ts';
import type { ChosenFolder } from './folder.ts';
import type { LmApi, LmEvent } from './protocol.ts';
import { initialLm, type LmState, useLm } from './store.ts';

const get = () => useLm.getState();
const set = (change: Partial<LmState>) => useLm.setState(change);

const startWorker = (): Worker =>
  new Worker(new URL('../../../workers/language-model.ts', import.meta.url), {
    type: 'module',
    name: 'language-model',
  });

export class LmSession {
  readonly #worker: Worker;
  readonly #api: Remote<LmApi>;
  readonly #events = new MessageChannel();
  #live = true;
  #folder: ChosenFolder | null = null;
  /** Answers about a folder that another one has replaced are not shown. */
  #loads = 0;

  constructor(worker: () => Worker = startWorker) {
    const { request } = get();
    useLm.setState({ ...initialLm(), request }, true);
    this.#worker = worker();
    this.#worker.onerror = (event) => set({ fault: `A part of the page failed: ${event.message}. Reload the page.` });
    this.#api = wrap<LmApi>(this.#worker);
    this.#events.port1.onmessage = (event: MessageEvent<LmEvent>) => this.#accept(event.data);
    void this.#api.listen(transfer(this.#events.port2, [this.#events.port2]));
  }

  dispose(): void {
    this.#live = false;
    this.#events.port1.close();
    this.#api[releaseProxy]();
    this.#worker.terminate();
  }

  /** Loads a folder that is still being looked through. */
  async open(found: Promise<ChosenFolder | null>): Promise<void> {
    let folder: ChosenFolder | null;
    try {
      folder = await found;
    } catch (error) {
      return set({ fault: `The folder cannot be read: ${(error as Error).message}` });
    }
    if (this.#live) await this.load(folder);
  }

  /** Loads what the folder holds. If it does not fit, the model before stays. */
  async load(folder: ChosenFolder | null): Promise<void> {
    if (!folder) return set({ fault: 'The folder is empty.' });
    const load = ++this.#loads;
    const { status, name, facts } = get();
    const before: Partial<LmState> =
      status === 'loading'
        ? { status: 'empty', facts: null }
        : { status: status === 'writing' ? 'ready' : status, name, facts };
    set({ status: 'loading', fault: '', name: folder.name, facts: null, progress: null });
    const answer = await this.#api.load(folder.files, load);
    if (!this.#live || load !== this.#loads) return;
    set({ progress: null });
    if (answer.ok) {
      const { request } = get();
      const chat = folder === this.#folder ? request.chat : answer.value.chat;
      this.#folder = folder;
      set({ status: 'ready', facts: answer.value, request: { ...request, chat } });
    } else if (answer.kind === 'files') {
      set({ ...before, fault: `${folder.name}: ${answer.reason}` });
    } else if (answer.kind === 'lost') {
      this.#folder = folder;
      this.#lost(answer.reason);
    } else {
      set({ status: 'empty', facts: null, fault: answer.kind === 'stopped' ? '' : answer.reason });
    }
  }

  /** After a loss. */
  reload(): Promise<void> {
    return this.load(this.#folder);
  }

  change(part: Partial<TextRequest>): void {
    set({ request: { ...get().request, ...part } });
  }

  async write(): Promise<void> {
    const { status, request, facts } = get();
    if (status !== 'ready' || !facts || request.prompt.trim() === '') return;
    set({ status: 'writing', fault: '', asked: request, written: null });
    const load = this.#loads;
    const answer = await this.#api.write(request, load);
    if (!this.#live || load !== this.#loads) return;
    if (answer.ok) set({ status: 'ready', written: answer.value });
    else if (answer.kind === 'lost') this.#lost(answer.reason);
    else set({ status: 'ready', fault: answer.kind === 'stopped' ? '' : answer.reason });
  }

  stop(): void {
    void this.#api.stop();
  }

  #accept(event: LmEvent): void {
    if (event.kind === 'lost') {
      // While weights are loaded, the load's own answer tells it; without weights nothing is lost.
      if (!['loading', 'empty'].includes(get().status)) this.#lost(`The GPU device was lost: ${event.reason}`);
    } else if (event.load === this.#loads) {
      if (event.kind === 'facts') set({ facts: event.facts });
      else if (event.kind === 'progress') set({ progress: { done: event.done, total: event.total } });
      else set({ written: event.written });
    }
  }

  #lost(reason: string): void {
    set({ status: 'lost', fault: reason });
  }
}
