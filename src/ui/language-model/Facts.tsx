// What the chosen folder holds and what it takes.

import css from './language-model.module.css';
import { useLm } from './store.ts';
import { bytes, count } from './words.ts';

export function Facts() {
  const facts = useLm((s) => s.facts);
  const name = useLm((s) => s.name);
  if (!facts) return null;
  return (
    <section className={css.facts} aria-label="The model" data-testid="facts">
      <h2>{name}</h2>
      <dl>
        <div>
          <dt>parameters in {facts.layers} layers</dt>
          <dd>{count(facts.parameters)}</dd>
        </div>
        <div>
          <dt>
            on the GPU: weights {bytes(facts.weights)}, cache {bytes(facts.cache)}
          </dt>
          <dd>{bytes(facts.weights + facts.cache)}</dd>
        </div>
        <div>
          <dt>tokens in the tokenizer</dt>
          <dd>{facts.tokens.toLocaleString('en')}</dd>
        </div>
        <div>
          <dt>tokens for prompt and answer</dt>
          <dd>{facts.positions.toLocaleString('en')}</dd>
        </div>
      </dl>
      <p className={css.quiet}>
        {facts.adapter}
        {facts.software && ', on the processor'}
      </p>
    </section>
  );
}
