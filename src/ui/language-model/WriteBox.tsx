// The prompt, how tokens are drawn, and the text while it is written.

import { Play, Square } from 'lucide-react';
import { type KeyboardEvent, useId } from 'react';
import { Button } from '../controls/Button.tsx';
import { Choice } from '../controls/Choice.tsx';
import css from './language-model.module.css';
import { Settings } from './Settings.tsx';
import type { LmSession } from './session.ts';
import { useLm } from './store.ts';

const ENDS = { stop: 'ended by itself', limit: 'as long as allowed', running: 'stopped' } as const;

export function WriteBox({ session }: { session: LmSession }) {
  const request = useLm((s) => s.request);
  const chat = useLm((s) => s.facts?.chat ?? false);
  const writing = useLm((s) => s.status === 'writing');
  const id = useId();
  const send = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void session.write();
  };
  return (
    <section className={css.write} aria-label="Write">
      <div className={css.promptHead}>
        <label htmlFor={id}>{request.chat ? 'Message' : 'Text to continue'}</label>
        {chat && (
          <Choice
            label="What the prompt is"
            value={request.chat ? 'chat' : 'text'}
            options={[
              ['chat', 'Chat'],
              ['text', 'Plain text'],
            ]}
            onChange={(kind) => session.change({ chat: kind === 'chat' })}
          />
        )}
      </div>
      <textarea
        id={id}
        rows={3}
        value={request.prompt}
        onChange={(event) => session.change({ prompt: event.target.value })}
        onKeyDown={send}
        data-testid="prompt"
      />
      <div className={css.row}>
        {writing ? (
          <Button icon={Square} onClick={() => session.stop()} testId="stop">
            Stop
          </Button>
        ) : (
          <Button
            icon={Play}
            kind="strong"
            hint="Ctrl + Enter"
            disabled={request.prompt.trim() === ''}
            onClick={() => void session.write()}
            testId="write"
          >
            Write
          </Button>
        )}
        <Reading />
      </div>
      <Settings session={session} />
      <Text />
    </section>
  );
}

/** Only the beginning and the end are announced: in between it changes several times a second. */
function Reading() {
  const written = useLm((s) => s.written);
  const writing = useLm((s) => s.status === 'writing');
  const rate = written && `${written.tokens} tokens, ${written.tokensPerSecond.toPrecision(3)} tokens/s`;
  return (
    <p className={css.quiet} data-testid="reading" data-tokens={written?.tokens ?? 0}>
      {writing && rate}
      <span role="status">
        {writing && !written && 'Reading the prompt.'}
        {!writing && written && `${rate}, ${ENDS[written.end]}`}
      </span>
    </p>
  );
}

function Text() {
  const asked = useLm((s) => s.asked);
  const written = useLm((s) => s.written);
  const writing = useLm((s) => s.status === 'writing');
  if (!asked) return null;
  return (
    <div className={css.text} aria-busy={writing}>
      <span className={css.asked}>{asked.prompt}</span>
      {asked.chat && '\n\n'}
      <span data-testid="text">{written?.text}</span>
    </div>
  );
}
