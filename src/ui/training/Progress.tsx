// Where the run stands: one bar per phase, rate and time left of the one that runs.

import { duration } from './rate-estimate.ts';
import { useTraining } from './train-store.ts';
import css from './training.module.css';

export function Progress() {
  const { phases, phase, step, status, perSecond, secondsLeft, workMs, keptAt } = useTraining();
  const title = (id: string): string => phases.find((candidate) => candidate.id === id)?.title ?? id;
  const now = phases.findIndex(({ id }) => id === phase);
  return (
    <section className={css.progress} aria-label="Progress">
      <ol>
        {phases.map(({ id, title, steps }, i) => {
          const done = i < now ? steps : i === now ? step : 0;
          return (
            <li key={id} aria-current={i === now ? 'step' : undefined}>
              <span>{title}</span>
              <progress max={steps} value={done} aria-label={title} />
              <span>
                {done} / {steps}
              </span>
            </li>
          );
        })}
      </ol>
      <dl>
        <div>
          <dt>state</dt>
          <dd>{status === 'opening' ? 'building the programs' : status}</dd>
        </div>
        <div>
          <dt>steps per second</dt>
          <dd>{perSecond === null ? '–' : perSecond.toFixed(perSecond < 10 ? 2 : 0)}</dd>
        </div>
        <div>
          <dt>left in this phase</dt>
          <dd>{secondsLeft === null ? '–' : duration(secondsLeft)}</dd>
        </div>
        <div>
          <dt>time worked</dt>
          <dd>{duration(workMs / 1000)}</dd>
        </div>
        <div>
          <dt>kept in this browser</dt>
          <dd data-testid="kept-at">{keptAt ? `${title(keptAt.phase)}, step ${keptAt.step}` : '–'}</dd>
        </div>
      </dl>
    </section>
  );
}
