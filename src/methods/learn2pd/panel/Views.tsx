// One view of the rest at a time, named in the link.

import type { ComponentType } from 'react';
import { Tabs } from '../../../ui/controls/Tabs.tsx';
import { CacheView } from './CacheView.tsx';
import { EndOfText } from './EndOfText.tsx';
import { Measure } from './Measure.tsx';
import { Microscope } from './Microscope.tsx';
import { Oracle } from './Oracle.tsx';
import { Paper } from './Paper.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import { TrainingView } from './TrainingView.tsx';
import { TABS, type Tab } from './view.ts';

const VIEWS: Record<Tab, { words: string; View: ComponentType<{ session: PanelSession }> }> = {
  filter: { words: 'Filter', View: Microscope },
  end: { words: 'End of text', View: EndOfText },
  oracle: { words: 'Oracle', View: Oracle },
  cache: { words: 'KV cache', View: CacheView },
  train: { words: 'Training', View: TrainingView },
  measure: { words: 'Measurements', View: Measure },
  paper: { words: 'Paper', View: Paper },
};

export function Views({ session }: { session: PanelSession }) {
  const shown = usePanel((s) => s.view.tab);
  const sheets = TABS.map((id) => {
    const { words, View } = VIEWS[id];
    return { id, words, body: <View session={session} /> };
  });
  return <Tabs label="Views" sheets={sheets} shown={shown} onShow={(tab) => void session.change({ tab })} />;
}
