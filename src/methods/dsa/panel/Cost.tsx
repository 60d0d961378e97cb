// What a token costs by its position, measured on this device when asked for, beside the paper's own figures.

import type { Remote } from 'comlink';
import { useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import type { CostPoint } from '../cost.ts';
import { PAPER } from '../paper.ts';
import css from './dsa.module.css';
import type { DsaApi } from './protocol.ts';

const POSITIONS = [1024, 4096, 16384, 65536];
const K = 64;
const ms = (x: number): string => `${x.toPrecision(3)} ms`;

export function Cost({ api, adapter }: { api: Remote<DsaApi>; adapter: string }) {
  const [points, setPoints] = useState<CostPoint[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const measure = async (): Promise<void> => {
    setBusy(true);
    setPoints([]);
    setProblem('');
    for (const position of POSITIONS) {
      const result = await api.cost(position, 'decode', K);
      if (!result.ok) {
        setProblem(`${position}: ${result.reason}`);
        break;
      }
      setPoints((before) => [...before, result.value]);
    }
    setBusy(false);
  };
  const [near, far] = PAPER.cost;
  return (
    <section aria-labelledby="cost">
      <h2 id="cost">Cost by position</h2>
      <p className={css.lead}>
        One layer of preset small, k = {K}, one new token: dense attention over all latents against indexer, top-k and
        attention over the selected ones.
      </p>
      <div className={css.controls}>
        <Button onClick={() => void measure()} disabled={busy} testId="measure">
          {busy ? 'Measuring' : 'Measure here'}
        </Button>
      </div>
      {problem && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      {points.length > 0 && (
        <div className={css.scroll}>
          <table className={css.table} data-testid="cost">
            <caption>Measured on {adapter}, median of three</caption>
            <thead>
              <tr>
                {['position', 'dense', 'sparse', 'indexer', 'top-k', 'attention', 'dense / sparse'].map((name) => (
                  <th scope="col" key={name}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {points.map((p) => (
                <tr key={p.position}>
                  <th scope="row">{p.position.toLocaleString('en')}</th>
                  {[p.dense, p.sparse, p.scores, p.select, p.attend].map((x, i) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: columns
                    <td key={i}>{ms(x)}</td>
                  ))}
                  <td>{(p.dense / p.sparse).toFixed(2)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p className={css.lead}>
        The paper, on H800 at 2 USD an hour, read off its figure: decoding a million tokens costs {near.decode.dense}{' '}
        USD dense and {near.decode.sparse} USD sparse at the start, {far.decode.dense} and {far.decode.sparse} USD at{' '}
        {far.position.toLocaleString('en')} tokens.
      </p>
    </section>
  );
}
