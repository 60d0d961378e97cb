// The picture of one decode: passes downwards, positions to the right. Pointing at it says what happened there.

import { type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { coloursAt, useThemeCount } from './colours.ts';
import { cellAt, type Replay } from './replay.ts';
import css from './theatre.module.css';
import { type Colours, Plate, show } from './theatre-paint.ts';

const NAMES = ['masked', 'open', 'right', 'filter', 'top', 'end', 'ink', 'quiet', 'ground'] as const;

export interface MapProps {
  replay: Replay;
  pass: number;
  /** Height of a pass in CSS pixels; equal in all panes, so that lengths can be compared. */
  row: number;
  rows: number;
  label: string;
  nameOf: (id: number) => string;
  onPick: (pass: number) => void;
  testId?: string;
}

export function TheatreMap({ replay, pass, row, rows, label, nameOf, onPick, testId }: MapProps) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const plate = useMemo(() => new Plate(), []);
  const [width, setWidth] = useState(0);
  const [hover, setHover] = useState<{ pass: number; at: number } | null>(null);
  const theme = useThemeCount();
  const colours = useRef<Colours | null>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const resized = new ResizeObserver(() => setWidth(element.clientWidth));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes what is read here
  useEffect(() => {
    if (host.current) colours.current = coloursAt(host.current, NAMES);
  }, [theme]);
  const cell = width / replay.canvas;
  // Side by side all pictures are as high as the longest; one below the other, empty passes would only part them.
  const shown = stacked() ? Math.max(replay.passes, 6) : rows;
  const height = Math.max(1, Math.ceil(shown * row));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colours
  useEffect(() => {
    const element = canvas.current;
    if (!element || !colours.current || width === 0) return;
    const g = { cell, row, ratio: Math.max(1, devicePixelRatio), rows: shown };
    const [w, h] = [Math.round(width * g.ratio), Math.round(height * g.ratio)];
    if (element.width !== w || element.height !== h) {
      element.width = w;
      element.height = h;
    }
    plate.update(replay, g, colours.current, nameOf);
    show(element, plate, replay, pass, g, colours.current);
  }, [replay, pass, cell, row, shown, height, width, plate, nameOf, theme]);

  const placeOf = (event: PointerEvent): { pass: number; at: number } | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = Math.floor((event.clientX - box.left) / cell);
    const p = Math.floor((event.clientY - box.top) / row);
    return p >= 0 && p < replay.passes && at >= 0 && at < replay.canvas ? { pass: p, at } : null;
  };
  return (
    <div className={css.map} ref={host}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={label}
        data-testid={testId}
        style={{ height }}
        onPointerMove={(event) => setHover(placeOf(event))}
        onPointerLeave={() => setHover(null)}
        onPointerDown={(event) => {
          const place = placeOf(event);
          if (place) onPick(place.pass);
        }}
      />
      <p className={css.readout} aria-hidden="true">
        {hover && hover.pass < replay.passes ? describe(replay, hover.pass, hover.at, nameOf) : ' '}
      </p>
    </div>
  );
}

const stacked = (): boolean => matchMedia('(max-width: 760px)').matches;

const WORDS = {
  masked: 'masked',
  open: 'in the block, stays masked',
  right: 'already right, stays masked',
  filter: 'final, by the policy',
  top: 'final, by top-n',
  reference: 'final, written from the reference',
  cut: 'cut off',
} as const;

function describe(r: Replay, pass: number, at: number, nameOf: (id: number) => string): string {
  const step = r.steps[pass];
  const t = r.trace[pass];
  const seen = at >= step.start && at < step.end;
  const guess = seen ? `, guess ${nameOf(t.guess[at - step.start])} at ${t.c[at - step.start].toFixed(3)}` : '';
  return `pass ${pass + 1}, position ${at}${guess}: ${WORDS[cellAt(r, pass, at)]}`;
}
