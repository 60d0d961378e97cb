// The page of sparse attention: opens the worker and the weights; the inspector, and under it one sheet at a time.

import { type Remote, wrap } from 'comlink';
import { useCallback, useEffect, useState } from 'react';
import type { Sheet } from '../../../ui/controls/Tabs.tsx';
import { PAPER } from '../paper.ts';
import { Architecture } from './Architecture.tsx';
import { CodesBench } from './CodesBench.tsx';
import { Cost } from './Cost.tsx';
import { type Card, fetchPost, fetchShipped, type PostCard, type ShippedName } from './card.ts';
import css from './dsa.module.css';
import { Paper } from './Paper.tsx';
import { Parity } from './Parity.tsx';
import { Places } from './Places.tsx';
import { PostTraining } from './PostTraining.tsx';
import { type ParityRow, placeTables } from './parity.ts';
import type { DsaApi, Opened } from './protocol.ts';
import { Training } from './Training.tsx';
import { Views } from './Views.tsx';
import type { Tab } from './view.ts';
import { WeightsBar } from './WeightsBar.tsx';

interface Loaded extends Opened {
  /** Card of the shipped weights; null for others. */
  card: Card | null;
}

type ViewAt = Parameters<Parameters<typeof Views>[0]['others']>[0];

export function DsaPage() {
  const [api, setApi] = useState<Remote<DsaApi> | null>(null);
  const [opened, setOpened] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState('');
  const [version, setVersion] = useState(0);
  const [evaluated, setEvaluated] = useState<readonly ParityRow[]>([]);
  const [recorded, setRecorded] = useState<PostCard | null>(null);

  useEffect(() => {
    const worker = new Worker(new URL('../../../../workers/dsa.ts', import.meta.url), { type: 'module', name: 'dsa' });
    const remote = wrap<DsaApi>(worker);
    let live = true;
    const say = (reason: string): void => {
      if (live) setProblem(reason);
    };
    worker.onerror = (event) => say(`A part of the page failed: ${event.message}. Reload the page.`);
    const open = async (): Promise<void> => {
      const { card, bytes } = await fetchShipped('nano');
      const result = await remote.open(bytes);
      if (!result.ok) throw new Error(result.reason);
      if (!live) return;
      setOpened({ ...result.value, card });
      setApi(() => remote);
      setRecorded(await fetchPost(card));
    };
    open().catch((error: unknown) => say(error instanceof Error ? error.message : String(error)));
    return () => {
      live = false;
      worker.terminate();
    };
  }, []);

  const load = useCallback(
    async (bytes: Uint8Array<ArrayBuffer>, name: string): Promise<void> => {
      const result = await api?.open(bytes);
      if (!result) return;
      if (!result.ok) return setProblem(`${name}: ${result.reason}`);
      setProblem('');
      setOpened({ ...result.value, card: null });
      setVersion((n) => n + 1);
    },
    [api],
  );
  const shipped = async (name: ShippedName): Promise<void> => {
    try {
      const { card, bytes } = await fetchShipped(name);
      await load(bytes, card.file);
      setOpened((before) => before && { ...before, card });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const newWeights = useCallback(async (): Promise<void> => {
    const result = await api?.openRun();
    if (!result?.ok) return;
    setOpened({ ...result.value, card: null });
    setVersion((n) => n + 1);
  }, [api]);

  const sheets = (api: Remote<DsaApi>, opened: Loaded, at: ViewAt): readonly Sheet<Tab>[] => [
    { id: 'codes', words: 'FP8', body: <CodesBench api={api} adapter={opened.adapter} /> },
    {
      id: 'train',
      words: 'Training',
      kept: true,
      body: <Training {...at} api={api} adapter={opened.adapter} onWeights={newWeights} />,
    },
    {
      id: 'parity',
      words: 'Parity',
      kept: true,
      body: <Parity api={api} opened={opened} version={version} card={opened.card} onRows={setEvaluated} />,
    },
    {
      id: 'places',
      words: 'Where',
      body: <Places card={opened.card} measured={placeTables(evaluated)} adapter={opened.adapter} />,
    },
    {
      id: 'post',
      words: 'Post-training',
      kept: true,
      body: <PostTraining api={api} adapter={opened.adapter} recorded={recorded} />,
    },
    {
      id: 'cost',
      words: 'Cost',
      kept: true,
      body: <Cost api={api} adapter={opened.adapter} software={opened.software} />,
    },
    {
      id: 'paper',
      words: 'Model and paper',
      body: (
        <>
          <Architecture config={opened.config} parameters={opened.parameters} />
          <Paper />
        </>
      ),
    },
  ];

  return (
    <main className={css.page}>
      <h1>Sparse attention</h1>
      <p className={css.lead}>
        A lightning indexer with 8-bit keys scores every past token; attention reads only the few with the largest
        scores. From DeepSeek-V3.2, in small.{' '}
        <a href={`https://arxiv.org/abs/${PAPER.arxiv}`} rel="noreferrer">
          arXiv {PAPER.arxiv}
        </a>
      </p>
      {problem && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      {!opened && !problem && <p role="status">Opening the device and the weights.</p>}
      {api && opened && (
        <>
          <WeightsBar opened={opened} onFile={load} onShipped={(name) => void shipped(name)} />
          <Views api={api} opened={opened} version={version} others={(at) => sheets(api, opened, at)} />
        </>
      )}
      {!opened && problem && <Paper />}
    </main>
  );
}
