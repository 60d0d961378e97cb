/** What a race reports: one row per workload, and the whole as one JSON object. */
import type { AdapterReport } from '../../gpu/device.ts';
import type { Timing } from '../../gpu/timing.ts';
import { flopRate, percent } from '../units.ts';

export interface RaceRow {
  workload: string;
  shape: string;
  id: string;
  /** Median milliseconds of ours; null if our own result was wrong. */
  oursMs: number | null;
  /** Median milliseconds by entrant. */
  peers: Record<string, number>;
  /** Best peer's median over ours: how many times faster we are. Null without a peer. */
  ratioBestPeer: number | null;
  bestPeer: string | null;
  /** Quartiles, batches and clock of every entrant. */
  timings: Record<string, Timing>;
  /** Rate of ours. */
  gflops: number | null;
  /** Dispatches of one of our runs. */
  dispatches: number | null;
  /** Training steps: tokens per second, and the rate as a share of the matmul peak measured in the same run. */
  tokensPerSecond?: number;
  peakFraction?: number;
  /** Of ours: milliseconds from tracing to the first loss, compilation included. */
  firstStepMs?: number;
  /** Bytes of all input sets that runs take in turns, the same for every entrant. Below 32 MiB a cache may hold them. */
  rotatedBytes: number;
  /** Who was left out, and why: wrong result, error, or not possible. */
  leftOut: Record<string, string>;
}

export interface RaceReport {
  adapter: AdapterReport;
  engine: string;
  /** Version of every entrant. */
  versions: Record<string, string>;
  /** How every entrant is called, by row id. */
  notes: Record<string, Record<string, string>>;
  date: string;
  wallMs: number;
  /** Best matmul rate of this adapter in this run; null where no row is compared with it. */
  peak: { gflops: number; by: string } | null;
  tables: { title: string; rows: RaceRow[] }[];
}

export function rowOf(
  base: { workload: string; shape: string; id: string },
  ours: string,
  timings: Record<string, Timing>,
  leftOut: Record<string, string>,
  work: {
    flops: number;
    dispatches: number | null;
    rotatedBytes: number;
    tokens?: number;
    peak?: number;
    firstStepMs?: number;
  },
): RaceRow {
  const peers = Object.fromEntries(
    Object.entries(timings)
      .filter(([name]) => name !== ours)
      .map(([name, t]) => [name, t.median]),
  );
  const oursMs = timings[ours]?.median ?? null;
  const gflops = oursMs === null ? null : work.flops / oursMs / 1e6;
  const best = Object.entries(peers).sort((a, b) => a[1] - b[1])[0];
  return {
    ...base,
    oursMs,
    peers,
    ratioBestPeer: oursMs !== null && best ? best[1] / oursMs : null,
    bestPeer: best?.[0] ?? null,
    timings,
    gflops,
    dispatches: work.dispatches,
    rotatedBytes: work.rotatedBytes,
    ...(work.tokens && oursMs !== null ? { tokensPerSecond: (work.tokens / oursMs) * 1000 } : {}),
    ...(work.peak && gflops !== null ? { peakFraction: (gflops * 1e9) / work.peak } : {}),
    ...(work.firstStepMs && oursMs !== null ? { firstStepMs: work.firstStepMs } : {}),
    leftOut,
  };
}

/** A training step of ours in words; empty for other rows. */
export function stepWords({ tokensPerSecond, gflops, peakFraction, dispatches, firstStepMs }: RaceRow): string {
  if (tokensPerSecond === undefined || gflops === null) return '';
  return [
    `${tokensPerSecond.toFixed(0)} tokens/s`,
    flopRate(gflops * 1e9),
    ...(peakFraction === undefined ? [] : [`${percent(peakFraction)} of the matmul peak`]),
    `${dispatches} dispatches`,
    ...(firstStepMs === undefined ? [] : [`first step after ${(firstStepMs / 1000).toFixed(1)} s`]),
  ].join(', ');
}

/** Rows without a right result of ours, each with the reason. A run that has one has failed. */
export const missingOurs = ({ engine, tables }: RaceReport): string[] =>
  tables
    .flatMap((t) => t.rows)
    .flatMap((r) => (r.oursMs === null ? [`${r.id}: ${r.leftOut[engine] ?? 'no time'}`] : []));
