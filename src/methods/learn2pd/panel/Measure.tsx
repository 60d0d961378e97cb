// Measurements: in this tab on unseen problems, and those of the card; the paper's figures beside them, drawn as cited.

import { useEffect, useState } from 'react';
import { wilson } from '../../../lm/statistics.ts';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { PAPER } from '../paper.ts';
import { CardTables } from './CardTables.tsx';
import css from './learn2pd.module.css';
import { type Measured, useMeasure } from './measure-store.ts';
import { mean, measureLengths, measureTradeOff, stopMeasuring } from './measuring.ts';
import { PAPER_LENGTHS } from './paper-series.ts';
import { LinePlot, type Series } from './plots.tsx';
import { Scroll } from './Scroll.tsx';
import type { PanelSession } from './session.ts';
import { shippedFile, usePanel } from './store.ts';

export function Measure({ session }: { session: PanelSession }) {
  const opened = usePanel((s) => s.opened);
  const version = usePanel((s) => s.version);
  const file = usePanel(shippedFile);
  const m = useMeasure();
  const [count, setCount] = useState(opened?.software ? 4 : 8);
  const canvases = opened?.model.canvases ?? [];
  const [canvas, setCanvas] = useState(canvases[0] ?? 0);
  useEffect(() => stopMeasuring, []);
  const fresh = m.version === version;
  return (
    <section aria-labelledby="measure">
      <h2 id="measure">Measurements</h2>
      <p className={css.lead}>
        Unseen problems of every task, one at a time as in the paper, every decode timed with its kernels compiled.
        Small models are bound by launches: their wall time follows passes more than work.
      </p>
      <div className={css.controls}>
        <Choice
          label="Canvas"
          value={canvas}
          options={canvases.map((n) => [n, `canvas ${n}`] as const)}
          onChange={setCanvas}
        />
        <Choice
          label="Problems"
          value={count}
          options={[4, 8, 32].map((n) => [n, `${n} problems`] as const)}
          onChange={setCount}
        />
        <Button
          kind="strong"
          disabled={m.busy !== ''}
          testId="measure"
          onClick={() => void measureTradeOff(session, canvas, count)}
        >
          Measure policies
        </Button>
        <Button
          disabled={m.busy !== ''}
          testId="measure-lengths"
          onClick={() =>
            void measureLengths(
              session,
              canvases.filter((n) => n <= Math.max(canvas, canvases[0])),
              Math.min(count, 4),
            )
          }
        >
          Measure lengths up to {canvas}
        </Button>
        {m.busy && <Button onClick={stopMeasuring}>Stop</Button>}
        <p role="status">{m.busy}</p>
      </div>
      {m.problem && <p role="alert">{m.problem}</p>}
      {fresh && m.results.length > 0 && (
        <>
          <TradeOff results={m.results} />
          <MainTable results={m.results} canvas={m.canvas} adapter={opened?.adapter ?? ''} />
        </>
      )}
      {fresh && m.lengths.length > 0 && <Lengths />}
      {file && <CardTables file={file} />}
    </section>
  );
}

function TradeOff({ results }: { results: readonly Measured[] }) {
  const families = [...new Set(results.map((r) => r.entrant.family))];
  const series: Series[] = families.map((name) => {
    const own = results.filter((r) => r.entrant.family === name);
    return {
      name,
      look: own[0].entrant.look,
      points: own
        .map((r): [number, number] => [
          mean(r.outcomes.map((o) => o.nfe)),
          mean(r.outcomes.map((o) => Number(o.right))),
        ])
        .sort((a, b) => a[0] - b[0]),
      line: !name.startsWith('+'),
    };
  });
  return (
    <div className={css.columns}>
      <LinePlot
        title="Accuracy against passes"
        series={series}
        x="passes (NFE), logarithmic"
        y="share right"
        xLog
        yFrom={0}
      />
      <LinePlot
        title="Agreement with static decoding against passes"
        series={series.map((s) => ({
          ...s,
          points: results
            .filter((r) => r.entrant.family === s.name)
            .map((r): [number, number] => [
              mean(r.outcomes.map((o) => o.nfe)),
              mean(r.outcomes.map((o) => o.agreement)),
            ])
            .sort((a, b) => a[0] - b[0]),
        }))}
        x="passes (NFE), logarithmic"
        y="share of tokens"
        xLog
        yFrom={0}
      />
    </div>
  );
}

