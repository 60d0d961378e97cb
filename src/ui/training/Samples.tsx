// What the model makes of held-out recordings now, row by row beside the truth.

import { useEffect, useRef } from 'react';
import type { View } from '../../methods/contract.ts';
import { toRgba } from '../playground/image-metrics.ts';
import { useTraining } from './train-store.ts';
import css from './training.module.css';

export function Samples() {
  const samples = useTraining((state) => state.samples);
  return (
    <section className={css.samples} aria-label="Samples">
      {samples ? (
        samples.rows.map((row) => <Row key={row.title} view={samples} title={row.title} rgb={row.rgb} />)
      ) : (
        <p>Pictures appear after the first seconds of training.</p>
      )}
    </section>
  );
}

function Row({ view, title, rgb }: { view: View; title: string; rgb: Uint8Array }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, columns } = view;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const size = width * height * 3;
    const pixels = new ImageData(width, height);
    for (let i = 0; i < columns; i++) {
      toRgba(rgb.subarray(i * size, (i + 1) * size), pixels.data);
      context.putImageData(pixels, i * (width + 1), 0);
    }
  }, [rgb, width, height, columns]);
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <canvas
        ref={canvas}
        width={columns * (width + 1) - 1}
        height={height}
        role="img"
        aria-label={`${title}, ${columns} frames`}
      />
    </figure>
  );
}
