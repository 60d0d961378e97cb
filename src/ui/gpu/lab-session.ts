// The page's half of the GPU tab: starts the worker, hands it one job after the other, keeps what they find, and watches
// over it. A kernel that never ends blocks its worker for ever: after a silence the worker is given up, and a new one with
// a new device takes its place. What was found stays.

import { releaseProxy, transfer, wrap } from 'comlink';
import type { EditStage } from '../../bench/edit.ts';
import type { Job, JobEvent } from '../../bench/jobs.ts';
import { gather } from '../../bench/report.ts';
import { partFailed } from '../part-failed.ts';
import type { Outcome } from '../playground/protocol.ts';
import type { LabApi, LabMessage } from './lab-protocol.ts';
import { type EditTry, initialLab, useLab } from './lab-store.ts';

export interface LabSessionParts {
  makeWorker(): Worker;
  /** Longest silence of a worker in milliseconds: while a job runs, and while an edited kernel runs. */
  silenceMs: { open: number; job: number; edit: number };
}

/** CPU adapters take many seconds to compile some kernels; an edited one that is quiet for long is stuck. */
const SILENCE = { open: 20_000, job: 120_000, edit: 30_000 };

const defaults = (): LabSessionParts => ({
  makeWorker: () => new Worker(new URL('../../../workers/lab.ts', import.meta.url), { type: 'module', name: 'lab' }),
  silenceMs: SILENCE,
});

/**
 * Workers that were given up while their kernel still ran on the processor. Ending such a worker destroys its device, and
 * SwiftShader then waits for the kernel for ever, inside the browser's one GPU process: so they are kept until the tab closes.
 */
const abandoned: Worker[] = [];

export class LabSession {
  readonly #parts: LabSessionParts;
  #worker: Worker | null = null;
  #api: ReturnType<typeof wrap<LabApi>> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Resolves the running job when its worker has been given up. */
  #giveUp: ((reason: string) => void) | null = null;
  #disposed = false;

  constructor(parts: Partial<LabSessionParts> = {}) {
    this.#parts = { ...defaults(), ...parts };
    const { findings, wallMs, drafts, edit } = useLab.getState();
    // Coming back to the tab shows what was found before.
    useLab.setState({ ...initialLab(), findings, wallMs, drafts, edit });
  }

