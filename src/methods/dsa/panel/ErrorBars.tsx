// Error of every channel after coding, without Hadamard in ink and with it in the accent, on one axis.

import type { CodedRow } from '../codes.ts';
import css from './dsa.module.css';

export function ErrorBars({ values, rows }: { values: readonly number[]; rows: readonly CodedRow[] }) {
  const errors = rows.map((row) => row.back.map((v, i) => v - values[i]));
  const most = Math.max(1e-12, ...errors.flat().map(Math.abs));
  return (
    <figure className={css.errors}>
      <figcaption>
        <span data-kind="plain">error without Hadamard</span>
        <span data-kind="spread">with Hadamard</span>
        <span>full height {most.toPrecision(3)}</span>
      </figcaption>
      <div className={css.plot} role="img" aria-label={`Errors by channel, largest ${most.toPrecision(3)}`}>
        {values.map((_, i) => (
          <div
            // biome-ignore lint/suspicious/noArrayIndexKey: a channel is its place
            key={i}
            className={css.channel}
            title={`channel ${i}: ${errors[0][i].toPrecision(3)} without, ${errors[1][i].toPrecision(3)} with`}
          >
            {errors.map((row, kind) => {
              const height = (Math.abs(row[i]) / most) * 50;
              return (
                <span
                  // biome-ignore lint/suspicious/noArrayIndexKey: without, then with
                  key={kind}
                  data-kind={kind === 0 ? 'plain' : 'spread'}
                  style={{ height: `${height}%`, bottom: row[i] >= 0 ? '50%' : `${50 - height}%` }}
                />
              );
            })}
          </div>
        ))}
      </div>
    </figure>
  );
}
