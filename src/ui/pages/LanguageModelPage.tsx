// A Qwen3 model from the visitor's disk writes text in this tab: choose a folder, see what it takes, give it a prompt.

import { type DragEvent, useEffect, useState } from 'react';
import { Facts } from '../language-model/Facts.tsx';
import { FolderBox } from '../language-model/FolderBox.tsx';
import { fromDrop } from '../language-model/folder.ts';
import css from '../language-model/language-model.module.css';
import { Progress } from '../language-model/Progress.tsx';
import { LmSession } from '../language-model/session.ts';
import { useLm } from '../language-model/store.ts';
import { Trouble } from '../language-model/Trouble.tsx';
import { WriteBox } from '../language-model/WriteBox.tsx';

export default function LanguageModelPage() {
  const [session, setSession] = useState<LmSession | null>(null);
  const [over, setOver] = useState(false);
  const status = useLm((s) => s.status);
  useEffect(() => {
    const fresh = new LmSession();
    setSession(fresh);
    return () => fresh.dispose();
  }, []);

  // Text that is dragged into the prompt is the browser's business.
  const withFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files');
  const hover = (event: DragEvent): void => {
    if (!withFiles(event)) return;
    event.preventDefault();
    setOver(event.type === 'dragover');
  };
  const drop = (event: DragEvent): void => {
    if (!withFiles(event)) return;
    event.preventDefault();
    setOver(false);
    void session?.open(fromDrop(event.dataTransfer));
  };
  return (
    <main className={css.page} onDragOver={hover} onDragLeave={hover} onDrop={drop} data-over={over || undefined}>
      <div className={css.head}>
        <div>
          <h1>Language model</h1>
          <p className={css.lead}>A Qwen3 model from your disk writes text in this tab. Nothing is uploaded.</p>
        </div>
        {session && (status === 'ready' || status === 'writing' || status === 'lost') && (
          <FolderBox session={session} />
        )}
      </div>
      {session && (
        <>
          <Trouble session={session} />
          {status === 'empty' && (
            <div className={css.empty} data-testid="empty">
              <p>
                Choose the folder of a Qwen3 model: config.json, tokenizer.json and its safetensors files in bfloat16.{' '}
                <a href="https://huggingface.co/Qwen/Qwen3-0.6B" rel="noreferrer">
                  Qwen/Qwen3-0.6B
                </a>{' '}
                on Hugging Face (Apache-2.0, 1.5 GB) is one; no model comes with this page.
              </p>
              <FolderBox session={session} first />
            </div>
          )}
          <Facts />
          <Progress session={session} />
          {(status === 'ready' || status === 'writing') && <WriteBox session={session} />}
        </>
      )}
    </main>
  );
}
