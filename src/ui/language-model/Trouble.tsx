// What went wrong, in one sentence, and the way on if there is one.

import { RotateCcw } from 'lucide-react';
import { Button } from '../controls/Button.tsx';
import css from './language-model.module.css';
import type { LmSession } from './session.ts';
import { useLm } from './store.ts';

export function Trouble({ session }: { session: LmSession }) {
  const fault = useLm((s) => s.fault);
  const lost = useLm((s) => s.status === 'lost');
  if (fault === '') return null;
  return (
    <div className={css.fault} role="alert" data-testid="fault">
      <p>{fault}</p>
      {lost && (
        <Button icon={RotateCcw} kind="strong" onClick={() => void session.reload()} testId="reload">
          Load the weights again
        </Button>
      )}
    </div>
  );
}
