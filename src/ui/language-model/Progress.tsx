// How far the weights have come.

import { X } from 'lucide-react';
import { Button } from '../controls/Button.tsx';
import css from './language-model.module.css';
import type { LmSession } from './session.ts';
import { useLm } from './store.ts';
import { bytes } from './words.ts';

export function Progress({ session }: { session: LmSession }) {
  const loading = useLm((s) => s.status === 'loading');
  const progress = useLm((s) => s.progress);
  const name = useLm((s) => s.name);
  if (!loading) return null;
  const whole = progress !== null && progress.done === progress.total;
  return (
    <div className={css.progress}>
      <progress aria-label="Weights that are loaded" value={progress?.done ?? 0} max={progress?.total ?? 1} />
      <p>
        {progress && !whole && `${bytes(progress.done)} of ${bytes(progress.total)}`}
        <span role="status">
          {progress === null && `Looking through ${name}.`}
          {whole && 'Building the kernels and trying them.'}
        </span>
      </p>
      <Button icon={X} onClick={() => session.stop()}>
        Cancel
      </Button>
    </div>
  );
}