  async start(): Promise<void> {
    const worker = this.#parts.makeWorker();
    this.#worker = worker;
    const api = wrap<LabApi>(worker);
    this.#api = api;
    // A worker whose script was not fetched never answers.
    const failed = new Promise<never>((_, reject) => {
      worker.onerror = reject;
    });
    const answer = <T>(call: Promise<Outcome<T>>) => Promise.race([call, failed]).catch(partFailed);
    const opened = await answer(api.open());
    if (this.#disposed || this.#api !== api) return;
    if (!opened.ok) {
      useLab.setState({ status: 'failed', failure: opened });
      return;
    }
    useLab.setState({ status: 'ready', failure: null, opened: opened.value });
    const doctor = await answer(api.examine());
    if (this.#disposed || this.#api !== api) return;
    if (doctor.ok) useLab.setState({ doctor: doctor.value });
    else useLab.setState({ notice: doctor.reason });
  }

  /** Runs the job, or puts it behind those that wait. Not while a race has the adapter. */
  run(job: Job): void {
    const { running, waiting, status, racing } = useLab.getState();
    if (status !== 'ready' || racing) return;
    if (running) useLab.setState({ waiting: [...waiting, job] });
    else void this.#runAll(job);
  }

  /** Ends the running job after its present item and forgets those that wait. */
  stop(): void {
    useLab.setState({ waiting: [] });
    void this.#api?.stop();
  }

  draft(file: string, text: string | null): void {
    const { drafts } = useLab.getState();
    const { [file]: _, ...others } = drafts;
    useLab.setState({ drafts: text === null ? others : { ...others, [file]: text } });
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    this.#api?.[releaseProxy]();
    this.#worker?.terminate();
    useLab.setState({ running: null, waiting: [], progress: null });
  }

  async #runAll(first: Job): Promise<void> {
    for (let job: Job | undefined = first; job && !this.#disposed; ) {
      await this.#runOne(job);
      const [next, ...rest]: readonly Job[] = useLab.getState().waiting;
      useLab.setState({ waiting: rest });
      job = next;
    }
  }

  async #runOne(job: Job): Promise<void> {
    const api = this.#api;
    if (!api) return;
    const started = performance.now();
    useLab.setState({ running: job, progress: { done: 0, total: 0, what: 'starting' }, notice: '' });
    if (job.kind === 'edit') useLab.setState({ edit: newTry(job) });
    const { port1, port2 } = new MessageChannel();
    const quiet = job.kind === 'edit' ? this.#parts.silenceMs.edit : this.#parts.silenceMs.job;
    const given = new Promise<string>((resolve) => {
      this.#giveUp = resolve;
    });
    const watch = (): void => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.#giveUp?.(`The GPU has not answered for ${Math.round(quiet / 1000)} s.`);
      }, quiet);
    };
    // The answer and the last messages travel through two ports: the job is over when both are here.
    const ended = new Promise<void>((resolve) => {
      port1.onmessage = (event: MessageEvent<LabMessage>) => {
        watch();
        if (event.data.kind === 'end') resolve();
        else this.#accept(event.data);
      };
    });
    watch();
    const answer = api.run(job, transfer(port2, [port2])).then(async (value) => {
      if (value.ok) await ended;
      return value;
    });
    const result = await Promise.race([answer, given]);
    clearTimeout(this.#timer);
    if (this.#disposed) return;
    if (typeof result === 'string') {
      port1.close();
      await this.#replaceWorker(job, result);
    } else {
      port1.close();
      if (!result.ok) this.#failed(job, `${result.reason} ${result.advice}`);
      else useLab.setState({ notice: result.value === 'stopped' ? 'Stopped.' : '' });
    }
    useLab.setState(({ wallMs }) => ({ running: null, progress: null, wallMs: wallMs + performance.now() - started }));
  }

  #accept(message: JobEvent): void {
    if (message.kind === 'progress') {
      useLab.setState({ progress: { done: message.done, total: message.total, what: message.what } });
    } else if (message.kind === 'edit') {
      const { edit } = useLab.getState();
      if (edit) useLab.setState({ edit: advance(edit, message.stage) });
    } else {
      useLab.setState(({ findings }) => ({ findings: gather(findings, message) }));
    }
  }

  #failed(job: Job, sentence: string): void {
    useLab.setState({ notice: sentence });
    const { edit } = useLab.getState();
    if (job.kind === 'edit' && edit) useLab.setState({ edit: { ...edit, state: 'hung', message: sentence } });
  }

  async #replaceWorker(job: Job, reason: string): Promise<void> {
    const software = useLab.getState().opened?.conditions.software ?? false;
    const old = this.#worker;
    this.#api?.[releaseProxy]();
    if (old) {
      if (software) abandoned.push(old);
      else old.terminate();
    }
    const cost = software ? ' The old kernel keeps a processor core busy until this tab is closed.' : '';
    const what = job.kind === 'edit' ? 'The edited kernel does not end.' : 'A kernel does not end.';
    this.#failed(job, `${what} ${reason} A new device was opened; nothing else is lost.${cost}`);
    const { notice } = useLab.getState();
    const late = new Promise<void>((resolve) => setTimeout(resolve, this.#parts.silenceMs.open));
    useLab.setState({ status: 'opening' });
    await Promise.race([this.start(), late]);
    if (useLab.getState().status === 'ready') useLab.setState({ notice });
    else {
      const advice =
        'The old kernel still holds the GPU. Close this tab, or reload the page; the playground is not affected by it.';
      useLab.setState({ status: 'failed', failure: { ok: false, code: 'device-lost', reason: notice, advice } });
    }
  }
}

function newTry({ kernel, variant, file, text }: Job & { kind: 'edit' }): EditTry {
  const empty = { errors: [], cases: [], total: 0, race: null, message: 'Linking.' };
  return { kernel, variant, file, text, state: 'running', ...empty };
}

function advance(edit: EditTry, stage: EditStage): EditTry {
  switch (stage.stage) {
    case 'link':
      return edit;
    case 'compile':
      return { ...edit, message: 'Compiling.' };
    case 'error':
      return { ...edit, state: 'error', errors: stage.errors, message: 'It does not compile.' };
    case 'case':
      return {
        ...edit,
        cases: [...edit.cases, stage.verdict],
        total: stage.total,
        message: `Verified ${stage.done} of ${stage.total} cases.`,
      };
    case 'endless':
      return {
        ...edit,
        state: 'hung',
        message: `A loop does not end: in the case “${stage.case}” it turned a million times in one invocation. It was broken off and not run for real.`,
      };
    case 'wrong':
      return { ...edit, state: 'wrong', message: `Wrong in ${stage.failed} of ${stage.total} cases; it is not raced.` };
    default:
      return {
        ...edit,
        state: 'done',
        race: { before: stage.before, after: stage.after },
        message: `Right in all ${edit.total} cases, and raced.`,
      };
  }
}
