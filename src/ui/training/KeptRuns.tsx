// Runs of earlier visits, to go on with.

import { Button } from '../controls/Button.tsx';
import type { TrainSession } from './train-session.ts';
import { useTraining } from './train-store.ts';
import css from './training.module.css';

export function KeptRuns({ session }: { session: TrainSession | null }) {
  const kept = useTraining((state) => state.kept);
  const status = useTraining((state) => state.status);
  if (!session || kept.length === 0 || status === 'running' || status === 'paused' || status === 'opening') return null;
  return (
    <section className={css.kept} aria-labelledby="kept" data-testid="kept">
      <h2 id="kept">Kept in this browser</h2>
      <ul>
        {kept.map(({ id, at, preset, seed, title, step, steps, done }) => (
          <li key={id}>
            <p>
              Preset {preset}, seed {seed}, begun {new Date(at).toLocaleString()}:{' '}
              {done ? 'finished' : `at step ${step} of ${steps} of ${title}`}.
            </p>
            <Button kind="strong" onClick={() => void session.reopen(id)}>
              {done ? 'Open it' : 'Go on with it'}
            </Button>
            <Button onClick={() => void session.forget(id)}>Forget it</Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
