// Run records stored in this browser.

import { Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { Button } from '../controls/Button.tsx';
import { saveText } from '../gpu/save-text.ts';
import { listRuns, type StoredRun } from '../runs-shelf.ts';
import css from './page.module.css';

const saveRecord = (run: StoredRun): void =>
  saveText(
    `tenfold-${run.method}-${run.preset}-seed${run.seed}.json`,
    `${JSON.stringify(run, null, 1)}\n`,
    'application/json',
  );

export default function RunsPage() {
  const [runs, setRuns] = useState<StoredRun[] | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    listRuns().then(setRuns, (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
  }, []);
  return (
    <main className={css.page} aria-busy={runs === null && !problem}>
      <h1>Runs</h1>
      <p className={css.lead}>
        A run is a configuration, a seed and what was measured. Runs stay in this browser; nothing is uploaded.
      </p>
      {problem && <p role="alert">This browser does not let the page read its storage: {problem}</p>}
      {runs?.length === 0 && (
        <>
          <h2>No runs yet</h2>
          <p className={css.plain}>
            <Link href="/dreamer4">Train a small world model in this tab</Link>, and it is listed here when it stops.
          </p>
        </>
      )}
      {runs && runs.length > 0 && (
        <div className={css.scroll}>
          <table className={css.table}>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Record</th>
                <th scope="col">Method</th>
                <th scope="col">Preset</th>
                <th scope="col">Seed</th>
                <th scope="col">Adapter</th>
                <th scope="col">Measured</th>
              </tr>
            </thead>
            <tbody>
              {runs.map((run) => (
                <tr key={run.id}>
                  <td>{new Date(run.at).toLocaleString()}</td>
                  <td>
                    <Button
                      icon={Download}
                      label={`Export the run of ${new Date(run.at).toLocaleString()}`}
                      hint="Settings, seed, adapter and measurements as JSON"
                      onClick={() => saveRecord(run)}
                      testId="export-run"
                    >
                      JSON
                    </Button>
                  </td>
                  <td>{run.method}</td>
                  <td>{run.preset}</td>
                  <td>{run.seed}</td>
                  <td>{run.adapter}</td>
                  <td>
                    {Object.entries(run.metrics)
                      .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
                      .join(', ')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </main>
  );
}
