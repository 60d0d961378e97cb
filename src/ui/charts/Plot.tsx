// A few lines over one axis, in the colours of the theme, drawn at the width that there is. Values stand in the legend; cited lines
// are dashed, measured ones are not.

import { useEffect, useId, useRef, useState } from 'react';
import { type Axis, rangeOf, scaleOf, ticksOf } from './axis.ts';
import css from './plot.module.css';

export interface Series {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
  colour: 'ink' | 'accent' | 'quiet';
  dashed?: boolean;
  /** Dots at the points: there are few of them. */
  dots?: boolean;
}

export interface PlotProps {
  title: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
  /** Upright lines with a word, e.g. where a stage begins. */
  marks?: readonly { x: number; word: string }[];
  testId?: string;
}

const HEIGHT = 220;
const MARGIN = { left: 58, right: 20, top: 14, bottom: 26 };

export function Plot({ title, x, y, series, marks = [], testId }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const clip = useId();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const seen = new ResizeObserver(() => setWidth(element.clientWidth));
    seen.observe(element);
    return () => seen.disconnect();
  }, []);
  const all = series.flatMap((s) => s.points);
  const xs = rangeOf(x, [...all.map((p) => p[0]), ...marks.map((m) => m.x)]);
  const ys = rangeOf(
    y,
    all.map((p) => p[1]),
  );
  const right = Math.max(MARGIN.left + 10, width - MARGIN.right);
  const bottom = HEIGHT - MARGIN.bottom;
  const px = scaleOf(x, xs, [MARGIN.left, right]);
  const py = scaleOf(y, ys, [bottom, MARGIN.top]);
  return (
    <figure className={css.plot} data-testid={testId}>
      <figcaption>{title}</figcaption>
      <ul className={css.legend}>
        {series.map(({ name, points, colour, dashed }) => (
          <li key={name} data-colour={colour} data-dashed={dashed ?? false}>
            {name} <b>{points.length > 0 ? y.format(points[points.length - 1][1]) : '–'}</b>
          </li>
        ))}
      </ul>
      <div ref={box}>
        <svg width={width} height={HEIGHT} aria-hidden="true">
          <clipPath id={clip}>
            <rect
              x={MARGIN.left - 4}
              y={MARGIN.top - 4}
              width={right - MARGIN.left + 8}
              height={bottom - MARGIN.top + 8}
            />
          </clipPath>
          {ticksOf(y, ys, 4).map((v) => (
            <g key={v}>
              <line className={css.grid} x1={MARGIN.left} x2={right} y1={py(v)} y2={py(v)} />
              <text className={css.tick} x={MARGIN.left - 8} y={py(v) + 4} textAnchor="end">
                {y.format(v)}
              </text>
            </g>
          ))}
          {ticksOf(x, xs, width > 500 ? 8 : 4).map((v) => (
            <text className={css.tick} key={v} x={px(v)} y={HEIGHT - 8} textAnchor="middle">
              {x.format(v)}
            </text>
          ))}
          {marks.map((m) => (
            <g key={m.word}>
              <line className={css.mark} x1={px(m.x)} x2={px(m.x)} y1={MARGIN.top} y2={bottom} />
              <text className={css.tick} x={px(m.x) + 5} y={MARGIN.top + 8}>
                {m.word}
              </text>
            </g>
          ))}
          <g clipPath={`url(#${clip})`}>
            {series.map(({ name, points, colour, dashed, dots }) => (
              <g key={name} className={css.line} data-colour={colour} data-dashed={dashed ?? false}>
                <polyline points={points.map((p) => `${px(p[0])},${py(p[1])}`).join(' ')} />
                {dots && points.map((p) => <circle key={p[0]} cx={px(p[0])} cy={py(p[1])} r={3} />)}
              </g>
            ))}
          </g>
        </svg>
      </div>
    </figure>
  );
}
