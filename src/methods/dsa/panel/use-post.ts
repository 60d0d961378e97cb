// A run of post-training in a worker of its own: the views above stay alive while it works, and stopping it is ending the worker.

import { proxy, wrap } from 'comlink';
import { useEffect, useRef, useState } from 'react';
import { emptyView, type PostView, withEvent } from './post-view.ts';
import type { DsaApi, PostReport, PostRequest } from './protocol.ts';

export interface PostRun {
  view: PostView | null;
  report: PostReport | null;
  running: boolean;
  problem: string;
  start(request: PostRequest): void;
  stop(): void;
}

export function usePost(): PostRun {
  const [view, setView] = useState<PostView | null>(null);
  const [report, setReport] = useState<PostReport | null>(null);
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState('');
  const worker = useRef<Worker | null>(null);
  const stop = (): void => {
    worker.current?.terminate();
    worker.current = null;
    setRunning(false);
  };
  useEffect(() => () => worker.current?.terminate(), []);
  const start = (request: PostRequest): void => {
    stop();
    const own = new Worker(new URL('../../../../workers/dsa.ts', import.meta.url), {
      type: 'module',
      name: 'dsa-post',
    });
    worker.current = own;
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
    const listen = proxy((event: Parameters<typeof withEvent>[1]) => {
      if (worker.current === own) setView((before) => before && withEvent(before, event));
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
  return { view, report, running, problem, start, stop };
}
