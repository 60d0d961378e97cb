// What to train: preset, seed, and every number that the method offers to change.

import { Play } from 'lucide-react';
import { Button } from '../controls/Button.tsx';
import { Choice } from '../controls/Choice.tsx';
import { Knob } from '../controls/Knob.tsx';
import { takeSeed } from '../playground/share.ts';
import type { TrainSession } from './train-session.ts';
import { useTraining } from './train-store.ts';
import css from './training.module.css';

export function Setup({ session }: { session: TrainSession | null }) {
  const card = useTraining((state) => state.card);
  const request = useTraining((state) => state.request);
  const status = useTraining((state) => state.status);
  if (!card || !session) return null;
  const preset = card.presets.find(({ name }) => name === request.preset);
  const open = status === 'running' || status === 'paused' || status === 'opening';
  return (
    <section className={css.setup} aria-label="What to train">
      <fieldset disabled={open}>
        <div className={css.row}>
          <Choice
            label="Preset"
            value={request.preset}
            options={card.presets.map(({ name }) => [name, name] as const)}
            onChange={(name) => session.choose({ preset: name, set: {} })}
          />
          <label className={css.seed}>
            Seed{' '}
            <input
              type="text"
              inputMode="numeric"
              key={request.seed}
              defaultValue={request.seed}
              onBlur={(event) => session.choose({ seed: takeSeed(event.target, request.seed) })}
            />
          </label>
          {!open && (
            <Button icon={Play} kind="strong" onClick={() => void session.start()} testId="start-training">
              Start
            </Button>
          )}
        </div>
        <details className={css.fields}>
          <summary>Change a number</summary>
          <div>
            {card.fields
              .filter(({ key }) => preset?.values[key] !== undefined)
              .map((field) => (
                <Knob
                  key={field.key}
                  label={field.label}
                  hint={field.hint}
                  min={field.min}
                  max={field.max}
                  step={field.step}
                  value={request.set[field.key] ?? preset?.values[field.key] ?? field.min}
                  format={(value) => String(Number(value.toPrecision(4)))}
                  onChange={(value) => session.choose({ set: { ...request.set, [field.key]: value } })}
                  disabled={open}
                />
              ))}
          </div>
        </details>
      </fieldset>
    </section>
  );
}
