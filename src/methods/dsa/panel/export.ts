// Figures of a view as files: a table as CSV, anything as JSON, each with where it came from.

import { saveText } from '../../../ui/gpu/save-text.ts';

export interface Table {
  columns: readonly string[];
  rows: readonly (readonly (string | number)[])[];
}

/** How the figures of a view came about; shown under it and written into its files. */
export type Origin = Readonly<Record<string, string | number>>;

const field = (value: string | number): string => {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** RFC 4180, with the origin in comment lines above. */
export function csvOf(table: Table, origin: Origin): string {
  const comments = Object.entries(origin).map(([name, value]) => `# ${name}: ${value}`);
  return [...comments, table.columns.map(field).join(','), ...table.rows.map((row) => row.map(field).join(','))].join(
    '\n',
  );
}

export function saveTable(name: string, table: Table, origin: Origin, format: 'csv' | 'json'): void {
  if (format === 'csv') saveText(`${name}.csv`, csvOf(table, origin), 'text/csv');
  else saveText(`${name}.json`, JSON.stringify({ ...origin, ...table }, null, 1), 'application/json');
}
