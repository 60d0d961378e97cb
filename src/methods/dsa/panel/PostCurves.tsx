// The mixed stage, dense and sparse: solved problems and tokens of an answer, as in the report's Figure 2; and the reward of every step.

import { Plot, type Series } from '../../../ui/charts/Plot.tsx';
import css from './dsa.module.css';
import { MODELS, type Model, type PostView } from './post-view.ts';

const step = { format: (x: number) => String(Math.round(x)), zero: true };
const share = (x: number): string => `${Math.round(100 * x)} %`;
const figure = (x: number): string => String(Number(x.toPrecision(3)));

const lines = (of: (model: Model) => Series['points'], dashed = false): Series[] =>
  MODELS.map((model) => ({
    name: model,
    points: of(model),
    colour: model === 'dense' ? 'ink' : 'accent',
    dots: !dashed,
    dashed,
  }));

export function PostCurves({ view }: { view: PostView }) {
  const { curves, rewards } = view;
  return (
    <div className={css.charts}>
      <Plot
        title="Mixed stage: solved problems, mean over domains"
        x={step}
        y={{ format: share, zero: true }}
        series={lines((model) => curves[model].map((p) => [p.step, p.outcome] as const))}
        testId="post-outcome"
      />
      <Plot
        title="Mixed stage: tokens of an answer"
        x={step}
        y={{ format: figure, zero: true }}
        series={lines((model) => curves[model].map((p) => [p.step, p.tokens] as const), true)}
        testId="post-tokens"
      />
      {MODELS.some((model) => rewards[model].length > 0) && (
        <Plot
          title="Reward of every GRPO step, specialists then mixed"
          x={step}
          y={{ format: figure }}
          series={lines((model) => rewards[model].map((r, i) => [i + 1, r] as const)).map((s) => ({
            ...s,
            dots: false,
          }))}
          testId="post-reward"
        />
      )}
    </div>
  );
}
