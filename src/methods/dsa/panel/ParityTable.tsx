// Arms in rows: accuracy on both tasks, difference to the dense control with its 95 % interval drawn on one axis.

import type { Interval } from '../../../lm/statistics.ts';
import { percent } from './ChosenTable.tsx';
import css from './dsa.module.css';
import type { ParityRow } from './parity.ts';
import { TASK_WORDS } from './task-words.ts';

const points = (x: number): string => `${x > 0 ? '+' : ''}${(100 * x).toFixed(1)}`;

export function ParityTable({ rows }: { rows: readonly ParityRow[] }) {
  const tasks = rows[0].cells.map(({ task }) => task);
  const all = rows.flatMap(({ cells }) => cells.flatMap(({ difference: d }) => (d ? [d.lower, d.upper] : [])));
  const most = Math.max(0.05, ...all.map(Math.abs));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard
    <section className={css.scroll} tabIndex={0} aria-label="Arms">
      <table className={css.table} data-testid="parity-table">
        <caption>
          Right answers, minus those of dense-continued in points with 95 % intervals from a paired bootstrap over rows
        </caption>
        <thead>
          <tr>
            <th scope="col">way of attending</th>
            {tasks.map((task) => (
              <th scope="col" key={task} data-control={task === 'control'}>
                {TASK_WORDS[task]}
              </th>
            ))}
            <th scope="col">mass recall</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, cells }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {cells.map(({ task, scores, difference }) => (
                <td key={task}>
                  {percent(scores.accuracy)}
                  {difference && <Difference interval={difference} most={most} />}
                </td>
              ))}
              <td>
                {Number.isFinite(cells[0].scores.massRecall) &&
                  `${percent(cells[0].scores.massRecall)} of ${percent(cells[0].scores.massOracle)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Difference({ interval, most }: { interval: Interval; most: number }) {
  const { value, lower, upper } = interval;
  const at = (x: number): number => 50 + (x / most) * 50;
  return (
    <span className={css.difference}>
      <span>
        {points(value)} [{points(lower)}, {points(upper)}]
      </span>
      <span className={css.whisker} aria-hidden="true">
        <i style={{ left: `${at(lower)}%`, width: `${at(upper) - at(lower)}%` }} />
        <b style={{ left: `${at(value)}%` }} />
      </span>
    </span>
  );
}
