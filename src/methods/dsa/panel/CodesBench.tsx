// The FP8 bench: sixteen numbers through the indexer's own kernels, from value to code and back, with and without Hadamard.

import type { Remote } from 'comlink';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { HeadRow } from '../../../ui/controls/HeadRow.tsx';
import { Knob } from '../../../ui/controls/Knob.tsx';
import { type CodedRow, relativeError } from '../codes.ts';
import css from './dsa.module.css';
import { ErrorBars } from './ErrorBars.tsx';
import type { Origin as Facts, Table } from './export.ts';
import { Origin } from './Origin.tsx';
import type { DsaApi } from './protocol.ts';
import { normalRow, OUTLIER, parseRow, withOutlier } from './row-text.ts';
import { useSeen } from './use-seen.ts';

type Format = 'e4m3' | 'i8';

const share = (x: number): string => `${(100 * x).toPrecision(3)} %`;
/** Sign, exponent and mantissa of an e4m3 code, or the whole number of an int8 one. */
const inside = (code: number, format: Format): string =>
  format === 'i8'
    ? String((code << 24) >> 24)
    : code
        .toString(2)
        .padStart(8, '0')
        .replace(/^(.)(....)/, '$1 $2 ');

function tableOf(values: readonly number[], { given, scale, codes, decoded, back }: CodedRow, format: Format): Table {
  return {
    columns: ['channel', 'value', 'given', 'given / scale', 'code', 'bits', 'decoded', 'back', 'error'],
    rows: values.map((v, i) => [
      i,
      v,
      given[i],
      given[i] / scale,
      codes[i],
      inside(codes[i], format),
      decoded[i],
      back[i],
      back[i] - v,
    ]),
  };
}

export function CodesBench({ api, adapter }: { api: Remote<DsaApi>; adapter: string }) {
  const [text, setText] = useState(() => normalRow(1));
  const [seed, setSeed] = useState(1);
  const [factor, setFactor] = useState(1);
  const [format, setFormat] = useState<Format>('e4m3');
  const [spread, setSpread] = useState(true);
  const [coded, setCoded] = useState<{ values: number[]; rows: CodedRow[]; format: Format } | null>(null);
  const [problem, setProblem] = useState('');
  const field = useId();
  const section = useRef<HTMLElement>(null);
  const seen = useSeen(section);
  const typed = useMemo(() => parseRow(text), [text]);

  useEffect(() => {
    if (!typed.ok || !seen) return;
    let current = true;
    const values = withOutlier(typed.values, factor);
    void api.codes(values, format).then((result) => {
      if (!current) return;
      setProblem(result.ok ? '' : result.reason);
      if (result.ok) setCoded({ values, rows: result.value, format });
    });
    return () => {
      current = false;
    };
  }, [api, typed, factor, format, seen]);

  const another = (): void => {
    setSeed(seed + 1);
    setText(normalRow(seed + 1));
  };
  const shown = coded?.rows.find((row) => row.hadamard === spread);
  const errors = coded?.rows.map((row) => relativeError(coded.values, row.back)) ?? [];
  const facts: Facts = { row: text === normalRow(seed) ? `normal numbers, seed ${seed}` : 'typed', format, adapter };
  return (
    <section aria-labelledby="codes" ref={section}>
      <h2 id="codes" tabIndex={-1}>
        FP8 bench
      </h2>
      <p className={css.lead}>
        What eight bits do to a row of the indexer: one scale for the row, a power of two for e4m3, then a code for
        every channel. The Hadamard matrix spreads an outlier over all channels first; dot products stay as they are.
      </p>
      <label htmlFor={field} className={css.label}>
        Sixteen values
      </label>
      <textarea
        id={field}
        className={css.typed}
        rows={2}
        spellCheck={false}
        value={text}
        aria-invalid={!typed.ok}
        onChange={(event) => setText(event.target.value)}
        data-testid="typed"
      />
      {(!typed.ok || problem) && (
        <p className={css.problem} role="alert">
          {typed.ok ? problem : typed.reason}
        </p>
      )}
      <div className={css.controls}>
        <Choice
          label="Format"
          value={format}
          options={[
            ['e4m3', 'e4m3'],
            ['i8', 'int8'],
          ]}
          onChange={setFormat}
        />
        <Button pressed={spread} onClick={() => setSpread(!spread)}>
          Hadamard
        </Button>
        <Button onClick={another}>Other numbers</Button>
        <Knob
          label={`Outlier: channel ${OUTLIER} times`}
          value={factor}
          min={1}
          max={1000}
          format={(x) => `${x}`}
          onChange={setFactor}
          testId="outlier"
        />
      </div>
      {coded && shown && (
        <>
          <p className={css.reading} data-testid="codes-error">
            Error of the row, root mean square: {share(errors[0])} of the values without Hadamard, {share(errors[1])}{' '}
            with it.
          </p>
          <ErrorBars values={coded.values} rows={coded.rows} />
          <CodeTable values={coded.values} row={shown} format={coded.format} />
          <Origin facts={facts} name="dsa-codes" table={() => tableOf(coded.values, shown, coded.format)} />
        </>
      )}
    </section>
  );
}

const HEADS = ['channel', 'value', 'rotated', 'over scale', 'code', 'bits', 'stands for', 'back', 'error'];

function CodeTable({ values, row, format }: { values: readonly number[]; row: CodedRow; format: Format }) {
  const figure = (x: number): string => (x === 0 ? '0' : x.toPrecision(4));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard
    <section className={css.scroll} tabIndex={0} aria-label="Codes of every channel">
      <table className={css.table} data-testid="codes">
        <caption>
          Scale {row.scale.toPrecision(4)}
          {format === 'e4m3' && ` = 2^${Math.log2(row.scale)}`}, {row.hadamard ? 'with' : 'without'} Hadamard
        </caption>
        <HeadRow names={HEADS} />
        <tbody>
          {values.map((v, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a channel is its place
            <tr key={i}>
              <th scope="row">{i}</th>
              <td>{figure(v)}</td>
              <td>{row.hadamard ? figure(row.given[i]) : '–'}</td>
              <td>{figure(row.given[i] / row.scale)}</td>
              <td>0x{row.codes[i].toString(16).padStart(2, '0')}</td>
              <td className={css.bits}>{inside(row.codes[i], format)}</td>
              <td>{figure(row.decoded[i])}</td>
              <td>{figure(row.back[i])}</td>
              <td>{figure(row.back[i] - v)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
