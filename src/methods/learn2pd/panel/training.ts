// Drives the training in the worker, slice by slice, so that decodes get their turn in between.

import { download } from '../../../ui/playground/clip.ts';
import { keepRun } from '../../../ui/runs-shelf.ts';
import type { TrainRequest, TrainState } from './grow.ts';
import type { PanelSession } from './session.ts';
import { fromShelf, offShelf, toShelf } from './shelf.ts';
import { usePanel } from './store.ts';
import { NO_TRAINING, type Training, useTraining } from './train-store.ts';

const SLICE_MS = 250;
/** Steps between looks at the model. */
const LOOK_EVERY = 50;
const KEEP_MS = 30_000;

const get = useTraining.getState;
const set = (change: Partial<Training>): void => useTraining.setState(change);
let turn = 0;
let keptAt = 0;
let startedAt = 0;

function add(name: string, x: number, y: number | undefined): void {
  if (y === undefined) return;
  const { lines } = get();
  const line = lines[name] ?? { xs: [], ys: [] };
  if (line.xs.at(-1) === x) return;
  set({ lines: { ...lines, [name]: { xs: [...line.xs, x], ys: [...line.ys, y] } } });
}

function record({ phase, step, values }: TrainState): void {
  if (phase === 'model') add('Small LLaDA: loss', step, values.loss);
  if (phase === 'records') add('Oracle records', step, values.records);
  if (phase === 'filter') {
    add('Filter: BCE of the batch', step, values.loss);
    add('Filter: BCE, unseen prompts', step, values.validation);
  }
}

export async function findLeftTraining(): Promise<void> {
  if (!get().state) set({ left: (await fromShelf('training.safetensors')) !== null });
}

/** `left`: what an earlier visit left goes on, whatever is asked for. */
export async function startTraining(session: PanelSession, request: TrainRequest, left = false): Promise<void> {
  pauseTraining();
  const resume = left ? await fromShelf('training.safetensors') : null;
  useTraining.setState(NO_TRAINING, true);
  const answer = await session.api.train(request, resume);
  if (!answer.ok) return set({ problem: answer.reason });
  startedAt = Date.now();
  keptAt = performance.now();
  set({ state: answer.value });
  await goOn(session);
}

export function pauseTraining(): void {
  turn++;
  set({ running: false });
}

export async function goOn(session: PanelSession): Promise<void> {
  const own = ++turn;
  set({ running: true, problem: '' });
  let looked = -LOOK_EVERY;
  while (own === turn && session.live) {
    const answer = await session.api.advance(SLICE_MS);
    if (!session.live) return;
    if (!answer.ok) {
      set({ problem: answer.reason });
      break;
    }
    const state = answer.value;
    set({ state });
    record(state);
    if (state.phase === 'model' && state.step - looked >= LOOK_EVERY) {
      looked = state.step;
      await look(session, state.step);
    }
    if (state.done) {
      await finish(session, state);
      break;
    }
    if (performance.now() - keptAt > KEEP_MS) await keep(session);
  }
  if (own !== turn) await keep(session);
  else set({ running: false });
}

async function look(session: PanelSession, step: number): Promise<void> {
  const answer = await session.api.look();
  if (!answer.ok) return;
  set({ peek: answer.value });
  add('Cross-entropy, masked answer tokens', step, answer.value.answer);
  add('Cross-entropy, masked end tokens', step, answer.value.fill);
}

export async function checkAccuracy(session: PanelSession): Promise<void> {
  const answer = await session.api.accuracy();
  if (!answer.ok) return set({ problem: answer.reason });
  set({ accuracy: [...get().accuracy, answer.value] });
}

async function keep(session: PanelSession): Promise<void> {
  keptAt = performance.now();
  if (!session.live || !get().state) return;
  const saved = await session.api.saveTraining();
  const fault = saved.ok ? await toShelf('training.safetensors', saved.value) : saved.reason;
  if (fault) set({ problem: fault });
}

/** The weights take the place of those in the theatre, and stay for the next visit. */
async function finish(session: PanelSession, state: TrainState): Promise<void> {
  const answer = await session.api.result();
  if (!answer.ok) return set({ problem: answer.reason });
  const { report } = answer.value;
  set({ grown: answer.value });
  const fault = await toShelf('weights.safetensors', answer.value.checkpoint);
  await offShelf('training.safetensors');
  if (fault) set({ problem: fault });
  await session.open(answer.value.checkpoint.slice(), 'tab', 'tab');
  await keepRun({
    id: `learn2pd-${startedAt.toString(36)}`,
    at: startedAt,
    method: 'learn2pd',
    preset: state.preset,
    seed: state.seed,
    adapter: usePanel.getState().opened?.adapter ?? '',
    wallMs: Date.now() - startedAt,
    config: { tasks: state.tasks },
    metrics: { bceMasked: report.bceMasked, auroc: report.auroc, records: report.records },
  }).catch((error: unknown) => set({ problem: String(error) }));
}

export function downloadWeights(): void {
  const { grown, state } = get();
  if (grown) download(new Blob([grown.checkpoint]), `learn2pd-${state?.preset ?? 'tab'}.safetensors`);
}
