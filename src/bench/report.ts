/** Everything that the jobs report, gathered: one object, printed with --json and exported by the GPU tab. */

import { commit, version } from 'virtual:build';
import type { AdapterReport } from '../gpu/device.ts';
import type { Finding } from './doctor.ts';
import type { GrowthCurve } from './growth.ts';
import type { JobEvent } from './jobs.ts';
import type { MethodCost } from './method-cost.ts';
import { countProof, type ProofCounts, type ProofRow, type Skipped } from './proof-rows.ts';
import type { RooflinePoint, RooflineRoof } from './roofline.ts';
import type { TileRow } from './tiles.ts';
import type { Ladder } from './versions.ts';

export interface Findings {
  proof: ProofRow[];
  /** Variants that the proof left out, and why. */
  skipped: readonly Skipped[];
  roof: RooflineRoof | null;
  points: RooflinePoint[];
  ladders: Ladder[];
  curves: GrowthCurve[];
  costs: MethodCost[];
  tiles: TileRow[];
}

export const noFindings = (): Findings => ({
  proof: [],
  skipped: [],
  roof: null,
  points: [],
  ladders: [],
  curves: [],
  costs: [],
  tiles: [],
});

/** The findings with one event more; rows of the same thing replace each other. */
export function gather(f: Findings, event: JobEvent): Findings {
  const put = <T>(list: readonly T[], item: T, key: (t: T) => string): T[] => [
    ...list.filter((t) => key(t) !== key(item)),
    item,
  ];
  switch (event.kind) {
    case 'proof':
      return { ...f, proof: put(f.proof, event.row, (r) => `${r.kernel}|${r.variant}|${r.case}`) };
    case 'skipped':
      return { ...f, skipped: event.variants };
    case 'roof':
      return { ...f, roof: event.roof };
    case 'point':
      return { ...f, points: put(f.points, event.point, (p) => p.kernel) };
    case 'ladder':
      return { ...f, ladders: put(f.ladders, event.ladder, (l) => l.kernel) };
    case 'curve':
      return { ...f, curves: put(f.curves, event.curve, (c) => c.name) };
    case 'cost':
      return { ...f, costs: put(f.costs, event.cost, (c) => `${c.method}|${c.step}`) };
    case 'tile':
      return { ...f, tiles: put(f.tiles, event.row, (r) => r.class) };
    default:
      return f;
  }
}

export interface BenchReport extends Findings {
  kind: 'tenfold bench';
  /** ISO 8601. */
  date: string;
  /** Version of the package, and the commit it was built at; null outside of a checkout. */
  build: { version: string; commit: string | null };
  /** Milliseconds of everything that was run for it. */
  wallMs: number;
  /** Browser, or Node and Dawn. */
  runtime: string;
  adapter: AdapterReport;
  doctor: Finding[];
  counts: ProofCounts;
}

export const benchReport = (
  f: Findings,
  about: { date: Date; wallMs: number; runtime: string; adapter: AdapterReport; doctor: Finding[] },
): BenchReport => ({
  kind: 'tenfold bench',
  date: about.date.toISOString(),
  build: { version, commit },
  wallMs: about.wallMs,
  runtime: about.runtime,
  adapter: about.adapter,
  doctor: about.doctor,
  counts: countProof(f.proof),
  ...f,
});
