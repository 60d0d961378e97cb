/** A row of the methods table: what one step costs, and the two ways in which its time comes about. Not the steps themselves. */
import type { Gpu } from '../gpu/device.ts';
import { launchCost, race, summarise, type Timing } from '../gpu/timing.ts';
import type { ProgramStats } from '../tensor/program.ts';
import { SHORT } from './measure.ts';

export interface MethodCost {
  method: string;
  step: string;
  dispatches: number;
  pipelines: number;
  flops: number;
  arenaMiB: number;
  timing: Timing;
  /** Time that the FLOPs alone need at the measured matmul peak over the time taken; NaN without a roof. */
  fraction: number;
}

export type MethodRow = Omit<MethodCost, 'fraction'>;

type Stats = Pick<ProgramStats, 'dispatches' | 'pipelines' | 'flops' | 'arenaBytes'>;

export const methodRow = (method: string, step: string, stats: Stats, timing: Timing): MethodRow => ({
  method,
  step,
  dispatches: stats.dispatches,
  pipelines: stats.pipelines,
  flops: stats.flops,
  arenaMiB: stats.arenaBytes / 2 ** 20,
  timing,
});

/** A step that can be issued without waiting: batches of it, timed to their completion. */
export async function issuedRow(
  gpu: Gpu,
  method: string,
  step: string,
  stats: Stats,
  issue: () => void | Promise<void>,
): Promise<MethodRow> {
  const [timing] = await race(gpu.device, [{ name: method, dispatches: stats.dispatches, issue }], SHORT);
  return methodRow(method, step, stats, timing);
}

/** Wall times of steps that wait for their own results, in milliseconds, with what launching them costs on this device. */
export async function wallTiming(
  gpu: Gpu,
  samples: readonly number[],
  { dispatches, submissions = 1 }: { dispatches: number; submissions?: number },
): Promise<Timing> {
  const { dispatchMs, submitMs } = await launchCost(gpu.device);
  return summarise(samples, 1, 'completion', dispatches * dispatchMs + submissions * submitMs);
}
