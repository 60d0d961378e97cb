// The few charts of this page as SVG in the colours of the theme. Series differ by dash and mark as well as by colour.

import { scaleOf, ticksOf } from '../../../ui/charts/axis.ts';
import css from './plots.module.css';

export interface Series {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
  /** Place in the palette: colour, dash and mark. */
  look: number;
  line?: boolean;
  /** Cited, not measured: drawn hollow and named so. */
  cited?: boolean;
}

export interface LinePlotProps {
  title: string;
  series: readonly Series[];
  x: string;
  y: string;
  xLog?: boolean;
  yLog?: boolean;
  yFrom?: number;
  formatX?: (value: number) => string;
  formatY?: (value: number) => string;
}

const W = 460;
const H = 260;
const EDGE = { left: 46, right: 16, top: 10, bottom: 38 };
const DASHES = ['', '6 4', '2 3', '10 3 2 3', '1 2', '8 2'];

function scale(values: readonly number[], log: boolean, from?: number): [lo: number, hi: number] {
  const all = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
  const lo = from ?? Math.min(...all);
  const hi = Math.max(...all);
  if (all.length === 0) return [0, 1];
  return hi > lo ? [lo, hi] : [lo - (log ? lo / 2 : 0.5), hi + (log ? hi / 2 : 0.5)];
}

const plain = (v: number): string => String(Number.isInteger(v) ? v : Number(v.toPrecision(3)));

export function LinePlot(props: LinePlotProps) {
  const { title, series, x, y, xLog = false, yLog = false, yFrom, formatX = plain, formatY = plain } = props;
  const all = series.flatMap((s) => s.points);
  const [x0, x1] = scale(
    all.map((p) => p[0]),
    xLog,
  );
  const [y0, y1] = scale(
    all.map((p) => p[1]),
    yLog,
    yFrom,
  );
  const px = scaleOf({ log: xLog }, [x0, x1], [EDGE.left, W - EDGE.right]);
  const py = scaleOf({ log: yLog }, [y0, y1], [H - EDGE.bottom, EDGE.top]);
  return (
    <figure className={css.plot}>
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`${title}. ${series.map(inWords).join('. ')}`}>
        {ticksOf({ log: yLog }, [y0, y1], yLog ? 6 : 4).map((t) => (
          <g key={t} className={css.tick}>
            <line x1={EDGE.left} x2={W - EDGE.right} y1={py(t)} y2={py(t)} />
            <text x={EDGE.left - 7} y={py(t) + 4} textAnchor="end">
              {formatY(t)}
            </text>
          </g>
        ))}
        {ticksOf({ log: xLog }, [x0, x1], xLog ? 6 : 4).map((t) => (
          <text key={t} className={css.tickText} x={px(t)} y={H - EDGE.bottom + 16} textAnchor="middle">
            {formatX(t)}
          </text>
        ))}
        <text className={css.axis} x={W - EDGE.right} y={H - 4} textAnchor="end">
          {x}
        </text>
        {series.map((s) => (
          <g key={s.name} data-look={s.look} className={css.series}>
            {s.line !== false && s.points.length > 1 && (
              <polyline
                points={s.points.map(([a, b]) => `${px(a).toFixed(1)},${py(b).toFixed(1)}`).join(' ')}
                strokeDasharray={DASHES[s.look % DASHES.length]}
              />
            )}
            {s.points.length <= 24 &&
              s.points.map(([a, b]) => <Mark key={`${a} ${b}`} look={s.look} x={px(a)} y={py(b)} cited={s.cited} />)}
          </g>
        ))}
      </svg>
      <ul className={css.names} aria-hidden="true">
        {series.map((s) => (
          <li key={s.name}>
            <svg
              viewBox="0 0 30 12"
              width="30"
              height="12"
              data-look={s.look}
              className={css.series}
              aria-hidden="true"
            >
              {s.line !== false && (
                <line x1="0" x2="30" y1="6" y2="6" strokeDasharray={DASHES[s.look % DASHES.length]} />
              )}
              <Mark look={s.look} x={15} y={6} cited={s.cited} />
            </svg>
            {s.name}
          </li>
        ))}
        <li className={css.axis}>vertical: {y}</li>
      </ul>
    </figure>
  );
}

const inWords = (s: Series): string => {
  const few = s.points.length > 8 ? [s.points[0], s.points[s.points.length - 1]] : s.points;
  return `${s.name}: ${few.map(([a, b]) => `${plain(b)} at ${plain(a)}`).join(', ')}`;
};

function Mark({ look, x, y, cited }: { look: number; x: number; y: number; cited?: boolean }) {
  const c = cited ? css.cited : undefined;
  if (look % 4 === 0) return <circle className={c} cx={x} cy={y} r={3.6} />;
  if (look % 4 === 1) return <rect className={c} x={x - 3.4} y={y - 3.4} width={6.8} height={6.8} />;
  if (look % 4 === 2) return <path className={c} d={`M${x} ${y - 4.6}l4.4 7.8h-8.8z`} />;
  return <path className={c} d={`M${x} ${y - 5}l5 5l-5 5l-5-5z`} />;
}

export interface BarsProps {
  title: string;
  /** Groups along the axis, a bar for each name in each. */
  groups: readonly { label: string; values: readonly number[] }[];
  names: readonly string[];
  looks: readonly number[];
  format: (value: number) => string;
  x: string;
}

export function Bars({ title, groups, names, looks, format, x }: BarsProps) {
  const most = Math.max(1e-9, ...groups.flatMap((g) => g.values));
  const high = H - EDGE.bottom - 24;
  const wide = (W - 8) / Math.max(1, groups.length);
  const bar = Math.min(26, (wide * 0.8) / names.length);
  const words = groups.map((g) => `${g.label}: ${g.values.map((v, i) => `${names[i]} ${format(v)}`).join(', ')}`);
  return (
    <figure className={css.plot}>
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`${title}. ${words.join('. ')}`}>
        <line className={css.base} x1={0} x2={W} y1={H - EDGE.bottom} y2={H - EDGE.bottom} />
        {groups.map((g, k) => {
          const middle = 4 + (k + 0.5) * wide;
          const left = middle - (bar * names.length) / 2;
          return (
            <g key={g.label}>
              {g.values.map((value, i) => {
                const h = (value / most) * high;
                return (
                  <g key={names[i]} data-look={looks[i]} className={css.bars}>
                    <rect x={left + i * bar + 1} y={H - EDGE.bottom - h} width={Math.max(1, bar - 2)} height={h} />
                    {bar >= 13 && (
                      <text x={left + (i + 0.5) * bar} y={H - EDGE.bottom - h - 5} textAnchor="middle">
                        {format(value)}
                      </text>
                    )}
                  </g>
                );
              })}
              <text className={css.tickText} x={middle} y={H - EDGE.bottom + 16} textAnchor="middle">
                {g.label}
              </text>
            </g>
          );
        })}
        <text className={css.axis} x={W - 4} y={H - 4} textAnchor="end">
          {x}
        </text>
      </svg>
      {names.length > 1 && (
        <ul className={css.names} aria-hidden="true">
          {names.map((name, i) => (
            <li key={name}>
              <svg
                viewBox="0 0 12 12"
                width="12"
                height="12"
                data-look={looks[i]}
                className={css.bars}
                aria-hidden="true"
              >
                <rect width="12" height="12" />
              </svg>
              {name}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}
