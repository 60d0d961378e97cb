/** The race in an empty page, for scripts/bench-peers.mjs: all four engines on one device. */
import { openGpu } from '../../gpu/device.ts';
import { openJax } from './jax.ts';
import { openOnnx } from './onnx.ts';
import { runRace, SETTINGS } from './run.ts';
import type { RaceReport, RaceRow } from './table.ts';
import { openField } from './teams.ts';
import { openTensorflow } from './tensorflow.ts';
import { idOf, workloads } from './workloads.ts';

export interface PageOptions {
  /** Prefixes of row ids; none = all. */
  only: string[];
  rounds?: number;
  wasmAt: string;
}

/** Progress goes to the console, one line for each row. */
export async function raceInPage({ only, rounds, wasmAt }: PageOptions): Promise<RaceReport> {
  const opened = await openGpu();
  if (!opened.ok) throw new Error(`${opened.reason} ${opened.advice}`);
  const { gpu } = opened;
  const { teams, absent } = await openField(gpu, {
    'jax-js': openJax,
    'TensorFlow.js': openTensorflow,
    'onnxruntime-web': (g) => openOnnx(g, wasmAt),
  });
  const list = workloads(!gpu.report.software).filter((w) => {
    return only.length === 0 || only.some((prefix) => idOf(w).startsWith(prefix));
  });
  if (list.length === 0) throw new Error(`no row is called ${only.join(' or ')}`);
  const settings = { ...SETTINGS, rounds: rounds ?? SETTINGS.rounds };
  const row = (row: RaceRow): void => {
    const times = Object.entries(row.timings).map(([name, t]) => `${name} ${t.median.toFixed(3)} ms`);
    const out = Object.entries(row.leftOut).map(([name, why]) => `${name}: ${why}`);
    const ratio = row.ratioBestPeer === null ? '' : `${row.ratioBestPeer.toFixed(2)}x  `;
    console.log(`race: ${row.id}  ${ratio}${[...times, ...out].join(', ')}`);
  };
  return runRace(gpu, teams, list, settings, { row }, absent);
}
