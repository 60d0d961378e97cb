// The data path of a layer as a drawing: boxes are what is computed or kept, lines what flows. Lines that carry all L past tokens
// move densely, those that carry k of them sparsely; they stand still for those who asked their system for less motion.

import type { DsaConfig } from '../config.ts';
import css from './dsa.module.css';

interface Box {
  x: number;
  y: number;
  width: number;
  title: string;
  words: string;
  kind?: 'indexer' | 'kept';
}

const HEIGHT = 46;

function boxes(c: DsaConfig): Box[] {
  const [left, right, middle] = [
    { x: 22, width: 168 },
    { x: 210, width: 168 },
    { x: 100, width: 200 },
  ];
  return [
    { ...left, y: 4, title: 'query token t', words: `x, ${c.d} wide` },
    { ...right, y: 4, title: 'past tokens s ≤ t', words: `x, ${c.d} wide, L of them` },
    {
      ...left,
      y: 82,
      title: 'index queries, weights',
      words: `${c.indexHeads} heads of ${c.indexDim}`,
      kind: 'indexer',
    },
    { ...right, y: 82, title: 'index keys, kept', words: `${c.indexDim} codes and a scale`, kind: 'indexer' },
    { ...middle, y: 160, title: 'lightning indexer', words: 'I = Σ w · ReLU(q · k), L scores', kind: 'indexer' },
    { ...middle, y: 232, title: 'top-k', words: `k = ${c.k} places`, kind: 'indexer' },
    { ...left, y: 310, title: 'queries, absorbed', words: `${c.heads} heads of ${c.dC + c.dR}`, kind: 'kept' },
    { ...right, y: 310, title: 'latents, kept', words: `${c.dC} and ${c.dR} rotary`, kind: 'kept' },
    { ...middle, y: 388, title: 'attention over k latents', words: 'all heads read the same k', kind: 'kept' },
    { ...middle, y: 462, title: 'output', words: `values per head, back to ${c.d}` },
  ];
}

/** `many`: what flows there is one piece for every past token. */
const LINES: readonly { d: string; many?: boolean }[] = [
  { d: 'M106 50 V82' },
  { d: 'M294 50 V82', many: true },
  { d: 'M106 128 V144 H150 V160' },
  { d: 'M294 128 V144 H250 V160', many: true },
  { d: 'M200 206 V232', many: true },
  { d: 'M300 255 H340 V310' },
  { d: 'M22 27 H10 V333 H22' },
  { d: 'M378 27 H390 V333 H378', many: true },
  { d: 'M106 356 V372 H150 V388' },
  { d: 'M294 356 V372 H250 V388' },
  { d: 'M200 434 V462' },
];

export function DataPath({ config, moving }: { config: DsaConfig; moving: boolean }) {
  return (
    <svg className={css.path} viewBox="0 0 400 512" role="img" aria-labelledby="path-title" data-moving={moving}>
      <title id="path-title">
        From the query and the past tokens through the lightning indexer and top-k to attention over k latents
      </title>
      {LINES.map(({ d, many }) => (
        <path key={d} d={d} data-many={many ?? false} />
      ))}
      {boxes(config).map(({ x, y, width, title, words, kind }) => (
        <g key={title} data-kind={kind ?? 'plain'}>
          <rect x={x} y={y} width={width} height={HEIGHT} rx={8} />
          <text x={x + width / 2} y={y + 20}>
            {title}
          </text>
          <text x={x + width / 2} y={y + 36} data-quiet>
            {words}
          </text>
        </g>
      ))}
    </svg>
  );
}
