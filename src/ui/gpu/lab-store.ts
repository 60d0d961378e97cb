// What the GPU tab shows. Written by LabSession alone.

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
  notice: '',
  edit: null,
  drafts: {},
});

export const useLab = create<LabState>()(initialLab);
