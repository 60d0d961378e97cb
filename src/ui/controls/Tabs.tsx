// Sheets of which one is shown, after the WAI-ARIA pattern: arrow keys move between the names. A sheet is made when it is first
// shown; one that is kept lives on behind the others, because something runs there or was measured there.

import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import css from './tabs.module.css';

export interface Sheet<T extends string> {
  id: T;
  words: string;
  /** Lives on while others are shown. */
  kept?: boolean;
  body: ReactNode;
}

interface Props<T extends string> {
  label: string;
  sheets: readonly Sheet<T>[];
  shown: T;
  onShow: (id: T) => void;
}

export function Tabs<T extends string>({ label, sheets, shown, onShow }: Props<T>) {
  const list = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState<ReadonlySet<T>>(new Set([shown]));
  if (!seen.has(shown)) setSeen(new Set([...seen, shown]));
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const now = sheets.findIndex(({ id }) => id === shown);
    const next = (now + by + sheets.length) % sheets.length;
    onShow(sheets[next].id);
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
    event.preventDefault();
  };
  return (
    <>
      <div className={css.list} role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {sheets.map(({ id, words }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === shown}
            aria-controls={`sheet-${id}`}
            tabIndex={id === shown ? 0 : -1}
            onClick={() => onShow(id)}
          >
            {words}
          </button>
        ))}
      </div>
      {sheets.map(({ id, kept, body }) => (
        <div
          key={id}
          className={css.sheet}
          role="tabpanel"
          id={`sheet-${id}`}
          aria-labelledby={`tab-${id}`}
          hidden={id !== shown}
        >
          {(id === shown || (kept && seen.has(id))) && body}
        </div>
      ))}
    </>
  );
}
