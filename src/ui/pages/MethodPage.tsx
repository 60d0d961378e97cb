// A method that is planned but not built: what it is, what its page will show, where to read about it. No figures.

import { Link } from 'wouter';
import { METHODS, type MethodEntry } from '../../methods/method-list.ts';
import { METHOD_PAPERS } from '../../methods/method-papers.ts';
import css from './page.module.css';

export default function MethodPage({ method }: { method: MethodEntry }) {
  const { line, view, paper, arxiv } = METHOD_PAPERS[method.id];
  const next = METHODS[method.number % METHODS.length];
  return (
    <main className={css.page}>
      <h1>{method.title}</h1>
      <p className={css.lead}>{line}</p>
      <dl className={css.facts}>
        <dt>State</dt>
        <dd>
          {method.started
            ? `Planned as a page; on the command line it runs (npm run lab -- run ${method.id}). Nothing here is measured.`
            : 'Not started. Nothing on this page is measured yet.'}
        </dd>
        <dt>What you will see</dt>
        <dd>{view}</dd>
        <dt>Paper</dt>
        <dd>
          {paper},{' '}
          <a href={`https://arxiv.org/abs/${arxiv}`} rel="noreferrer">
            arXiv {arxiv}
          </a>
        </dd>
        <dt>Next method</dt>
        <dd>
          <Link href={`/${next.id}`}>{next.title}</Link>
        </dd>
      </dl>
    </main>
  );
}
