// Training in the tab: the small LLaDA, the oracle's records, the filter; then its weights are at work in the theatre.

import { useEffect, useMemo, useState } from 'react';
import { LineChart } from '../../../ui/charts/LineChart.tsx';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { SeedField } from '../../../ui/controls/SeedField.tsx';
import { presets } from '../config.ts';
import { FilterReportView } from './FilterReportView.tsx';
import css from './learn2pd.module.css';
import { faultOf } from './own-tasks.ts';
import { RefitView } from './RefitView.tsx';
import { SampleGrid } from './SampleGrid.tsx';
import { Scroll } from './Scroll.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import { TaskChooser } from './TaskChooser.tsx';
import { useTraining } from './train-store.ts';
import { checkAccuracy, downloadWeights, findLeftTraining, goOn, pauseTraining, startTraining } from './training.ts';
import { TRAINED } from './view.ts';

/** Tasks as a sentence may break them. */
const spaced = (tasks: string): string => tasks.replaceAll(',', ', ');

export function TrainingView({ session }: { session: PanelSession }) {
  const t = useTraining();
  const opened = usePanel((s) => s.opened);
  const software = opened?.software ?? true;
  const view = usePanel((s) => s.view);
  const { preset, seed } = view;
  const [checking, setChecking] = useState(false);
  const [choosing] = useState(view.tasks !== '');
  useEffect(() => void findLeftTraining(), []);
  const c = presets[preset];
  const tasks = view.tasks || c.tasks;
  const fault = useMemo(() => faultOf(tasks, preset), [tasks, preset]);
  const request = { preset, seed, tasks: view.tasks };
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
          options={TRAINED.map((name) => [name, name] as const)}
          onChange={(name) => void session.change({ preset: name })}
        />
        <SeedField label="Seed" value={seed} onChange={(value) => void session.change({ seed: value })} testId="seed" />
        <Button
          kind="strong"
          testId="train"
          disabled={fault !== ''}
          onClick={() => void startTraining(session, request)}
        >
          {state ? 'Start again' : `Train ${preset}`}
        </Button>
        {!state && t.left && (
          <Button testId="go-on-left" onClick={() => void startTraining(session, request, true)}>
            Go on with the last one
          </Button>
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
      {state ? (
        <p className={css.note} data-testid="trains">
          {state.preset}, seed {state.seed}: {spaced(state.tasks)}
        </p>
      ) : (
        <p className={css.note}>
          {preset}: {spaced(tasks)}; width {c.d}, {c.layers} layers, canvas {c.canvas}
          {c.longest > c.canvas && ` to ${c.longest}`}, block {c.block}; {c.steps} steps of {c.rows} rows, {c.prompts}{' '}
          prompts for the filter.{software && preset !== 'nano' && ' On this processor that takes hours.'}
        </p>
      )}
      <details className={css.details} open={choosing}>
        <summary data-testid="my-tasks">Train on my tasks</summary>
        <TaskChooser
          preset={preset}
          tasks={tasks}
          standard={c.tasks}
          fault={fault}
          onChange={(text) => void session.change({ tasks: text === c.tasks ? '' : text })}
        />
      </details>
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
      {t.peek && state && <SampleGrid peek={t.peek} tasks={state.tasks} />}
      {t.grown && <FilterReportView grown={t.grown} />}
      {opened?.model.filter && <RefitView session={session} />}
    </section>
  );
}
