// Play, step, scrub; what keeps the panes together; how fast.

import { Pause, Play, SkipBack, StepBack, StepForward } from 'lucide-react';
import { type CSSProperties, useId } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import css from './theatre.module.css';
import { RATES, SLOWDOWNS } from './view.ts';

const ms = (x: number): string => (x < 1000 ? `${x.toFixed(0)} ms` : `${(x / 1000).toFixed(2)} s`);

export function Transport({ session }: { session: PanelSession }) {
  const head = usePanel((s) => s.head);
  const view = usePanel((s) => s.view);
  usePanel((s) => s.runs);
  const id = useId();
  const { at: end } = session.end();
  const byPass = view.sync === 'pass';
  const step = byPass ? 1 : end / 100;
  const value = Math.min(end, Math.max(0, head.at));
  const words = byPass ? `pass ${Math.floor(value) + 1} of ${Math.floor(end) + 1}` : `${ms(value)} of ${ms(end)}`;
  return (
    <div className={css.transport}>
      <div className={css.buttons}>
        <Button icon={SkipBack} label="To the start" onClick={() => session.seek(byPass ? -1 : 0)} />
        <Button icon={StepBack} label="One pass back" onClick={() => session.seek(Math.ceil(head.at) - step)} />
        <Button
          icon={head.playing ? Pause : Play}
          label={head.playing ? 'Pause' : 'Play'}
          kind="strong"
          testId="play"
          onClick={() => session.play()}
        />
        <Button
          icon={StepForward}
          label="One pass forward"
          testId="forward"
          onClick={() => session.seek(Math.floor(head.at) + step)}
        />
      </div>
      <label className="visually-hidden" htmlFor={id}>
        Position
      </label>
      <input
        id={id}
        className={css.scrubber}
        type="range"
        min={0}
        max={Math.max(end, 0.001)}
        step={byPass ? 1 : 'any'}
        value={value}
        aria-valuetext={words}
        data-testid="scrubber"
        style={{ '--filled': `${end > 0 ? (100 * value) / end : 0}%` } as CSSProperties}
        onChange={(event) => session.seek(event.target.valueAsNumber)}
      />
      <output htmlFor={id} className={css.place}>
        {words}
      </output>
      <Choice
        label="What keeps the panes together"
        value={view.sync}
        options={[
          ['pass', 'by pass'],
          ['clock', 'by clock'],
        ]}
        onChange={(sync) => void session.change({ sync }).then(() => session.restartHead())}
      />
      {byPass ? (
        <Choice
          label="Passes a second"
          value={view.rate}
          options={RATES.map((rate) => [rate, `${rate}/s`] as const)}
          onChange={(rate) => void session.change({ rate })}
        />
      ) : (
        <Choice
          label="Speed"
          value={view.slowdown}
          options={SLOWDOWNS.map((n) => [n, n === 1 ? 'real time' : `1/${n}`] as const)}
          onChange={(slowdown) => void session.change({ slowdown })}
        />
      )}
    </div>
  );
}
