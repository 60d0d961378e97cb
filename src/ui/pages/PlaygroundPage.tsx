// The playground: the dream on the left, the truth on the right, everything else quiet around them.

import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { Controls } from '../playground/Controls.tsx';
import { DreamCaption, DreamPane } from '../playground/DreamPane.tsx';
import { Gallery } from '../playground/Gallery.tsx';
import { Knobs } from '../playground/Knobs.tsx';
import { PlaySession } from '../playground/play-session.ts';
import { usePlay } from '../playground/play-store.ts';
import css from '../playground/playground.module.css';
import { Readings } from '../playground/Readings.tsx';
import { settingsFromQuery } from '../playground/share.ts';
import { Trace } from '../playground/Trace.tsx';
import { TruthCaption, TruthPane } from '../playground/TruthPane.tsx';
import { parseHash } from '../shell/hash-location.ts';

// What nobody touches or asks for is not loaded.
const KeyDialog = lazy(() => import('../playground/KeyDialog.tsx').then((m) => ({ default: m.KeyDialog })));
const TouchPad = lazy(() => import('../playground/TouchPad.tsx').then((m) => ({ default: m.TouchPad })));

export default function PlaygroundPage() {
  const stage = useRef<HTMLElement>(null);
  const dream = useRef<HTMLCanvasElement>(null);
  const truth = useRef<HTMLCanvasElement>(null);
  const [session, setSession] = useState<PlaySession | null>(null);
  const [keysShown, showKeys] = useState(false);
  const touch = usePlay((state) => state.touch);
  const phase = usePlay((state) => state.dream.phase);

  useEffect(() => {
    if (!stage.current || !dream.current || !truth.current) return;
    const settings = settingsFromQuery(parseHash(location.hash).query);
    const elements = { stage: stage.current, dream: dream.current, truth: truth.current };
    const running = new PlaySession(elements, settings, () => showKeys(true));
    setSession(running);
    // A link followed within the page carries another start.
    const followed = () => running.follow(settingsFromQuery(parseHash(location.hash).query));
    window.addEventListener('hashchange', followed);
    return () => {
      window.removeEventListener('hashchange', followed);
      running.dispose();
    };
  }, []);

  return (
    <main className={css.play} data-touch={touch || undefined} data-dream={phase}>
      <h1 className="visually-hidden">Playground: a dreamed world beside the true one</h1>
      <section
        ref={stage}
        className={css.stage}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the stage takes keys as a game does
        tabIndex={0}
        aria-label="Dream and truth. W A S D walk, arrow keys look."
      >
        <DreamCaption session={session} />
        <DreamPane canvas={dream} session={session} />
        <TruthCaption session={session} />
        <TruthPane canvas={truth} session={session} />
      </section>
      <Readings />
      {touch && session && (
        <Suspense fallback={null}>
          <TouchPad sampler={session.sampler} takeOver={() => session.takeOver()} />
        </Suspense>
      )}
      <Trace session={session} />
      <Controls session={session} showKeys={() => showKeys(true)} />
      <div className={css.below}>
        <Knobs session={session} />
        <Gallery session={session} />
      </div>
      {keysShown && (
        <Suspense>
          <KeyDialog open onClose={() => showKeys(false)} />
        </Suspense>
      )}
    </main>
  );
}
