// What `lab run` and `lab eval` need of a method; one file of this folder per method holds it, run.ts lists them.

import packageJson from '../../package.json' with { type: 'json' };
import { type Gpu, openGpu } from '../gpu/device.ts';
import type { RunRecord } from '../runs/run-record.ts';
import type { Output } from './command.ts';

export interface RunArguments {
  preset: string;
  seed: number;
  set: Record<string, string>;
  out: string;
  /** `out` holds the run to go on with. */
  resume: boolean;
  checkpointMinutes: number;
}

export interface EvalArguments {
  checkpoint: string;
  seed: number;
  set: Record<string, string>;
}

export interface MethodCommands {
  /** Configuration keys that --resume may not change. */
  fixed: RegExp;
  /** Throws UsageError or ConfigError for wrong arguments. */
  run(args: RunArguments, output: Output): Promise<RunRecord>;
  evaluate(args: EvalArguments, output: Output): Promise<RunRecord>;
}

export async function gpuOrFail(): Promise<Gpu> {
  const result = await openGpu();
  if (!result.ok) throw new Error(`${result.reason} ${result.advice}`);
  return result.gpu;
}

/** Name and version of the lab in run records. */
export const engine = `tenfold ${packageJson.version}`;
