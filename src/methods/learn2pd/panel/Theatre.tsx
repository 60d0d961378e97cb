// The decode theatre: a problem, up to four policies side by side, one playhead.

import { Plus } from 'lucide-react';
import { useEffect } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { PromptBox } from './PromptBox.tsx';
import { ShareKnob } from './ShareKnob.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import { TheatrePane } from './TheatrePane.tsx';
import { Transport } from './Transport.tsx';
import css from './theatre.module.css';
import { MAX_PANES, type Pane, POLICIES, specKey, specOfPane } from './view.ts';

/** Height that the longest decode may take, and the rows it is made of. */
const STAGE = 430;
const ROW = { least: 0.5, most: 15 };

const LEGEND = [
  ['filter', 'final, by the policy'],
  ['top', 'final, by top-n'],
  ['right', 'already right, kept masked'],
  ['open', 'masked, in the block'],
  ['masked', 'masked'],
  ['end', 'end token'],
  ['cut', 'cut off'],
] as const;

/** A policy that is not there yet, for the next pane. */
const nextPane = (panes: readonly Pane[]): Pane => ({
  policy:
    (['threshold', 'egp', ...POLICIES] as const).find((p) => panes.every(({ policy }) => policy !== p)) ?? 'margin',
  eotp: 'off',
  cache: 'none',
});

export function Theatre({ session }: { session: PanelSession }) {
  const view = usePanel((s) => s.view);
  const runs = usePanel((s) => s.runs);
  const canvas = usePanel((s) => s.canvas);
  useKeys(session);
  const lengths = view.panes.map((pane) => {
    const spec = specOfPane(pane, view);
    const run = runs.get(specKey(spec));
    if (run?.decoded) return run.decoded.nfe;
    // Static decoding is as long as its schedule, known before it begins.
    const planned = spec.policy.kind === 'static' ? Math.ceil(canvas / spec.policy.perStep) : 8;
    return Math.max(planned, run?.trace.length ?? 0);
  });
  const rows = Math.max(1, ...lengths);
  const row = Math.max(ROW.least, Math.min(ROW.most, STAGE / rows));
  const has = (part: string): boolean => view.panes.some(({ policy }) => policy.startsWith(part));
  return (
    <section className={css.theatre} aria-labelledby="theatre">
      <h2 id="theatre" className="visually-hidden">
        Decode theatre
      </h2>
      <PromptBox session={session} />
      <Transport session={session} />
      <div className={css.panes} data-count={view.panes.length}>
        {view.panes.map((pane, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a pane is its place
          <TheatrePane key={index} session={session} index={index} pane={pane} row={row} rows={rows} />
        ))}
      </div>
      <div className={css.foot}>
        <ul className={css.legend} aria-label="Colours">
          {LEGEND.map(([name, words]) => (
            <li key={name}>
              <i data-cell={name} aria-hidden="true" />
              {words}
            </li>
          ))}
        </ul>
        <div className={css.knobs}>
          {(has('learn2pd') || has('random')) && (
            <ShareKnob
              label="Filter threshold τ"
              value={view.tau}
              onCommit={(tau) => void session.change({ tau })}
              testId="tau"
            />
          )}
          {has('threshold') && (
            <ShareKnob
              label="Confidence threshold"
              value={view.confidence}
              onCommit={(confidence) => void session.change({ confidence })}
            />
          )}
          {has('margin') && (
            <ShareKnob label="Lead" value={view.lead} onCommit={(lead) => void session.change({ lead })} />
          )}
        </div>
        {view.panes.length < MAX_PANES && (
          <Button
            icon={Plus}
            testId="add-pane"
            onClick={() => void session.change({ panes: [...view.panes, nextPane(view.panes)] })}
          >
            Compare another policy
          </Button>
        )}
      </div>
    </section>
  );
}

/** Space, full stop and comma wherever no control wants them. */
function useKeys(session: PanelSession): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA|BUTTON|A)$/.test(target.tagName))
        return;
      const { head } = usePanel.getState();
      if (event.key === ' ') session.play();
      else if (event.key === '.') session.seek(Math.floor(head.at) + 1);
      else if (event.key === ',') session.seek(Math.ceil(head.at) - 1);
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [session]);
}
