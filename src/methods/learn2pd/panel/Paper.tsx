// The paper's own figures, named as such.

import { FAST_DLLM, PAPER } from '../paper.ts';
import css from './learn2pd.module.css';
import { Scroll } from './Scroll.tsx';

export function Paper() {
  return (
    <section aria-labelledby="paper">
      <h2 id="paper">What the paper reports</h2>
      <p className={css.lead}>
        {PAPER.title}, {PAPER.model}, a model of 8 billion parameters on other hardware. None of these figures was
        measured here.{' '}
        <a href={`https://arxiv.org/abs/${PAPER.arxiv}`} rel="noreferrer">
          arXiv {PAPER.arxiv}
        </a>
      </p>
      <PaperTable
        caption="Main table: static decoding, the filter, and the end of text"
        columns={[
          ...['task', 'method', 'tokens/s at 256', 'speed-up at 256', 'score at 256'],
          ...['tokens/s at 1024', 'speed-up at 1024', 'score at 1024'],
        ]}
        rows={mainRows()}
      />
      <div className={css.columns}>
        <PaperTable
          caption="Cache, Learn2PD + EoTP, GSM8K, canvas 1024"
          columns={['cache', 'tokens/s', 'speed-up', 'score']}
          rows={PAPER.cache.map((r) => [r.cache, r.tps, `${r.speedup}×`, r.score])}
        />
        <PaperTable
          caption="Layers of the filter, GSM8K, canvas 256, no EoTP"
          columns={['layers', 'tokens/s', 'speed-up', 'score']}
          rows={PAPER.depth.map((r) => [r.layers, r.tps, `${r.speedup}×`, r.score])}
        />
        <PaperTable
          caption="Table 4: speed-up by canvas length, GSM8K"
          columns={['canvas', 'speed-up']}
          rows={PAPER.lengths.map((r) => [r.canvas, `${r.speedup}×`])}
        />
      </div>
      <p className={css.lead}>
        At canvas 1024, {(PAPER.eotWaste * 100).toFixed(2)} % of the extra compute is padding behind the end of the
        text. The filter has {PAPER.filterParameters} parameters at blocks of 32. The paper does not compare with a
        confidence threshold in its main table; here it stands beside the filter.
      </p>
      <h3 className={css.part}>Fast-dLLM, the threshold and the caches</h3>
      <p className={css.lead}>
        Another paper on the same model, on an A100: a threshold of 0.9 on the confidence, and a cache kept within a
        block. Its setting is its own, so its tokens per second do not compare with those above.{' '}
        <a href={`https://arxiv.org/abs/${FAST_DLLM.arxiv}`} rel="noreferrer">
          arXiv {FAST_DLLM.arxiv}
        </a>
      </p>
      <div className={css.columns}>
        <PaperTable
          caption="Score, tokens/s"
          columns={['task', 'canvas', 'static', 'cache', 'threshold', 'both']}
          rows={FAST_DLLM.rows.map((r) => [
            r.task,
            r.canvas,
            ...[r.base, r.cache, r.threshold, r.both].map(([score, tps]) => `${score.toFixed(1)}, ${tps.toFixed(1)}`),
          ])}
        />
        <PaperTable
          caption="GSM8K 8-shot, canvas 1024"
          columns={['decoding', 'tokens/s', 'speed-up']}
          rows={FAST_LONG.map(([name, tps]) => [name, tps.toFixed(1), `${(tps / FAST_DLLM.long.base).toFixed(1)}×`])}
        />
      </div>
    </section>
  );
}

const { long } = FAST_DLLM;
const FAST_LONG = [
  ['static', long.base],
  ['threshold', long.threshold],
  ['threshold, prefix cache', long.prefix],
  ['threshold, dual cache', long.dual],
] as const;

/** A row for each task and method, both canvases side by side as in the paper. */
const mainRows = (): (string | number)[][] =>
  PAPER.main
    .filter(({ canvas }) => canvas === 256)
    .map((short) => {
      const wide = PAPER.main.find((r) => r.task === short.task && r.method === short.method && r.canvas === 1024);
      const task = `${short.task}, ${short.shots}-shot`;
      const of = (r: typeof wide): (string | number)[] =>
        r ? [r.tps.toFixed(2), `${r.speedup}×`, r.score.toFixed(2)] : [];
      return [task, short.method, ...of(short), ...of(wide)];
    });

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
