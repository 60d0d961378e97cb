// The page of learned parallel decoding: opens the weights that come with it, the theatre, and one view of the rest.

import { useEffect, useState } from 'react';
import { parseHash } from '../../../ui/shell/hash-location.ts';
import { PAPER } from '../paper.ts';
import css from './learn2pd.module.css';
import { Paper } from './Paper.tsx';
import { PanelSession } from './session.ts';
import { fromShelf } from './shelf.ts';
import { usePanel } from './store.ts';

import { Theatre } from './Theatre.tsx';
import { Views } from './Views.tsx';
import { viewOf } from './view.ts';
import { Weights } from './Weights.tsx';

const startWorker = (): Worker =>
  new Worker(new URL('../../../../workers/learn2pd.ts', import.meta.url), { type: 'module', name: 'learn2pd' });

/** A link to weights that this browser does not have shows those that came with the page. */
async function openFirst(session: PanelSession): Promise<void> {
  const { weights } = viewOf(parseHash(location.hash).query);
  await session.openFirst(weights === 'tab' ? await fromShelf('weights.safetensors') : null);
}

export function Learn2pdPage() {
  const [session, setSession] = useState<PanelSession | null>(null);
  useEffect(() => {
    const fresh = new PanelSession(viewOf(parseHash(location.hash).query), startWorker);
    setSession(fresh);
    void openFirst(fresh);
    return () => fresh.dispose();
  }, []);
  const status = usePanel((s) => s.status);
  const failure = usePanel((s) => s.failure);
  const notice = usePanel((s) => s.notice);
  return (
    <main className={css.page}>
      <div className={css.head}>
        <h1>Learned parallel decoding</h1>
        {session && status !== 'opening' && <Weights session={session} />}
      </div>
      <p className={css.lead}>
        A diffusion language model fills a canvas of masks in passes. A filter of 2112 weights reads its confidences and
        says which guesses are final; behind the end of the text the canvas is cut off.{' '}
        <a href={`https://arxiv.org/abs/${PAPER.arxiv}`} rel="noreferrer">
          arXiv {PAPER.arxiv}
        </a>
      </p>
      {failure && (
        <div className={css.failure} role="alert">
          <p>{failure.reason}</p>
          <p>{failure.advice}</p>
        </div>
      )}
      {notice && (
        <p className={css.notice} role="status">
          {notice}
        </p>
      )}
      {status === 'opening' && <p role="status">Opening the device and the weights.</p>}
      {session && status === 'ready' && (
        <>
          <Theatre session={session} />
          <Views session={session} />
        </>
      )}
      {status === 'failed' && <Paper />}
    </main>
  );
}
