// The stages of a run side by side, as wide as they are long: how far it is.

import css from './dsa.module.css';
import type { TrainState } from './protocol.ts';

export function Timeline({ state }: { state: TrainState }) {
  const { phases, phase, step, done } = state;
  const now = phases.findIndex(({ id }) => id === phase);
  return (
    <div className={css.timeline}>
      <ol>
        {phases.map(({ id, title, steps }, i) => {
          const finished = done || i < now ? steps : i === now ? step : 0;
          return (
            <li key={id} style={{ flexGrow: steps }} aria-current={i === now && !done ? 'step' : undefined}>
              <span>{title}</span>
              <progress max={steps} value={finished} aria-label={title} />
              <small>
                {finished} / {steps}
              </small>
            </li>
          );
        })}
      </ol>
      <p role="status" className="visually-hidden" data-testid="stage">
        {done ? 'All stages are done.' : `${phases[now]?.title}: step ${step} of ${phases[now]?.steps}`}
      </p>
    </div>
  );
}
