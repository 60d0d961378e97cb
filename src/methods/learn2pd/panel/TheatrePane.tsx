// One policy in the theatre: what it is, its counters, its picture, its text.

import { X } from 'lucide-react';
import { useId } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { countsAt } from './replay.ts';
import { useReplay, useRun, useTokenName } from './replays.ts';
import { Select } from './Select.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import { TheatreMap } from './TheatreMap.tsx';
import { TokenStrip } from './TokenStrip.tsx';
import css from './theatre.module.css';
import { passAt, placeOf } from './timeline.ts';
import { CACHES, EOTPS, type Pane, POLICIES, POLICY_WORDS, specOfPane } from './view.ts';

const EOTP_WORDS = { off: 'whole canvas', strict: 'EoTP strict', released: 'EoTP released' } as const;
const CACHE_WORDS = { none: 'no cache', prefix: 'prefix cache', dual: 'dual cache' } as const;

export interface PaneProps {
  session: PanelSession;
  index: number;
  pane: Pane;
  row: number;
  rows: number;
}

export function TheatrePane({ session, index, pane, row, rows }: PaneProps) {
  const view = usePanel((s) => s.view);
  const at = usePanel((s) => s.head.at);
  const spec = specOfPane(pane, view);
  const run = useRun(spec);
  const replay = useReplay(spec);
  const nameOf = useTokenName();
  const title = useId();
  const change = (part: Partial<Pane> | null): void => {
    const panes = view.panes.flatMap((p, i) => (i !== index ? [p] : part ? [{ ...p, ...part }] : []));
    void session.change({ panes });
  };
  const pass = run ? passAt(run, view.sync, at) : -1;
  const decoded = run?.decoded ?? null;
  const words = POLICY_WORDS[pane.policy];
  return (
    <article className={css.pane} aria-labelledby={title} data-testid="pane" data-state={run?.state}>
      <header>
        <h3 id={title} className="visually-hidden">
          {words}, {EOTP_WORDS[pane.eotp]}, {CACHE_WORDS[pane.cache]}
        </h3>
        <Select
          label="Policy"
          value={pane.policy}
          options={POLICIES.map((name) => [name, POLICY_WORDS[name]] as const)}
          onChange={(policy) => change({ policy })}
          strong
        />
        <Select
          label="End of text"
          value={pane.eotp}
          options={EOTPS.map((name) => [name, EOTP_WORDS[name]] as const)}
          onChange={(eotp) => change({ eotp })}
        />
        <Select
          label="Cache"
          value={pane.cache}
          options={CACHES.map((name) => [name, CACHE_WORDS[name]] as const)}
          onChange={(cache) => change({ cache })}
        />
        {view.panes.length > 1 && <Button icon={X} label={`Remove ${words}`} onClick={() => change(null)} />}
      </header>
      <Counters run={run} replay={replay} pass={pass} />
      {run?.state === 'failed' && (
        <p className={css.problem} role="alert">
          {run.failure?.reason} {run.failure?.advice}
        </p>
      )}
      {replay && run ? (
        <>
          <TokenStrip replay={replay} pass={pass} nameOf={nameOf} />
          <TheatreMap
            replay={replay}
            pass={pass}
            row={row}
            rows={rows}
            nameOf={nameOf}
            testId="map"
            label={
              decoded
                ? `${words}: ${decoded.nfe} passes for ${replay.canvas} positions. After pass ${pass + 1} the text below stands.`
                : `${words}: ${replay.passes} passes so far.`
            }
            onPick={(p) => session.seek(placeOf(run, view.sync, p))}
          />
        </>
      ) : (
        run?.state !== 'failed' && (
          <p className={css.waiting} style={{ height: rows * row }} role="status">
            {run?.state === 'running' ? 'Decoding' : 'Waits for its turn'}
          </p>
        )
      )}
    </article>
  );
}

function Counters({
  run,
  replay,
  pass,
}: {
  run: ReturnType<typeof useRun>;
  replay: ReturnType<typeof useReplay>;
  pass: number;
}) {
  const decoded = run?.decoded ?? null;
  const counts = replay ? countsAt(replay, pass) : null;
  const right = run?.verdict ? run.verdict.score === 1 : undefined;
  const seconds = decoded ? decoded.wallMs / 1000 : 0;
  return (
    <dl className={css.counters}>
      <div>
        <dt>passes (NFE)</dt>
        <dd>
          <b data-testid="pass">{pass + 1}</b>
          <span data-testid="nfe" data-value={decoded?.nfe}>
            {decoded ? ` of ${decoded.nfe}` : replay ? ` of ${replay.passes}…` : ''}
          </span>
        </dd>
      </div>
      <div>
        <dt>final</dt>
        <dd>
          <span className={css.filterInk}>{counts?.filter ?? 0}</span> +{' '}
          <span className={css.topInk}>{counts?.top ?? 0}</span>
        </dd>
      </div>
      <div>
        <dt>length</dt>
        <dd data-testid="length">{counts?.length ?? '–'}</dd>
      </div>
      <div>
        <dt title={decoded?.cold ? 'First decode: its kernels were compiled in this time' : undefined}>tokens/s</dt>
        <dd data-testid="tps">
          {decoded ? (decoded.answerLength / seconds).toPrecision(3) : '–'}
          {decoded?.cold && <small> first run</small>}
        </dd>
      </div>
      <div>
        <dt>answer</dt>
        <dd data-testid="verdict" data-right={right}>
          {right === undefined ? (decoded ? 'judging…' : '–') : right ? '✓ right' : '✗ wrong'}
        </dd>
      </div>
    </dl>
  );
}
