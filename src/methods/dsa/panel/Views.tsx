// The inspector of one row of tokens, and under it one sheet at a time: maps and theatre share its row, query, layer and k. The
// address holds all of it.

import type { Remote } from 'comlink';
import { useEffect, useMemo, useState } from 'react';
import { type Sheet, Tabs } from '../../../ui/controls/Tabs.tsx';
import { parseHash, replaceQuery } from '../../../ui/shell/hash-location.ts';
import css from './dsa.module.css';
import { Inspector } from './Inspector.tsx';
import { Maps } from './Maps.tsx';
import type { DsaApi, Opened } from './protocol.ts';
import { Theatre } from './Theatre.tsx';
import { useProbe } from './use-probe.ts';
import { type Asked, askedAs, fitView, linkOf, type Tab, type View, viewOf } from './view.ts';

interface Props {
  api: Remote<DsaApi>;
  opened: Opened;
  version: number;
  /** What needs no row. */
  others: (at: { view: View; onView: (part: Partial<View>) => void }) => readonly Sheet<Tab>[];
}

export function Views({ api, opened, version, others }: Props) {
  const { config } = opened;
  const [asked, setAsked] = useState<Asked>(() => viewOf(new URLSearchParams(parseHash(location.hash).query)));
  const { view, changed } = useMemo(() => fitView(asked, config, opened.tasks), [asked, config, opened]);
  const change = (part: Partial<View>): void => setAsked({ ...askedAs(asked, view), ...part });
  useEffect(() => replaceQuery(linkOf(askedAs(asked, view))), [asked, view]);
  const { task, row, quant, hadamard, attention, k } = view;
  const found = useProbe(api, { task, index: row, quant, hadamard, k: attention === 'sparse' ? k : null }, version);
  const { problem, busy } = found;
  // A probe of other weights may still be there for a moment.
  const probe =
    found.probe?.ids.length === config.time && found.probe.layers.length === config.layers ? found.probe : null;
  const facts = {
    weights: opened.title,
    preset: config.rung,
    n: '1 row',
    row: `${row} of seed ${opened.rowSeed}`,
    indexer: `${quant}${hadamard ? ', Hadamard' : ''}`,
    path: probe?.path ?? '',
    adapter: opened.adapter,
  };
  const shared = { config, tasks: opened.tasks, facts, view, onView: change };
  return (
    <>
      {[...changed, problem].filter(Boolean).map((text) => (
        <p key={text} className={css.problem} role="alert">
          {text}
        </p>
      ))}
      <Inspector {...shared} probe={probe} busy={busy} />
      <Tabs
        label="Views"
        shown={view.tab}
        onShow={(tab) => change({ tab })}
        sheets={[
          { id: 'maps', words: 'Maps', body: probe && <Maps {...shared} probe={probe} /> },
          { id: 'theatre', words: 'Top-k', body: probe && <Theatre {...shared} api={api} probe={probe} /> },
          ...others(shared),
        ]}
      />
    </>
  );
}
