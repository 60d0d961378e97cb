// Keys and values of every pass against those that a cache would still hold: where they stay alike, a cache may keep them.

import { useEffect, useRef, useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { AGAINST, KINDS, keptOf, type Similarity } from '../similarity.ts';
import css from './learn2pd.module.css';
import type { PolicyChoice } from './protocol.ts';
import { Scroll } from './Scroll.tsx';
import { SimilarityMap } from './SimilarityMap.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';

const POLICIES = [
  ['static', 'static'],
  ['threshold', 'threshold'],
  ['learn2pd', 'Learn2PD'],
] as const;
type Name = (typeof POLICIES)[number][0];

const THEN = [
  [1, 'first pass of the block'],
  [0, 'pass before'],
] as const satisfies readonly (readonly [number, string])[];

const WHERE = {
  before: 'before the block: kept by both caches',
  block: 'in the block: computed in every pass',
  behind: 'behind the block: kept by the dual cache',
} as const;

const figure = (v: number): string => (Number.isNaN(v) ? '–' : v.toFixed(3));

/** Longer canvases are compared when somebody asks: plain decoding takes a pass, and reads the caches, for every position. */
const UNASKED = 128;

interface Comparison {
  state: 'idle' | 'running' | 'done' | 'failed';
  id: string;
  found: Similarity | null;
  fault: string;
}

const IDLE: Comparison = { state: 'idle', id: '', found: null, fault: '' };
let asked = 0;

/** Of the present problem. Another problem, policy, canvas or view gives up what is still at work. */
function useSimilarity(session: PanelSession, policy: PolicyChoice) {
  const problem = usePanel((s) => s.problem);
  const canvas = usePanel((s) => s.canvas);
  const version = usePanel((s) => s.version);
  const [comparison, setComparison] = useState(IDLE);
  const running = useRef('');
  const cancel = (): void => {
    if (running.current && session.live) void session.api.cancel(running.current);
    running.current = '';
  };
  const start = (): void => {
    if (!problem) return;
    cancel();
    asked += 1;
    const id = `similarity ${asked}`;
    running.current = id;
    setComparison({ ...IDLE, state: 'running', id });
    void session.api.similarity({ id, policy, eotp: 'off', problem, canvas }).then((answer) => {
      if (running.current !== id) return;
      running.current = '';
      if (answer.ok) setComparison({ state: 'done', id, found: answer.value, fault: '' });
      else setComparison({ state: 'failed', id, found: null, fault: answer.reason });
    });
  };
  const key = Object.values(policy).join(' ');
  // biome-ignore lint/correctness/useExhaustiveDependencies: equal keys are equal policies
  useEffect(() => {
    setComparison(IDLE);
    if (canvas <= UNASKED) start();
    return cancel;
  }, [session, problem, canvas, version, key]);
  const giveUp = (): void => {
    cancel();
    setComparison(IDLE);
  };
  return { ...comparison, canvas, start, giveUp };
}

/** How far the comparison is; whether it starts is the visitor's choice where it takes long. */
function Progress({ at }: { at: ReturnType<typeof useSimilarity> }) {
  const compared = usePanel((s) => s.compared);
  if (at.state !== 'running') {
    return (
      <p>
        <Button testId="compare" onClick={at.start}>
          Compare up to {at.canvas} passes
        </Button>
      </p>
    );
  }
  const passes = compared.id === at.id ? compared.passes : 0;
  return (
    <p role="status" className={css.controls} data-testid="comparing" data-passes={passes}>
      <progress value={passes} max={at.canvas} aria-label="Passes compared" />
      {passes === 0 ? 'Waiting for its turn.' : `Pass ${passes} of at most ${at.canvas}.`}
      <Button testId="cancel-compare" onClick={at.giveUp}>
        Cancel
      </Button>
    </p>
  );
}

export function SimilarityView({ session }: { session: PanelSession }) {
  const view = usePanel((s) => s.view);
  const [name, setName] = useState<Name>('static');
  const [against, setAgainst] = useState<number>(1);
  const [kind, setKind] = useState<number>(0);
  /** null: the last one, whose keys have seen the most. */
  const [layer, setLayer] = useState<number | null>(null);
  const policies: Record<Name, PolicyChoice> = {
    learn2pd: { kind: 'learn2pd', tau: view.tau },
    threshold: { kind: 'threshold', tau: view.confidence },
    static: { kind: 'static', perStep: 1 },
  };
  const at = useSimilarity(session, policies[name]);
  const { found, fault } = at;
  const layers = found?.layers ?? 1;
  const shown = Math.min(layer ?? layers - 1, layers - 1);
  return (
    <section aria-labelledby="similarity" className={css.second}>
      <h3 id="similarity">What stays alike between passes</h3>
      <p className={css.lead}>
        Cosine similarity of the keys or values of every position, all heads of a layer together, in a decode that
        computes everything in every pass. Where a token becomes final its own keys change most; the others move with
        it.
      </p>
      <div className={css.controls}>
        <Choice label="Policy" value={name} options={POLICIES} onChange={setName} />
        <Choice label="What is compared" value={kind} options={KINDS.map((k, i) => [i, k])} onChange={setKind} />
        <Choice
          label="Layer"
          value={shown}
          options={Array.from({ length: layers }, (_, i) => [i, `layer ${i + 1}`] as const)}
          onChange={setLayer}
        />
        <Choice label="With what" value={against} options={THEN} onChange={setAgainst} />
      </div>
      {fault && <p role="alert">{fault}</p>}
      {!found && <Progress at={at} />}
      {found && found.passes === new Set(found.steps.map(({ start }) => start)).size && (
        <p>Every block took one pass: nothing that a cache holds would have been read.</p>
      )}
      {found && (
        <>
          <SimilarityMap
            found={found}
            map={{ against, kind, layer: shown }}
            label={`Layer ${shown + 1}: similarity of ${KINDS[kind]} with those of the ${AGAINST[against] === 'before' ? 'pass before' : 'first pass of the block'}`}
          />
          <Scroll label="Table of similarities">
            <table className={css.table} data-testid="similarity-table">
              <caption>
                With the first pass of the block, all layers, {found.passes} passes without end-of-text prediction
              </caption>
              <thead>
                <tr>
                  {['positions', 'keys, mean', 'least', 'values, mean', 'least'].map((words, i) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: two columns have the same name
                    <th scope="col" key={i}>
                      {words}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {keptOf(found).map(({ where, mean, least }) => (
                  <tr key={where}>
                    <th scope="row">{WHERE[where]}</th>
                    {KINDS.flatMap((k, i) => [
                      <td key={`${k} mean`}>{figure(mean[i])}</td>,
                      <td key={`${k} least`}>{figure(least[i])}</td>,
                    ])}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </>
      )}
    </section>
  );
}
