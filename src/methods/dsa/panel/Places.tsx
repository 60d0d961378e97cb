// Where attention looks and where answers cost bits: needles by depth and length, ages of the selected keys, bits by position. From
// an evaluation of this page where there is one, else from the card of the shipped weights.

import { useState } from 'react';
import { Plot } from '../../../ui/charts/Plot.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import type { Task } from '../tasks.ts';
import { percent } from './ChosenTable.tsx';
import { type Card, type Evaluation, evaluationsOf, type FigureRows } from './card.ts';
import css from './dsa.module.css';
import { type Cell, ShareGrid } from './ShareGrid.tsx';
import { TASK_WORDS } from './task-words.ts';

/** Tables that are drawn here; a card's own list leaves them out. */
export const DRAWN = ['needle', 'ages', 'positions'];

interface Found {
  table: FigureRows;
  from: Pick<Evaluation, 'command' | 'adapter'> | null;
}

interface Props {
  card: Card | null;
  /** Tables of an evaluation on this page. */
  measured: readonly FigureRows[];
  adapter: string;
}

export function Places({ card, measured, adapter }: Props) {
  const find = (name: string): Found | null => {
    const own = measured.find((t) => t.name === name);
    if (own) return { table: own, from: null };
    for (const evaluation of card ? evaluationsOf(card) : []) {
      const table = evaluation.tables.find((t) => t.name === name);
      if (table) return { table, from: evaluation };
    }
    return null;
  };
  const [needle, ages, positions] = DRAWN.map(find);
  return (
    <section aria-labelledby="places">
      <h2 id="places" tabIndex={-1}>
        Where it looks, where it pays
      </h2>
      {!needle && !ages && !positions && (
        <p className={css.lead}>
          These weights have no card: evaluate them under Parity, then ages and bits stand here.
        </p>
      )}
      {positions && <Positions {...positions} adapter={adapter} />}
      {ages && <Ages {...ages} adapter={adapter} />}
      {needle && <Needle {...needle} adapter={adapter} />}
    </section>
  );
}

function Source({ from, adapter }: Pick<Found, 'from'> & { adapter: string }) {
  if (!from) return <p className={css.note}>Evaluated on this page, {adapter}.</p>;
  return (
    <p className={css.note}>
      From the card: <code>{from.command}</code> on {from.adapter}.
    </p>
  );
}

type Sheet = Found & { adapter: string };

function Positions({ table, from, adapter }: Sheet) {
  const tasks = [...new Set(table.rows.map((row) => row[0] as Task))];
  const [asked, setTask] = useState<Task | null>(null);
  const task = asked && tasks.includes(asked) ? asked : tasks.includes('copy') ? 'copy' : tasks[0];
  const rows = table.rows.filter((row) => row[0] === task);
  const line = (column: number): (readonly [number, number])[] => rows.map((r) => [Number(r[2]), Number(r[column])]);
  return (
    <>
      <h3>Bits by position</h3>
      <p className={css.lead}>
        What an answer costs, by its place in the row, on rows that no training used; {TASK_WORDS[task]} asks at the
        places that are drawn.
      </p>
      <div className={css.controls}>
        <Choice label="Task" value={task} options={tasks.map((t) => [t, TASK_WORDS[t]] as const)} onChange={setTask} />
      </div>
      <Plot
        title="Bits per answer by place"
        x={{ format: (x) => String(Math.round(x)) }}
        y={{ format: (y) => y.toPrecision(2), zero: true }}
        series={[
          { name: 'dense-continued', points: line(3), colour: 'ink', dots: true },
          { name: 'DSA', points: line(4), colour: 'accent', dots: true },
        ]}
        testId="positions"
      />
      <Source from={from} adapter={adapter} />
    </>
  );
}

function Ages({ table, from, adapter }: Sheet) {
  const layers = [...new Set(table.rows.map((row) => Number(row[0])))];
  const of = (layer: number) => table.rows.filter((row) => Number(row[0]) === layer);
  return (
    <>
      <h3>Age of what is selected</h3>
      <p className={css.lead}>
        Of the keys that the indexer selects on lookups, the share of every age (tokens from key to query); in small the
        share that the keys with most dense attention would have.
      </p>
      <ShareGrid
        label="Ages of selected keys"
        corner="age"
        columns={of(layers[0]).map(([, low, high]) => ({
          key: Number(low),
          words: low === high ? String(low) : `${low}–${high}`,
        }))}
        rows={layers.map((layer) => ({
          key: layer,
          words: `layer ${layer + 1}`,
          cells: of(layer).map(([, low, , own, oracle]) => ({
            key: Number(low),
            sparse: Number(own),
            other: Number(oracle),
          })),
        }))}
        testId="ages"
      />
      <Source from={from} adapter={adapter} />
    </>
  );
}

function Needle({ table, from, adapter }: Sheet) {
  const lengths = [...new Set(table.rows.map((row) => Number(row[0])))];
  const depths = [...new Set(table.rows.map((row) => Number(row[1])))];
  const at = (length: number, depth: number): Cell => {
    const [, , dense, sparse] = table.rows.find(([l, d]) => Number(l) === length && Number(d) === depth) ?? [];
    return { key: length, sparse: Number(sparse), other: Number(dense) };
  };
  return (
    <>
      <h3>Needle by depth and length</h3>
      <p className={css.lead}>
        One fact in filler, asked for at the end: right answers with sparse attention, in small with dense attention.
      </p>
      <ShareGrid
        label="Needle by depth and length"
        corner="depth of the fact"
        columns={lengths.map((length) => ({ key: length, words: `${length} tokens` }))}
        rows={depths.map((depth) => ({
          key: depth,
          words: percent(depth),
          cells: lengths.map((length) => at(length, depth)),
        }))}
        testId="needle"
      />
      <Source from={from} adapter={adapter} />
    </>
  );
}
