// Training in the tab: the stages one after the other, their losses as they are measured.

import type { Remote } from 'comlink';
import { useEffect, useRef, useState } from 'react';
import { LineChart } from '../../../ui/charts/LineChart.tsx';
import { Button } from '../../../ui/controls/Button.tsx';
import css from './dsa.module.css';
import type { DsaApi, TrainState } from './protocol.ts';

const SLICE_MS = 250;
const NAMES: Record<string, string> = { lm: 'language-model loss', loss: 'loss', kl: 'KL of the indexer' };

interface Line {
  xs: number[];
  ys: number[];
}

export function Training({ api, onWeights }: { api: Remote<DsaApi>; onWeights: (preset: string) => void }) {
  const [state, setState] = useState<TrainState | null>(null);
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState('');
  const [lines, setLines] = useState<Record<string, Line>>({});
  const live = useRef(true);
  useEffect(() => {
    live.current = true;
    return () => {
      live.current = false;
    };
  }, []);

  useEffect(() => {
    if (!running) return;
    let going = true;
    const loop = async (): Promise<void> => {
      while (going && live.current) {
        const result = await api.advance(SLICE_MS);
        if (!going || !live.current) return;
        if (!result.ok) {
          setProblem(result.reason);
          return setRunning(false);
        }
        const { phase, title, step, values, done } = result.value;
        setState(result.value);
        setLines((before) => {
          const after = { ...before };
          for (const [name, value] of Object.entries(values)) {
            if (!(name in NAMES)) continue;
            const key = `${title}: ${NAMES[name]}`;
            const line = after[key] ?? { xs: [], ys: [] };
            if (line.xs.at(-1) !== step) after[key] = { xs: [...line.xs, step], ys: [...line.ys, value] };
          }
          return after;
        });
        if (done || phase !== state?.phase) onWeights('nano');
        if (done) return setRunning(false);
      }
    };
    void loop();
    return () => {
      going = false;
    };
  }, [running, api, onWeights, state?.phase]);

  const begin = async (): Promise<void> => {
    setProblem('');
    setLines({});
    const started = await api.start('nano', 1);
    if (!started.ok) return setProblem(started.reason);
    setState(started.value);
    onWeights('nano');
    setRunning(true);
  };

  return (
    <section aria-labelledby="training">
      <h2 id="training">Train it in this tab</h2>
      <p className={css.lead}>
        Dense base, warm-up of the indexer by KL with everything else frozen, sparse stage with both losses, and a dense
        control from the same base. The inspector above then shows the weights that are being trained.
      </p>
      <div className={css.controls}>
        <Button kind="strong" onClick={() => void begin()} testId="train">
          {state ? 'Start again' : 'Train nano'}
        </Button>
        {state && !state.done && (
          <Button onClick={() => setRunning(!running)} testId="pause">
            {running ? 'Pause' : 'Go on'}
          </Button>
        )}
        {state && (
          <p role="status" data-testid="stage">
            {state.done ? 'All stages are done.' : `${state.title}: step ${state.step} of ${state.steps}`}
          </p>
        )}
      </div>
      {problem && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      <div className={css.charts}>
        {Object.entries(lines).map(([title, { xs, ys }]) => (
          <LineChart key={title} title={title} xs={xs} ys={ys} />
        ))}
      </div>
    </section>
  );
}
