// The page of sparse attention: token inspector on the shipped weights, training in the tab, cost by position, the paper.

import { type Remote, wrap } from 'comlink';
import { useCallback, useEffect, useState } from 'react';
import { parseHash, replaceQuery } from '../../../ui/shell/hash-location.ts';
import { configure } from '../config.ts';
import type { Quant } from '../ops.ts';
import { Cost } from './Cost.tsx';
import css from './dsa.module.css';
import { Inspector, type View } from './Inspector.tsx';
import { Paper } from './Paper.tsx';
import type { DsaApi, Opened } from './protocol.ts';
import { Training } from './Training.tsx';

const CHECKPOINT = 'models/dsa/dsa-nano.safetensors';

/** The view that a link asks for; what it does not say, or says wrongly, is as at the first visit. */
function viewOf(query: URLSearchParams): View {
  const whole = (name: string, standard: number): number => {
    const text = query.get(name) ?? '';
    return /^\d{1,6}$/.test(text) ? Number(text) : standard;
  };
  const quant = query.get('quant') ?? '';
  return {
    task: query.get('task') === 'control' ? 'control' : 'retrieval',
    row: whole('row', 0),
    query: whole('query', 25),
    layer: whole('layer', 1),
    k: Math.max(1, whole('k', 4)),
    quant: (['f32', 'e4m3', 'i8'] as const).find((q: Quant) => q === quant) ?? 'e4m3',
    hadamard: query.get('hadamard') !== '0',
  };
}

const linkOf = (view: View): string =>
  new URLSearchParams({
    ...Object.fromEntries(Object.entries(view).map(([name, value]) => [name, String(value)])),
    hadamard: view.hadamard ? '1' : '0',
  }).toString();

export function DsaPage() {
  const [api, setApi] = useState<Remote<DsaApi> | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [problem, setProblem] = useState('');
  const [version, setVersion] = useState(0);
  const [view, setView] = useState<View>(() => viewOf(new URLSearchParams(parseHash(location.hash).query)));

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

  const show = (next: View): void => {
    setView(next);
    replaceQuery(linkOf(next));
  };
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
          <Inspector api={api} config={opened.config} version={version} view={view} onView={show} />
          <p className={css.note}>
            Weights: {opened.title}. {opened.adapter}.
          </p>
          <Training api={api} onWeights={newWeights} />
          <Cost api={api} adapter={opened.adapter} />
        </>
      )}
      <Paper />
    </main>
  );
}
