/**
 * Runs the race: every entrant's result is checked against float64 first, then those that are right take turns
 * (src/gpu/timing.ts). An entrant that fails, or is wrong, is left out of its row and named there.
 */
import type { Gpu } from '../../gpu/device.ts';
import { copiesFor, type Entrant, race, type Timing } from '../../gpu/timing.ts';
import type { MatmulPeak } from '../roofline.ts';
import type { Contestant, Team } from './entrant.ts';
import { OUR_NAME } from './ours.ts';
import { firstError, referenceOf } from './references.ts';
import { type RaceReport, type RaceRow, rowOf } from './table.ts';
import { bytesOf, flopsOf, idOf, inputsOf, shapeOf, titleOf, type Workload } from './workloads.ts';

export interface RaceSettings {
  rounds: number;
  /** Milliseconds of the shortest batch, and of all batches of one entrant in one row. */
  batchMs: number;
  entrantMs: number;
}

export const SETTINGS: RaceSettings = { rounds: 9, batchMs: 60, entrantMs: 3000 };

export interface RaceEvents {
  /** What happens now, in words. */
  progress?(done: number, of: number, words: string): void;
  row?(row: RaceRow): void;
  /** True ends the race at the next batch; rows so far are kept. */
  stopped?(): boolean;
}

class Stopped extends Error {}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0];

/** Teams in the order in which they are listed; the first is ours. `absent`: who did not start, and why. */
export async function runRace(
  gpu: Gpu,
  teams: readonly Team[],
  list: readonly Workload[],
  settings: RaceSettings,
  events: RaceEvents = {},
  absent: Readonly<Record<string, string>> = {},
): Promise<RaceReport> {
  const start = performance.now();
  const rows: RaceRow[] = [];
  const notes: RaceReport['notes'] = {};
  let peak: MatmulPeak | null = null;
  const say = (done: number, words: string): void => {
    if (events.stopped?.()) throw new Stopped();
    events.progress?.(done, list.length, words);
  };
  try {
    for (const [i, w] of list.entries()) {
      if (w.kind === 'gpt' && !peak) {
        say(i, 'the matmul peak of this adapter');
        // The registry comes with it: fetched for training steps only.
        peak = await (await import('../roofline.ts')).measurePeak(gpu);
      }
      const about = { settings, absent, peak: w.kind === 'gpt' ? peak?.peak : undefined };
      const { row, how } = await runRow(gpu, teams, w, about, (words) => say(i, words));
      rows.push(row);
      notes[row.id] = how;
      events.row?.(row);
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
  return {
    adapter: gpu.report,
    engine: OUR_NAME,
    versions: Object.fromEntries(teams.map((t) => [t.name, t.version])),
    notes,
    date: new Date().toISOString(),
    wallMs: performance.now() - start,
    peak: peak && { gflops: peak.peak / 1e9, by: peak.peakBy },
    tables: [{ title: 'race', rows }],
  };
}

async function runRow(
  gpu: Gpu,
  teams: readonly Team[],
  w: Workload,
  { settings, absent, peak }: { settings: RaceSettings; absent: Readonly<Record<string, string>>; peak?: number },
  say: (words: string) => void,
): Promise<{ row: RaceRow; how: Record<string, string> }> {
  const title = `${titleOf(w)} ${shapeOf(w)}`;
  say(`${title}: the right answer`);
  const first = inputsOf(w, 0);
  const copies = w.kind === 'gpt' ? w.updates + 1 : copiesFor(bytesOf(first));
  const sets = Array.from({ length: copies }, (_, copy) => (copy === 0 ? first : inputsOf(w, copy)));
  const reference = referenceOf(w, first);
  const leftOut: Record<string, string> = { ...absent };
  const how: Record<string, string> = {};
  const running: { name: string; contestant: Contestant }[] = [];
  try {
    for (const team of teams) {
      say(`${title}: checking ${team.name}`);
      let contestant: Contestant | null = null;
      try {
        contestant = await team.prepare(w, sets);
        if (!contestant) {
          leftOut[team.name] = team.without(w);
          continue;
        }
        const wrong = firstError(await contestant.result(), reference);
        if (wrong) throw new Error(`wrong result: ${wrong}`);
        how[team.name] = contestant.how;
        running.push({ name: team.name, contestant });
      } catch (error) {
        leftOut[team.name] = messageOf(error);
        contestant?.dispose();
        // What it left in the queue is not the next one's time.
        await gpu.device.queue.onSubmittedWorkDone();
      }
    }
    const timings = await timeAll(gpu, running, settings, (name) => say(`${title}: ${name}`));
    // Once more after the race: whoever broke under way has no time. (A training step has moved on by then,
    // and who is too slow for a second sample is not asked again.)
    for (const { name, contestant } of running) {
      if (w.kind === 'gpt' || timings[name].median > settings.entrantMs) continue;
      const wrong = firstError(await contestant.result(), reference);
      if (!wrong) continue;
      leftOut[name] = `wrong result after the race: ${wrong}`;
      delete timings[name];
    }
    const ours = running.find((r) => r.name === OUR_NAME)?.contestant;
    const dispatches = ours?.dispatches ?? null;
    const tokens = w.kind === 'gpt' ? w.batch * w.time : undefined;
    const base = { workload: titleOf(w), shape: shapeOf(w), id: idOf(w) };
    const rotatedBytes = bytesOf(first) * sets.length;
    const work = { flops: flopsOf(w), dispatches, rotatedBytes, tokens, peak, firstStepMs: ours?.firstStepMs };
    return { row: rowOf(base, OUR_NAME, timings, leftOut, work), how };
  } finally {
    for (const { contestant } of running) contestant.dispose();
  }
}

async function timeAll(
  gpu: Gpu,
  running: readonly { name: string; contestant: Contestant }[],
  { rounds, batchMs, entrantMs }: RaceSettings,
  onBatch: (name: string) => void,
): Promise<Record<string, Timing>> {
  const entrants: Entrant[] = running.map(({ name, contestant }) => ({
    name,
    dispatches: contestant.dispatches,
    issue: (turn) => contestant.issue(turn),
    flush: () => contestant.flush?.(),
  }));
  // Runs are issued without waiting: a long queue would only hold memory.
  const options = { rounds, batchMs, entrantMs, maxRepeats: 200, warm: true, onBatch };
  const timings = await race(gpu.device, entrants, { ...options, clock: 'completion' });
  return Object.fromEntries(running.map(({ name }, i) => [name, timings[i]]));
}
