// One chart per measured line of the run.

import { LineChart } from '../charts/LineChart.tsx';
import { useTraining } from './train-store.ts';
import css from './training.module.css';

export function Losses() {
  const series = useTraining((state) => state.series);
  // The lines grow in place; this count says that they did.
  useTraining((state) => state.drawn);
  if (series.size === 0) return null;
  return (
    <section className={css.losses} aria-label="Measured while training">
      {[...series].map(([name, line]) => {
        const points = line.points();
        return (
          <LineChart
            key={name}
            title={name.replace('/', ': ')}
            xs={points.map(({ step }) => step)}
            ys={points.map(({ value }) => value)}
          />
        );
      })}
    </section>
  );
}
