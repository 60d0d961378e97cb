// How much there is to gain: passes of each block under the oracle, and decodes that static decoding need not have done.

import { HeadRow } from '../../../ui/controls/HeadRow.tsx';
import { passesPerBlock, unnecessaryDecodes } from '../diagnostics.ts';
import css from './learn2pd.module.css';
import { useNeeds } from './needs.ts';
import { Bars } from './plots.tsx';
import type { SpecChoice } from './protocol.ts';
import { ORACLE, STATIC, useRun } from './replays.ts';
import { Scroll } from './Scroll.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';

const BINS = [0, 1, 2, 5, 10, 20, 50];

const binName = (i: number): string => {
  const [from, to] = [BINS[i], BINS[i + 1]];
  if (to === undefined) return `${from}+`;
  return to === from + 1 ? String(from) : `${from}–${to - 1}`;
};

export function Oracle({ session }: { session: PanelSession }) {
  const view = usePanel((s) => s.view);
  const config = usePanel((s) => s.opened?.model.config);
  const learned: SpecChoice = { policy: { kind: 'learn2pd', tau: view.tau }, eotp: 'off', cache: 'none' };
  const threshold: SpecChoice = { policy: { kind: 'threshold', tau: view.confidence }, eotp: 'off', cache: 'none' };
  useNeeds(session, [ORACLE, learned, threshold, STATIC]);
  const runs = [
    { name: 'oracle', look: 3, run: useRun(ORACLE) },
    { name: 'Learn2PD', look: 1, run: useRun(learned) },
    { name: 'threshold', look: 2, run: useRun(threshold) },
  ].filter(({ run }) => run?.decoded);
  const plain = useRun(STATIC)?.decoded;
  const blocks = runs.map(({ run }) => passesPerBlock(run?.decoded?.trace ?? []));
  const count = Math.max(0, ...blocks.map((b) => b.length));
  const unnecessary = plain && config ? unnecessaryDecodes(plain.trace, plain.tokens, config.prompt) : [];
  const share = (i: number): number =>
    unnecessary.filter((n) => n >= BINS[i] && n < (BINS[i + 1] ?? Number.POSITIVE_INFINITY)).length /
    unnecessary.length;
  return (
    <section aria-labelledby="oracle">
      <h2 id="oracle">Oracle</h2>
      <p className={css.lead}>
        The oracle finalises every guess that equals the static text. It must know the answer, so it is not usable; it
        shows how few passes the same text could take. Static decoding takes {config?.block} passes for every block of{' '}
        {config?.block}.
      </p>
      <div className={css.columns}>
        {count > 0 && (
          <Bars
            title="Passes of each block, this problem"
            names={runs.map((r) => r.name)}
            looks={runs.map((r) => r.look)}
            groups={Array.from({ length: count }, (_, b) => ({
              label: count > 12 && b % 4 !== 0 ? '' : String(b + 1),
              values: blocks.map((all) => all[b] ?? 0),
            }))}
            format={(v) => String(v)}
            x="block"
          />
        )}
        {unnecessary.length > 0 ? (
          <Bars
            title="Static: passes after a token was first right"
            names={['share of tokens']}
            looks={[4]}
            groups={BINS.map((_, i) => ({ label: binName(i), values: [share(i)] }))}
            format={(v) => `${(100 * v).toFixed(0)} %`}
            x="unnecessary decodes"
          />
        ) : (
          <p role="status">The static decode of this problem is not there yet.</p>
        )}
        <Scroll>
          <table className={css.table}>
            <caption>This problem, whole canvas</caption>
            <HeadRow
              names={['policy', 'passes', 'fewer than static', 'same text as static', 'written from the reference']}
            />
            <tbody>
              {runs.map(({ name, run }) => {
                const d = run?.decoded;
                if (!d) return null;
                return (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td>{d.nfe}</td>
                    <td>{plain ? `${(plain.nfe / d.nfe).toFixed(1)}×` : '…'}</td>
                    <td>{plain ? (plain.tokens.every((id, i) => id === d.tokens[i]) ? 'yes' : 'no') : '…'}</td>
                    <td>{d.guarded}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Scroll>
      </div>
    </section>
  );
}
