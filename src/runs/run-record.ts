/** The run record: what `--json` prints, pages show and `--resume` continues (design.md section 6). */
import type { AdapterReport } from '../gpu/device.ts';

export interface RunTable {
  name: string;
  columns: string[];
  rows: (number | string)[][];
}

export interface RunRecord {
  method: string;
  preset: string;
  seed: number;
  config: unknown;
  adapter: string;
  engine: string;
  metrics: Record<string, number>;
  tables: RunTable[];
  wallMs: number;
  flops: number;
}

/** The adapter in words, and the precision that was asked of it. */
export const adapterName = (report: AdapterReport): string => {
  const words = [report.vendor, report.architecture, report.description || report.device].filter(Boolean);
  return `${words.join(' ')}${report.precision ? `, ${report.precision} on request` : ''}`;
};
