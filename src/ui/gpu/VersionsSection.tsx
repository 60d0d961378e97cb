// The kernels: what each computes and costs, its versions from naive to best with their times here, and its source.

import { ms, times } from '../../bench/units.ts';
import type { Ladder } from '../../bench/versions.ts';
import { EditPanel } from './EditPanel.tsx';
import css from './gpu.module.css';
import type { KernelCard } from './lab-protocol.ts';
import type { LabSession } from './lab-session.ts';
import { useLab, useRacing } from './lab-store.ts';
import { RunBar } from './RunBar.tsx';

export interface VersionsSectionProps {
  session: LabSession | null;
  kernels: readonly KernelCard[];
  chosen: string;
  onChoose: (kernel: string) => void;
}

export function VersionsSection({ session, kernels, chosen, onChoose }: VersionsSectionProps) {
  const ladders = useLab((s) => s.findings.ladders);
  const drafts = useLab((s) => s.drafts);
  const card = kernels.find((k) => k.name === chosen) ?? kernels[0];
  const families = [...new Set(kernels.map((k) => k.family))];
  return (
    <>
      <RunBar session={session} job={{ kind: 'versions' }} label="Race all ladders">
        For the hot kernels every version from naive to best, raced in turns on this adapter. Versions that lost stay,
        with the reason. Every kernel can be read, changed, proven again and raced against what it was.
      </RunBar>
      <div className={css.browser}>
        <nav aria-label="Kernels">
          {families.map((family) => (
            <div key={family}>
              <h3>{family}</h3>
              <ul>
                {kernels
                  .filter((k) => k.family === family)
                  .map((k) => (
                    <li key={k.name}>
                      <button
                        type="button"
                        aria-current={k.name === card.name ? 'true' : undefined}
                        onClick={() => onChoose(k.name)}
                      >
                        {k.name}
                        {k.ladder && <span title="has a ladder of versions"> ≡</span>}
                        {k.variants.some((v) => v.files.some((f) => f in drafts)) && <em> edited</em>}
                      </button>
                    </li>
                  ))}
              </ul>
            </div>
          ))}
        </nav>
        <div className={css.kernel}>
          <h2 data-testid="kernel-name">{card.name}</h2>
          <p className={css.about}>{card.about}</p>
          <dl className={css.spec}>
            <dt>Bindings</dt>
            <dd>
              <code>{card.bindings}</code>
            </dd>
            <dt>Uniforms</dt>
            <dd>
              <code>{card.uniform}</code>
            </dd>
            <dt>Launch</dt>
            <dd>{card.dispatch}</dd>
            <dt>FLOPs</dt>
            <dd>
              <code>{card.flops.replaceAll('*', ' · ')}</code>
            </dd>
            <dt>Bytes</dt>
            <dd>
              <code>{card.bytes.replaceAll('*', ' · ')}</code>
            </dd>
            <dt>Timed at</dt>
            <dd>{card.bench}</dd>
          </dl>
          {card.ladder && (
            <LadderTable
              card={card}
              ladder={ladders.find((l) => l.kernel === card.name)}
              onRace={() => session?.run({ kind: 'versions', only: [card.name] })}
            />
          )}
          <EditPanel key={card.name} session={session} card={card} />
        </div>
      </div>
    </>
  );
}

function LadderTable({ card, ladder, onRace }: { card: KernelCard; ladder: Ladder | undefined; onRace: () => void }) {
  const running = useLab((s) => s.running);
  const racing = useRacing();
  const slowest = Math.max(...(ladder?.rungs.map((r) => r.timing?.median ?? 0) ?? [0]));
  return (
    <div className={css.scroll}>
      <table className={css.ladder} data-testid="ladder">
        <caption>
          Versions, from naive to best{' '}
          <button
            type="button"
            className={css.link}
            onClick={onRace}
            disabled={running !== null || racing !== undefined}
            title={racing}
          >
            race these
          </button>
        </caption>
        <thead>
          <tr>
            <th scope="col">version</th>
            <th scope="col">idea</th>
            <th scope="col" className={css.number}>
              time here
            </th>
            <th scope="col" className={css.number}>
              speed against the one in use
            </th>
          </tr>
        </thead>
        <tbody>
          {card.variants
            .filter((v) => v.idea)
            .map((v) => {
              const rung = ladder?.rungs.find((r) => r.name === v.name);
              const timing = rung?.timing;
              return (
                <tr key={v.name} data-used={v.used}>
                  <th scope="row">
                    {v.name}
                    {v.used && <span className={css.badge}>in use here</span>}
                  </th>
                  <td>
                    {v.idea}
                    {v.lost && <em> {v.lost}</em>}
                    {!v.used && !v.lost && <em> Used by: {v.when}.</em>}
                  </td>
                  <td className={css.number}>
                    {timing ? (
                      <>
                        {ms(timing.median)}
                        <span className={css.bar} style={{ inlineSize: `${(timing.median / slowest) * 100}%` }} />
                      </>
                    ) : v.lacks ? (
                      <span className={css.lacks}>needs {v.lacks}</span>
                    ) : (
                      '–'
                    )}
                  </td>
                  <td className={css.number}>{rung && timing ? times(rung.ratio) : '–'}</td>
                </tr>
              );
            })}
        </tbody>
      </table>
      {ladder && (
        <p className={css.quiet}>
          At {ladder.case}. Quartiles of the one in use:{' '}
          {ladder.rungs
            .filter((r) => r.used && r.timing)
            .map((r) => `${ms(r.timing?.q1 ?? 0)} – ${ms(r.timing?.q3 ?? 0)}`)
            .join()}
          .
        </p>
      )}
    </div>
  );
}
