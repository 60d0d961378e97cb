// Drives a training run from the page: slices one after the other while it runs, a kept checkpoint when it stops.

import type { Remote } from 'comlink';
import { useCallback, useEffect, useRef, useState } from 'react';
import { keepRun } from '../../../ui/runs-shelf.ts';
import type { Answer, DsaApi, TrainState } from './protocol.ts';
import { recordOf } from './run-record.ts';

const SLICE_MS = 250;

export interface Run {
  state: TrainState | null;
  running: boolean;
  problem: string;
  /** Opens a run, from the beginning or from what was kept, and lets it go. */
  begin(open: () => Promise<Answer<TrainState>>): Promise<void>;
  go(): void;
  pause(): void;
  /** One training step of a run that rests. */
  step(): void;
  /** Steps are on their way: those of the slice in which the run was paused, too. */
  busy: boolean;
  /** A question to the run that gives its state. */
  ask(question: () => Promise<Answer<TrainState>>): Promise<void>;
}

export function useRun(api: Remote<DsaApi>, adapter: string, onWeights: () => void): Run {
  const [state, setState] = useState<TrainState | null>(null);
  const [running, setRunning] = useState(false);
  /** Calls under way: a run that goes on at once has a second loop before the first one's slice is back. */
  const [calls, setCalls] = useState(0);
  const [problem, setProblem] = useState('');
  const phase = useRef('');
  /** A state further on; what a run reached at its end is listed among the runs of this browser. */
  const take = useCallback(
    (next: TrainState): void => {
      setState(next);
      phase.current = next.phase;
      if (!next.done) return;
      setRunning(false);
      keepRun(recordOf(next, adapter, Date.now())).catch((error: unknown) =>
        setProblem(`This run is not listed among the runs: ${error instanceof Error ? error.message : String(error)}`),
      );
    },
    [adapter],
  );

  // A hidden tab rests; what it reached is kept, since it may never come back.
  const [hidden, setHidden] = useState(document.hidden);
  useEffect(() => {
    const look = (): void => setHidden(document.hidden);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  const working = running && !hidden;
  const advance = useCallback(
    async (ms: number): Promise<Answer<TrainState>> => {
      setCalls((n) => n + 1);
      const result = await api.advance(ms);
      setCalls((n) => n - 1);
      return result;
    },
    [api],
  );
  useEffect(() => {
    if (!working) return;
    let going = true;
    const loop = async (): Promise<void> => {
      while (going) {
        const result = await advance(SLICE_MS);
        if (!result.ok) {
          setProblem(result.reason);
          return setRunning(false);
        }
        // Also of the slice in which the run was paused: it was trained.
        if (result.value.phase !== phase.current || result.value.done) onWeights();
        take(result.value);
        if (result.value.done) return;
      }
    };
    void loop();
    return () => {
      going = false;
      void api.keep();
    };
  }, [working, api, advance, onWeights, take]);

  const ask: Run['ask'] = async (question) => {
    const result = await question();
    setProblem(result.ok ? '' : result.reason);
    if (result.ok) setState(result.value);
  };
  return {
    state,
    running,
    problem,
    busy: calls > 0,
    ask,
    step() {
      const one = async (): Promise<void> => {
        // No time at all: a slice is one step at least.
        const result = await advance(0);
        if (!result.ok) return setProblem(result.reason);
        take(result.value);
        onWeights();
        await api.keep();
      };
      void one();
    },
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
