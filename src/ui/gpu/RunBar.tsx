// The line above every section's results: what it does, its button, and while it runs how far it is.

import { Play, Square } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Job } from '../../bench/jobs.ts';
import { Button } from '../controls/Button.tsx';
import css from './gpu.module.css';
import type { LabSession } from './lab-session.ts';
import { useLab, useRacing } from './lab-store.ts';

export interface RunBarProps {
  session: LabSession | null;
  job: Job;
  label: string;
  children: ReactNode;
}

export function RunBar({ session, job, label, children }: RunBarProps) {
  const running = useLab((s) => s.running);
  const waiting = useLab((s) => s.waiting);
  const status = useLab((s) => s.status);
  const racing = useRacing();
  const mine = running?.kind === job.kind;
  const queued = waiting.some((w) => w.kind === job.kind);
  return (
    <div className={css.runBar}>
      <p>{children}</p>
      {mine ? (
        <Button icon={Square} onClick={() => session?.stop()} testId={`stop-${job.kind}`}>
          Stop
        </Button>
      ) : (
        <Button
          icon={Play}
          kind="strong"
          disabled={status !== 'ready' || queued || racing !== undefined}
          hint={racing}
          onClick={() => session?.run(job)}
          testId={`run-${job.kind}`}
        >
          {queued ? 'Waiting' : label}
        </Button>
      )}
    </div>
  );
}

/** How far the running job is; stays in place so that nothing jumps. */
export function ProgressLine() {
  const running = useLab((s) => s.running);
  const progress = useLab((s) => s.progress);
  const notice = useLab((s) => s.notice);
  const share = progress && progress.total > 0 ? progress.done / progress.total : 0;
  return (
    <div className={css.progress}>
      {running && (
        <progress value={share} max={1} aria-label={`Progress of ${running.kind}`} data-testid="lab-progress" />
      )}
      <p role="status" data-testid="lab-status">
        {running && progress
          ? `${running.kind}: ${progress.total > 0 ? `${Math.min(progress.done + 1, progress.total)} of ${progress.total}, ` : ''}${progress.what}`
          : notice}
      </p>
    </div>
  );
}
