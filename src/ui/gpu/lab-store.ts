// What the GPU tab shows. Written by LabSession, and `racing` by the race.

import { create } from 'zustand';
import type { Finding } from '../../bench/doctor.ts';
import type { CaseVerdict } from '../../bench/edit.ts';
import type { Job } from '../../bench/jobs.ts';
import type { SourceError } from '../../bench/link-module.ts';
import { type Findings, noFindings } from '../../bench/report.ts';
import type { Timing } from '../../gpu/timing.ts';
import type { Failure } from '../playground/protocol.ts';
import type { LabOpened } from './lab-protocol.ts';

/** The last try of an edited kernel. */
export interface EditTry {
  kernel: string;
  variant: string;
  file: string;
  /** The text that was tried: the editor tells whether it has changed since. */
  text: string;
  state: 'running' | 'error' | 'wrong' | 'hung' | 'done';
  errors: SourceError[];
  cases: CaseVerdict[];
  total: number;
  race: { before: Timing; after: Timing } | null;
  message: string;
}

export interface Progress {
  done: number;
  total: number;
  what: string;
}

export interface LabState {
  status: 'opening' | 'ready' | 'failed';
  failure: Failure | null;
  opened: LabOpened | null;
  doctor: Finding[] | null;
  /** The job that runs, and those that wait behind it. */
  running: Job | null;
  waiting: readonly Job[];
  progress: Progress | null;
  findings: Findings;
  /** Milliseconds of the jobs that found them. */
  wallMs: number;
  /** A race has the adapter: two who measure at once both measure wrong. */
  racing: boolean;
  /** One sentence about what happened last; for a screen reader as well. */
  notice: string;
  edit: EditTry | null;
  /** Edited texts by file; nothing else knows them. */
  drafts: Readonly<Record<string, string>>;
}

export const initialLab = (): LabState => ({
  status: 'opening',
  failure: null,
  opened: null,
  doctor: null,
  running: null,
  waiting: [],
  progress: null,
  findings: noFindings(),
  wallMs: 0,
  racing: false,
  notice: '',
  edit: null,
  drafts: {},
});

export const useLab = create<LabState>()(initialLab);

/** Why the lab cannot start a job now, for the title of a disabled button; undefined where it can. */
export const useRacing = (): string | undefined =>
  useLab((s) => s.racing)
    ? 'A race is running on this adapter: both would measure wrong. Stop it or wait for its end.'
    : undefined;
