// Which weights are at work, and other ones from a file. Nothing is uploaded.

import { FolderOpen } from 'lucide-react';
import { useRef } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import css from './learn2pd.module.css';
import type { PanelSession } from './session.ts';
import { shippedFile, usePanel } from './store.ts';

const WORDS = { shipped: 'came with the page', file: 'from your disk', tab: 'trained in this tab' } as const;

export function Weights({ session }: { session: PanelSession }) {
  const opened = usePanel((s) => s.opened);
  const shelf = usePanel((s) => s.shelf);
  const file = usePanel(shippedFile);
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined): Promise<void> => {
    if (file) await session.open(new Uint8Array(await file.arrayBuffer()), 'file');
  };
  return (
    <div className={css.weights}>
      {opened && (
        <p className={css.note}>
          {opened.model.title}, {(opened.model.parameters / 1000).toFixed(0)} K parameters, {WORDS[opened.model.source]}
          {opened.model.ownFilter && ', with a filter learned in this tab'}. {opened.adapter}.
        </p>
      )}
      {shelf.length > 1 && (
        <Choice
          label="Model"
          value={file?.rung ?? ''}
          options={shelf.map(({ rung }) => [rung, rung] as const)}
          onChange={(rung) => void session.choose(rung)}
        />
      )}
      <input
        ref={input}
        type="file"
        accept=".safetensors"
        hidden
        data-testid="file"
        aria-label="Checkpoint file"
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = '';
        }}
      />
      <Button icon={FolderOpen} onClick={() => input.current?.click()}>
        Open weights
      </Button>
    </div>
  );
}
