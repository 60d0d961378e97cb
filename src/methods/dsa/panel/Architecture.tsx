// Where the data goes in one layer, and the sizes of the released model beside those of the weights on this page.

import { useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import type { DsaConfig } from '../config.ts';
import { breakEven, pairFlops } from '../dispatch.ts';
import { PAPER } from '../paper.ts';
import { DataPath } from './DataPath.tsx';
import css from './dsa.module.css';

const n = (x: number): string => Math.round(x).toLocaleString('en');

/** Sizes of the released model as our own shape, for the same arithmetic. */
function paperShape(c: DsaConfig): DsaConfig {
  const m = PAPER.model;
  const attention = { heads: m.heads, dC: m.latent, dR: m.rotary, dN: m.plain, dV: m.value };
  return { ...c, ...attention, indexHeads: m.indexHeads, indexDim: m.indexDim };
}

function lines(c: DsaConfig): [what: string, paper: string, here: string][] {
  const m = PAPER.model;
  const [theirs, ours] = [pairFlops(paperShape(c)), pairFlops(c)];
  return [
    ['vocabulary, width, layers', `${n(m.vocab)}, ${n(m.width)}, ${m.layers}`, `${c.vocab}, ${c.d}, ${c.layers}`],
    ['feed-forward', m.feedForward, `${n(c.hidden)}, dense in every layer`],
    ['context', n(m.context), n(c.time)],
    ['attention heads H', n(m.heads), n(c.heads)],
    ['query latent', n(m.queryLatent), c.qLora === 0 ? 'none, queries from x' : n(c.qLora)],
    ['key-value latent, rotary part', `${m.latent}, ${m.rotary}`, `${c.dC}, ${c.dR}`],
    ['head: plain, rotary, value', `${m.plain}, ${m.rotary}, ${m.value}`, `${c.dN}, ${c.dR}, ${c.dV}`],
    ['indexer heads, their size', `${m.indexHeads}, ${m.indexDim}`, `${c.indexHeads}, ${c.indexDim}`],
    ['selected keys k', n(m.k), n(c.k)],
    ['key width in MQA form', n(m.latent + m.rotary), n(c.dC + c.dR)],
    ['format', m.format, `weights f32, indexer ${c.quant}, scales ue8m0`],
    [
      'FLOPs a pair: MHA, MQA, indexer',
      `${n(theirs.mha)}, ${n(theirs.mqa)}, ${n(theirs.index)}`,
      `${n(ours.mha)}, ${n(ours.mqa)}, ${n(ours.index)}`,
    ],
    [
      'break-even with dense MHA, by FLOPs',
      `${n(breakEven(paperShape(c), m.k))} tokens`,
      `${n(breakEven(c, c.k))} tokens`,
    ],
  ];
}

export function Architecture({
  config,
  parameters,
}: {
  config: DsaConfig;
  parameters: { all: number; indexer: number };
}) {
  const [moving, setMoving] = useState(true);
  return (
    <section aria-labelledby="architecture">
      <h2 id="architecture" tabIndex={-1}>
        Architecture
      </h2>
      <p className={css.lead}>
        One layer and one query token. The indexer looks at all L past tokens, but with small heads and 8-bit keys; the
        main attention reads k latents, shared by all heads.
      </p>
      <div className={css.split}>
        <div>
          <DataPath config={config} moving={moving} />
          <Button pressed={moving} onClick={() => setMoving(!moving)} testId="moving">
            Moving
          </Button>
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard */}
        <section className={css.scroll} tabIndex={0} aria-label="Sizes">
          <table className={css.sizes} data-testid="sizes">
            <caption>
              DeepSeek-V3.2-Exp as released (cited), and preset {config.rung} as loaded here: {n(parameters.all)}{' '}
              parameters, {n(parameters.indexer)} of them the indexer’s. The last two lines are arithmetic on the sizes
              above.
            </caption>
            <thead>
              <tr>
                <th scope="col">size</th>
                <th scope="col">V3.2-Exp</th>
                <th scope="col">here</th>
              </tr>
            </thead>
            <tbody>
              {lines(config).map(([what, paper, here]) => (
                <tr key={what}>
                  <th scope="row">{what}</th>
                  <td data-cited>{paper}</td>
                  <td>{here}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </div>
    </section>
  );
}
