// Kernels on this adapter's roofline, log-log: work per byte against rate. The table beside it says the same in words.

import { useState } from 'react';
import type { RooflinePoint, RooflineRoof } from '../../bench/roofline.ts';
import { flopRate, ms, percent } from '../../bench/units.ts';
import { decades, decadeTicks, scaleOf } from '../charts/axis.ts';
import css from './gpu.module.css';

const [WIDTH, HEIGHT] = [720, 400];
const MARGIN = { left: 92, right: 18, top: 16, bottom: 44 };

const rateOf = (p: RooflinePoint): number => p.flops / (p.timing.median / 1000);

export function RooflinePlot({
  roof,
  points,
  onPick,
}: {
  roof: RooflineRoof;
  points: readonly RooflinePoint[];
  onPick: (kernel: string) => void;
}) {
  const [near, setNear] = useState<RooflinePoint | null>(null);
  // A kernel without floating point work has no place on a log axis; the table has it.
  const placed = points.filter((p) => p.flops > 0);
  const ridge = roof.peak / roof.bandwidth;
  const xs = decades([...placed.map((p) => p.flops / p.bytes), ridge]);
  const ys = decades([...placed.map(rateOf), roof.peak], 0);
  const x = scaleOf({ log: true }, xs, [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleOf({ log: true }, ys, [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const roofAt = (intensity: number): number => Math.min(roof.peak, roof.bandwidth * intensity);
  const shown = near ?? null;
  return (
    <figure className={css.plot}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Roofline: ${placed.length} kernels; the table below has every value`}
      >
        {decadeTicks(xs).map((v) => (
          <g key={`x${v}`}>
            <line className={css.grid} x1={x(v)} x2={x(v)} y1={MARGIN.top} y2={HEIGHT - MARGIN.bottom} />
            <text className={css.tick} x={x(v)} y={HEIGHT - MARGIN.bottom + 18} textAnchor="middle">
              {v >= 1 ? v : v.toPrecision(1)}
            </text>
          </g>
        ))}
        {decadeTicks(ys).map((v) => (
          <g key={`y${v}`}>
            <line className={css.grid} x1={MARGIN.left} x2={WIDTH - MARGIN.right} y1={y(v)} y2={y(v)} />
            <text className={css.tick} x={MARGIN.left - 8} y={y(v) + 4} textAnchor="end">
              {flopRate(v).replace(/\.0+ /, ' ')}
            </text>
          </g>
        ))}
        <text className={css.axis} x={(MARGIN.left + WIDTH - MARGIN.right) / 2} y={HEIGHT - 6} textAnchor="middle">
          FLOP per byte
        </text>
        <polyline
          className={css.roof}
          points={[xs[0], ridge, xs[1]]
            .map((v) => `${x(v)},${Math.min(y(roofAt(v)), HEIGHT - MARGIN.bottom)}`)
            .join(' ')}
        />
        {placed.map((p) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: a pointer's shortcut; the table's buttons do the same by keyboard
          <circle
            key={p.kernel}
            className={css.dot}
            data-near={shown?.kernel === p.kernel}
            data-weak={p.timing.launchBound}
            cx={x(p.flops / p.bytes)}
            cy={y(rateOf(p))}
            r={shown?.kernel === p.kernel ? 6 : 4}
            onPointerEnter={() => setNear(p)}
            onPointerLeave={() => setNear(null)}
            onClick={() => onPick(p.kernel)}
          />
        ))}
      </svg>
      <figcaption>
        {shown
          ? `${shown.kernel}: ${flopRate(rateOf(shown))} in ${ms(shown.timing.median)}, ${percent(shown.fraction)} of what is attainable${shown.timing.launchBound ? '; launch-bound' : ''}`
          : 'Line: what this adapter can reach. Hollow: launch-bound, says little about the kernel.'}
      </figcaption>
    </figure>
  );
}
