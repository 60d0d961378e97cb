// The tokens that attention reads for a query, largest index score first: score, its term of every indexer head, attention.

import type { Probe } from '../inspect.ts';
import css from './dsa.module.css';
import type { Table } from './export.ts';
import type { Selection } from './selection.ts';

export const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
/** Lines on the page; the files hold all. */
const LINES = 16;

const heads = (count: number): number[] => Array.from({ length: count }, (_, j) => j);

export function tableOf(probe: Probe, selection: Selection, indexHeads: number, nameOf: (id: number) => string): Table {
  return {
    columns: ['rank', 'token', 'place', 'score', ...heads(indexHeads).map((j) => `head ${j + 1}`), 'dense p', 'paid'],
    rows: selection.chosen.map((c, i) => [
      i + 1,
      nameOf(probe.ids[c.place]),
      c.place,
      c.score,
      ...c.terms,
      c.p,
      c.paid,
    ]),
  };
}

export function ChosenTable(props: {
  probe: Probe;
  selection: Selection;
  heads: number;
  nameOf: (id: number) => string;
}) {
  const { probe, selection, nameOf } = props;
  const more = selection.chosen.length - LINES;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard
    <section className={css.scroll} tabIndex={0} aria-label="Tokens that are read">
      <table className={css.table}>
        <caption className="visually-hidden">Tokens that are read, largest index score first</caption>
        <thead>
          <tr>
            <th scope="col" title="By index score, the largest first">
              rank
            </th>
            <th scope="col">token</th>
            <th scope="col">place</th>
            <th scope="col">score I</th>
            {heads(props.heads).map((j) => (
              <th scope="col" key={j} title={`Indexer head ${j + 1}: w times ReLU(q · k)`}>
                w·ReLU {j + 1}
              </th>
            ))}
            <th scope="col">dense p</th>
            <th scope="col">paid</th>
          </tr>
        </thead>
        <tbody>
          {selection.chosen.slice(0, LINES).map((c, i) => (
            <tr key={c.place}>
              <td>{i + 1}</td>
              <th scope="row">{nameOf(probe.ids[c.place])}</th>
              <td>{c.place}</td>
              <td>{c.score.toFixed(3)}</td>
              {c.terms.map((v, j) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: heads have no other name
                <td key={j}>{v.toFixed(3)}</td>
              ))}
              <td>{percent(c.p)}</td>
              <td>{Number.isNaN(c.paid) ? '…' : percent(c.paid)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p className={css.note}>and {more} more</p>}
    </section>
  );
}
