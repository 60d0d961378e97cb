// What the models that come with the page can do, from their cards, and beside them the paper's own figures.

import { useEffect, useState } from 'react';
import { PAPER } from '../../methods/dreamer4/paper.ts';
import { Plot } from '../charts/Plot.tsx';
import { Choice } from '../controls/Choice.tsx';
import { HeadRow } from '../controls/HeadRow.tsx';
import { listModels, type ShippedModel } from '../playground/checkpoint-source.ts';
import { modelsFolder } from '../playground/model-card.ts';
import { fetchFigures, type ShippedFigures, shortAdapter } from './shipped-figures.ts';
import css from './training.module.css';

interface Known {
  model: ShippedModel;
  figures: ShippedFigures;
}

export function Shipped() {
  const [known, setKnown] = useState<readonly Known[]>([]);
  const [chosen, setChosen] = useState('');
  useEffect(() => {
    let stale = false;
    void (async () => {
      const models = await listModels(modelsFolder());
      const found = await Promise.all(
        models.map(async (model) => ({ model, figures: await fetchFigures(model.card) })),
      );
      if (!stale) setKnown(found.flatMap(({ model, figures }) => (figures ? [{ model, figures }] : [])));
    })();
    return () => {
      stale = true;
    };
  }, []);
  const shown = known.find(({ model }) => model.rung === chosen) ?? known[0];
  if (!shown) return null;
  const { figures } = shown;
  return (
    <section className={css.shipped} aria-labelledby="shipped" data-testid="shipped">
      <div className={css.row}>
        <h2 id="shipped">What the shipped models can do</h2>
        <span className={css.gap} />
        <Choice
          label="Model"
          value={shown.model.rung}
          options={known.map(({ model }) => [model.rung, model.title] as const)}
          onChange={setChosen}
        />
      </div>
      <div className={css.measured}>
        <Plot
          title="Agreement with the truth by frames dreamed"
          x={{ log: true, format: (frames) => String(frames) }}
          y={{ format: (dB) => `${dB.toFixed(1)} dB` }}
          series={[
            { name: 'dream', colour: 'accent', dots: true, points: figures.horizons.map((h) => [h.frames, h.dream]) },
            { name: 'standing still', colour: 'quiet', points: figures.horizons.map((h) => [h.frames, h.still]) },
          ]}
        />
        {figures.events.length > 0 ? (
          <Events events={figures.events} />
        ) : (
          <p className={css.notice}>
            Trained before hands were looked at: what the keys for breaking and placing do was not measured of this
            model.
          </p>
        )}
      </div>
      <p className={css.notice}>
        They know an easy world only, the one of the playground: plains without caves, low hills, always noon, no hunger
        and no harm, stone tools and blocks in hand from the start.
      </p>
      <p className={css.source}>
        Measured on {figures.adapter}, in worlds that no training episode used, by <code>{figures.command}</code>
      </p>
      <Beside known={known} />
    </section>
  );
}

/** A bar for every kind of event; the upright line is what the same dream shows without the keys. */
function Events({ events }: { events: ShippedFigures['events'] }) {
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return (
    <figure className={css.events}>
      <figcaption>
        Events that go as in the truth <small>a line marks the same dreams without the keys</small>
      </figcaption>
      <ul>
        {events.map(({ name, share, without }) => (
          <li key={name}>
            <span>{name}</span>
            <span className={css.bar} aria-hidden="true">
              <span style={{ width: `${share * 100}%` }} />
              {without !== null && <i style={{ left: `${without * 100}%` }} />}
            </span>
            <b>{percent(share)}</b>
            <small>{without === null ? '' : `${percent(without)} without the keys`}</small>
          </li>
        ))}
      </ul>
    </figure>
  );
}

function Beside({ known }: { known: readonly Known[] }) {
  const number = (value: number | null): string => (value === null ? '–' : value.toFixed(value < 10 ? 1 : 0));
  return (
    <figure className={css.beside}>
      <figcaption>
        Beside the paper. Hatched rows (Table 1 of{' '}
        <a href={`https://arxiv.org/abs/${PAPER.arxiv}`} rel="noreferrer">
          arXiv {PAPER.arxiv}
        </a>
        ) were not measured here.
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reached by keyboard */}
      <section className={css.scroll} tabIndex={0} aria-label="World models beside each other">
        <table className={css.table}>
          <HeadRow names={['model', 'parameters', 'picture', 'context', 'frames a second', 'on']} />
          <tbody>
            {known.map(({ model, figures }) => (
              <tr key={model.rung}>
                <th scope="row">Tenfold {model.rung}</th>
                <td>{(figures.parameters / 1e6).toFixed(1)} M</td>
                <td>
                  {figures.width}x{figures.height}
                </td>
                <td>{number(figures.contextSeconds)} s</td>
                <td>{number(figures.framesPerSecond)}</td>
                <td>{shortAdapter(figures.adapter)}</td>
              </tr>
            ))}
            {PAPER.worldModels.map((row) => (
              <tr key={row.model} data-paper>
                <th scope="row">
                  {row.model}
                  <span className="visually-hidden">, from the paper</span>
                </th>
                <td>{row.parameters}</td>
                <td>{row.resolution}</td>
                <td>{row.contextSeconds.toFixed(1)} s</td>
                <td>{row.fps}</td>
                <td>one H100</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </figure>
  );
}
