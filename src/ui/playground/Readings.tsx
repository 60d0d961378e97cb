// The numbers of the present moment, in one row. Everything here is measured in this tab, now.

import type { ReactNode } from 'react';
import { usePlay } from './play-store.ts';
import css from './playground.module.css';

export function Readings() {
  const report = usePlay((state) => state.report);
  const truth = usePlay((state) => state.truth);
  const fps = usePlay((state) => state.fps);
  const info = usePlay((state) => (state.dream.phase === 'ready' ? state.dream.info : null));
  const dreamt = report && report.index > 0 ? report : null;
  return (
    <dl className={css.readings}>
      <Reading
        name="agreement"
        hint="Peak signal-to-noise ratio of the dream against the true frame of the same step"
        dreamed
      >
        <span data-testid="psnr">{dreamt ? dreamt.psnr.toFixed(1) : '–'}</span>
        {dreamt && ' dB'}
      </Reading>
      <Reading name="drift, brightness" hint="Mean of the dreamed pixels against the start frame" dreamed>
        {dreamt ? signedPercent(dreamt.mean, dreamt.startMean) : '–'}
      </Reading>
      <Reading name="drift, contrast" hint="Standard deviation of the dreamed pixels against the start frame" dreamed>
        {dreamt ? signedPercent(dreamt.deviation, dreamt.startDeviation) : '–'}
      </Reading>
      <Reading name="memory" hint="Frames in the key/value ring of the dream" dreamed>
        {info && report ? `${report.ringFill} / ${info.contextFrames}` : '–'}
        {info && <Ring fill={report?.ringFill ?? 0} size={info.contextFrames} />}
      </Reading>
      <Reading name="step" hint="Agent steps since the start">
        <span data-testid="frame-index">{truth ? truth.index : '–'}</span>
      </Reading>
      <Reading name="steps per second" hint="Shown steps per second over the last three seconds">
        <span data-testid="fps">{fps === null ? '–' : fps.toFixed(1)}</span>
      </Reading>
      <Reading name="time per step" hint="Dream and truth together">
        {truth ? `${Math.round((dreamt?.timing.total ?? 0) + truth.simulateMs + truth.renderMs)} ms` : '–'}
      </Reading>
    </dl>
  );
}

function Reading({
  name,
  hint,
  dreamed,
  children,
}: {
  name: string;
  hint: string;
  dreamed?: boolean;
  children: ReactNode;
}) {
  return (
    <div title={hint} data-dreamed={dreamed || undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Ring({ fill, size }: { fill: number; size: number }) {
  return (
    <span className={css.ring} aria-hidden="true">
      <span style={{ width: `${(100 * fill) / size}%` }} />
    </span>
  );
}

function signedPercent(now: number, start: number): string {
  if (start === 0) return '–';
  const percent = Math.round((now / start - 1) * 100);
  return `${percent > 0 ? '+' : percent < 0 ? '−' : ''}${Math.abs(percent)} %`;
}
