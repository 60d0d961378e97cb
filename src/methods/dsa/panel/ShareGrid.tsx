// A table of shares of the sparse model, tinted, each with what it is compared with in small.

import type { CSSProperties } from 'react';
import { percent } from './ChosenTable.tsx';
import css from './dsa.module.css';

export interface Cell {
  key: number;
  sparse: number;
  other: number;
}

interface GridProps {
  label: string;
  corner: string;
  columns: { key: number; words: string }[];
  rows: { key: number; words: string; cells: Cell[] }[];
  testId: string;
}

const tint = (share: number): CSSProperties =>
  ({ '--share': `${Math.round(70 * Math.sqrt(share))}%` }) as CSSProperties;

export function ShareGrid({ label, corner, columns, rows, testId }: GridProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard
    <section className={css.scroll} tabIndex={0} aria-label={label}>
      <table className={css.grid} data-testid={testId}>
        <thead>
          <tr>
            <th scope="col">{corner}</th>
            {columns.map(({ key, words }) => (
              <th scope="col" key={key}>
                {words}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, words, cells }) => (
            <tr key={key}>
              <th scope="row">{words}</th>
              {cells.map(({ key: column, sparse, other }) => (
                <td key={column} data-model="sparse" style={tint(sparse)}>
                  {percent(sparse)}
                  <small>{percent(other)}</small>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
