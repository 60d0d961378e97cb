// One map of similarities: passes downwards, positions of prompt and canvas to the right, the deeper the less alike.

import { type PointerEvent, useEffect, useRef, useState } from 'react';
import { offsetOf, type Similarity } from '../similarity.ts';
import { coloursAt, useThemeCount } from './colours.ts';
import mcss from './microscope.module.css';

export interface MapChoice {
  against: number;
  kind: number;
  layer: number;
}

const HINT = 'Prompt and canvas to the right, passes downwards; lines: the block.';

/** Height of the picture, and of one pass, in CSS pixels. */
const HIGH = { most: 260, pass: 18 };

export function SimilarityMap({ found, map, label }: { found: Similarity; map: MapChoice; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useThemeCount();
  const [at, setAt] = useState<{ pass: number; position: number } | null>(null);
  const { passes, positions, prompt, steps } = found;
  const from = offsetOf(found, map.against, map.kind, map.layer);
  const values = found.values.subarray(from, from + passes * positions);
  const known = values.filter((v) => !Number.isNaN(v));
  const least = known.length > 0 ? known.reduce((a, b) => Math.min(a, b)) : 1;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the map is known by `found` and `from`, the theme changes colours
  useEffect(() => {
    const element = canvas.current;
    const c = element?.getContext('2d');
    if (!element || !c) return;
    const { ground, end } = coloursAt(element.parentElement as Element, ['ground', 'end'] as const);
    c.clearRect(0, 0, positions, passes);
    for (let pass = 0; pass < passes; pass++) {
      for (let x = 0; x < positions; x++) {
        const v = values[pass * positions + x];
        if (Number.isNaN(v)) continue;
        c.globalAlpha = 1;
        c.fillStyle = ground;
        c.fillRect(x, pass, 1, 1);
        // The root shows the small changes of what is cached beside the large ones of the block.
        c.globalAlpha = least < 1 ? Math.sqrt(Math.max(0, (1 - v) / (1 - least))) : 0;
        c.fillStyle = end;
        c.fillRect(x, pass, 1, 1);
      }
    }
  }, [found, from, theme]);
  const point = (event: PointerEvent): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const position = Math.floor(((event.clientX - box.left) / box.width) * positions);
    const pass = Math.floor(((event.clientY - box.top) / box.height) * passes);
    setAt(position >= 0 && position < positions && pass >= 0 && pass < passes ? { pass, position } : null);
  };
  const under = at && at.pass < passes ? values[at.pass * positions + at.position] : Number.NaN;
  const placeOf = (position: number): string =>
    position < prompt ? `prompt token ${position + 1}` : `position ${position - prompt}`;
  return (
    <figure className={mcss.similarity}>
      <figcaption>
        <span>{label}</span>
        <span>
          {least.toFixed(3)} <i aria-hidden="true" /> 1
        </span>
      </figcaption>
      <div>
        <canvas
          ref={canvas}
          width={positions}
          height={passes}
          style={{ height: Math.min(HIGH.most, Math.max(40, passes * HIGH.pass)) }}
          role="img"
          aria-label={`${label}: ${passes} passes of ${positions} positions, the least alike at ${least.toFixed(3)}`}
          data-testid="similarity-map"
          onPointerMove={point}
          onPointerLeave={() => setAt(null)}
        />
        <svg viewBox={`0 0 ${positions} ${passes}`} preserveAspectRatio="none" aria-hidden="true">
          {steps.map(({ start, end }, pass) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a row is its pass
            <path key={pass} d={`M${start} ${pass}V${pass + 1}M${end} ${pass}V${pass + 1}`} />
          ))}
        </svg>
      </div>
      <p aria-hidden="true">
        {at && !Number.isNaN(under) ? `pass ${at.pass + 1}, ${placeOf(at.position)}: ${under.toFixed(4)}` : HINT}
      </p>
    </figure>
  );
}
