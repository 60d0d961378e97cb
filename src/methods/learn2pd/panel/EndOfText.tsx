// What end-of-text prediction saves: length of the canvas from pass to pass, passes behind the end, answers that it changed.

import { useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { HeadRow } from '../../../ui/controls/HeadRow.tsx';
import { eotWaste } from '../diagnostics.ts';
import { PAPER } from '../paper.ts';
import css from './learn2pd.module.css';
import { useNeeds } from './needs.ts';
import { LinePlot, type Series } from './plots.tsx';
import type { Outcome, SpecChoice } from './protocol.ts';
import type { Replay } from './replay.ts';
import { STATIC, useReplay, useRun } from './replays.ts';
import { Scroll } from './Scroll.tsx';
import type { PanelSession } from './session.ts';
import { answerWords, usePanel } from './store.ts';

const COUNT = 12;

const lengths = (r: Replay | null): [number, number][] =>
  r ? [[0, r.canvas], ...r.steps.map(({ after }, pass): [number, number] => [pass + 1, after])] : [];

export function EndOfText({ session }: { session: PanelSession }) {
  const tau = usePanel((s) => s.view.tau);
  const prompt = usePanel((s) => s.opened?.model.config.prompt ?? 0);
  const learned = (eotp: SpecChoice['eotp']): SpecChoice => ({
    policy: { kind: 'learn2pd', tau },
    eotp,
    cache: 'none',
  });
  const specs = [learned('off'), learned('strict'), learned('released'), STATIC];
  useNeeds(session, specs);
  const rows = [
    { name: 'Learn2PD, whole canvas', run: useRun(specs[0]), replay: useReplay(specs[0]) },
    { name: 'EoTP strict', run: useRun(specs[1]), replay: useReplay(specs[1]) },
    { name: 'EoTP released', run: useRun(specs[2]), replay: useReplay(specs[2]) },
    { name: 'Static, whole canvas', run: useRun(STATIC), replay: useReplay(STATIC) },
  ];
  const series: Series[] = rows
    .map(({ name, replay }, look) => ({ name, points: lengths(replay), look }))
    .filter(({ points }) => points.length > 0);
  return (
    <section aria-labelledby="end">
      <h2 id="end">End of text</h2>
      <p className={css.lead}>
        Strict cuts the canvas behind an end token once it is final. Released, as the paper’s code does it, also cuts
        behind the surest prediction of one that may still be masked: fewer positions from the first pass on, and at
        times a shorter answer.
      </p>
      <div className={css.columns}>
        {series.length > 0 && <LinePlot title="Length of the canvas" series={series} x="passes" y="tokens" yFrom={0} />}
        <Scroll>
          <table className={css.table} data-testid="end-table">
            <caption>This problem</caption>
            <HeadRow names={['', 'passes', 'behind the end', 'answer']} />
            <tbody>
              {rows.map(({ name, run }) => {
                const d = run?.decoded;
                return (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td>{d ? d.nfe : '…'}</td>
                    <td>{d ? `${(100 * eotWaste(d.trace, d.tokens, prompt)).toFixed(1)} %` : ''}</td>
                    <td>{run && answerWords(run)}</td>
                  </tr>
                );
              })}
              <tr>
                <th scope="row" data-paper>
                  paper, canvas 1024
                </th>
                <td data-paper />
                <td data-paper>{(100 * PAPER.eotWaste).toFixed(2)} % of the extra compute</td>
                <td data-paper />
              </tr>
            </tbody>
          </table>
        </Scroll>
      </div>
      <Changed session={session} specs={specs} />
    </section>
  );
}

/** Answers of several unseen problems that strict or released give otherwise than the whole canvas. */
function Changed({ session, specs }: { session: PanelSession; specs: readonly SpecChoice[] }) {
  const canvas = usePanel((s) => s.canvas);
  const [busy, setBusy] = useState('');
  const [found, setFound] = useState<{ canvas: number; all: Outcome[][] } | null>(null);
  const [problem, setProblem] = useState('');
  const compare = async (): Promise<void> => {
    setProblem('');
    const all: Outcome[][] = [];
    for (const [i, spec] of specs.slice(0, 3).entries()) {
      setBusy(`Decoding ${COUNT} problems, ${i + 1} of 3`);
      const answer = await session.api.measure({ ...spec, canvas, from: 0, count: COUNT });
      if (!answer.ok) {
        setProblem(answer.reason);
        break;
      }
      all.push(answer.value);
    }
    setBusy('');
    if (all.length === 3) setFound({ canvas, all });
  };
  const [off, strict, released] = found?.all ?? [];
  const rows = off
    ?.map((o, i) => ({ o, s: strict[i], r: released[i] }))
    .filter(({ o, s, r }) => s.text !== o.text || r.text !== o.text);
  const length = (all: Outcome[]): string => (all.reduce((sum, o) => sum + o.length, 0) / all.length).toFixed(1);
  return (
    <>
      <div className={css.controls}>
        <Button onClick={() => void compare()} disabled={busy !== ''} testId="compare-ends">
          Compare answers on {COUNT} unseen problems
        </Button>
        <p role="status">{busy}</p>
        {problem && <p role="alert">{problem}</p>}
      </div>
      {found && rows && (
        <>
          <p className={css.lead}>
            Canvas {found.canvas}: {rows.length} of {COUNT} answers differ. Mean length kept {length(off)}, strict{' '}
            {length(strict)}, released {length(released)}.
          </p>
          {rows.length > 0 && (
            <Scroll>
              <table className={css.table}>
                <HeadRow names={['problem', 'whole canvas', 'strict', 'released']} />
                <tbody>
                  {rows.map(({ o, s, r }) => (
                    <tr key={o.prompt}>
                      <th scope="row">{o.prompt}</th>
                      {[
                        ['off', o],
                        ['strict', s],
                        ['released', r],
                      ].map(([name, x]) => (
                        <td key={name as string}>
                          {(x as Outcome).text || '(empty)'} {(x as Outcome).right ? '✓' : '✗'}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )}
        </>
      )}
    </>
  );
}
