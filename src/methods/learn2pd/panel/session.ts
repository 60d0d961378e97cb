// The page while it is open: owns the worker, decodes what the view asks for, moves the playhead, keeps the address in step.

import { type Remote, releaseProxy, transfer, wrap } from 'comlink';
import type { Problem } from '../../../lm/tasks/task.ts';
import { replaceQuery } from '../../../ui/shell/hash-location.ts';
import type { HostEvent, Learn2pdApi, Model, Opened, Source, SpecChoice } from './protocol.ts';
import { chooseFile, fetchIndex, fetchShipped, type ShippedFile } from './shipped.ts';
import { initialPanel, type PanelState, type Run, usePanel } from './store.ts';
import { endOf } from './timeline.ts';
import { typedProblem } from './typed-problem.ts';
import { linkOf, specKey, specOfPane, type View } from './view.ts';

const get = () => usePanel.getState();
const set = (change: Partial<PanelState>) => usePanel.setState(change);
const EMPTY: Run = { state: 'waiting', trace: [], ms: 0, decoded: null, verdict: null, failure: null };
/** What the first visitor sees: long enough for several blocks, short enough for a processor. */
const FIRST_CANVAS = 128;
/** A canvas that is decoded at the first visit must be one that was trained. */
const firstCanvas = (canvases: readonly number[]): number =>
  canvases.filter((n) => n <= FIRST_CANVAS).at(-1) ?? canvases[0];

export class PanelSession {
  readonly api: Remote<Learn2pdApi>;
  readonly #worker: Worker;
  readonly #events = new MessageChannel();
  live = true;
  /** Decodes of another problem or of other weights are not waited for. */
  #epoch = 0;
  /** Of problems: only the last one counts. */
  #requests = 0;
  #asked: { key: string; spec: SpecChoice }[] = [];
  #busy = false;
  #frame = 0;
  #last = 0;

