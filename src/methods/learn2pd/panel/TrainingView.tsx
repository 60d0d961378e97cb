// Training in the tab: the small LLaDA, the oracle's records, the filter; then its weights are at work in the theatre.

import { useEffect, useState } from 'react';
import { LineChart } from '../../../ui/charts/LineChart.tsx';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { SeedField } from '../../../ui/controls/SeedField.tsx';
import { presets } from '../config.ts';
import { FilterReportView } from './FilterReportView.tsx';
import css from './learn2pd.module.css';
import { RefitView } from './RefitView.tsx';
import { SampleGrid } from './SampleGrid.tsx';
import { Scroll } from './Scroll.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import { useTraining } from './train-store.ts';
import { checkAccuracy, downloadWeights, findLeftTraining, goOn, pauseTraining, startTraining } from './training.ts';

/** Sizes that a tab trains; the larger ones are for the command line. */
const OFFERED = ['nano', 'mini', 'small'] as const;

export function TrainingView({ session }: { session: PanelSession }) {
  const t = useTraining();
  const opened = usePanel((s) => s.opened);
  const software = opened?.software ?? true;
  const [preset, setPreset] = useState<(typeof OFFERED)[number]>('nano');
  const [checking, setChecking] = useState(false);
  const [seed, setSeed] = useState(1);
  useEffect(() => void findLeftTraining(), []);
  const c = presets[preset];
  const { state } = t;
  return (
    <section aria-labelledby="train">
      <h2 id="train">Train it in this tab</h2>
      <p className={css.lead}>
        First the mask predictor: answers with a random share of masks, the end tokens behind them counted. Then the
        oracle decodes fresh prompts and its passes become records. Last the filter learns from them with the model
        frozen. Problems of the evaluation never occur in training.
      </p>
      <div className={css.controls}>
        <Choice
          label="Size"
          value={preset}
          options={OFFERED.map((name) => [name, name] as const)}
          onChange={setPreset}
        />
        <SeedField label="Seed" value={seed} onChange={setSeed} testId="seed" />
        <Button kind="strong" testId="train" onClick={() => void startTraining(session, preset, seed)}>
          {state ? 'Start again' : `Train ${preset}`}
        </Button>
        {!state && t.left && (
          <Button onClick={() => void startTraining(session, preset, seed, true)}>Go on with the last one</Button>
        )}
        {state && !state.done && (
          <Button testId="pause-training" onClick={() => (t.running ? pauseTraining() : void goOn(session))}>
            {t.running ? 'Pause' : 'Go on'}
          </Button>
        )}
        {state && (
          <Button
            disabled={checking}
            onClick={() => {
              setChecking(true);
              void checkAccuracy(session).then(() => setChecking(false));
            }}
          >
            Check accuracy
          </Button>
        )}
        {t.grown && <Button onClick={downloadWeights}>Save weights</Button>}
        <p role="status" data-testid="stage">
          {state
            ? state.done
              ? 'Trained; the theatre shows these weights.'
              : `${state.title}: ${state.step} of ${state.steps}`
            : ''}
        </p>
      </div>
      {!state && (
        <p className={css.note}>
          {preset}: {c.tasks.replaceAll(',', ', ')}; width {c.d}, {c.layers} layers, canvas {c.canvas}
          {c.longest > c.canvas && ` to ${c.longest}`}, block {c.block}; {c.steps} steps of {c.rows} rows, {c.prompts}{' '}
          prompts for the filter.{software && preset !== 'nano' && ' On this processor that takes hours.'}
        </p>
      )}
      {t.problem && (
        <p className={css.notice} role="alert">
          {t.problem}
        </p>
      )}
      <div className={css.columns}>
        {Object.entries(t.lines).map(([title, { xs, ys }]) => (
          <LineChart key={title} title={title} xs={xs} ys={ys} />
        ))}
      </div>
      {t.accuracy.length > 0 && (
        <Scroll>
          <table className={css.table}>
            <caption>Validation problems answered right, static decoding</caption>
            <thead>
              <tr>
                <th scope="col">step</th>
                {t.accuracy[0].tasks.map(({ task }) => (
                  <th scope="col" key={task}>
                    {task}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {t.accuracy.map(({ step, tasks }, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: checks in order
                <tr key={i}>
                  <th scope="row">{step}</th>
                  {tasks.map(({ task, right, count }) => (
                    <td key={task}>
                      {right} of {count}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {t.peek && <SampleGrid peek={t.peek} preset={state?.preset ?? preset} />}
      {t.grown && <FilterReportView grown={t.grown} />}
      {opened?.model.filter && <RefitView session={session} />}
    </section>
  );
}
