// What this model is, and what was measured of it before it shipped. Fetched when it is opened.

import { useEffect, useState } from 'react';
import type { DreamInfo } from '../../methods/dreamer4/play-contract.ts';
import { fetchCard, type ModelCard, modelsFolder } from './model-card.ts';
import { usePlay } from './play-store.ts';
import css from './playground.module.css';

const WORLDS: Record<DreamInfo['world'], string> = {
  park: 'the park: gentle land, single steps climbed without a jump, blocks that break in a moment',
  meadow: 'the meadow: low hills and ponds',
};

export function AboutModel() {
  const info = usePlay((state) => (state.dream.phase === 'ready' ? state.dream.info : null));
  const file = usePlay((state) => state.model?.card ?? null);
  const [open, setOpen] = useState(false);
  const [card, setCard] = useState<ModelCard | null>(null);
  useEffect(() => {
    let stale = false;
    setCard(null);
    if (open && file) {
      void fetchCard(modelsFolder() + file).then((found) => {
        if (!stale) setCard(found);
      });
    }
    return () => {
      stale = true;
    };
  }, [open, file]);
  if (!info) return null;
  return (
    <details className={css.stages} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>About this model</summary>
      <dl>
        <div>
          <dt>name</dt>
          <dd>{info.title}</dd>
        </div>
        <div>
          <dt>parameters</dt>
          <dd>{info.parameters.toLocaleString()}</dd>
        </div>
        <div>
          <dt>one frame is</dt>
          <dd>
            {info.latent[0]} tokens of {info.latent[1]} numbers
          </dd>
        </div>
        <div>
          <dt>knows</dt>
          <dd>{WORLDS[info.world]}</dd>
        </div>
        <div>
          <dt>remembers</dt>
          <dd>
            at most {info.contextFrames} frames, {info.contextSeconds} s
          </dd>
        </div>
        {card?.rows.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {card && (
        <p className={css.quiet}>
          Measured on worlds it had never seen, by <code>{card.command}</code>
        </p>
      )}
    </details>
  );
}
