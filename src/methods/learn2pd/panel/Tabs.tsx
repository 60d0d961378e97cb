// One view of the rest at a time, named in the link. Arrow keys move between the names, as tabs do everywhere.

import { type ComponentType, type KeyboardEvent, useRef } from 'react';
import { CacheView } from './CacheView.tsx';
import { EndOfText } from './EndOfText.tsx';
import css from './learn2pd.module.css';
import { Measure } from './Measure.tsx';
import { Microscope } from './Microscope.tsx';
import { Oracle } from './Oracle.tsx';
import { Paper } from './Paper.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import { TrainingView } from './TrainingView.tsx';
import { TABS, type Tab } from './view.ts';

const VIEWS: Record<Tab, { words: string; view: ComponentType<{ session: PanelSession }> }> = {
  filter: { words: 'Filter', view: Microscope },
  end: { words: 'End of text', view: EndOfText },
  oracle: { words: 'Oracle', view: Oracle },
  cache: { words: 'KV cache', view: CacheView },
  train: { words: 'Training', view: TrainingView },
  measure: { words: 'Measurements', view: Measure },
  paper: { words: 'Paper', view: Paper },
};

export function Tabs({ session }: { session: PanelSession }) {
  const tab = usePanel((s) => s.view.tab);
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const next = (TABS.indexOf(tab) + by + TABS.length) % TABS.length;
    void session.change({ tab: TABS[next] });
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
    event.preventDefault();
  };
  const { view: Sheet } = VIEWS[tab];
  return (
    <>
      <div className={css.tabs} role="tablist" aria-label="Views" ref={list} onKeyDown={move}>
        {TABS.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={name === tab}
            aria-controls="sheet"
            tabIndex={name === tab ? 0 : -1}
            onClick={() => void session.change({ tab: name })}
          >
            {VIEWS[name].words}
          </button>
        ))}
      </div>
      <div className={css.sheet} role="tabpanel" id="sheet" aria-labelledby={`tab-${tab}`}>
        <Sheet session={session} />
      </div>
    </>
  );
}
