// The parity table: accuracies of every arm on the same rows, and their differences to the dense control with intervals.

import { type Interval, pairedBootstrap } from '../../../lm/statistics.ts';
import type { Scores } from '../arm.ts';
import { ageRows, positionRows } from '../places.ts';
import type { Task } from '../tasks.ts';
import type { FigureRows } from './card.ts';
import type { Table } from './export.ts';
import type { ArmScores } from './protocol.ts';
import { TASK_WORDS } from './task-words.ts';

export interface ParityCell {
  task: Task;
  scores: Scores;
  /** Share of right answers minus that of the dense control on the same rows; null for itself. */
  difference: Interval | null;
}

export interface ParityRow {
  name: string;
  cells: ParityCell[];
}

/** The first arm is the dense control. */
export function parityRows(measured: readonly (readonly [name: string, ArmScores])[], seed: number): ParityRow[] {
  const dense = new Map(measured[0]?.[1].map(({ task, scores }) => [task, scores.rows]));
  return measured.map(([name, tasks], arm) => ({
    name,
    cells: tasks.map(({ task, scores }) => ({
      task,
      scores,
      difference: arm === 0 ? null : pairedBootstrap(scores.rows, dense.get(task) ?? [], seed),
    })),
  }));
}

/** Ages of the selected keys and bits by position, once both sides are evaluated. */
export function placeTables(rows: readonly ParityRow[]): FigureRows[] {
  const [dense, sparse] = [rows[0], rows.find(({ name }) => name === 'DSA')];
  if (!dense || !sparse) return [];
  const lookups = sparse.cells.filter(({ task }) => task !== 'control');
  return [
    { name: 'ages', columns: [], rows: ageRows(lookups.map(({ scores }) => scores.places)) },
    {
      name: 'positions',
      columns: [],
      rows: sparse.cells.flatMap(({ task, scores }, i) =>
        positionRows(task, dense.cells[i].scores.places, scores.places),
      ),
    },
  ];
}

export function tableOf(rows: readonly ParityRow[]): Table {
  const share = (x: number | undefined): number | string => (x !== undefined && Number.isFinite(x) ? x : '');
  return {
    columns: [
      ...['arm', 'task', 'accuracy', 'minus dense', 'lower 95 %', 'upper 95 %'],
      ...['mass recall', 'of at most', 'overlap with oracle', 'rows'],
    ],
    rows: rows.flatMap(({ name, cells }) =>
      cells.map(({ task, scores, difference: d }) => [
        ...[name, TASK_WORDS[task], scores.accuracy, share(d?.value), share(d?.lower), share(d?.upper)],
        ...[share(scores.massRecall), share(scores.massOracle), share(scores.overlap), scores.rows.length],
      ]),
    ),
  };
}
