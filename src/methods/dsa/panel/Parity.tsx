// Parity: sparse against the dense control on rows that no training used, with the controls that must lose, evaluated here on
// request; and what the card of the shipped weights says.

import type { Remote } from 'comlink';
import { useEffect, useRef, useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Knob } from '../../../ui/controls/Knob.tsx';
import { parityStatement } from '../eval.ts';
import { CardTable } from './CardTable.tsx';
import type { Card } from './card.ts';
import css from './dsa.module.css';
import { Origin } from './Origin.tsx';
import { ParityTable } from './ParityTable.tsx';
import { type ParityRow, parityRows, tableOf } from './parity.ts';
import type { ArmScores, DsaApi, Opened } from './protocol.ts';
import { TASK_WORDS } from './task-words.ts';

interface Props {
  api: Remote<DsaApi>;
  opened: Opened;
  /** Changes when the weights do. */
  version: number;
  /** Card of the shipped weights, if they are what is looked at. */
  card: Card | null;
  /** What an evaluation found; nothing while there is none of these weights. */
  onRows: (rows: readonly ParityRow[]) => void;
}

export function Parity({ api, opened, version, card, onRows }: Props) {
  const [rows, setRows] = useState(64);
  const [seed, setSeed] = useState(101);
  const [result, setResult] = useState<{ rows: ParityRow[]; seed: number; n: number } | null>(null);
  const [now, setNow] = useState('');
  const [problem, setProblem] = useState('');
  const going = useRef(false);
  // Figures belong to the weights that gave them.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says when that is
  useEffect(() => {
    going.current = false;
    setResult(null);
    onRows([]);
  }, [version, opened.title]);

  const evaluate = async (): Promise<void> => {
    going.current = true;
    setProblem('');
    setResult(null);
    const measured: [string, ArmScores][] = [];
    for (const name of opened.arms) {
      setNow(name);
      const scores = await api.arm(name, seed, rows);
      if (!going.current) break;
      if (!scores.ok) {
        setProblem(scores.reason);
        break;
      }
      measured.push([name, scores.value]);
      const table = parityRows(measured, seed);
      setResult({ rows: table, seed, n: rows });
      onRows(table);
    }
    going.current = false;
    setNow('');
  };
  const sparse = result?.rows.find(({ name }) => name === 'DSA');
  const { rung, k, quant } = opened.config;
  return (
    <section aria-labelledby="parity">
      <h2 id="parity" tabIndex={-1}>
        Parity
      </h2>
      <p className={css.lead}>
        Lookups need one past token at a time: there sparse attention must keep up with dense attention trained on from
        the same base on the same data. Majority needs all tokens: there it loses where k keys in every layer do not
        reach them all, most visibly with the weights called control, which are one layer. All are measured on rows that
        no training used, and the words come from the intervals.
      </p>
      <div className={css.controls}>
        <Knob
          label="Rows of each task"
          value={rows}
          min={32}
          max={1024}
          step={32}
          format={(n) => String(n)}
          onChange={setRows}
          disabled={now !== ''}
        />
        <Button
          kind="strong"
          onClick={() => {
            if (now) going.current = false;
            else void evaluate();
          }}
          testId="evaluate"
        >
          {now ? 'Stop' : 'Evaluate here'}
        </Button>
        <Button onClick={() => setSeed(seed + 1)} disabled={now !== ''}>
          Seed {seed}
        </Button>
        <p role="status" className={css.note}>
          {now && `Evaluating ${now}`}
        </p>
      </div>
      {problem && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      {sparse && (
        <dl className={css.verdicts} data-testid="verdicts">
          {sparse.cells.map(
            ({ task, difference }) =>
              difference && (
                <div key={task}>
                  <dt>{task === 'control' ? 'majority, the negative control' : TASK_WORDS[task]}</dt>
                  <dd>{parityStatement(difference)}</dd>
                </div>
              ),
          )}
        </dl>
      )}
      {result && (
        <>
          <ParityTable rows={result.rows} />
          <Origin
            facts={{
              n: result.n,
              seed: result.seed,
              weights: opened.title,
              preset: rung,
              k,
              indexer: quant,
              path: 'maskedMHA',
              adapter: opened.adapter,
            }}
            name="dsa-parity"
            table={() => tableOf(result.rows)}
          />
        </>
      )}
      {card && <CardTable card={card} />}
    </section>
  );
}
