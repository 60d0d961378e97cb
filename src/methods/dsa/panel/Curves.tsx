// What a run measured, over all stages: the language-model loss and the indexer's KL on axes of their own, how much of the dense
// attention the selected keys hold, and how many of them are those that hold the most.

import { Plot, type Series } from '../../../ui/charts/Plot.tsx';
import css from './dsa.module.css';
import type { Table } from './export.ts';
import type { Point, TrainState } from './protocol.ts';

/** Steps of the stages before a stage. The control and the arm without warm-up begin where the base ended. */
function startOf(state: TrainState, phase: string): number {
  const steps = (id: string): number => state.phases.find((p) => p.id === id)?.steps ?? 0;
  if (phase === 'short') return 0;
  if (phase === 'base') return steps('short');
  if (phase === 'warmup') return steps('short') + steps('base');
  return steps('short') + steps('base') + steps('warmup');
}

type Path = readonly (readonly [number, number])[];

export function pathOf(state: TrainState, phases: readonly string[], value: (p: Point) => number | undefined): Path {
  return state.points
    .filter((p) => phases.includes(p.phase))
    .map((p) => [startOf(state, p.phase) + p.step, value(p) ?? Number.NaN] as const)
    .filter(([, y]) => Number.isFinite(y))
    .sort((a, b) => a[0] - b[0]);
}

const MAIN = ['short', 'base', 'warmup', 'sparse'];
const figure = (x: number): string => (x === 0 ? '0' : String(Number(x.toPrecision(3))));
const share = (x: number): string => `${Math.round(100 * x)} %`;

export function Curves({ state }: { state: TrainState }) {
  const marks = state.phases
    .filter(({ id }) => id === 'warmup' || id === 'sparse')
    .map(({ id }) => ({ x: startOf(state, id), word: id === 'warmup' ? 'warm-up' : 'sparse' }));
  const end = startOf(state, 'sparse') + (state.phases.find(({ id }) => id === 'sparse')?.steps ?? 0);
  const steps = { format: (x: number) => String(Math.round(x)), zero: true, until: end };
  // The base has one loss; the other stages name both.
  const lm = (p: Point): number | undefined => p.values.lm ?? (p.phase === 'warmup' ? undefined : p.values.loss);
  const control: Series = {
    name: 'dense control',
    points: pathOf(state, ['continued'], lm),
    colour: 'quiet',
  };
  const cold: Series = {
    name: 'without warm-up',
    points: pathOf(state, ['unwarmed'], lm),
    colour: 'quiet',
    dashed: true,
  };
  const shown = [control, cold].filter((s) => s.points.length > 0);
  return (
    <div className={css.charts}>
      <Plot
        title="Language-model loss, nats"
        x={steps}
        y={{ format: figure, zero: true }}
        marks={marks}
        series={[{ name: 'base, warm-up, sparse', points: pathOf(state, MAIN, lm), colour: 'ink' }, ...shown]}
        testId="curve-lm"
      />
      <Plot
        title="KL of the indexer, nats"
        x={steps}
        y={{ format: figure, zero: true }}
        marks={marks}
        series={[{ name: 'L_I', points: pathOf(state, MAIN, (p) => p.values.kl), colour: 'accent' }]}
        testId="curve-kl"
      />
      <Plot
        title="Held by the selected keys, 32 unseen rows"
        x={steps}
        y={{ format: share, zero: true }}
        marks={marks}
        series={[
          {
            name: 'mass recall',
            points: pathOf(state, MAIN, (p) => p.values.massRecall),
            colour: 'accent',
            dots: true,
          },
          {
            name: 'the most k keys can have',
            points: pathOf(state, MAIN, (p) => p.values.massOracle),
            colour: 'ink',
            dots: true,
          },
          {
            name: 'overlap with those keys',
            points: pathOf(state, MAIN, (p) => p.values.overlap),
            colour: 'accent',
            dashed: true,
            dots: true,
          },
          {
            name: 'recall accuracy',
            points: pathOf(state, MAIN, (p) => p.values.accuracy),
            colour: 'quiet',
            dots: true,
          },
        ]}
        testId="curve-mass"
      />
    </div>
  );
}

export function tableOf({ points }: TrainState): Table {
  const names = [...new Set(points.flatMap((p) => Object.keys(p.values)))];
  return {
    columns: ['stage', 'step', ...names],
    rows: points.map((p) => [p.phase, p.step, ...names.map((name) => p.values[name] ?? '')]),
  };
}
