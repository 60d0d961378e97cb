// A new filter for the weights that are open: records of their own oracle, a minute of training, and it is at work.

import { useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { SeedField } from '../../../ui/controls/SeedField.tsx';
import { FilterReportView } from './FilterReportView.tsx';
import css from './learn2pd.module.css';
import { refitFilter, stopRefitting, useRefitting } from './refitting.ts';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';

const PROMPTS = [64, 256, 1024];

export function RefitView({ session }: { session: PanelSession }) {
  const { running, state, grade, problem } = useRefitting();
  const opened = usePanel((s) => s.opened);
  // Of weights that were opened since, it says nothing.
  const own = opened?.model.ownFilter ? grade : null;
  const [prompts, setPrompts] = useState(opened?.software ? 64 : 1024);
  const [seed, setSeed] = useState(1);
  return (
    <section aria-labelledby="refit" className={css.part}>
      <h3 id="refit">Only the filter, on the weights that are open</h3>
      <p className={css.lead}>
        The weights stay as they are. They decode fresh training prompts one token a pass, the oracle decodes them
        again, and a new filter learns from its passes. It is at work in the theatre until the page is loaded again or
        other weights are opened.
      </p>
      <div className={css.controls}>
        <Choice
          label="Prompts"
          value={prompts}
          options={PROMPTS.map((n) => [n, `${n} prompts`] as const)}
          onChange={setPrompts}
        />
        <SeedField label="Seed of the filter" value={seed} onChange={setSeed} />
        <Button
          kind="strong"
          disabled={running}
          testId="refit"
          onClick={() => void refitFilter(session, prompts, seed)}
        >
          Collect and train filter
        </Button>
        {running && <Button onClick={() => stopRefitting(session)}>Stop</Button>}
        <p role="status" data-testid="refit-stage">
          {state && running && (state.phase === 'records' ? 'Records' : 'Filter')}
          {state && running && `: ${state.step} of ${state.steps}, ${state.records} records`}
          {state && running && state.validation !== null && `, BCE ${state.validation.toFixed(4)} on unseen prompts`}
          {own && 'Trained; the theatre decides with this filter.'}
        </p>
      </div>
      {problem && (
        <p className={css.notice} role="alert">
          {problem}
        </p>
      )}
      {own && <FilterReportView grown={own} />}
    </section>
  );
}
