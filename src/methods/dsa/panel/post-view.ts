// What a run of post-training shows: the stages of every domain, the curves of the mixed stage, samples with their verdicts. Built
// from the events of a run in this tab, or from the tables of a recorded one.

import type { Sample } from '../posttrain/measure.ts';
import type { PostEvent } from '../posttrain/reinforce.ts';
import type { Table } from './export.ts';

export type Model = 'dense' | 'sparse';
export const MODELS: readonly Model[] = ['dense', 'sparse'];

/** Columns of the grid, in the order of the pipeline. */
export const STAGES = ['base', 'specialist', 'distilled', 'mixed'] as const;
export type StageName = (typeof STAGES)[number];

export interface CurvePoint {
  step: number;
  outcome: number;
  tokens: number;
}

export interface PostView {
  /** Where the run is, in words. */
  now: string;
  /** Share of solved problems by model, domain and stage. */
  grid: Record<Model, Map<string, Partial<Record<StageName, number>>>>;
  /** Mean over domains along the mixed stage. */
  curves: Record<Model, CurvePoint[]>;
  /** Reward of every step of reinforcement learning, in order. */
  rewards: Record<Model, number[]>;
  /** Latest samples by domain, of the model that was measured last. */
  samples: Map<string, { model: Model; stage: string; samples: Sample[] }>;
}

export const emptyView = (): PostView => ({
  now: '',
  grid: { dense: new Map(), sparse: new Map() },
  curves: { dense: [], sparse: [] },
  rewards: { dense: [], sparse: [] },
  samples: new Map(),
});

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

/** The stage of the grid that a measurement belongs to; the specialist of one domain says nothing about the others. */
function cellOf(stage: string, domain: string): StageName | null {
  if (stage === 'base') return 'base';
  if (stage === 'distillation') return 'distilled';
  if (stage === 'mixed') return 'mixed';
  return stage === `specialist ${domain}` ? 'specialist' : null;
}

/** The view after an event. */
export function withEvent(view: PostView, event: PostEvent): PostView {
  const { arm, stage } = event;
  const model = arm === 'dense' ? 'dense attention' : 'sparse attention';
  if (event.kind === 'stage') return { ...view, now: `${model}: ${stage}` };
  if (event.kind === 'step') {
    const rewards = { ...view.rewards, [arm]: [...view.rewards[arm], event.result.reward] };
    return { ...view, now: `${model}: ${stage}, step ${event.step}`, rewards };
  }
  const grid = new Map(view.grid[arm]);
  const samples = new Map(view.samples);
  for (const [domain, measured] of Object.entries(event.domains)) {
    const cell = cellOf(stage, domain);
    if (!cell) continue;
    grid.set(domain, { ...grid.get(domain), [cell]: measured.outcome });
    samples.set(domain, { model: arm, stage, samples: measured.samples });
  }
  const all = Object.values(event.domains);
  const point = { step: event.step, outcome: mean(all.map((m) => m.outcome)), tokens: mean(all.map((m) => m.length)) };
  const onCurve = stage === 'distillation' || stage === 'mixed';
  const curves = onCurve ? { ...view.curves, [arm]: [...view.curves[arm], point] } : view.curves;
  return { ...view, grid: { ...view.grid, [arm]: grid }, curves, samples };
}

/** The view of a recorded run, from its tables `postStages` and `postCurves`. */
export function viewOfTables(tables: readonly (Table & { name: string })[]): PostView {
  const view = emptyView();
  const of = (name: string): Table => tables.find((t) => t.name === name) ?? { columns: [], rows: [] };
  const stages = of('postStages');
  const at = (table: Table, row: Table['rows'][number], column: string): number =>
    Number(row[table.columns.indexOf(column)]);
  for (const row of stages.rows) {
    const cells = Object.fromEntries(STAGES.map((stage) => [stage, at(stages, row, stage)]));
    view.grid[row[0] as Model]?.set(String(row[1]), cells);
  }
  const curves = of('postCurves');
  for (const model of MODELS) {
    const own = curves.rows.filter((row) => row[0] === model);
    for (const step of new Set(own.map((row) => at(curves, row, 'step')))) {
      const here = own.filter((row) => at(curves, row, 'step') === step);
      const average = (column: string): number => mean(here.map((row) => at(curves, row, column)));
      view.curves[model].push({ step, outcome: average('outcome'), tokens: average('tokens') });
    }
  }
  return view;
}
