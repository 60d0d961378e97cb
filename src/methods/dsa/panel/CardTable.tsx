// What the card of the shipped weights says of them: measured once, elsewhere, by the command that stands there.

import { HeadRow } from '../../../ui/controls/HeadRow.tsx';
import { percent } from './ChosenTable.tsx';
import { type Card, evaluationsOf } from './card.ts';
import css from './dsa.module.css';
import { DRAWN } from './Places.tsx';

/** Columns of numbers that are no shares. */
const PLAIN = /^(k|runs?|rows|step|problems|position|layer|answers|age .*|place .*)$|tokens|bits/;
const cell = (value: string | number, column: string): string =>
  typeof value === 'string'
    ? value
    : /tokens/.test(column)
      ? value.toFixed(1)
      : PLAIN.test(column)
        ? String(value)
        : percent(value);

export function CardTable({ card }: { card: Card }) {
  const { command, adapter, wallSeconds } = card.training;
  return (
    <details className={css.card}>
      <summary>From the card of the shipped weights</summary>
      <p className={css.note}>
        Trained by <code>{command}</code> on {adapter}
        {wallSeconds !== undefined && `, ${Math.round(wallSeconds / 60)} minutes`}.
      </p>
      {evaluationsOf(card).map(({ about, command, adapter, tables }) => {
        const shown = tables.filter(({ name }) => !DRAWN.includes(name));
        return (
          shown.length > 0 && (
            <div key={command}>
              <p className={css.note}>
                {about} <code>{command}</code> on {adapter}.
              </p>
              {shown.map((table) => (
                <FigureTable key={table.name} table={table} title={table.name} />
              ))}
            </div>
          )
        );
      })}
    </details>
  );
}

interface Figures {
  name: string;
  columns: readonly string[];
  rows: readonly (readonly (string | number)[])[];
}

/** A table of a run record. */
export function FigureTable({ table, title }: { table: Figures; title: string }) {
  const { columns, rows } = table;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard
    <section className={css.scroll} tabIndex={0} aria-label={title}>
      <table className={css.table}>
        <caption>{title}</caption>
        <HeadRow names={columns} />
        <tbody>
          {rows.map((row, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a record have no other name
            <tr key={i}>
              {row.map((value, n) =>
                n === 0 ? (
                  <th scope="row" key={columns[n]}>
                    {value}
                  </th>
                ) : (
                  <td key={columns[n]}>{cell(value, columns[n])}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
