// The race: our engine against jax-js and TensorFlow.js on this adapter, in a worker of its own. Nothing is fetched before
// the button is pressed.

import { proxy, type Remote, releaseProxy, wrap } from 'comlink';
import { Download, Flag, Square } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { RaceApi, RaceChoice } from '../../bench/race/session.ts';
import type { RaceReport, RaceRow } from '../../bench/race/table.ts';
import { Button } from '../controls/Button.tsx';
import { useLab } from './lab-store.ts';
import { RaceTable } from './RaceTable.tsx';
import css from './race.module.css';

interface Lane {
  worker: Worker;
  api: Remote<RaceApi>;
  /** Rejects if the worker fails, e.g. was not fetched: whatever it was asked is never answered then. */
  failed: Promise<never>;
}

function openLane(): Lane {
  const worker = new Worker(new URL('../../../workers/race.ts', import.meta.url), { type: 'module', name: 'race' });
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = (event) => reject(new Error(`a part of the page failed (${event.message || 'not loaded'})`));
  });
  // It may fail while nobody waits.
  failed.catch(() => undefined);
  return { worker, api: wrap<RaceApi>(worker), failed };
}

/** Rows that take seconds even on a processor; the others are raced when asked for. */
const QUICK = ['matmul-nn-256', 'matmul-nt-256', 'matmul-tn-256', 'softmax', 'rmsnorm', 'attention-256', 'decode'];

export function RaceSection() {
  const lane = useRef<Lane | null>(null);
  const job = useLab((s) => s.running);
  const [choices, setChoices] = useState<RaceChoice[]>([]);
  const [all, setAll] = useState(false);
  const [running, setRunning] = useState(false);
  const [words, setWords] = useState('');
  const [rows, setRows] = useState<RaceRow[]>([]);
  const [report, setReport] = useState<RaceReport | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  const leave = () => {
    lane.current?.api[releaseProxy]();
    lane.current?.worker.terminate();
    lane.current = null;
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, at the end
  useEffect(
    () => () => {
      leave();
      useLab.setState({ racing: false });
    },
    [],
  );

  const start = async () => {
    setRunning(true);
    useLab.setState({ racing: true });
    setRows([]);
    setReport(null);
    setFailure(null);
    setWords('Opening a device');
    try {
      if (lane.current && !(await Promise.race([lane.current.api.sound(), lane.current.failed]))) leave();
      lane.current ??= openLane();
      const { api, failed } = lane.current;
      const list = await Promise.race([api.rows(), failed]);
      setChoices(list);
      const ids = list.map((c) => c.id).filter((id) => all || QUICK.includes(id) || id === 'chain');
      const race = api.start(
        ids,
        proxy((done: number, of: number, what: string) => setWords(`${done + 1} of ${of}: ${what}`)),
        proxy((row: RaceRow) => setRows((before) => [...before, row])),
      );
      const outcome = await Promise.race([race, failed]);
      if (outcome.ok) setReport(outcome.report);
      else setFailure(outcome.reason);
    } catch (error) {
      // The next race gets another worker.
      leave();
      setFailure(error instanceof Error ? error.message : String(error));
    } finally {
      setWords('');
      setRunning(false);
      useLab.setState({ racing: false });
    }
  };

  return (
    <section aria-labelledby="race-title" className={css.race} data-testid="race">
      <h2 id="race-title">Race</h2>
      <p className={css.words}>
        The same work by this engine, by jax-js and by TensorFlow.js, on one device and in turns. Every result is
        checked against double precision before it may race. Times are medians; the ratio says how many times faster
        this engine is than the best other one.
      </p>
      <div className={css.controls}>
        {running ? (
          <Button icon={Square} onClick={() => void lane.current?.api.stop()} testId="race-stop">
            Stop after this batch
          </Button>
        ) : (
          <Button
            icon={Flag}
            kind="strong"
            disabled={job !== null}
            hint={
              job
                ? `The lab is measuring on this adapter (${job.kind}): both would measure wrong. Stop it or wait for its end.`
                : undefined
            }
            onClick={() => void start()}
            testId="race-start"
          >
            Start the race
          </Button>
        )}
        <label className={css.all}>
          <input type="checkbox" checked={all} disabled={running} onChange={(e) => setAll(e.target.checked)} />
          Large sizes and training steps too{choices.length > 0 ? ` (${choices.length} rows)` : ''}: minutes on a
          processor
        </label>
        {report && (
          <Button icon={Download} onClick={() => save(report)} testId="race-export">
            Save as JSON
          </Button>
        )}
      </div>
      <p className={css.words} role="status" data-testid="race-status">
        {words}
      </p>
      {failure && (
        <p className={css.words} role="alert">
          The race ended: {failure}
        </p>
      )}
      {rows.length > 0 && <RaceTable rows={rows} />}
      {report && (
        <p className={css.words} data-testid="race-done">
          {report.tables[0].rows.length} rows in {(report.wallMs / 1000).toFixed(0)} s, with{' '}
          {Object.entries(report.versions)
            .slice(1)
            .map(([name, version]) => `${name} ${version}`)
            .join(' and ')}
          .
        </p>
      )}
    </section>
  );
}

function save(report: RaceReport): void {
  const blob = new Blob([JSON.stringify({ ...report, browser: navigator.userAgent }, null, 1)], {
    type: 'application/json',
  });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `tenfold-race-${report.date.slice(0, 10)}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}
