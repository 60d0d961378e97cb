// A kernel's source, to read and to change: try a change and it is linked, compiled, proven and raced; reset brings the
// shipped text back. Drafts live in this tab only; export saves them.

import { Download, Play, RotateCcw } from 'lucide-react';
import { useEffect, useState } from 'react';
import { ms, percent } from '../../bench/units.ts';
import { Button } from '../controls/Button.tsx';
import { Choice } from '../controls/Choice.tsx';
import css from './gpu.module.css';
import type { KernelCard } from './lab-protocol.ts';
import type { LabSession } from './lab-session.ts';
import { type EditTry, useLab, useRacing } from './lab-store.ts';
import { saveText } from './save-text.ts';
import { WgslEditor } from './WgslEditor.tsx';

/** The sources are a chunk of their own, fetched when the first kernel is looked at. */
function useSources(): Readonly<Record<string, string>> | null {
  const [sources, setSources] = useState<Readonly<Record<string, string>> | null>(null);
  useEffect(() => {
    let shown = true;
    void import('../../bench/shader-sources.ts').then((m) => shown && setSources(m.SHADER_SOURCES));
    return () => {
      shown = false;
    };
  }, []);
  return sources;
}

export function EditPanel({ session, card }: { session: LabSession | null; card: KernelCard }) {
  const sources = useSources();
  const drafts = useLab((s) => s.drafts);
  const edit = useLab((s) => s.edit);
  const running = useLab((s) => s.running);
  const racing = useRacing();
  const usable = card.variants.filter((v) => v.lacks === '');
  const [variantName, setVariant] = useState(usable.find((v) => v.used)?.name ?? usable[0].name);
  const variant = usable.find((v) => v.name === variantName) ?? usable[0];
  const [fileName, setFile] = useState(variant.files[0]);
  const file = variant.files.includes(fileName) ? fileName : variant.files[0];
  if (!sources) return <p className={css.quiet}>Fetching the sources.</p>;
  const shipped = sources[file] ?? '';
  const text = drafts[file] ?? shipped;
  const changed = text !== shipped;
  const busy = running !== null || racing !== undefined;
  const tried = edit && edit.kernel === card.name && edit.file === file ? edit : null;
  const submit = (): void => session?.run({ kind: 'edit', kernel: card.name, variant: variant.name, file, text });
  const errors = tried?.state === 'error' && tried.text === text ? tried.errors.filter((e) => e.file === file) : [];
  return (
    <section className={css.edit} aria-label={`Source of ${card.name}`}>
      <div className={css.editBar}>
        {usable.length > 1 && (
          <label>
            Variant{' '}
            <select value={variant.name} onChange={(e) => setVariant(e.target.value)} data-testid="edit-variant">
              {usable.map((v) => (
                <option key={v.name} value={v.name}>
                  {v.name}
                  {v.used ? ', in use here' : ''}
                </option>
              ))}
            </select>
          </label>
        )}
        <code>shaders/{file}</code>
        <span className={css.grow} />
        <Button
          icon={Download}
          label="Export this file"
          onClick={() => saveText(file.split('/').pop() ?? 'kernel.wgsl', text, 'text/plain')}
          testId="edit-export"
        />
        <Button
          icon={RotateCcw}
          onClick={() => session?.draft(file, null)}
          disabled={!changed || running?.kind === 'edit'}
          testId="edit-reset"
        >
          Reset
        </Button>
        <Button
          icon={Play}
          kind="strong"
          onClick={submit}
          disabled={!changed || busy}
          hint={racing ?? 'Link, compile, prove and race this text (Ctrl+Enter)'}
          testId="edit-try"
        >
          Try the change
        </Button>
      </div>
      {variant.files.length > 1 && (
        <div className={css.scroll}>
          <Choice
            label="File"
            value={file}
            options={variant.files.map((f) => [f, f.split('/').slice(1).join('/')] as const)}
            onChange={setFile}
          />
        </div>
      )}
      {tried && <TryReport edit={tried} stale={tried.text !== text} />}
      <WgslEditor
        label={`WGSL of ${file}`}
        text={text}
        errors={errors}
        onChange={(value) => session?.draft(file, value === shipped ? null : value)}
        onSubmit={changed && !busy ? submit : undefined}
      />
      <p className={css.quiet}>
        Change the text and try it: it is linked again, compiled, proven on {card.cases} cases and raced against the
        version it came from, in turns. A draft lives in this tab; a reload forgets it unless it was exported.
      </p>
    </section>
  );
}

function TryReport({ edit, stale }: { edit: EditTry; stale: boolean }) {
  const failed = edit.cases.filter((c) => !c.ok);
  return (
    <div className={css.tryReport} data-state={edit.state} data-testid="edit-report">
      <p role="status" data-testid="edit-message">
        {edit.message}
        {stale && edit.state !== 'running' && ' The text has changed since.'}
      </p>
      {edit.state === 'error' && (
        <ul data-testid="edit-errors">
          {edit.errors.map((e) => (
            <li key={`${e.file}:${e.line}:${e.message}`}>
              <code>
                {e.file}
                {e.line > 0 ? `:${e.line}` : ''}
              </code>{' '}
              {e.message}
            </li>
          ))}
        </ul>
      )}
      {failed.length > 0 && (
        <ul data-testid="edit-failures">
          {failed.slice(0, 6).map((c) => (
            <li key={c.case}>
              <strong>{c.case}</strong>: {c.reason}
            </li>
          ))}
          {failed.length > 6 && <li>and {failed.length - 6} more</li>}
        </ul>
      )}
      {edit.race && (
        <p data-testid="edit-race">
          Before {ms(edit.race.before.median)} ({ms(edit.race.before.q1)} – {ms(edit.race.before.q3)}), after{' '}
          {ms(edit.race.after.median)} ({ms(edit.race.after.q1)} – {ms(edit.race.after.q3)}): {verdict(edit.race)}
        </p>
      )}
    </div>
  );
}

/** Faster or slower only where the quartiles do not overlap. */
function verdict({ before, after }: NonNullable<EditTry['race']>): string {
  const change = percent(Math.abs(before.median / after.median - 1));
  if (after.q3 < before.q1) return `${change} faster.`;
  if (after.q1 > before.q3) return `${percent(Math.abs(after.median / before.median - 1))} slower.`;
  return 'no difference beyond the spread.';
}
