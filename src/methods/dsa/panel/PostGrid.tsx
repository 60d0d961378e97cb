// The specialists grid: domains in rows, stages in columns, dense beside sparse. A cell is tinted by its share of solved problems.

import type { CSSProperties } from 'react';
import { percent } from './ChosenTable.tsx';
import css from './dsa.module.css';
import { MODELS, type PostView, STAGES } from './post-view.ts';

export function PostGrid({ grid }: { grid: PostView['grid'] }) {
  const domains = [...new Set(MODELS.flatMap((model) => [...grid[model].keys()]))];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard
    <section className={css.scroll} tabIndex={0} aria-label="Specialists">
      <table className={css.grid} data-testid="post-grid">
        <caption>Share of unseen problems that the verifier accepts</caption>
        <thead>
          <tr>
            <th scope="col">domain</th>
            {MODELS.flatMap((model) =>
              STAGES.map((stage) => (
                <th scope="col" key={`${model} ${stage}`}>
                  <small>{model}</small> {stage}
                </th>
              )),
            )}
          </tr>
        </thead>
        <tbody>
          {domains.map((domain) => (
            <tr key={domain}>
              <th scope="row">{domain}</th>
              {MODELS.flatMap((model) =>
                STAGES.map((stage) => {
                  const value = grid[model].get(domain)?.[stage];
                  return (
                    <td
                      key={`${model} ${stage}`}
                      data-model={model}
                      style={{ '--share': `${Math.round(40 * (value ?? 0))}%` } as CSSProperties}
                    >
                      {value === undefined ? '–' : percent(value)}
                    </td>
                  );
                }),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
