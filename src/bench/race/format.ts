/** A race report as text for a terminal. */
import { staysCached, type Timing } from '../../gpu/timing.ts';
import { flopRate } from '../units.ts';
import { type RaceReport, stepWords } from './table.ts';

const ms = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toFixed(3);

const spread = (t: Timing | undefined): string =>
  t ? `${ms(t.median)} (${ms(t.q1)}..${ms(t.q3)})${t.launchBound ? ' *' : ''}` : '-';

export function formatReport(report: RaceReport, browser: string): string {
  const { adapter, versions } = report;
  const names = Object.keys(versions);
  const lines = [
    `${adapter.description || adapter.device || adapter.vendor}, Chromium ${browser}, ${report.date}`,
    names.map((name) => `${name} ${versions[name]}`).join(', '),
    'Milliseconds of one run: median, quartiles; ratio = best other entrant / ours, larger is better.',
    '',
  ];
  for (const table of report.tables) {
    const cells = table.rows.map((row) => [
      row.workload,
      row.shape,
      ...names.map((name) => spread(row.timings[name])),
      row.ratioBestPeer === null ? '-' : `${row.ratioBestPeer.toFixed(2)}x`,
      row.gflops === null ? '-' : row.gflops.toFixed(2),
    ]);
    const head = ['workload', 'shape', ...names, 'ratio', 'GFLOP/s'];
    const widths = head.map((h, c) => Math.max(h.length, ...cells.map((row) => row[c].length)));
    const line = (row: string[]): string =>
      row.map((cell, c) => (c < 2 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ');
    lines.push(line(head), ...cells.map(line), '');
    for (const row of table.rows) {
      for (const [name, why] of Object.entries(row.leftOut)) lines.push(`${row.id}: without ${name}: ${why}`);
      if (staysCached(row.rotatedBytes))
        lines.push(`${row.id}: inputs of ${(row.rotatedBytes / 2 ** 20).toFixed(1)} MiB in all may stay in a cache`);
      const step = stepWords(row);
      if (step) lines.push(`${row.id}: ${step}`);
    }
  }
  if (report.peak) lines.push(`matmul peak: ${flopRate(report.peak.gflops * 1e9)} (${report.peak.by})`);
  lines.push('* more than half of it is launching');
  return lines.join('\n');
}