function MainTable({ results, canvas, adapter }: { results: readonly Measured[]; canvas: number; adapter: string }) {
  const base = results[0];
  const ms = (r: Measured): number => mean(r.outcomes.map((o) => o.wallMs));
  const nfe = (r: Measured): number => mean(r.outcomes.map((o) => o.nfe));
  const cited = (name: string) =>
    PAPER.main.find(
      (p) =>
        p.task === 'GSM8K' &&
        p.canvas === 1024 &&
        p.method ===
          (name === 'static'
            ? 'static'
            : name.startsWith('Learn2PD')
              ? 'Learn2PD'
              : name === '+ EoTP strict'
                ? 'Learn2PD + EoTP'
                : ''),
    );
  return (
    <Scroll>
      <table className={css.table} data-testid="main-table">
        <caption>
          {base.outcomes.length} problems, canvas {canvas}, measured here on {adapter}
        </caption>
        <thead>
          <tr>
            {[
              'policy',
              'passes',
              'fewer',
              'ms',
              'faster',
              'tokens/s',
              'right',
              '95 %',
              'agreement',
              'behind the end',
            ].map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
            <th scope="col" data-paper>
              paper, 8B, GSM8K, canvas 1024
            </th>
            <th scope="col" data-paper>
              score
            </th>
          </tr>
        </thead>
        <tbody>
          {results
            .filter((r) => r.entrant.main)
            .map((r) => {
              const right = r.outcomes.filter((o) => o.right).length;
              const { lower, upper } = wilson(right, r.outcomes.length);
              const useful = r.outcomes.reduce((sum, o) => sum + o.answerLength, 0);
              const seconds = r.outcomes.reduce((sum, o) => sum + o.wallMs, 0) / 1000;
              const paper = cited(r.entrant.main as string);
              return (
                <tr key={r.entrant.main}>
                  <th scope="row">{r.entrant.main}</th>
                  <td>{nfe(r).toFixed(1)}</td>
                  <td>{(nfe(base) / nfe(r)).toFixed(2)}×</td>
                  <td>{ms(r).toFixed(1)}</td>
                  <td>{(ms(base) / ms(r)).toFixed(2)}×</td>
                  <td>{(useful / seconds).toPrecision(3)}</td>
                  <td>
                    {right} of {r.outcomes.length}
                  </td>
                  <td>
                    {(100 * lower).toFixed(0)}–{(100 * upper).toFixed(0)} %
                  </td>
                  <td>{(100 * mean(r.outcomes.map((o) => o.agreement))).toFixed(1)} %</td>
                  <td>{(100 * mean(r.outcomes.map((o) => o.waste))).toFixed(0)} %</td>
                  <td data-paper>{paper ? `${paper.speedup}×, ${paper.tps} tokens/s` : ''}</td>
                  <td data-paper>{paper?.score}</td>
                </tr>
              );
            })}
        </tbody>
      </table>
    </Scroll>
  );
}

function Lengths() {
  const points = useMeasure((s) => s.lengths);
  const of = (pick: (p: (typeof points)[number]) => number): [number, number][] =>
    points.map((p) => [p.canvas, pick(p)]);
  return (
    <div className={css.columns}>
      <LinePlot
        title="Against static decoding, by canvas"
        series={[
          { name: 'passes, Learn2PD', look: 1, points: of((p) => p.nfe[0] / p.nfe[1]) },
          { name: 'passes, + EoTP', look: 2, points: of((p) => p.nfe[0] / p.nfe[2]) },
          { name: 'time, Learn2PD', look: 3, points: of((p) => p.ms[0] / p.ms[1]) },
          { name: 'time, + EoTP', look: 4, points: of((p) => p.ms[0] / p.ms[2]) },
          PAPER_LENGTHS,
        ]}
        x="canvas, tokens"
        y="times fewer or faster"
        xLog
        yLog
        formatY={(v) => `${v}×`}
      />
    </div>
  );
}
