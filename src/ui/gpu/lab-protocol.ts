// Everything that crosses a thread in the GPU tab. Types only.
//
//   page --Comlink--> lab worker   (LabApi)     commands
//   lab worker --MessagePort--> page (LabMessage) what a job finds while it runs

import type { Finding } from '../../bench/doctor.ts';
import type { Job, JobEvent } from '../../bench/jobs.ts';
import type { AdapterReport, Conditions } from '../../gpu/device.ts';
import type { Outcome } from '../playground/protocol.ts';

export interface LabOpened {
  report: AdapterReport;
  conditions: Conditions;
  kernels: KernelCard[];
  /** Checks of the whole proof on this adapter. */
  checks: number;
}

export interface VariantCard {
  name: string;
  when: string;
  files: readonly string[];
  idea: string;
  lost: string;
  /** This adapter runs it. */
  used: boolean;
  /** What this adapter lacks to run it; empty when it can. */
  lacks: string;
}

/** What the page shows of a registry entry; functions stay in the worker. */
export interface KernelCard {
  name: string;
  family: string;
  about: string;
  bindings: string;
  uniform: string;
  dispatch: string;
  flops: string;
  bytes: string;
  bench: string;
  cases: number;
  ladder: boolean;
  variants: VariantCard[];
}

/** `end` is the last message of a job. */
export type LabMessage = JobEvent | { kind: 'end' };

export interface LabApi {
  open(): Promise<Outcome<LabOpened>>;
  examine(): Promise<Outcome<Finding[]>>;
  /** Resolves when the job is over; what it finds comes through `events`. */
  run(job: Job, events: MessagePort): Promise<Outcome<'done' | 'stopped'>>;
  /** Ends the running job after its present item. */
  stop(): Promise<void>;
}
