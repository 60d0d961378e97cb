// WGSL with line numbers and colours, to read and to edit: a textarea lies over the coloured text, so that selection, undo,
// find and screen readers are the browser's own. Lines with errors are marked, the message stands at their end.

import { type KeyboardEvent, useDeferredValue, useMemo } from 'react';
import css from './editor.module.css';
import { tokenise } from './wgsl-tokens.ts';

export interface LineError {
  line: number;
  message: string;
}

export interface WgslEditorProps {
  label: string;
  text: string;
  errors?: readonly LineError[];
  /** Read-only without it. */
  onChange?: (text: string) => void;
  /** Ctrl+Enter. */
  onSubmit?: () => void;
}

export function WgslEditor({ label, text, errors = [], onChange, onSubmit }: WgslEditorProps) {
  // Colours may lag behind fast typing; the caret must not.
  const coloured = useDeferredValue(text);
  const tokens = useMemo(() => tokenise(coloured), [coloured]);
  const lines = text.split('\n');
  const byLine = new Map(errors.map((e) => [e.line, e.message]));
  const keyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onSubmit?.();
    }
  };
  return (
    <div className={css.editor}>
      <div className={css.gutter} aria-hidden="true">
        {lines.map((_, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: line numbers are their own identity
          <span key={i} data-bad={byLine.has(i + 1)}>
            {i + 1}
          </span>
        ))}
      </div>
      <div className={css.body}>
        <pre aria-hidden="true">
          {tokens.map((t, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text, in order
            <span key={i} data-kind={t.kind}>
              {t.text}
            </span>
          ))}
          {'\n'}
        </pre>
        <div className={css.marks} aria-hidden="true">
          {[...byLine].map(([line, message]) => (
            <div key={line} style={{ top: `calc(${line - 1} * var(--row))` }}>
              <span style={{ marginLeft: `calc(${(lines[line - 1] ?? '').length + 3} * 1ch)` }}>{message}</span>
            </div>
          ))}
        </div>
        <textarea
          aria-label={label}
          value={text}
          readOnly={!onChange}
          onChange={(event) => onChange?.(event.target.value)}
          onKeyDown={keyDown}
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
          wrap="off"
          data-testid="wgsl"
        />
      </div>
    </div>
  );
}
