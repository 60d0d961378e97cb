// The way to a folder: a file input that takes whole folders. Dropping one anywhere on the page does the same.

import { FolderOpen } from 'lucide-react';
import { useRef } from 'react';
import { Button } from '../controls/Button.tsx';
import { fromInput } from './folder.ts';
import css from './language-model.module.css';
import type { LmSession } from './session.ts';

/** React's types do not know the first. Browsers without folders in this dialogue take several files instead. */
const WHOLE_FOLDERS = { webkitdirectory: '', multiple: true };

export function FolderBox({ session, first = false }: { session: LmSession; first?: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className={css.folder}>
      <input
        ref={input}
        type="file"
        {...WHOLE_FOLDERS}
        hidden
        aria-label="Folder of a model"
        data-testid="folder"
        onChange={(event) => {
          const { files } = event.target;
          if (files && files.length > 0) void session.load(fromInput(files));
          event.target.value = '';
        }}
      />
      <Button icon={FolderOpen} kind={first ? 'strong' : 'plain'} onClick={() => input.current?.click()}>
        {first ? 'Choose a folder' : 'Another model'}
      </Button>
      {first && <span className={css.quiet}>or drop it on this page</span>}
    </div>
  );
}
