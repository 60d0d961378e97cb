// The canvas as text after a pass: every token a chip, long stretches of one kind folded.

import { memo } from 'react';
import { type Cell, cellAt, isEnd, type Replay } from './replay.ts';
import css from './theatre.module.css';

type Kind = Cell | 'end';

interface Stretch {
  from: number;
  kind: Kind;
  count: number;
  fresh: boolean;
}

/** Fewer equal masks or end tokens than this stand one by one. */
const FOLD = 5;

function stretches(r: Replay, pass: number): Stretch[] {
  const out: Stretch[] = [];
  for (let at = 0; at < r.canvas; at++) {
    const cell = cellAt(r, pass, at);
    const kind: Kind = cell !== 'cut' && isEnd(r, pass, at) ? 'end' : cell;
    const last = out.at(-1);
    const folds = kind === 'masked' || kind === 'open' || kind === 'right' || kind === 'end' || kind === 'cut';
    if (folds && last?.kind === kind) last.count++;
    else out.push({ from: at, kind, count: 1, fresh: pass >= 0 && r.finalAt[at] === pass });
  }
  return out.flatMap((s) =>
    s.count >= FOLD ? [s] : Array.from({ length: s.count }, (_, i) => ({ ...s, from: s.from + i, count: 1 })),
  );
}

const SIGNS: Partial<Record<Kind, string>> = { masked: '·', open: '·', right: '/', end: 'E', cut: '–' };

export const TokenStrip = memo(function TokenStrip({
  replay,
  pass,
  nameOf,
}: {
  replay: Replay;
  pass: number;
  nameOf: (id: number) => string;
}) {
  return (
    <p className={css.strip}>
      {stretches(replay, pass).map(({ from, kind, count, fresh }) => (
        <span key={from} data-cell={kind} data-fresh={fresh || undefined}>
          {SIGNS[kind] ?? nameOf(replay.token[from])}
          {count > 1 && <small>×{count}</small>}
        </span>
      ))}
    </p>
  );
});
