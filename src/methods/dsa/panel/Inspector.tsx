// The token inspector: a row of tokens, one of them the query; what attention reads for it is tinted, the rest is dimmed.

import { type CSSProperties, useEffect, useMemo, useRef } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { Knob } from '../../../ui/controls/Knob.tsx';
import type { DsaConfig } from '../config.ts';
import type { Probe } from '../inspect.ts';
import type { Task } from '../tasks.ts';
import { ChosenTable, percent, tableOf } from './ChosenTable.tsx';
import css from './dsa.module.css';
import type { Origin as Facts } from './export.ts';
import { Origin } from './Origin.tsx';
import { selectionAt } from './selection.ts';
import { namesOf, TASK_WORDS } from './task-words.ts';
import type { View } from './view.ts';

/** Rows of more tokens scroll. */
const LONG = 256;

interface Props {
  config: DsaConfig;
  tasks: readonly Task[];
  probe: Probe | null;
  /** A probe of what is wanted now is on its way. */
  busy: boolean;
  facts: Facts;
  view: View;
  onView: (part: Partial<View>) => void;
}

export function Inspector({ config, tasks, probe, busy, facts, view, onView }: Props) {
  const { query, layer, k, attention } = view;
  const selection = useMemo(
    () => probe && selectionAt(probe.layers[layer], config.time, config.indexHeads, query, k, attention === 'dense'),
    [probe, layer, query, k, attention, config],
  );
  const chosen = new Map(selection?.chosen.map((c) => [c.place, c]) ?? []);
  const weight = (c: { p: number; paid: number }): number => (Number.isNaN(c.paid) ? c.p : c.paid);
  const most = Math.max(1e-9, ...(selection?.chosen.map(weight) ?? []));
  const list = useRef<HTMLOListElement>(null);
  // The query is in sight: in a long row it is somewhere in a window that scrolls.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a probe brings the tokens
  useEffect(() => {
    const [own, box] = [list.current?.children[query] as HTMLElement | undefined, list.current];
    if (!own || !box) return;
    const at = own.offsetTop - box.offsetTop - box.scrollTop;
    if (at < 0 || at + own.clientHeight > box.clientHeight) box.scrollTop += at - box.clientHeight / 2;
  }, [query, probe]);
  const answer = probe?.answers.find((a) => a.place === query);
  const nameOf = namesOf(view.task);
  const read = Math.min(k, query + 1);

  return (
    <section className={css.inspector} aria-labelledby="inspector">
      <h2 id="inspector" tabIndex={-1}>
        Token inspector
      </h2>
      <p className={css.lead}>
        Choose a token. It is the query; the tokens that attention reads for it are tinted by the attention they get,
        the others are dimmed.
      </p>
      <Controls config={config} tasks={tasks} view={view} onView={onView} />
      {probe && selection && (
        <>
          <div className={css.split}>
            <div>
              <ol
                className={css.tokens}
                ref={list}
                data-testid="tokens"
                data-long={config.time > LONG}
                aria-busy={busy}
              >
                {probe.ids.map((id, s) => {
                  const c = chosen.get(s);
                  const state = s === query ? 'query' : s > query ? 'later' : c ? 'selected' : 'past';
                  const share = c ? weight(c) / most : 0;
                  return (
                    // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place
                    <li key={s}>
                      <button
                        type="button"
                        aria-pressed={s === query}
                        data-state={state}
                        data-selected={c !== undefined}
                        style={{ '--share': `${Math.round(8 + 62 * share)}%` } as CSSProperties}
                        onClick={() => onView({ query: s })}
                        title={`place ${s}${c ? ', read' : ''}`}
                      >
                        {nameOf(id)}
                      </button>
                    </li>
                  );
                })}
              </ol>
              <p className={css.lead} data-testid="summary">
                {read} of {query + 1} tokens hold {percent(selection.mass)} of the dense attention; the best {read}{' '}
                would hold {percent(selection.best)}.
                {answer &&
                  ` Asked for ${nameOf(answer.wanted)}, the model says ${nameOf(answer.said)} (${percent(answer.probability)}) with ${attention} attention.`}
              </p>
            </div>
            <ChosenTable probe={probe} selection={selection} heads={config.indexHeads} nameOf={nameOf} />
          </div>
          <Origin
            facts={facts}
            name="dsa-selection"
            table={() => tableOf(probe, selection, config.indexHeads, nameOf)}
          />
        </>
      )}
    </section>
  );
}

function Controls({ config, tasks, view, onView }: Pick<Props, 'config' | 'tasks' | 'view' | 'onView'>) {
  return (
    <div className={css.controls}>
      <Choice
        label="Task"
        value={view.task}
        options={tasks.map((task) => [task, TASK_WORDS[task]] as const)}
        onChange={(task) => onView({ task })}
      />
      <Choice
        label="Attention"
        value={view.attention}
        options={[
          ['sparse', 'sparse'],
          ['dense', 'dense'],
        ]}
        onChange={(attention) => onView({ attention })}
      />
      <Choice
        label="Layer"
        value={view.layer}
        options={Array.from({ length: config.layers }, (_, i) => [i, `layer ${i + 1}`] as const)}
        onChange={(layer) => onView({ layer })}
      />
      <Choice
        label="Format of the indexer"
        value={view.quant}
        options={[
          ['f32', 'f32'],
          ['e4m3', 'e4m3'],
          ['i8', 'int8'],
        ]}
        onChange={(quant) => onView({ quant })}
      />
      <Button pressed={view.hadamard} onClick={() => onView({ hadamard: !view.hadamard })}>
        Hadamard
      </Button>
      <Button onClick={() => onView({ row: view.row + 1 })} testId="next-row">
        Another row
      </Button>
      <Knob
        label="Selected keys k"
        hint="How many past tokens the indexer selects for the query"
        value={view.k}
        min={1}
        max={config.time}
        format={(k) => `${k} of ${config.time}`}
        onChange={(k) => onView({ k })}
        testId="k"
      />
    </div>
  );
}
