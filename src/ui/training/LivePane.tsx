// The dream of the weights that are being trained, to be walked through while they learn, beside the true world.

import { Gamepad2, Square } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '../controls/Button.tsx';
import { KeyDialog } from '../playground/KeyDialog.tsx';
import { TouchPad } from '../playground/TouchPad.tsx';
import css from './live.module.css';
import { LivePlay } from './live-play.ts';
import type { TrainSession } from './train-session.ts';
import { type LiveState, useTraining } from './train-store.ts';

export function LivePane({ session }: { session: TrainSession | null }) {
  const dreamSteps = useTraining((state) => state.dreamSteps);
  const opening = useTraining((state) => state.status === 'opening');
  const [on, setOn] = useState(false);
  useEffect(() => {
    if (opening) setOn(false);
  }, [opening]);
  if (!session) return null;
  const nothing = dreamSteps === 0;
  return (
    <section className={css.live} aria-labelledby="live">
      <div className={css.head}>
        <h2 id="live">Play it while it learns</h2>
        <Button
          icon={on ? Square : Gamepad2}
          kind={on ? 'plain' : 'dream'}
          disabled={!on && nothing}
          onClick={() => setOn(!on)}
          testId="live-toggle"
        >
          {on ? 'Stop playing' : 'Play here'}
        </Button>
      </div>
      <p className={css.lead} data-testid="live-words">
        {nothing
          ? 'There is nothing to dream with before the dynamics phase has begun.'
          : on
            ? 'Every frame is dreamed with the weights as they are then. The training goes on with the time that is left.'
            : 'The training has all the time while nobody plays.'}
      </p>
      {on && <Stage session={session} />}
    </section>
  );
}

function Stage({ session }: { session: TrainSession }) {
  const stage = useRef<HTMLElement>(null);
  const dream = useRef<HTMLCanvasElement>(null);
  const truth = useRef<HTMLCanvasElement>(null);
  const [play, setPlay] = useState<LivePlay | null>(null);
  const [keysShown, showKeys] = useState(false);
  const live = useTraining((state) => state.live);
  useEffect(() => {
    if (!stage.current || !dream.current || !truth.current) return;
    stage.current.focus({ preventScroll: true });
    const elements = { stage: stage.current, dream: dream.current, truth: truth.current };
    const playing = new LivePlay(elements, session.live, () => showKeys(true));
    setPlay(playing);
    return () => playing.dispose();
  }, [session]);
  const shape = live?.info ? `${live.info.width} / ${live.info.height}` : undefined;
  return (
    <>
      <section
        ref={stage}
        className={css.stage}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the stage takes keys as a game does
        tabIndex={0}
        aria-label="Dream of the weights in training, and the true world. W A S D walk, arrow keys look."
      >
        <figure>
          <figcaption data-side="dream">Dream</figcaption>
          <canvas
            ref={dream}
            style={{ aspectRatio: shape }}
            data-testid="live-dream"
            role="img"
            aria-label="What the model in training dreams"
          />
        </figure>
        <figure>
          <figcaption>Truth</figcaption>
          <canvas
            ref={truth}
            style={{ aspectRatio: shape }}
            data-testid="live-truth"
            role="img"
            aria-label="The true world after the same actions"
          />
        </figure>
      </section>
      {live && <Words live={live} />}
      {live?.touch && play && <TouchPad sampler={play.sampler} takeOver={() => play.takeOver()} />}
      <KeyDialog open={keysShown} onClose={() => showKeys(false)} />
    </>
  );
}

const number = (value: number | null): string => (value === null ? '–' : value.toFixed(1));

function Words({ live }: { live: LiveState }) {
  if (live.problem) return <p role="alert">{live.problem}</p>;
  return (
    <>
      <dl className={css.readings}>
        <div>
          <dt>dynamics steps of these weights</dt>
          <dd data-testid="live-weights">{live.weightSteps || '–'}</dd>
        </div>
        <div>
          <dt>frame</dt>
          <dd data-testid="live-frame">{live.index}</dd>
        </div>
        <div>
          <dt>frames per second</dt>
          <dd>{number(live.fps)}</dd>
        </div>
        <div>
          <dt>dB to the truth</dt>
          <dd>{number(live.psnr)}</dd>
        </div>
      </dl>
      <p className={css.lead}>{wordsFor(live)}</p>
    </>
  );
}

function wordsFor({ info, paused, driver, touch, captured }: LiveState): string {
  if (!info) return 'Opening the dream.';
  if (paused) return 'Paused. Space goes on.';
  if (driver === 'script') {
    return touch
      ? 'A scripted player is walking. Touch a picture to take over.'
      : 'A scripted player is walking. Press a game key, or click a picture, to take over; ? lists the keys.';
  }
  if (captured || touch) return 'You are walking.';
  return 'You are walking. C lets the dream look at the truth again, N starts elsewhere, ? lists the keys.';
}
