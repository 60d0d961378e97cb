// Keys and values of every pass against those that a cache would still hold: where they stay alike, a cache may keep them.

import { useEffect, useState } from 'react';
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

/** Of the present problem; null while it is measured. */
function useSimilarity(session: PanelSession, policy: PolicyChoice): { found: Similarity | null; fault: string } {
  const problem = usePanel((s) => s.problem);
  const canvas = usePanel((s) => s.canvas);
  const version = usePanel((s) => s.version);
  const [state, setState] = useState<{ found: Similarity | null; fault: string }>({ found: null, fault: '' });
  const key = Object.values(policy).join(' ');
  // biome-ignore lint/correctness/useExhaustiveDependencies: equal keys are equal policies
  useEffect(() => {
    if (!problem) return;
    let wanted = true;
    setState({ found: null, fault: '' });
    void session.api.similarity({ policy, eotp: 'off', problem, canvas }).then((answer) => {
      if (!wanted) return;
      setState(answer.ok ? { found: answer.value, fault: '' } : { found: null, fault: answer.reason });
    });
    return () => {
      wanted = false;
    };
  }, [session, problem, canvas, version, key]);
  return state;
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
  const { found, fault } = useSimilarity(session, policies[name]);
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
      {!fault && !found && <p role="status">Comparing the passes.</p>}
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
