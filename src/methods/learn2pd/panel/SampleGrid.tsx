// What the model guesses of one unseen answer with a fifth, half and nine tenths of it masked.

import { useMemo } from 'react';
import { EOT, MASK } from '../../../lm/tokenizers/closed.ts';
import { parseTasks, tokenizerOf } from '../problems.ts';
import css from './learn2pd.module.css';
import type { PeekResult } from './peek.ts';
import tcss from './theatre.module.css';

/** `tasks`: those of the training, whose tokens these are. */
export function SampleGrid({ peek, tasks }: { peek: PeekResult; tasks: string }) {
  const tokenizer = useMemo(() => tokenizerOf(parseTasks(tasks)), [tasks]);
  return (
    <div className={css.samples}>
      <h3>Guesses for {peek.prompt}</h3>
      {peek.samples.map(({ t, seen, guess, truth }) => (
        <p key={t} className={tcss.strip}>
          <b>{(100 * t).toFixed(0)} % masked</b>
          {guess.map((id, i) => {
            const cell = seen[i] !== MASK ? 'masked' : id === truth[i] ? 'filter' : 'right';
            return (
              <span
                // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place
                key={i}
                data-cell={cell}
                title={id === truth[i] ? undefined : `should be ${tokenizer.token(truth[i])}`}
              >
                {id === EOT ? 'E' : tokenizer.token(id)}
              </span>
            );
          })}
        </p>
      ))}
      <p className={css.note}>Grey: given. Underlined: guessed right. Hatched: guessed wrong.</p>
    </div>
  );
}
