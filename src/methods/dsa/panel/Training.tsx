// Training in the tab: stages one after the other, what is measured of them, and a run that outlives a reload.

import type { Remote } from 'comlink';
import { useEffect, useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { SeedField } from '../../../ui/controls/SeedField.tsx';
import { saveFile } from '../../../ui/gpu/save-text.ts';
import { Curves, tableOf } from './Curves.tsx';
import css from './dsa.module.css';
import { Isolation } from './Isolation.tsx';
import { Origin } from './Origin.tsx';
import type { DsaApi, SavedRun } from './protocol.ts';
import { Timeline } from './Timeline.tsx';
import { useRun } from './use-run.ts';
import { TRAINED, type Trained, type View } from './view.ts';
import { WARM, warmedShare } from './warmed.ts';

interface Props {
  api: Remote<DsaApi>;
  adapter: string;
  /** The weights of the run changed in a way worth looking at. */
  onWeights: () => void;
  /** Preset, seed and changes are the address's. */
  view: View;
  onView: (part: Partial<View>) => void;
}

const presetOf = (name: string): Trained | undefined => TRAINED.find((known) => known === name);

export function Training({ api, adapter, onWeights, view, onView }: Props) {
  const { state, running, busy, problem, begin, go, pause, step, ask } = useRun(api, adapter, onWeights);
  const [saved, setSaved] = useState<SavedRun | null>(null);
  const { preset, seed, changes } = view;
  useEffect(() => {
    void api.saved().then((result) => result.ok && setSaved(result.value));
  }, [api]);

  const forget = async (): Promise<void> => {
    await api.forget();
    setSaved(null);
  };
  const start = (): void => {
    setSaved(null);
    const set = Object.fromEntries(
      changes
        .split(/\s+/)
        .filter(Boolean)
        .map((part) => part.split(/=(.*)/s, 2)),
    );
    void begin(() => api.start({ preset, seed, set }));
  };
  const resume = ({ preset, seed, set }: SavedRun): void => {
    const changes = Object.entries(set).map((change) => change.join('='));
    onView({ preset: presetOf(preset), seed, changes: changes.join(' ') });
    void begin(() => api.resume());
  };
  const warmed = state && warmedShare(state);
  return (
    <section aria-labelledby="training">
      <h2 id="training" tabIndex={-1}>
        Train it in this tab
      </h2>
      <p className={css.lead}>
        Dense base, warm-up of the indexer by KL with everything else frozen, sparse stage with both losses, and a dense
        control from the same base on the same data. The views above then show the weights that are being trained.
      </p>
      {saved && !state && (
        <div className={css.kept} data-testid="kept">
          <p>
            This browser kept a run of preset {saved.preset}, seed {saved.seed}, at step {saved.step} of stage{' '}
            {saved.phase}.
          </p>
          <Button kind="strong" onClick={() => resume(saved)} testId="resume">
            Go on with it
          </Button>
          <Button onClick={() => void forget()}>Forget it</Button>
        </div>
      )}
      <div className={css.controls}>
        <Choice
          label="Preset"
          value={preset}
          options={TRAINED.map((name) => [name, name] as const)}
          onChange={(preset) => onView({ preset })}
        />
        <SeedField label="Seed" value={seed} onChange={(seed) => onView({ seed })} testId="train-seed" />
        <label className={css.field}>
          Changes{' '}
          <input
            type="text"
            size={22}
            placeholder="k=8 warmup.steps=200"
            value={changes}
            onChange={(e) => onView({ changes: e.target.value })}
            data-testid="changes"
          />
        </label>
        <Button kind="strong" onClick={start} testId="train">
          {state ? 'Start again' : `Train ${preset}`}
        </Button>
        {state && !state.done && (
          <>
            <Button onClick={running ? pause : go} testId="pause">
              {running ? 'Pause' : 'Go on'}
            </Button>
            <Button
              disabled={running || busy}
              hint="One training step; the views above then show its weights"
              onClick={step}
              testId="step"
            >
              Step
            </Button>
          </>
        )}
      </div>
      {(problem || state?.note) && (
        <p className={css.problem} role="alert">
          {problem || state?.note}
        </p>
      )}
      {state && warmed !== null && warmed < WARM && (
        <p className={css.problem} role="status" data-testid="cold">
          The warm-up was short: when the sparse stage began, the indexer's keys held {(100 * warmed).toFixed(0)} % of
          what the best {state.config.k} hold; {100 * WARM} % is the least that is advised. What the indexer misses now
          stays missed, because its loss sees only the keys that it chose. More steps: warmup.steps=
          {2 * state.config.warmup.steps}.
        </p>
      )}
      {state && (
        <>
          <Timeline state={state} />
          <Curves state={state} />
          <Isolation measured={state.isolation} onMeasure={() => void ask(() => api.isolation())} />
          <div className={css.controls}>
            <Button
              disabled={!state.done}
              onClick={() =>
                void api.exportWeights().then((r) => r.ok && saveFile(r.value.name, new Blob([r.value.bytes])))
              }
            >
              Save the weights
            </Button>
          </div>
          <Origin
            facts={{
              preset: state.preset,
              seed: state.seed,
              ...state.set,
              indexer: state.config.quant,
              k: state.config.k,
              adapter,
            }}
            name="dsa-training"
            table={() => tableOf(state)}
          />
        </>
      )}
    </section>
  );
}
