// Rows of a race: a bar for each entrant, shorter is faster, with its median and quartiles in words.

import { type RaceRow, stepWords } from '../../bench/race/table.ts';
import css from './race.module.css';

export function milliseconds(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 100 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(3)} ms`;
}

export function RaceTable({ rows }: { rows: readonly RaceRow[] }) {
  return (
    <ol className={css.rows}>
      {rows.map((row) => (
        <li key={row.id} data-testid={`race-row-${row.id}`}>
          <h3>
            {row.workload} <span>{row.shape}</span>
            {row.ratioBestPeer !== null && (
              <strong data-won={row.ratioBestPeer >= 1} title={`best other entrant: ${row.bestPeer}`}>
                {row.ratioBestPeer.toFixed(2)}×
              </strong>
            )}
          </h3>
          <Bars row={row} />
          {stepWords(row) && <p className={css.out}>Tenfold: {stepWords(row)}</p>}
          {Object.entries(row.leftOut).map(([name, why]) => (
            <p key={name} className={css.out}>
              Without {name}: {why}
            </p>
          ))}
        </li>
      ))}
    </ol>
  );
}

function Bars({ row }: { row: RaceRow }) {
  const entries = Object.entries(row.timings);
  const longest = Math.max(...entries.map(([, t]) => t.median));
  return (
    <dl className={css.bars}>
      {entries.map(([name, t], i) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <span
              className={css.bar}
              data-ours={i === 0 && row.oursMs !== null}
              style={{ width: `${Math.max(0.5, (100 * t.median) / longest)}%` }}
            />
            <span className={css.time} title={`quartiles ${milliseconds(t.q1)} and ${milliseconds(t.q3)}`}>
              {milliseconds(t.median)}
              {t.launchBound && <abbr title="More than half of this is launching, not computing"> launch-bound</abbr>}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
