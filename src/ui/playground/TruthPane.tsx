// The right picture: the simulator's frame as a model sees it, or the same state as a smooth 3-D view.

import { lazy, type RefObject, Suspense } from 'react';
import { Choice } from '../controls/Choice.tsx';
import type { PlaySession } from './play-session.ts';
import { usePlay } from './play-store.ts';
import css from './playground.module.css';

const SmoothView = lazy(() => import('./SmoothView.tsx').then((module) => ({ default: module.SmoothView })));

export function TruthCaption({ session }: { session: PlaySession | null }) {
  const view = usePlay((state) => state.settings.view);
  return (
    <div className={css.caption} data-side="truth">
      <h2>Truth</h2>
      <p>the simulator it learned from</p>
      <Choice
        label="How the truth is drawn"
        value={view}
        options={[
          ['eye', 'model’s eye'],
          ['smooth', 'smooth 3-D'],
        ]}
        onChange={(next) => session?.change({ view: next })}
      />
    </div>
  );
}

export function TruthPane({
  canvas,
  session,
}: {
  canvas: RefObject<HTMLCanvasElement | null>;
  session: PlaySession | null;
}) {
  const view = usePlay((state) => state.settings.view);
  const captured = usePlay((state) => state.captured);
  const driver = usePlay((state) => state.driver);
  const touch = usePlay((state) => state.touch);
  const started = usePlay((state) => state.truth !== null);
  return (
    <div className={css.pane} data-side="truth">
      <canvas
        ref={canvas}
        className={css.picture}
        width={64}
        height={48}
        data-testid="truth"
        role="img"
        aria-label="The true world after the same actions"
      />
      {view === 'smooth' && session && started && (
        <Suspense>
          <SmoothView session={session} />
        </Suspense>
      )}
      {started && !captured && !touch && (
        <p className={css.hint}>{driver === 'script' ? 'Click to walk yourself' : 'Click to look with the mouse'}</p>
      )}
    </div>
  );
}
