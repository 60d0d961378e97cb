// The list of keys, opened by `?`.

import { Dialog } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import css from './dialog.module.css';
import { KEY_LIST } from './keys.ts';

export function KeyDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={css.backdrop} />
        <Dialog.Popup className={css.popup}>
          <Dialog.Title className={css.title}>Keys</Dialog.Title>
          <Dialog.Close className={css.close} aria-label="Close">
            <X size={18} aria-hidden="true" />
          </Dialog.Close>
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
            Gamepad: left stick walks, right stick looks, triggers attack and use, bumpers change the hotbar. Touch:
            drag to look, tap to use, hold to attack, tap the hotbar to choose.
          </p>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
