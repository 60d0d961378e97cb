// The paper's own figures, named as such.

import { PAPER } from '../paper.ts';
import css from './learn2pd.module.css';
import { Scroll } from './Scroll.tsx';

export function Paper() {
  return (
    <section aria-labelledby="paper">
      <h2 id="paper">What the paper reports</h2>
      <p className={css.lead}>
        {PAPER.title}, {PAPER.model} on GSM8K, a model of 8 billion parameters on other hardware. None of these figures
        was measured here.{' '}
        <a href={`https://arxiv.org/abs/${PAPER.arxiv}`} rel="noreferrer">
          arXiv {PAPER.arxiv}
        </a>
      </p>
      <div className={css.columns}>
        <PaperTable
          caption="Main table, 5-shot"
          columns={['method', 'canvas', 'tokens/s', 'speed-up', 'score']}
          rows={PAPER.gsm8k.map((r) => [r.method, r.canvas, r.tps, `${r.speedup}×`, r.score])}
        />
        <PaperTable
          caption="Cache, Learn2PD + EoTP, canvas 1024"
          columns={['cache', 'tokens/s', 'speed-up', 'score']}
          rows={PAPER.cache.map((r) => [r.cache, r.tps, `${r.speedup}×`, r.score])}
        />
        <PaperTable
          caption="Speed-up by canvas length"
          columns={['canvas', 'speed-up']}
          rows={PAPER.lengths.map((r) => [r.canvas, `${r.speedup}×`])}
        />
      </div>
      <p className={css.lead}>
        At canvas 1024, {(PAPER.eotWaste * 100).toFixed(2)} % of the extra compute is padding behind the end of the
        text. The filter has {PAPER.filterParameters} parameters at blocks of 32. The paper does not compare with a
        confidence threshold in its main table; here it stands beside the filter.
      </p>
    </section>
  );
}

function PaperTable({
  caption,
  columns,
  rows,
}: {
  caption: string;
  columns: readonly string[];
  rows: readonly (string | number)[][];
}) {
  return (
    <Scroll>
      <table className={css.table}>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((name) => (
              <th scope="col" key={name} data-paper>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, ...values]) => (
            <tr key={rows.findIndex((r) => r[0] === name && r[1] === values[0])}>
              <th scope="row" data-paper>
                {name}
              </th>
              {values.map((value, i) => (
                <td key={columns[i + 1]} data-paper>
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
