// Which rows every pass feeds through the network, and which it takes from the key/value cache.

import { PAPER } from '../paper.ts';
import css from './learn2pd.module.css';
import { useNeeds } from './needs.ts';
import pcss from './plots.module.css';
import type { SpecChoice } from './protocol.ts';
import type { Replay } from './replay.ts';
import { STATIC, useReplay, useRun } from './replays.ts';
import { Scroll } from './Scroll.tsx';
import { SimilarityView } from './SimilarityView.tsx';
import type { PanelSession } from './session.ts';
import { answerWords, usePanel } from './store.ts';
import { CACHES } from './view.ts';

/** Rows that pass `pass` feeds: [from, to) with the prompt in front. */
function fed(r: Replay, pass: number, cache: SpecChoice['cache'], prompt: number): [from: number, to: number] {
  const { start, end, before, full } = r.steps[pass];
  if (full) return [0, prompt + before];
  return [prompt + start, prompt + (cache === 'dual' ? end : before)];
}

export function CacheView({ session }: { session: PanelSession }) {
  const tau = usePanel((s) => s.view.tau);
  const config = usePanel((s) => s.opened?.model.config);
  const specOf = (cache: SpecChoice['cache']): SpecChoice => ({
    policy: { kind: 'learn2pd', tau },
    eotp: 'strict',
    cache,
  });
  useNeeds(session, [...CACHES.map(specOf), STATIC]);
  const none = { run: useRun(specOf('none')), replay: useReplay(specOf('none')) };
  const prefix = { run: useRun(specOf('prefix')), replay: useReplay(specOf('prefix')) };
  const dual = { run: useRun(specOf('dual')), replay: useReplay(specOf('dual')) };
  const all = { none, prefix, dual };
  const prompt = config?.prompt ?? 0;
  const y = useRun(STATIC)?.decoded;
  const rowsOf = (r: Replay, cache: SpecChoice['cache']): number =>
    r.steps.reduce((sum, _, pass) => sum + fed(r, pass, cache, prompt)[1] - fed(r, pass, cache, prompt)[0], 0);
  const longest = Math.max(1, ...CACHES.map((c) => all[c].replay?.passes ?? 0));
  return (
    <section aria-labelledby="cache">
      <h2 id="cache">KV cache</h2>
      <p className={css.lead}>
        The first pass of a block feeds everything. After it, the prefix cache keeps what lies before the block, the
        dual cache everything outside it. Both are approximations: attention looks both ways, so cached rows grow stale.
        The filter was trained without a cache.
      </p>
      <div className={css.columns}>
        {CACHES.map((cache) => {
          const { replay } = all[cache];
          return (
            <figure key={cache} className={pcss.plot}>
              <figcaption>{cache === 'none' ? 'No cache' : `${cache === 'dual' ? 'Dual' : 'Prefix'} cache`}</figcaption>
              {replay ? (
                <Rows replay={replay} cache={cache} prompt={prompt} longest={longest} />
              ) : (
                <p role="status">Not decoded yet.</p>
              )}
            </figure>
          );
        })}
      </div>
      <ul className={pcss.names}>
        <li>
          <i className={pcss.fed} aria-hidden="true" /> computed in this pass
        </li>
        <li>
          <i className={pcss.kept} aria-hidden="true" /> from the cache
        </li>
        <li>nothing drawn: cut off</li>
      </ul>
      <Scroll>
        <table className={css.table} data-testid="cache-table">
          <caption>Learn2PD with strict end-of-text prediction, this problem</caption>
          <thead>
            <tr>
              {['cache', 'passes', 'full passes', 'rows computed', 'milliseconds', 'answer', 'same as static'].map(
                (name) => (
                  <th scope="col" key={name}>
                    {name}
                  </th>
                ),
              )}
              <th scope="col" data-paper>
                paper, speed-up
              </th>
              <th scope="col" data-paper>
                score
              </th>
            </tr>
          </thead>
          <tbody>
            {CACHES.map((cache) => {
              const { run, replay } = all[cache];
              const d = run?.decoded;
              const cited = PAPER.cache.find((c) => c.cache === cache);
              return (
                <tr key={cache}>
                  <th scope="row">{cache}</th>
                  <td>{d?.nfe ?? '…'}</td>
                  <td>{d?.full ?? ''}</td>
                  <td>{replay ? rowsOf(replay, cache).toLocaleString('en') : ''}</td>
                  <td>{d ? `${d.wallMs.toFixed(0)}${d.cold ? ' (first run)' : ''}` : ''}</td>
                  <td>{run && answerWords(run)}</td>
                  <td>{d && y ? (d.tokens.every((id, i) => id === y.tokens[i]) ? 'yes' : 'no') : ''}</td>
                  <td data-paper>{cited ? `${cited.speedup}×` : ''}</td>
                  <td data-paper>{cited?.score}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      <SimilarityView session={session} />
    </section>
  );
}

const W = 400;
const H = 220;

function Rows({
  replay,
  cache,
  prompt,
  longest,
}: {
  replay: Replay;
  cache: SpecChoice['cache'];
  prompt: number;
  longest: number;
}) {
  const total = prompt + replay.canvas;
  const high = Math.min(14, H / longest);
  const x = (at: number): number => (at / total) * W;
  return (
    <svg
      viewBox={`0 0 ${W} ${Math.max(40, high * longest)}`}
      role="img"
      aria-label={`${replay.passes} passes; the rows that each feeds`}
    >
      {replay.steps.map((step, pass) => {
        const [from, to] = fed(replay, pass, cache, prompt);
        const top = pass * high;
        const h = Math.max(0.6, high - (high > 3 ? 1 : 0));
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row is its pass
          <g key={pass}>
            <rect className={pcss.kept} x={0} y={top} width={x(prompt + step.before)} height={h} />
            <rect className={pcss.fed} x={x(from)} y={top} width={x(to) - x(from)} height={h} />
          </g>
        );
      })}
      <line className={pcss.border} x1={x(prompt)} x2={x(prompt)} y1={0} y2={high * longest} />
    </svg>
  );
}
