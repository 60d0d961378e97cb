// The paper's own figures, named as such.

import { HeadRow } from '../../../ui/controls/HeadRow.tsx';
import { PAPER } from '../paper.ts';
import css from './dsa.module.css';

export function Paper() {
  return (
    <section aria-labelledby="paper">
      <h2 id="paper" tabIndex={-1}>
        What the paper reports
      </h2>
      <p className={css.lead}>
        {PAPER.authors}: {PAPER.title}, Table 1. {PAPER.model.layers} layers, {PAPER.model.heads} heads,{' '}
        {PAPER.model.indexHeads} indexer heads of {PAPER.model.indexDim}, k = {PAPER.model.k}. Not measured here.{' '}
        <a href={`https://arxiv.org/abs/${PAPER.arxiv}`} rel="noreferrer">
          arXiv {PAPER.arxiv}
        </a>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard */}
      <section className={css.scroll} tabIndex={0} aria-label="Table 1 of the report">
        <table className={css.table}>
          <thead>
            <tr>
              <th scope="col">benchmark</th>
              <th scope="col">V3.1-Terminus, dense</th>
              <th scope="col">V3.2-Exp, sparse</th>
              <th scope="col">difference</th>
            </tr>
          </thead>
          <tbody>
            {PAPER.parity.map(({ benchmark, dense, sparse }) => (
              <tr key={benchmark}>
                <th scope="row">{benchmark}</th>
                <td data-cited>{dense}</td>
                <td data-cited>{sparse}</td>
                <td data-cited>{Number((sparse - dense).toFixed(1))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <div className={css.charts}>
        <Stages />
        <Prices />
      </div>
    </section>
  );
}

const whole = (x: number): string => x.toLocaleString('en');

function Stages() {
  return (
    <table className={css.table}>
      <caption>Continued training from a dense base, section 2</caption>
      <HeadRow names={['stage', 'tokens', 'steps', 'learning rate']} />
      <tbody>
        {PAPER.stages.map(({ stage, tokens, steps, rate }) => (
          <tr key={stage}>
            <th scope="row">{stage}</th>
            <td data-cited>{tokens / 1e9} B</td>
            <td data-cited>{whole(steps)}</td>
            <td data-cited>{rate}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Prices() {
  return (
    <table className={css.table}>
      <caption>USD per million tokens on H800, read off Figure 3: dense to sparse</caption>
      <HeadRow names={['position', 'prefill', 'decode']} />
      <tbody>
        {PAPER.cost.map(({ position, prefill, decode }) => (
          <tr key={position}>
            <th scope="row">{whole(position)}</th>
            <td data-cited>
              {prefill.dense} to {prefill.sparse}
            </td>
            <td data-cited>
              {decode.dense} to {decode.sparse}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
