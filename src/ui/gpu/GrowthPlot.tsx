// One cost curve on log axes: measured points, the fitted line, and a line of the expected slope through the last point.

import type { GrowthCurve } from '../../bench/growth.ts';
import { ms } from '../../bench/units.ts';
import { decadeTicks, scaleOf } from '../charts/axis.ts';
import css from './gpu.module.css';

const [WIDTH, HEIGHT] = [540, 280];
const MARGIN = { left: 64, right: 14, top: 12, bottom: 30 };

export function GrowthPlot({ curve }: { curve: GrowthCurve }) {
  const sizes = curve.points.map((p) => p.size);
  const times = curve.points.map((p) => p.timing.median);
  const xs: [number, number] = [Math.min(...sizes) / 1.25, Math.max(...sizes) * 1.25];
  const ys: [number, number] = [Math.min(...times) / 1.8, Math.max(...times) * 1.8];
  const x = scaleOf({ log: true }, xs, [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleOf({ log: true }, ys, [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const last = curve.points[curve.points.length - 1];
  const first = curve.points[0];
  const expected = (size: number): number => last.timing.median * (size / last.size) ** curve.expected;
  return (
    <figure className={css.growth} data-testid="growth-curve">
      <figcaption>
        <strong>{curve.name}</strong>
        <span>
          exponent {Number.isFinite(curve.exponent) ? curve.exponent.toFixed(2) : '–'}, expected {curve.expected}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        <defs>
          <clipPath id={`growth-${curve.expected}-${sizes[0]}`}>
            <rect
              x={MARGIN.left}
              y={MARGIN.top}
              width={WIDTH - MARGIN.left - MARGIN.right}
              height={HEIGHT - MARGIN.top - MARGIN.bottom}
            />
          </clipPath>
        </defs>
        {decadeTicks(ys).map((v) => (
          <g key={v}>
            <line className={css.grid} x1={MARGIN.left} x2={WIDTH - MARGIN.right} y1={y(v)} y2={y(v)} />
            <text className={css.tick} x={MARGIN.left - 6} y={y(v) + 4} textAnchor="end">
              {ms(v).replace(/\.0+ /, ' ')}
            </text>
          </g>
        ))}
        {sizes.map((v) => (
          <text key={v} className={css.tick} x={x(v)} y={HEIGHT - MARGIN.bottom + 16} textAnchor="middle">
            {v}
          </text>
        ))}
        <line
          className={css.expected}
          clipPath={`url(#growth-${curve.expected}-${sizes[0]})`}
          x1={x(first.size)}
          y1={y(expected(first.size))}
          x2={x(last.size)}
          y2={y(expected(last.size))}
        />
        <polyline
          className={css.curve}
          points={curve.points.map((p) => `${x(p.size)},${y(p.timing.median)}`).join(' ')}
        />
        {curve.points.map((p) => (
          <g key={p.size}>
            <line className={css.spread} x1={x(p.size)} x2={x(p.size)} y1={y(p.timing.q1)} y2={y(p.timing.q3)} />
            <circle className={css.dot} data-weak={p.timing.launchBound} cx={x(p.size)} cy={y(p.timing.median)} r={4} />
          </g>
        ))}
      </svg>
      <table className={css.small}>
        <caption className="visually-hidden">{curve.name}: time by size</caption>
        <thead>
          <tr>
            <th scope="col">{curve.axis}</th>
            <th scope="col">time</th>
            <th scope="col">quartiles</th>
          </tr>
        </thead>
        <tbody>
          {curve.points.map((p) => (
            <tr key={p.size}>
              <td>{p.size}</td>
              <td>{ms(p.timing.median)}</td>
              <td>
                {ms(p.timing.q1)} – {ms(p.timing.q3)}
                {p.timing.launchBound && ' launch-bound'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
