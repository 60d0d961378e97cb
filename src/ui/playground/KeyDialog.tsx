// The list of keys, opened by `?`. A native dialog: the browser traps the focus and closes it with Escape.

import { X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import css from './dialog.module.css';
import { KEY_LIST } from './keys.ts';

export function KeyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} className={css.popup} aria-labelledby="key-title" onClose={onClose}>
      <h2 id="key-title" className={css.title}>
        Keys
      </h2>
      <button type="button" className={css.close} aria-label="Close" onClick={onClose}>
        <X size={18} aria-hidden="true" />
      </button>
      <dl className={css.keys}>
        {KEY_LIST.map(({ keys, does }) => (
          <div key={keys.join() + does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className={css.note}>
        Gamepad: left stick walks, right stick looks, triggers attack and use, bumpers change the hotbar. Touch: drag to
        look, tap to use, hold to attack, tap the hotbar to choose.
      </p>
    </dialog>
  );
}
