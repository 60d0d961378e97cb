// The paper's own figures, named as such.

import { PAPER } from '../paper.ts';
import css from './dsa.module.css';

export function Paper() {
  return (
    <section aria-labelledby="paper">
      <h2 id="paper">What the paper reports</h2>
      <p className={css.lead}>
        {PAPER.authors}: {PAPER.title}, Table 1. {PAPER.model.layers} layers, {PAPER.model.heads} heads,{' '}
        {PAPER.model.indexHeads} indexer heads of {PAPER.model.indexDim}, k = {PAPER.model.k}. Not measured here.{' '}
        <a href={`https://arxiv.org/abs/${PAPER.arxiv}`} rel="noreferrer">
          arXiv {PAPER.arxiv}
        </a>
      </p>
      <div className={css.scroll}>
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
                <td>{dense}</td>
                <td>{sparse}</td>
                <td>{Number((sparse - dense).toFixed(1))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