  constructor(view: View, worker: () => Worker) {
    usePanel.setState(initialPanel(view), true);
    this.#worker = worker();
    this.#worker.onerror = (event) => set({ notice: `A part of the page failed: ${event.message}. Reload the page.` });
    this.api = wrap<Learn2pdApi>(this.#worker);
    this.#events.port1.onmessage = (event: MessageEvent<HostEvent>) => this.#accept(event.data);
    void this.api.listen(transfer(this.#events.port2, [this.#events.port2]));
  }

  dispose(): void {
    this.live = false;
    cancelAnimationFrame(this.#frame);
    this.#events.port1.close();
    this.api[releaseProxy]();
    this.#worker.terminate();
  }

  /** Weights from a file, the server or this tab take the place of those before; if they cannot, those before stay. */
  async open(bytes: Uint8Array<ArrayBuffer>, source: Source, weights = 'shipped'): Promise<boolean> {
    const answer = await this.api.open(bytes, source);
    if (!this.live) return false;
    if (!answer.ok) {
      if (get().opened) set({ notice: `These weights cannot be used: ${answer.reason}` });
      else this.fail(answer.reason, answer.advice);
      return false;
    }
    const first = get().opened === null;
    const view = { ...get().view, weights };
    set({ status: 'ready', failure: null, opened: answer.value, view, notice: '', version: get().version + 1 });
    if (!first) replaceQuery(linkOf(view));
    await this.#setUp(answer.value, first);
    return true;
  }

  /** The weights at work have another filter now: everything is decoded anew. */
  takeFilter(model: Model): void {
    const { opened, version } = get();
    if (!opened) return;
    set({ opened: { ...opened, model }, version: version + 1 });
    this.#restart(false);
  }

  /** At the start: the weights of the link if this browser has them, else those that came with the page. */
  async openFirst(own: Uint8Array<ArrayBuffer> | null): Promise<void> {
    if (own && (await this.open(own, 'tab', 'tab'))) return;
    const shelf = await fetchIndex();
    set({ shelf });
    const { weights } = get().view;
    const file = chooseFile(shelf, weights);
    await this.#fetch(file, file?.rung === weights ? weights : 'shipped');
  }

  /** Another of the checkpoints that came with the page. */
  async choose(rung: string): Promise<void> {
    await this.#fetch(
      get().shelf.find((file) => file.rung === rung),
      rung,
    );
  }

  async #fetch(file: ShippedFile | undefined, weights: string): Promise<void> {
    const found = await fetchShipped(file);
    if (!this.live) return;
    if (found.ok) await this.open(found.bytes, 'shipped', weights);
    else if (get().opened) set({ notice: found.reason });
    else this.fail(found.reason, found.advice);
  }

  fail(reason: string, advice: string): void {
    set({ status: 'failed', failure: { reason, advice } });
  }

  async #setUp({ model }: Opened, first: boolean): Promise<void> {
    const { view } = get();
    const task = model.tasks.some(({ id }) => id === view.task) ? view.task : model.tasks[0].id;
    // A link may ask for more than these weights know: it is decoded, and the worker says why not.
    const keep = view.canvas > 0 && (first || model.canvases.includes(view.canvas));
    set({ view: { ...view, task }, canvas: keep ? view.canvas : firstCanvas(model.canvases) });
    await this.#newProblem(first && view.pass !== null);
  }

  /** Changes the view, its link, and whatever follows from both. */
  async change(part: Partial<View>): Promise<void> {
    const view = { ...get().view, ...part };
    set({ view });
    replaceQuery(linkOf(view));
    if (part.canvas !== undefined) set({ canvas: part.canvas });
    if (part.task !== undefined || part.row !== undefined || part.typed !== undefined) await this.#newProblem(false);
    else if (part.canvas !== undefined) this.#restart(false);
    else this.#decodePanes();
  }

  async #newProblem(still: boolean): Promise<void> {
    const { opened, view } = get();
    if (!opened) return;
    // Counted apart from the epoch: a problem that is refused must not cost the decode that is at work its result.
    this.#requests++;
    const request = this.#requests;
    if (view.typed !== null) {
      const typed = typedProblem(view.task, view.typed);
      if (typeof typed === 'string') return set({ problemFault: typed });
      set({ problem: typed, problemFault: '' });
    } else {
      const answer = await this.api.problem(view.task, view.row);
      if (!this.live || request !== this.#requests) return;
      if (!answer.ok) return set({ problemFault: answer.reason });
      set({ problem: answer.value, problemFault: '' });
    }
    this.#restart(still);
  }

  /** Everything decoded so far belongs to something else. `still`: the link names a pass to stop at. */
  #restart(still: boolean): void {
    this.#epoch++;
    this.#asked = [];
    const { view } = get();
    set({ runs: new Map(), head: { playing: !still, at: still ? (view.pass ?? 0) : -1 } });
    if (!still) this.#tick();
    this.#decodePanes();
  }

