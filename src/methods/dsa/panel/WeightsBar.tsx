// Which weights are looked at, and a way to others: a file from this disk, or the shipped ones.

import { useRef, useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { type Card, SHIPPED, type ShippedName } from './card.ts';
import css from './dsa.module.css';
import type { Opened } from './protocol.ts';

const NAMES = Object.keys(SHIPPED) as ShippedName[];
/** Rows of more tokens take a processor some seconds for every view. */
const LONG = 256;

interface Props {
  opened: Opened & { card: Card | null };
  onFile: (bytes: Uint8Array<ArrayBuffer>, name: string) => Promise<void>;
  onShipped: (name: ShippedName) => void;
}

export function WeightsBar({ opened, onFile, onShipped }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setBusy(true);
    await onFile(new Uint8Array(await file.arrayBuffer()), file.name);
    setBusy(false);
  };
  return (
    <div className={css.weights} data-testid="weights">
      <p>
        Weights: <strong>{opened.title}</strong>, rows of {opened.config.time} tokens
        {busy && ', opening another file'}
      </p>
      <input
        ref={input}
        type="file"
        accept=".safetensors"
        aria-label="Weights from this disk"
        hidden
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = '';
        }}
      />
      <Choice
        label="Shipped weights"
        value={opened.card ? opened.config.rung : ''}
        options={NAMES.map((name) => [name, name] as const)}
        onChange={(name) => onShipped(name as ShippedName)}
      />
      <Button onClick={() => input.current?.click()}>Open a file</Button>
      {opened.software && opened.config.time > LONG && (
        <p className={css.note}>
          Rows of {opened.config.time} tokens are for a GPU: on this adapter every view takes a while.
        </p>
      )}
    </div>
  );
}
