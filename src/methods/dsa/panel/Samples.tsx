// Answers as they were given, with the verdict of the verifier.

import { useState } from 'react';
import { Choice } from '../../../ui/controls/Choice.tsx';
import css from './dsa.module.css';
import type { PostView } from './post-view.ts';

export function Samples({ samples }: { samples: PostView['samples'] }) {
  const domains = [...samples.keys()];
  const [chosen, setChosen] = useState(domains[0]);
  const shown = samples.get(chosen) ?? samples.get(domains[0]);
  if (!shown) return null;
  return (
    <div className={css.samples} data-testid="samples">
      <Choice label="Domain" value={chosen} options={domains.map((d) => [d, d] as const)} onChange={setChosen} />
      <p className={css.note}>
        {shown.model} attention, after {shown.stage}
      </p>
      <ul>
        {shown.samples.map(({ prompt, answer, outcome, reasons }) => (
          <li key={prompt}>
            <p>{prompt}</p>
            <p>{answer || '(nothing)'}</p>
            <p data-right={outcome === 1}>
              {outcome === 1
                ? 'accepted'
                : `score ${Number(outcome.toFixed(2))}: ${reasons.join('; ') || 'not accepted'}`}
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}
