// A weight matrix as a picture: negative and positive in two hues that colour-blind readers can part, zero as ground.

import { useEffect, useRef } from 'react';
import { coloursAt, useThemeCount } from './colours.ts';
import mcss from './microscope.module.css';

export interface WeightMapProps {
  title: string;
  size: number;
  values: Float32Array;
  bias: Float32Array;
}

export function WeightMap({ title, size, values, bias }: WeightMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useThemeCount();
  const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-9);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colours
  useEffect(() => {
    const element = canvas.current;
    const c = element?.getContext('2d');
    if (!element || !c) return;
    const { top, end, ground } = coloursAt(element.parentElement as Element, ['top', 'end', 'ground'] as const);
    // The last column, set apart, is the bias.
    const paint = (v: number, x: number, y: number): void => {
      c.globalAlpha = 1;
      c.fillStyle = ground;
      c.fillRect(x, y, 1, 1);
      c.globalAlpha = Math.min(1, Math.abs(v) / most);
      c.fillStyle = v < 0 ? end : top;
      c.fillRect(x, y, 1, 1);
    };
    c.clearRect(0, 0, element.width, element.height);
    for (let o = 0; o < size; o++) {
      for (let i = 0; i < size; i++) paint(values[o * size + i], i, o);
      paint(bias[o], size + 1, o);
    }
  }, [values, bias, size, most, theme]);
  return (
    <figure className={mcss.weights}>
      <figcaption>
        <span>{title}</span>
        <span>
          −{most.toFixed(2)} <i aria-hidden="true" /> {most.toFixed(2)}
        </span>
      </figcaption>
      <canvas
        ref={canvas}
        width={size + 2}
        height={size}
        role="img"
        aria-label={`${title}: ${size} by ${size} weights up to ${most.toFixed(2)} in magnitude, biases beside them`}
      />
    </figure>
  );
}
