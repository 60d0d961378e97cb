// Drives a training run from the page: slices one after the other while it runs, a kept checkpoint when it stops.

import type { Remote } from 'comlink';
import { useEffect, useRef, useState } from 'react';
import type { Answer, DsaApi, TrainState } from './protocol.ts';

const SLICE_MS = 250;

export interface Run {
  state: TrainState | null;
  running: boolean;
  problem: string;
  /** Opens a run, from the beginning or from what was kept, and lets it go. */
  begin(open: () => Promise<Answer<TrainState>>): Promise<void>;
  go(): void;
  pause(): void;
  /** A question to the run that gives its state. */
  ask(question: () => Promise<Answer<TrainState>>): Promise<void>;
}

export function useRun(api: Remote<DsaApi>, onWeights: () => void): Run {
  const [state, setState] = useState<TrainState | null>(null);
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState('');
  const phase = useRef('');

  // A hidden tab rests; what it reached is kept, since it may never come back.
  const [hidden, setHidden] = useState(document.hidden);
  useEffect(() => {
    const look = (): void => setHidden(document.hidden);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  const working = running && !hidden;
  useEffect(() => {
    if (!working) return;
    let going = true;
    const loop = async (): Promise<void> => {
      while (going) {
        const result = await api.advance(SLICE_MS);
        if (!going) return;
        if (!result.ok) {
          setProblem(result.reason);
          return setRunning(false);
        }
        setState(result.value);
        if (result.value.phase !== phase.current || result.value.done) onWeights();
        phase.current = result.value.phase;
        if (result.value.done) return setRunning(false);
      }
    };
    void loop();
    return () => {
      going = false;
      void api.keep();
    };
  }, [working, api, onWeights]);

  const ask: Run['ask'] = async (question) => {
    const result = await question();
    setProblem(result.ok ? '' : result.reason);
    if (result.ok) setState(result.value);
  };
  return {
    state,
    running,
    problem,
    ask,
    async begin(open) {
      setRunning(false);
      setProblem('');
      const opened = await open();
      if (!opened.ok) return setProblem(opened.reason);
      phase.current = opened.value.phase;
      setState(opened.value);
      onWeights();
      setRunning(!opened.value.done);
    },
    go: () => setRunning(true),
    pause: () => setRunning(false),
  };
}
