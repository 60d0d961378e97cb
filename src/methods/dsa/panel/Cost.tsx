// What a token costs by its position, measured on this device when asked for, with the FLOPs of it, beside the paper's own figure.

import type { Remote } from 'comlink';
import { useRef, useState } from 'react';
import { Plot, type Series } from '../../../ui/charts/Plot.tsx';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { HeadRow } from '../../../ui/controls/HeadRow.tsx';
import { tokenFlops } from '../analytic.ts';
import { SPECIFIED } from '../config.ts';
import { type CostPoint, costTable, measuredBreakEven } from '../cost.ts';
import { breakEven } from '../dispatch.ts';
import { PAPER } from '../paper.ts';
import css from './dsa.module.css';
import { Origin } from './Origin.tsx';
import type { DsaApi } from './protocol.ts';

type Phase = 'decode' | 'prefill';
const SHAPE = SPECIFIED;
const K = SHAPE.k;
/** A processor needs minutes for a chunk of 64 queries beyond this. */
const SOFTWARE_PREFILL = 8192;
const POSITIONS = [512, 2048, 8192, 32768, 131072];

const ms = (x: number): string => `${Number(x.toPrecision(2))} ms`;
const thousands = (x: number): string => (x >= 1024 && x % 1024 === 0 ? `${x / 1024}K` : String(Math.round(x)));

interface Props {
  api: Remote<DsaApi>;
  adapter: string;
  software: boolean;
}

export function Cost({ api, adapter, software }: Props) {
  const [phase, setPhase] = useState<Phase>('decode');
  const [measured, setMeasured] = useState<Record<Phase, CostPoint[]>>({ decode: [], prefill: [] });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const going = useRef(false);
  const measure = async (): Promise<void> => {
    setBusy(true);
    going.current = true;
    setMeasured((before) => ({ ...before, [phase]: [] }));
    setProblem('');
    for (const position of POSITIONS) {
      if (phase === 'prefill' && software && position > SOFTWARE_PREFILL) break;
      const result = await api.cost(position, phase, K);
      if (!going.current) break;
      if (!result.ok) {
        setProblem(`${position.toLocaleString('en')} tokens: ${result.reason}`);
        break;
      }
      setMeasured((before) => ({ ...before, [phase]: [...before[phase], result.value] }));
    }
    setBusy(false);
  };
  const points = measured[phase];
  const even = measuredBreakEven(points);
  return (
    <section aria-labelledby="cost">
      <h2 id="cost" tabIndex={-1}>
        Cost by position
      </h2>
      <p className={css.lead}>
        One layer of the specification's default with random contents, k = {K}: dense attention against what the indexer
        prepares of a new token, its scores, top-k and attention over the selected latents.{' '}
        {phase === 'decode'
          ? `${software ? 'One new token' : 'A new token of each of up to 32 sequences'}.`
          : `A chunk of ${software ? 64 : 512} tokens, dense in MHA form.`}
      </p>
      <div className={css.controls}>
        <Choice
          label="Phase"
          value={phase}
          options={[
            ['decode', 'decode'],
            ['prefill', 'prefill'],
          ]}
          onChange={setPhase}
        />
        <Button
          kind="strong"
          onClick={() => {
            if (busy) going.current = false;
            else void measure();
          }}
          testId="measure"
        >
          {busy ? 'Stop' : 'Measure here'}
        </Button>
        <p role="status" className={css.note}>
          {busy && `Measuring ${thousands(POSITIONS[points.length] ?? POSITIONS[0])} tokens`}
        </p>
      </div>
      {problem && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      <div className={css.charts}>
        <Measured phase={phase} points={points} />
        <Published phase={phase} />
      </div>
      {points.length > 0 && (
        <>
          <p className={css.reading} data-testid="break-even">
            {even === null
              ? 'Sparse is not cheaper at any position measured here.'
              : even === points[0].position
                ? `Sparse is cheaper from the first position measured here, ${even.toLocaleString('en')}.`
                : `Sparse is cheaper from ${Math.round(even).toLocaleString('en')} tokens on, as measured.`}
            {phase === 'prefill' && ` By FLOPs from ${Math.round(breakEven(SHAPE, K))}.`}
          </p>
          <CostTable points={points} />
          <Origin
            facts={{ layer: 'of the specification', k: K, phase, indexer: 'e4m3', rounds: '3, medians', adapter }}
            name={`dsa-cost-${phase}`}
            table={() => costTable(phase, points)}
          />
        </>
      )}
    </section>
  );
}

const POSITION = { log: true, format: thousands };

/** Measured lines, and FLOPs turned into time by one rate for both: that of dense attention at the last position. */
function Measured({ phase, points }: { phase: Phase; points: readonly CostPoint[] }) {
  const of = (part: 'dense' | 'sparse'): Series['points'] => points.map((p) => [p.position, p[part]] as const);
  const last = points.at(-1);
  const rate = last && tokenFlops(SHAPE, last.position, phase, K).dense / last.dense;
  const model = (part: 'dense' | 'sparse'): Series['points'] =>
    rate ? points.map(({ position }) => [position, tokenFlops(SHAPE, position, phase, K)[part] / rate] as const) : [];
  return (
    <Plot
      title={
        rate
          ? `Here, milliseconds a token; FLOPs at ${(rate / 1e6).toPrecision(3)} GFLOP/s`
          : 'Here, milliseconds a token: not measured yet'
      }
      x={POSITION}
      y={{ log: true, format: ms }}
      series={[
        { name: 'dense', points: of('dense'), colour: 'ink', dots: true },
        { name: 'sparse', points: of('sparse'), colour: 'accent', dots: true },
        { name: 'FLOPs dense', points: model('dense'), colour: 'quiet', dashed: true },
        { name: 'FLOPs sparse', points: model('sparse'), colour: 'quiet', dashed: true },
      ]}
      testId="cost-here"
    />
  );
}

/** Read off the published figure. */
function Published({ phase }: { phase: Phase }) {
  const [near, far] = PAPER.cost;
  const kink = PAPER.kinks[phase];
  return (
    <Plot
      title="The paper, H800, USD per million tokens (read off its Figure 3)"
      x={{ format: (x) => thousands(Math.round(x / 1024) * 1024), zero: true }}
      y={{ format: (x) => String(Number(x.toPrecision(3))), zero: true }}
      series={[
        {
          name: 'V3.1-Terminus, dense',
          points: [near, far].map((p) => [p.position, p[phase].dense] as const),
          colour: 'ink',
          dashed: true,
        },
        {
          name: 'V3.2-Exp, sparse',
          points: [
            [near.position, near[phase].sparse],
            [kink.position, kink.sparse],
            [far.position, far[phase].sparse],
          ],
          colour: 'accent',
          dashed: true,
        },
      ]}
      testId="cost-paper"
    />
  );
}

function CostTable({ points }: { points: readonly CostPoint[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard
    <section className={css.scroll} tabIndex={0} aria-label="Measured cost">
      <table className={css.table} data-testid="cost-table">
        <caption>Measured here, median of three</caption>
        <HeadRow
          names={['position', 'dense', 'sparse', 'preparing', 'indexer', 'top-k', 'attention', 'dense / sparse']}
        />
        <tbody>
          {points.map((p) => (
            <tr key={p.position}>
              <th scope="row">{p.position.toLocaleString('en')}</th>
              <td>{ms(p.dense)}</td>
              <td>{ms(p.sparse)}</td>
              <td>{ms(p.prepare)}</td>
              <td>{ms(p.scores)}</td>
              <td>{ms(p.select)}</td>
              <td>{ms(p.attend)}</td>
              <td>{(p.dense / p.sparse).toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
