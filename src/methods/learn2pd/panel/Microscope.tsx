// The filter at work on the pass that the theatre shows: confidences in, hidden units, logits against the threshold, weights.

import { useState } from 'react';
import { applyFilter } from '../filter.ts';
import { logit } from '../policy.ts';
import { insideOf, takenAt } from './filter-units.ts';
import css from './learn2pd.module.css';
import mcss from './microscope.module.css';
import { useNeeds } from './needs.ts';
import { useReplay, useRun, useTokenName } from './replays.ts';
import { Scroll } from './Scroll.tsx';
import { ShareKnob } from './ShareKnob.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import { passAt } from './timeline.ts';
import { specOfPane } from './view.ts';
import { WeightMap } from './WeightMap.tsx';

export function Microscope({ session }: { session: PanelSession }) {
  const view = usePanel((s) => s.view);
  const filter = usePanel((s) => s.opened?.model.filter ?? null);
  const at = usePanel((s) => s.head.at);
  const pane = view.panes.find((p) => p.policy === 'learn2pd') ?? {
    policy: 'learn2pd' as const,
    eotp: 'strict' as const,
    cache: 'none' as const,
  };
  const spec = specOfPane(pane, view);
  useNeeds(session, [spec]);
  const run = useRun(spec);
  const replay = useReplay(spec);
  const nameOf = useTokenName();
  const [draft, setDraft] = useState<number | null>(null);
  if (!filter) return <p className={css.lead}>These weights hold no filter.</p>;
  const tau = draft ?? view.tau;
  const pass = run ? Math.max(0, passAt(run, view.sync, at)) : 0;
  const step = replay?.trace[pass];
  const inside = step ? insideOf(filter, step) : null;
  const now = inside && step ? takenAt(inside, step, tau) : null;
  const before = inside && step ? takenAt(inside, step, view.tau) : null;
  return (
    <section aria-labelledby="microscope">
      <h2 id="microscope">Filter microscope</h2>
      <p className={css.lead}>
        z = W₂ ReLU(W₁ c + b₁) + b₂, a logit for each of the {filter.B} positions of the block; {filter.values.length}{' '}
        weights. A masked position is final where z exceeds logit(τ). Moving τ decides the recorded pass anew at once;
        letting go decodes the whole canvas with it.
      </p>
      <div className={css.controls}>
        <ShareKnob
          label="Filter threshold τ"
          value={view.tau}
          testId="microscope-tau"
          onDraft={setDraft}
          onCommit={(value) => {
            setDraft(null);
            void session.change({ tau: value });
          }}
        />
        {now && before && (
          <p data-testid="redecided">
            Pass {pass + 1}: {now.taken.length} of {now.masked.length} masked positions at τ {tau.toFixed(2)}
            {draft !== null && `, ${before.taken.length} at ${view.tau.toFixed(2)}`}. logit(τ) ={' '}
            {tau <= 0 ? '−∞' : tau >= 1 ? '∞' : logit(tau).toFixed(2)}
          </p>
        )}
      </div>
      {inside && step && now ? (
        <div className={mcss.bars}>
          <Bars
            title="c, confidence of each position"
            values={inside.c}
            from={0}
            to={1}
            stateOf={(i) => (i >= step.decided.length ? 'none' : step.decided[i] & 4 ? 'masked' : 'final')}
            nameOf={(i) => (i < step.guess.length ? nameOf(step.guess[i]) : '')}
          />
          {inside.hidden.map((h, d) => (
            <Bars
              // biome-ignore lint/suspicious/noArrayIndexKey: layers have no other name
              key={d}
              title="hidden units, ReLU(W₁ c + b₁)"
              values={h}
              from={0}
              to={Math.max(1, ...h)}
              stateOf={() => 'hidden'}
              nameOf={() => ''}
            />
          ))}
          <Bars
            title="z against logit(τ)"
            values={inside.z}
            from={Math.min(-4, ...inside.z)}
            to={Math.max(6, ...inside.z)}
            line={logit(tau)}
            stateOf={(i) =>
              i >= step.decided.length
                ? 'none'
                : now.taken.includes(i)
                  ? 'taken'
                  : now.masked.includes(i)
                    ? 'masked'
                    : 'final'
            }
            nameOf={() => ''}
          />
        </div>
      ) : (
        <p role="status">The decode of this problem is not there yet.</p>
      )}
      <ul className={mcss.key} aria-hidden="true">
        <li data-state="taken">masked, z above the threshold</li>
        <li data-state="masked">masked</li>
        <li data-state="final">final before this pass</li>
      </ul>
      <div className={css.columns}>
        {Array.from({ length: filter.depth }, (_, d) => {
          const from = d * (filter.B * filter.B + filter.B);
          return (
            <WeightMap
              // biome-ignore lint/suspicious/noArrayIndexKey: layers have no other name
              key={d}
              title={`W${'₁₂₃₄'[d]}, row = output`}
              size={filter.B}
              values={filter.values.subarray(from, from + filter.B * filter.B)}
              bias={filter.values.subarray(from + filter.B * filter.B, from + filter.B * filter.B + filter.B)}
            />
          );
        })}
        <Sureness filter={filter} />
      </div>
    </section>
  );
}

/** What the filter says of a block that is equally sure everywhere: a threshold on one number would be a step. */
function Sureness({ filter }: { filter: Parameters<typeof applyFilter>[0] }) {
  const rows = [0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 1].map((c) => {
    const z = applyFilter(filter, new Array<number>(filter.B).fill(c));
    return { c, least: Math.min(...z), most: Math.max(...z) };
  });
  return (
    <Scroll>
      <table className={css.table}>
        <caption>A block that is equally sure everywhere</caption>
        <thead>
          <tr>
            <th scope="col">every c</th>
            <th scope="col">least z</th>
            <th scope="col">largest z</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ c, least, most }) => (
            <tr key={c}>
              <th scope="row">{c}</th>
              <td>{least.toFixed(2)}</td>
              <td>{most.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

const W = 640;
const H = 92;

function Bars({
  title,
  values,
  from,
  to,
  line,
  stateOf,
  nameOf,
}: {
  title: string;
  values: Float64Array;
  from: number;
  to: number;
  line?: number;
  stateOf: (i: number) => string;
  nameOf: (i: number) => string;
}) {
  const wide = W / values.length;
  const y = (v: number): number => 4 + (1 - (Math.max(from, Math.min(to, v)) - from) / (to - from)) * (H - 8);
  const zero = y(Math.max(from, Math.min(to, 0)));
  const names = wide > 18 && nameOf(0) !== '';
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <svg
        viewBox={`0 0 ${W} ${H + (names ? 16 : 0)}`}
        role="img"
        aria-label={`${title}: ${Array.from(values, (v) => v.toFixed(2)).join(' ')}`}
      >
        {Array.from(values, (v, i) => (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={i}
            data-state={stateOf(i)}
            x={i * wide + 1}
            width={Math.max(1, wide - 2)}
            y={Math.min(zero, y(v))}
            height={Math.max(0.8, Math.abs(y(v) - zero))}
          />
        ))}
        {line !== undefined && Math.abs(line) < 1e6 && (
          <line className={mcss.bound} x1={0} x2={W} y1={y(line)} y2={y(line)} />
        )}
        {names &&
          Array.from(values, (_, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a name is its place
            <text key={i} x={(i + 0.5) * wide} y={H + 12} textAnchor="middle">
              {nameOf(i).trim().slice(0, 3)}
            </text>
          ))}
      </svg>
    </figure>
  );
}
