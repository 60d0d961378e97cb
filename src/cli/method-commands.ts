// What `lab run` and `lab eval` need of a method; one file of this folder per method holds it, run.ts lists them.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import packageJson from '../../package.json' with { type: 'json' };
import { SafetensorsError } from '../data/safetensors.ts';
import type { RunRecord } from '../runs/run-record.ts';
import { CheckpointError } from '../train/checkpoint.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';

export interface RunArguments {
  preset: string;
  seed: number;
  set: Record<string, string>;
  out: string;
  /** `out` holds the run to go on with. */
  resume: boolean;
  /** Shipped checkpoint that a new run starts from; a method that cannot says so. */
  from?: string;
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

/** Of a method whose runs begin with fresh weights. */
export function refuseFrom({ from }: RunArguments): void {
  if (from !== undefined) throw new UsageError('--from: runs of this method always begin with fresh weights');
}

/** The bytes of a checkpoint that a flag names. */
export async function readCheckpoint(flag: string, file: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(file));
  } catch {
    throw new UsageError(`${flag} ${file}: no such file`);
  }
}

/** What `read` makes of the file that --checkpoint names; one that is no checkpoint of the method is a wrong argument. */
export function fromCheckpoint<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof SafetensorsError) {
      throw new UsageError(`--checkpoint ${file}: ${error.message}`);
    }
    throw error;
  }
}

/** Tells which checkpoint figures were measured on; hexadecimal. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Name and version of the lab in run records. */
export const engine = `tenfold ${packageJson.version}`;
