// The token inspector: a row of tokens, one of them the query; what the indexer selects for it is tinted by attention.

import type { Remote } from 'comlink';
import { type CSSProperties, useEffect, useMemo, useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { Knob } from '../../../ui/controls/Knob.tsx';
import type { DsaConfig } from '../config.ts';
import type { Probe } from '../inspect.ts';
import type { Quant } from '../ops.ts';
import { type Task, tokenName } from '../tasks.ts';
import css from './dsa.module.css';
import type { DsaApi } from './protocol.ts';
import { selectionAt } from './selection.ts';

/** What a link holds. */
export interface View {
  task: Task;
  row: number;
  query: number;
  layer: number;
  k: number;
  quant: Quant;
  hadamard: boolean;
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

interface Props {
  api: Remote<DsaApi>;
  config: DsaConfig;
  /** Changes when the weights do. */
  version: number;
  view: View;
  onView: (view: View) => void;
}

export function Inspector({ api, config, version, view, onView }: Props) {
  const [probe, setProbe] = useState<Probe | null>(null);
  const [problem, setProblem] = useState('');
  const { task, row, quant, hadamard } = view;
  // biome-ignore lint/correctness/useExhaustiveDependencies: new weights give another probe of the same row
  useEffect(() => {
    let current = true;
    void api.probe({ task, index: row, quant, hadamard }).then((result) => {
      if (!current) return;
      if (result.ok) setProbe(result.value);
      setProblem(result.ok ? '' : result.reason);
    });
    return () => {
      current = false;
    };
  }, [api, task, row, quant, hadamard, version]);

  const change = (part: Partial<View>): void => onView({ ...view, ...part });
  const query = Math.min(view.query, config.time - 1);
  const layer = Math.min(view.layer, config.layers - 1);
  const selection = useMemo(
    () => (probe ? selectionAt(probe.layers[layer], config.time, config.indexHeads, query, view.k) : null),
    [probe, layer, query, view.k, config],
  );
  const chosen = new Map(selection?.chosen.map((c) => [c.place, c]) ?? []);
  const most = Math.max(1e-9, ...(selection?.chosen.map((c) => c.p) ?? []));
  const answer = probe?.answers.find((a) => a.place === query);

  return (
    <section className={css.inspector} aria-labelledby="inspector">
      <h2 id="inspector">Token inspector</h2>
      <p className={css.lead}>
        Choose a token. It is the query; the tokens that the indexer selects for it are tinted by the attention that the
        dense model gives them, the others are dimmed.
      </p>
      <div className={css.controls}>
        <Choice
          label="Task"
          value={task}
          options={[
            ['retrieval', 'recall'],
            ['control', 'majority'],
          ]}
          onChange={(value) => change({ task: value })}
        />
        <Choice
          label="Layer"
          value={layer}
          options={Array.from({ length: config.layers }, (_, i) => [i, `layer ${i + 1}`] as const)}
          onChange={(value) => change({ layer: value })}
        />
        <Choice
          label="Format of the indexer"
          value={quant}
          options={[
            ['f32', 'f32'],
            ['e4m3', 'e4m3'],
            ['i8', 'int8'],
          ]}
          onChange={(value) => change({ quant: value })}
        />
        <Button pressed={hadamard} onClick={() => change({ hadamard: !hadamard })}>
          Hadamard
        </Button>
        <Button onClick={() => change({ row: row + 1 })} testId="next-row">
          Another row
        </Button>
        <Knob
          label="Selected keys k"
          hint="How many past tokens the query may attend to"
          value={Math.min(view.k, config.time)}
          min={1}
          max={config.time}
          format={(k) => `${k} of ${config.time}`}
          onChange={(k) => change({ k })}
          testId="k"
        />
      </div>
      {problem && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      {probe && selection && (
        <div className={css.split}>
          <div>
            <ol className={css.tokens} data-testid="tokens">
              {probe.ids.map((id, s) => {
                const state = s === query ? 'query' : s > query ? 'later' : chosen.has(s) ? 'selected' : 'past';
                const share = (chosen.get(s)?.p ?? 0) / most;
                return (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place
                  <li key={s}>
                    <button
                      type="button"
                      aria-pressed={s === query}
                      data-state={state}
                      data-selected={chosen.has(s)}
                      style={{ '--share': `${Math.round(8 + 62 * share)}%` } as CSSProperties}
                      onClick={() => change({ query: s })}
                      title={`place ${s}${chosen.has(s) ? ', selected' : ''}`}
                    >
                      {tokenName(id)}
                    </button>
                  </li>
                );
              })}
            </ol>
            <p className={css.lead} data-testid="summary">
              {selection.chosen.length} of {query + 1} tokens hold {percent(selection.mass)} of the attention; the best{' '}
              {selection.chosen.length} would hold {percent(selection.best)}.
              {answer &&
                ` Asked for ${tokenName(answer.wanted)}, the model says ${tokenName(answer.said)} with dense attention.`}
            </p>
          </div>
          <div className={css.scroll}>
            <table className={css.table}>
              <caption className="visually-hidden">Selected tokens, largest index score first</caption>
              <thead>
                <tr>
                  <th scope="col">token</th>
                  <th scope="col">place</th>
                  <th scope="col">score I</th>
                  {Array.from({ length: config.indexHeads }, (_, j) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: heads have no other name
                    <th scope="col" key={j}>
                      head {j + 1}
                    </th>
                  ))}
                  <th scope="col">attention p</th>
                </tr>
              </thead>
              <tbody>
                {selection.chosen.slice(0, 16).map((c) => (
                  <tr key={c.place}>
                    <th scope="row">{tokenName(probe.ids[c.place])}</th>
                    <td>{c.place}</td>
                    <td>{c.score.toFixed(3)}</td>
                    {c.terms.map((v, j) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: heads have no other name
                      <td key={j}>{v.toFixed(3)}</td>
                    ))}
                    <td>{percent(c.p)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
      )}
    </section>
  );
}
