/** The lab's work as jobs that report row by row: what the GPU tab's worker and `lab bench` both run. */
import type { Gpu } from '../gpu/device.ts';
import type { EditStage } from './edit.ts';
import { type GrowthCurve, measureGrowth, SWEEPS } from './growth.ts';
import type { MethodCost } from './method-cost.ts';
import { METHOD_BENCHES, measureMethod } from './methods.ts';
import { proofPlan, proveOne, skippedVariants } from './proof.ts';
import type { ProofRow, Skipped } from './proof-rows.ts';
import { kernelNamed } from './registry.ts';
import { measurePoint, measureRoof, type RooflinePoint, type RooflineRoof, rooflineKernels } from './roofline.ts';
import { measureTile, TILE_SHAPES, type TileRow, tileTable } from './tiles.ts';
import { type Ladder, ladderKernels, measureLadder } from './versions.ts';

export type Job =
  | { kind: 'proof'; only?: readonly string[] }
  | { kind: 'roofline'; only?: readonly string[] }
  | { kind: 'versions'; only?: readonly string[] }
  | { kind: 'growth'; only?: readonly string[] }
  | { kind: 'methods'; only?: readonly string[] }
  | { kind: 'tiles' }
  | { kind: 'edit'; kernel: string; variant: string; file: string; text: string };

export type JobEvent =
  | { kind: 'progress'; done: number; total: number; what: string }
  | { kind: 'proof'; row: ProofRow }
  | { kind: 'skipped'; variants: readonly Skipped[] }
  | { kind: 'roof'; roof: RooflineRoof }
  | { kind: 'point'; point: RooflinePoint }
  | { kind: 'ladder'; ladder: Ladder }
  | { kind: 'curve'; curve: GrowthCurve }
  | { kind: 'cost'; cost: MethodCost }
  | { kind: 'tile'; row: TileRow }
  | { kind: 'edit'; stage: EditStage };

const chosen = (only: readonly string[] | undefined, name: string): boolean =>
  only === undefined || only.length === 0 || only.includes(name);

/** Runs a job to its end, or to the next item after `signal` is aborted. Throws when the device is lost. */
export async function runJob(gpu: Gpu, job: Job, emit: (event: JobEvent) => void, signal: AbortSignal): Promise<void> {
  const steps = async <T>(items: readonly T[], name: (item: T) => string, run: (item: T) => Promise<void>) => {
    for (const [i, item] of items.entries()) {
      if (signal.aborted) return;
      emit({ kind: 'progress', done: i, total: items.length, what: name(item) });
      await run(item);
      if (gpu.lostReason !== null) throw new Error(`The GPU device was lost: ${gpu.lostReason}`);
    }
    emit({ kind: 'progress', done: items.length, total: items.length, what: '' });
  };
  if (job.kind === 'proof') {
    const plan = proofPlan(gpu.conditions, job.only);
    emit({ kind: 'skipped', variants: skippedVariants(gpu.conditions, job.only) });
    await steps(
      plan,
      (item) => (item.kind === 'gradient' ? `gradient of ${item.name}` : item.entry.name),
      async (item) => emit({ kind: 'proof', row: await proveOne(gpu, item) }),
    );
  } else if (job.kind === 'tiles') {
    const rows: TileRow[] = [];
    await steps(
      TILE_SHAPES,
      ([form, ...size]) => `tiles of matmul ${form} ${size.join(' x ')}`,
      async (shape) => {
        const row = await measureTile(gpu, shape);
        if (!row) return;
        rows.push(row);
        emit({ kind: 'tile', row });
      },
    );
    if (rows.length > 0) gpu.conditions.tiles = { ...gpu.conditions.tiles, ...tileTable(rows) };
  } else if (job.kind === 'roofline') {
    emit({ kind: 'progress', done: 0, total: 1, what: 'matmul peak and memory bandwidth' });
    const roof = await measureRoof(gpu);
    emit({ kind: 'roof', roof });
    await steps(
      rooflineKernels(gpu.conditions, job.only),
      (entry) => entry.name,
      async (entry) => emit({ kind: 'point', point: await measurePoint(gpu, entry, roof) }),
    );
  } else if (job.kind === 'versions') {
    await steps(
      ladderKernels(gpu.conditions).filter((k) => chosen(job.only, k.name)),
      (entry) => entry.name,
      async (entry) => emit({ kind: 'ladder', ladder: await measureLadder(gpu, entry) }),
    );
  } else if (job.kind === 'growth') {
    await steps(
      SWEEPS.filter((s) => chosen(job.only, s.name)),
      (sweep) => sweep.name,
      async (sweep) => emit({ kind: 'curve', curve: await measureGrowth(gpu, sweep) }),
    );
  } else if (job.kind === 'methods') {
    const benches = METHOD_BENCHES.filter((m) => chosen(job.only, m.name));
    emit({ kind: 'progress', done: 0, total: benches.length, what: 'matmul peak' });
    const roof = await measureRoof(gpu);
    await steps(
      benches,
      (method) => method.name,
      async (method) => {
        for (const cost of await measureMethod(gpu, method, roof)) emit({ kind: 'cost', cost });
      },
    );
  } else {
    const entry = kernelNamed(job.kernel);
    const variant = entry.variants.find((v) => v.name === job.variant);
    if (!variant) throw new Error(`${job.kernel} has no variant '${job.variant}'`);
    // The linker comes with it: fetched with the first edit.
    const { tryEdit } = await import('./edit.ts');
    await tryEdit(gpu, entry, variant, job.file, job.text, (stage) => emit({ kind: 'edit', stage }));
  }
}
