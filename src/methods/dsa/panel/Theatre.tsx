// The top-k theatre: the scores of the query that is looked at, selected digit by digit as the GPU kernel does it. On request the
// kernels themselves run on these scores.

import type { Remote } from 'comlink';
import { useEffect, useMemo, useState } from 'react';
import { topKReference } from '../../../tensor/reference/topk.ts';
import { DIGITS, numberOf, type RadixPass, radixTrace } from '../../../tensor/reference/topk-passes.ts';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import type { DsaConfig } from '../config.ts';
import type { Probe } from '../inspect.ts';
import css from './dsa.module.css';
import type { Origin as Facts } from './export.ts';
import { Origin } from './Origin.tsx';
import type { Choice as Chosen, DsaApi } from './protocol.ts';
import type { View } from './view.ts';

const hex = (n: number, bits: number): string => `0x${n.toString(16).padStart(Math.ceil(bits / 4), '0')}`;
const tokens = (n: number): string => (n === 1 ? '1 token' : `${n} tokens`);

interface Props {
  api: Remote<DsaApi>;
  config: DsaConfig;
  probe: Probe;
  facts: Facts;
  view: View;
  onView: (part: Partial<View>) => void;
}

export function Theatre({ api, config, probe, facts, view, onView }: Props) {
  const { query, layer, k, digits } = view;
  const scores = useMemo(
    () => probe.layers[layer].scores.slice(query * config.time, query * config.time + query + 1),
    [probe, layer, query, config],
  );
  const trace = useMemo(() => radixTrace(scores, 0, scores.length, k, DIGITS[digits]), [scores, k, digits]);
  return (
    <section aria-labelledby="theatre">
      <h2 id="theatre" tabIndex={-1}>
        Top-k theatre
      </h2>
      <p className={css.lead}>
        The {tokens(scores.length)} that query {query} sees in layer {layer + 1}, selected without sorting: a score
        becomes an integer of the same order, and every pass counts one of its digits among those still in question.
        Bins above the line are taken whole; the bin at the line goes on to the next digit.
      </p>
      <div className={css.controls}>
        <Choice
          label="Digits"
          value={digits}
          options={[
            ['radix', 'four of 8 bits'],
            ['split', '11, 11 and 10 bits'],
          ]}
          onChange={(value) => onView({ digits: value })}
        />
      </div>
      <ol className={css.passes} data-testid="theatre">
        {trace.passes.map((pass, i) => (
          <Pass key={pass.shift} pass={pass} number={i + 1} prefix={trace.key} />
        ))}
      </ol>
      <p className={css.reading} data-testid="threshold">
        The {Math.min(k, scores.length)} largest end at {trace.threshold.toPrecision(6)} ({hex(trace.key, 32)}):{' '}
        {trace.above} above it, {trace.equal} equal to it
        {trace.taken < trace.equal
          ? `, of which the ${trace.taken} most recent ${trace.taken === 1 ? 'is' : 'are'} taken.`
          : ', all taken.'}
      </p>
      <OnTheGpu api={api} scores={scores} k={k} />
      <Origin
        facts={{ ...facts, digits: DIGITS[digits].join(' ') }}
        name="dsa-top-k"
        table={() => ({
          columns: ['pass', 'shift', 'bin', 'count', 'threshold bin', 'left after'],
          rows: trace.passes.flatMap((pass, i) =>
            pass.bins.map(({ digit, count }) => [i + 1, pass.shift, digit, count, pass.digit, pass.left]),
          ),
        })}
      />
    </section>
  );
}

/** One histogram. Only the stretch of bins that occur is drawn, with a margin; the numbers below say which. */
function Pass({ pass, number, prefix }: { pass: RadixPass; number: number; prefix: number }) {
  const { bins, digit, bits, shift } = pass;
  const lowest = Math.max(0, bins[0].digit - 2);
  const highest = Math.min(2 ** bits - 1, bins[bins.length - 1].digit + 2);
  const span = highest - lowest + 1;
  const most = Math.max(...bins.map((b) => b.count));
  const width = Math.max(100 / span, 0.6);
  const left = (d: number): number => ((d - lowest) / span) * 100;
  const here = bins.find((b) => b.digit === digit)?.count ?? 0;
  /** The value at the lower edge of a bin, with the digits that are already known. */
  const above = shift + bits < 32 ? (prefix >>> (shift + bits)) * 2 ** (shift + bits) : 0;
  const edge = (d: number): string => numberOf((above + d * 2 ** shift) >>> 0).toPrecision(3);
  return (
    <li className={css.pass}>
      <p>
        <strong>Pass {number}</strong>
        <span>
          bits {shift + bits - 1} to {shift}
        </span>
        <span>{tokens(pass.candidates)} in question</span>
        <span>
          {pass.before} to take, {pass.left} of the {here} in bin {hex(digit, bits)} left
        </span>
      </p>
      <div
        className={css.bars}
        role="img"
        aria-label={`Pass ${number}: ${bins.map((b) => `bin ${hex(b.digit, bits)} ${b.count}`).join(', ')}; threshold bin ${hex(digit, bits)}`}
      >
        {bins.map((b) => (
          <span
            key={b.digit}
            data-state={b.digit > digit ? 'taken' : b.digit === digit ? 'line' : 'dropped'}
            style={{ left: `${left(b.digit)}%`, width: `${width}%`, height: `${Math.max(6, (b.count / most) * 100)}%` }}
          />
        ))}
        <i style={{ left: `${left(digit)}%` }} />
      </div>
      <p className={css.edges}>
        <span>
          {hex(lowest, bits)} · {edge(lowest)}
        </span>
        <span>
          {hex(highest, bits)} · {edge(highest)}
        </span>
      </p>
    </li>
  );
}

function OnTheGpu({ api, scores, k }: { api: Remote<DsaApi>; scores: Float32Array<ArrayBuffer>; k: number }) {
  const [choices, setChoices] = useState<Chosen[] | null>(null);
  const [problem, setProblem] = useState('');
  // What was said holds for other scores.
  // biome-ignore lint/correctness/useExhaustiveDependencies: scores and k are what it holds for
  useEffect(() => setChoices(null), [scores, k]);
  const run = async (): Promise<void> => {
    const result = await api.select(scores, k);
    setProblem(result.ok ? '' : result.reason);
    if (result.ok) setChoices(result.value);
  };
  const wanted = topKReference(scores, 0, scores.length, k).join();
  return (
    <div className={css.controls}>
      <Button onClick={() => void run()} testId="run-selectors">
        Run the kernels on these scores
      </Button>
      {problem && <p role="alert">{problem}</p>}
      <p role="status" className={css.note} data-testid="selectors">
        {choices
          ?.map(
            ({ selector, chosen }) =>
              `${selector}: ${chosen.join() === wanted ? 'the same' : 'other'} ${tokens(chosen.length)}`,
          )
          .join(' · ')}
      </p>
    </div>
  );
}
