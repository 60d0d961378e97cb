// "Grow a world in your tab": a model from nothing, trained here, shown beside the truth while it learns.

import { useEffect, useState } from 'react';
import { parseSeed } from '../playground/share.ts';
import { parseHash, replaceQuery } from '../shell/hash-location.ts';
import { KeptRuns } from '../training/KeptRuns.tsx';
import { LivePane } from '../training/LivePane.tsx';
import { Losses } from '../training/Losses.tsx';
import { Progress } from '../training/Progress.tsx';
import { RunControls } from '../training/RunControls.tsx';
import { Samples } from '../training/Samples.tsx';
import { Setup } from '../training/Setup.tsx';
import { Shipped } from '../training/Shipped.tsx';
import { TrainSession } from '../training/train-session.ts';
import { useTraining } from '../training/train-store.ts';
import css from '../training/training.module.css';

export default function TrainPage() {
  const [session, setSession] = useState<TrainSession | null>(null);
  const status = useTraining((state) => state.status);
  const failure = useTraining((state) => state.failure);
  const notice = useTraining((state) => state.notice);
  const unkept = useTraining((state) => state.unkept);
  const log = useTraining((state) => state.log);
  const request = useTraining((state) => state.request);

  useEffect(() => {
    const query = new URLSearchParams(parseHash(location.hash).query);
    const running = new TrainSession({
      preset: query.get('preset') ?? '',
      seed: parseSeed(query.get('seed')) ?? 1,
    });
    setSession(running);
    return () => running.dispose();
  }, []);

  useEffect(() => {
    if (request.preset)
      replaceQuery(new URLSearchParams({ preset: request.preset, seed: String(request.seed) }).toString());
  }, [request.preset, request.seed]);

  return (
    <main className={css.page}>
      <header className={css.head}>
        <h1>Grow a world in your tab</h1>
        <p>
          A Dreamer 4 world model learns from recordings of scripted players in the simulator: first a tokenizer that
          compresses frames, then a dynamics model that predicts the next one from the keys pressed. Everything runs on
          this machine.{' '}
          <a href="https://arxiv.org/abs/2509.24527" rel="noreferrer">
            The paper
          </a>
        </p>
      </header>
      {failure && (
        <div className={css.failure} role="alert">
          <p>{failure.reason}</p>
          <p>{failure.advice}</p>
        </div>
      )}
      <KeptRuns session={session} />
      <Setup session={session} />
      {status !== 'idle' && (
        <>
          <Progress />
          <RunControls session={session} />
          <p className={css.notice} role="status" data-testid="status">
            {notice}
          </p>
          {unkept && (
            <p className={css.unkept} role="alert">
              This run will not survive a reload: {unkept} It goes on, and Save writes it to a file.
            </p>
          )}
          <LivePane session={session} />
          <Samples />
          <Losses />
          <section className={css.log}>
            <h2>Log</h2>
            <ol>
              {log.map((line, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added at the end
                <li key={i}>{line}</li>
              ))}
            </ol>
          </section>
        </>
      )}
      <Shipped />
    </main>
  );
}
