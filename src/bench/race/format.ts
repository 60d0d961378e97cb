/** A race report as text for a terminal. */
import type { RaceReport } from './table.ts';

const ms = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return '-';
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
};

export function formatReport(report: RaceReport, browser: string): string {
  const { adapter, versions } = report;
  const names = Object.keys(versions);
  const lines = [
    `${adapter.description || adapter.device || adapter.vendor}, Chromium ${browser}, ${report.date}`,
    names.map((name) => `${name} ${versions[name]}`).join(', '),
    'Median milliseconds of one run; ratio = best other entrant / ours, larger is better.',
    '',
  ];
  for (const table of report.tables) {
    const peak = Math.max(0, ...table.rows.filter((r) => r.workload.startsWith('matmul')).map((r) => r.gflops ?? 0));
    const cells = table.rows.map((row) => [
      row.workload,
      row.shape,
      ...names.map((name) => ms(row.timings[name]?.median) + (row.timings[name]?.launchBound ? ' *' : '')),
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
      if (row.tokensPerSecond) {
        const share = peak > 0 ? `, ${Math.round((100 * (row.gflops ?? 0)) / peak)} % of the best matmul row` : '';
        lines.push(
          `${row.id}: ${row.tokensPerSecond.toFixed(0)} tokens/s, ${row.dispatches} dispatches a step${share}`,
        );
      }
    }
  }
  lines.push('* more than half of it is launching');
  return lines.join('\n');
}
