// A run of post-training in a worker of its own: the views above stay alive while it works, and stopping it is ending the worker.
// What the run has done by then is kept.

import { proxy, type Remote, wrap } from 'comlink';
import { useCallback, useEffect, useRef, useState } from 'react';
import { emptyView, type PostView, withEvent } from './post-view.ts';
import type { DsaApi, PostNews, PostReport, PostRequest, SavedPost } from './protocol.ts';

export interface PostRun {
  view: PostView | null;
  report: PostReport | null;
  running: boolean;
  problem: string;
  /** A run that can go on; null while one runs. */
  saved: SavedPost | null;
  /** A new run, or the saved one (null). */
  start(request: PostRequest | null): void;
  stop(): void;
  forget(): void;
}

export function usePost(api: Remote<DsaApi>): PostRun {
  const [view, setView] = useState<PostView | null>(null);
  const [report, setReport] = useState<PostReport | null>(null);
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState('');
  const [saved, setSaved] = useState<SavedPost | null>(null);
  const worker = useRef<Worker | null>(null);
  const look = useCallback(async (): Promise<void> => {
    const result = await api.savedPost();
    if (worker.current) return;
    if (result.ok) setSaved(result.value);
    else setProblem(`Post-training here will not survive a reload: ${result.reason}`);
  }, [api]);
  useEffect(() => {
    void look();
    return () => worker.current?.terminate();
  }, [look]);
  const stop = (): void => {
    worker.current?.terminate();
    worker.current = null;
    setRunning(false);
    void look();
  };
  const start = (request: PostRequest | null): void => {
    worker.current?.terminate();
    const own = new Worker(new URL('../../../../workers/dsa.ts', import.meta.url), {
      type: 'module',
      name: 'dsa-post',
    });
    worker.current = own;
    setSaved(null);
    setProblem('');
    setReport(null);
    setView(emptyView());
    setRunning(true);
    const end = (): void => {
      if (worker.current === own) stop();
    };
    own.onerror = (event) => {
      setProblem(event.message);
      end();
    };
    const listen = proxy((event: PostNews) => {
      if (worker.current !== own) return;
      if (event.kind === 'unkept') setProblem(`Post-training here will not survive a reload: ${event.reason}`);
      else setView((before) => before && withEvent(before, event));
    });
    void wrap<DsaApi>(own)
      .postTrain(request, listen)
      .then((result) => {
        if (worker.current !== own) return;
        if (result.ok) setReport(result.value);
        else setProblem(result.reason);
        end();
      });
  };
  const forget = (): void => void api.forgetPost().then(look);
  // A run whose report is shown has nothing left to do.
  return { view, report, running, problem, saved: report ? null : saved, start, stop, forget };
}
