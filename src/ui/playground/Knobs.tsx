// What can be turned about the dream, the denoising film strip, and where the time of a step goes.

import { useEffect, useId, useRef } from 'react';
import { Knob } from '../controls/Knob.tsx';
import { AboutModel } from './AboutModel.tsx';
import { toRgba } from './image-metrics.ts';
import type { PlaySession } from './play-session.ts';
import { usePlay } from './play-store.ts';
import css from './playground.module.css';
import { K_VALUES, MAX_CORRUPTION, takeSeed } from './share.ts';

export function Knobs({ session }: { session: PlaySession | null }) {
  const { k, contextCorruption, seed } = usePlay((state) => state.settings.dream);
  const kMax = usePlay((state) =>
    state.dream.phase === 'ready' ? state.dream.info.kMax : K_VALUES[K_VALUES.length - 1],
  );
  const film = usePlay((state) => state.settings.film);
  const change = (part: Partial<{ k: number; contextCorruption: number; seed: number }>) =>
    session?.change({ dream: { ...usePlay.getState().settings.dream, ...part } });
  const choices = K_VALUES.filter((value) => value <= kMax);
  return (
    <section className={css.knobs} aria-labelledby="knobs">
      <h2 id="knobs">How it dreams</h2>
      <div className={css.knobRow}>
        <ModelChoice session={session} />
        <Knob
          label="Denoising steps"
          hint="More steps, sharper frames, slower dream"
          value={Math.max(0, choices.indexOf(k as (typeof K_VALUES)[number]))}
          min={0}
          max={choices.length - 1}
          format={(i) => `K = ${choices[i]}`}
          onChange={(i) => change({ k: choices[i] })}
          testId="k-slider"
        />
        <Knob
          label="Noise on its own past"
          hint="Share of noise mixed into a finished frame before it becomes memory"
          value={Math.round(contextCorruption * 100)}
          min={0}
          max={MAX_CORRUPTION * 100}
          format={(percent) => `${percent} %`}
          onChange={(percent) => change({ contextCorruption: percent / 100 })}
        />
        <label className={css.seed}>
          <span>Seed of the dream</span>
          <input
            type="text"
            inputMode="numeric"
            key={seed}
            defaultValue={seed}
            onBlur={({ target }) => change({ seed: takeSeed(target, seed) })}
            onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
          />
        </label>
      </div>
      <button
        type="button"
        className={css.filmButton}
        aria-expanded={film}
        onClick={() => session?.change({ film: !film })}
      >
        {film ? 'Hide the denoising of each frame' : 'Show the denoising of each frame'}
      </button>
      {film && <FilmStrip />}
      <Stages />
      <AboutModel />
    </section>
  );
}

/** Which of the shipped models dreams; nothing to choose while there is one. */
function ModelChoice({ session }: { session: PlaySession | null }) {
  const models = usePlay((state) => state.models);
  const model = usePlay((state) => state.model);
  const loading = usePlay((state) => state.dream.phase === 'loading');
  const id = useId();
  if (models.length < 2 || !model) return null;
  return (
    <div className={css.seed}>
      <label htmlFor={id}>Model</label>
      <select
        id={id}
        aria-describedby={`${id}-notes`}
        value={model.rung}
        disabled={loading}
        data-testid="model"
        onChange={(event) => session?.changeModel(event.target.value)}
      >
        {models.map(({ rung, title }) => (
          <option key={rung} value={rung}>
            {title}
          </option>
        ))}
      </select>
      <div id={`${id}-notes`} className={css.notes}>
        {models.map(({ rung, note }) => note && <small key={rung}>{note}</small>)}
      </div>
    </div>
  );
}

/** The predicted clean frame after each denoising step, left to right. */
function FilmStrip() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const report = usePlay((state) => state.report);
  const sim = usePlay((state) => state.sim);
  const frames = report && sim ? Math.floor(report.film.length / (sim.width * sim.height * 3)) : 0;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !report || !sim || frames === 0) return;
    const size = sim.width * sim.height * 3;
    const pixels = new ImageData(sim.width, sim.height);
    for (let i = 0; i < frames; i++) {
      toRgba(report.film.subarray(i * size, (i + 1) * size), pixels.data);
      context.putImageData(pixels, i * (sim.width + 1), 0);
    }
  }, [report, sim, frames]);
  if (frames === 0 || !sim) return <p className={css.quiet}>It appears with the next dreamed frame.</p>;
  return (
    <figure className={css.film}>
      <canvas
        ref={canvas}
        width={frames * (sim.width + 1) - 1}
        height={sim.height}
        style={{ aspectRatio: `${frames * (sim.width + 1) - 1} / ${sim.height}` }}
        role="img"
        aria-label={`The frame as predicted after each of ${frames} denoising steps, from noise to picture`}
      />
      <figcaption>
        <span>after step 1</span>
        <span>after step {frames}</span>
      </figcaption>
    </figure>
  );
}

function Stages() {
  const timing = usePlay((state) => state.report?.timing ?? null);
  const truth = usePlay((state) => state.truth);
  const rows: [string, number | null | undefined][] = [
    ['denoise', timing?.denoise],
    ['commit to memory', timing?.commit],
    ['decode', timing?.decode],
    ['dream, total', timing?.total],
    ['simulate', truth?.simulateMs],
    ['draw the truth', truth?.renderMs],
  ];
  return (
    <details className={css.stages}>
      <summary>Where the time goes</summary>
      <dl>
        {rows.map(([name, time]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{time === null || time === undefined ? 'not timed' : `${time.toFixed(1)} ms`}</dd>
          </div>
        ))}
        <div>
          <dt>GPU dispatches</dt>
          <dd>{timing ? timing.dispatches : 'not timed'}</dd>
        </div>
      </dl>
    </details>
  );
}
