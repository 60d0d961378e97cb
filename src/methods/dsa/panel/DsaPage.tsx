// The page of sparse attention: opens the worker and the weights, keeps the view in the address, and lays the sections out.

import { type Remote, wrap } from 'comlink';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { parseHash, replaceQuery } from '../../../ui/shell/hash-location.ts';
import { configure } from '../config.ts';
import { Cost } from './Cost.tsx';
import css from './dsa.module.css';
import { Inspector } from './Inspector.tsx';
import { Maps } from './Maps.tsx';
import { Paper } from './Paper.tsx';
import type { DsaApi, Opened } from './protocol.ts';
import { Theatre } from './Theatre.tsx';
import { Training } from './Training.tsx';
import { useProbe } from './use-probe.ts';
import { fitView, linkOf, type View, viewOf } from './view.ts';

const CHECKPOINT = 'models/dsa/dsa-nano.safetensors';

export function DsaPage() {
  const [api, setApi] = useState<Remote<DsaApi> | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [problem, setProblem] = useState('');
  const [version, setVersion] = useState(0);

  useEffect(() => {
    const worker = new Worker(new URL('../../../../workers/dsa.ts', import.meta.url), { type: 'module', name: 'dsa' });
    const remote = wrap<DsaApi>(worker);
    let live = true;
    const open = async (): Promise<void> => {
      const response = await fetch(CHECKPOINT);
      if (!response.ok) throw new Error(`${CHECKPOINT} could not be loaded (${response.status}).`);
      const result = await remote.open(new Uint8Array(await response.arrayBuffer()));
      if (!live) return;
      if (!result.ok) throw new Error(result.reason);
      setOpened(result.value);
      setApi(() => remote);
    };
    open().catch((error: unknown) => {
      if (live) setProblem(error instanceof Error ? error.message : String(error));
    });
    return () => {
      live = false;
      worker.terminate();
    };
  }, []);

  const newWeights = useCallback((preset: string) => {
    setOpened((before) => before && { ...before, config: configure(preset), title: 'the weights of this tab' });
    setVersion((n) => n + 1);
  }, []);

  return (
    <main className={css.page}>
      <h1>Sparse attention</h1>
      <p className={css.lead}>
        A lightning indexer with 8-bit keys scores every past token; attention reads only the few with the largest
        scores. From DeepSeek-V3.2, in small.
      </p>
      {problem && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      {!opened && !problem && <p role="status">Opening the device and the weights.</p>}
      {api && opened && (
        <>
          <Views api={api} opened={opened} version={version} />
          <Training api={api} onWeights={newWeights} />
          <Cost api={api} adapter={opened.adapter} />
        </>
      )}
      <Paper />
    </main>
  );
}

/** The three views of one row: they share row, query, layer and k. */
function Views({ api, opened, version }: { api: Remote<DsaApi>; opened: Opened; version: number }) {
  const { config } = opened;
  const [asked, setAsked] = useState<View>(() => viewOf(new URLSearchParams(parseHash(location.hash).query)));
  const { view, changed } = useMemo(() => fitView(asked, config), [asked, config]);
  const change = (part: Partial<View>): void => setAsked({ ...view, ...part });
  useEffect(() => replaceQuery(linkOf(view)), [view]);
  const { task, row, quant, hadamard, attention, k } = view;
  const { probe, problem, busy } = useProbe(
    api,
    { task, index: row, quant, hadamard, k: attention === 'sparse' ? k : null },
    version,
  );
  const facts = {
    weights: opened.title,
    row: `${row} of seed ${opened.rowSeed}`,
    indexer: `${quant}${hadamard ? ', Hadamard' : ''}`,
    path: probe?.path ?? '',
    adapter: opened.adapter,
  };
  const shared = { config, facts, view, onView: change };
  return (
    <>
      {[...changed, problem].filter(Boolean).map((text) => (
        <p key={text} className={css.problem} role="alert">
          {text}
        </p>
      ))}
      <Inspector {...shared} probe={probe} busy={busy} />
      {probe && (
        <>
          <Maps {...shared} probe={probe} />
          <Theatre {...shared} api={api} probe={probe} />
        </>
      )}
    </>
  );
}