  /** Quick ones first: something moves at once, and the plain decode streams in behind. */
  #decodePanes(): void {
    const { view } = get();
    const specs = view.panes.map((pane) => specOfPane(pane, view));
    const plain = ({ policy }: SpecChoice): number => Number(policy.kind === 'static' || policy.kind === 'egp');
    for (const spec of [...specs].sort((a, b) => plain(a) - plain(b))) this.need(spec);
  }

  /** Decodes the present problem in this way, if it is not known yet. */
  need(spec: SpecChoice): void {
    const key = specKey(spec);
    const { runs, problem } = get();
    if (!problem || runs.has(key)) return;
    this.#put(key, EMPTY);
    this.#asked.push({ key, spec });
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#asked.shift(); next && this.live; next = this.#asked.shift()) {
      const { problem, canvas } = get();
      const epoch = this.#epoch;
      if (!problem) break;
      const { key, spec } = next;
      this.#put(key, { ...EMPTY, state: 'running' });
      const answer = await this.api.decode({ ...spec, id: `${epoch} ${key}`, problem, canvas });
      if (!this.live || epoch !== this.#epoch) continue;
      if (answer.ok) {
        const { trace, wallMs } = answer.value;
        this.#put(key, { ...EMPTY, state: 'done', trace, ms: wallMs, decoded: answer.value });
        void this.#judge(key, problem, answer.value.text);
      } else this.#put(key, { ...EMPTY, state: 'failed', failure: answer });
    }
    this.#busy = false;
  }

  /** Beside the decodes: a program may take long to judge. */
  async #judge(key: string, problem: Problem, text: string): Promise<void> {
    const epoch = this.#epoch;
    const answer = await this.api.judge(problem, text);
    const run = get().runs.get(key);
    if (!this.live || epoch !== this.#epoch || !run) return;
    if (answer.ok) this.#put(key, { ...run, verdict: answer.value });
    else set({ notice: `An answer could not be judged: ${answer.reason}` });
  }

  #put(key: string, run: Run): void {
    set({ runs: new Map(get().runs).set(key, run) });
  }

  #accept(event: HostEvent): void {
    if (event.kind === 'rebuilt') {
      set({ notice: `The GPU device was lost (${event.reason}). It was opened again; nothing is missing.` });
      return;
    }
    if (event.kind === 'compared') {
      set({ compared: { id: event.id, passes: event.passes } });
      return;
    }
    const [epoch, ...key] = event.id.split(' ');
    const name = key.join(' ');
    const run = get().runs.get(name);
    if (Number(epoch) !== this.#epoch || run?.state !== 'running') return;
    this.#put(name, { ...run, trace: event.trace, ms: event.ms });
  }

  /** Runs of the panes that stand side by side. */
  #paneRuns(): Run[] {
    const { runs, view } = get();
    return view.panes.map((pane) => runs.get(specKey(specOfPane(pane, view)))).filter((run) => run !== undefined);
  }

  /** Last place of the playhead, and whether more may come. */
  end(): { at: number; open: boolean } {
    const runs = this.#paneRuns();
    const { sync } = get().view;
    return {
      at: Math.max(0, ...runs.map((run) => endOf(run, sync))),
      open: runs.some(({ state }) => state === 'waiting' || state === 'running'),
    };
  }

  play(): void {
    const { head } = get();
    if (head.playing) {
      this.seek(head.at);
      return;
    }
    const over = !this.end().open && head.at >= this.end().at;
    set({ head: { playing: true, at: over ? -1 : head.at } });
    if (get().view.pass !== null) void this.change({ pass: null });
    this.#tick();
  }

  /** Stops there, and the link says so. */
  seek(at: number): void {
    const { sync } = get().view;
    const end = this.end().at;
    const place = Math.max(sync === 'pass' ? -1 : 0, Math.min(end, at));
    set({ head: { playing: false, at: place } });
    if (sync === 'pass') void this.change({ pass: Math.max(0, Math.floor(place)) });
  }

  /** From the start: places of another clock mean nothing. */
  restartHead(): void {
    set({ head: { playing: true, at: -1 } });
    this.#tick();
  }

  #tick(): void {
    cancelAnimationFrame(this.#frame);
    this.#last = performance.now();
    const frame = (now: number): void => {
      const { head, view } = get();
      if (!head.playing || !this.live) return;
      // A hidden tab gets no frames; it goes on where it was.
      const passed = Math.min(100, now - this.#last);
      this.#last = now;
      const end = this.end();
      const step = view.sync === 'pass' ? (passed / 1000) * view.rate : passed / view.slowdown;
      const at = Math.min(head.at + step, end.open ? Math.max(head.at, end.at) : end.at);
      const playing = end.open || at < end.at;
      set({ head: { playing, at } });
      if (playing) this.#frame = requestAnimationFrame(frame);
    };
    this.#frame = requestAnimationFrame(frame);
  }
}
