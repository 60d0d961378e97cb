// One measured line over steps, on uPlot, in the colours of the theme. Its text alternative is the last value.

import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import css from './charts.module.css';

export interface LineChartProps {
  title: string;
  xs: readonly number[];
  ys: readonly number[];
  accent?: boolean;
}

const HEIGHT = 180;

export function LineChart({ title, xs, ys, accent }: LineChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const build = () => {
      plot.current?.destroy();
      const colours = getComputedStyle(element);
      const quiet = colours.getPropertyValue('--ink-3');
      const grid = { stroke: colours.getPropertyValue('--line'), width: 1 };
      const axis = { stroke: quiet, grid, ticks: grid, font: `12px ${colours.fontFamily}` };
      plot.current = new UPlot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: false } },
          axes: [axis, { ...axis, size: 56 }],
          series: [
            {},
            { stroke: colours.getPropertyValue(accent ? '--accent' : '--ink-2'), width: 1.5, points: { show: false } },
          ],
        },
        [[], []],
        element,
      );
    };
    build();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [accent]);
  useEffect(() => {
    plot.current?.setData([xs as number[], ys as number[]]);
  }, [xs, ys]);
  const last = ys.at(-1);
  return (
    <figure className={css.chart}>
      <figcaption>
        <span>{title}</span>
        <span>{last === undefined ? '–' : last.toPrecision(4)}</span>
      </figcaption>
      <div ref={host} />
    </figure>
  );
}
