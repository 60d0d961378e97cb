// The problem that is decoded: drawn from the unseen ones, or typed in the template of a task.

import { Dices } from 'lucide-react';
import { useId, useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { Select } from './Select.tsx';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import css from './theatre.module.css';
import { exampleOfTask } from './typed-problem.ts';

export function PromptBox({ session }: { session: PanelSession }) {
  const model = usePanel((s) => s.opened?.model);
  const view = usePanel((s) => s.view);
  const problem = usePanel((s) => s.problem);
  const fault = usePanel((s) => s.problemFault);
  const canvas = usePanel((s) => s.canvas);
  const [draft, setDraft] = useState<string | null>(null);
  const id = useId();
  if (!model) return null;
  const shown = problem ? problem.prompt.replace(/^<[^>]+>/, '').trim() : '';
  const canvases = model.canvases.includes(canvas) ? model.canvases : [...model.canvases, canvas];
  return (
    <form
      className={css.prompt}
      onSubmit={(event) => {
        event.preventDefault();
        const text = (draft ?? shown).trim();
        setDraft(null);
        if (text !== '') void session.change({ typed: text });
      }}
    >
      <Select
        label="Task"
        value={view.task}
        options={model.tasks.map((t) => [t.id, t.title] as const)}
        onChange={(task) => {
          setDraft(null);
          void session.change({ task, row: 0, typed: null });
        }}
        strong
        testId="task"
      />
      <div className={css.field}>
        <label htmlFor={id} className="visually-hidden">
          Problem
        </label>
        <input
          id={id}
          value={draft ?? view.typed ?? shown}
          spellCheck={false}
          autoComplete="off"
          placeholder={exampleOfTask(view.task)}
          aria-invalid={fault !== ''}
          aria-describedby={`${id}-fault`}
          data-testid="problem"
          onChange={(event) => setDraft(event.target.value)}
        />
        {draft !== null && (
          <Button kind="dream" onClick={() => void session.change({ typed: draft.trim() }).then(() => setDraft(null))}>
            Decode
          </Button>
        )}
      </div>
      <Button
        icon={Dices}
        testId="another"
        onClick={() => {
          setDraft(null);
          void session.change({ row: view.row + 1, typed: null });
        }}
      >
        Another
      </Button>
      <div className={css.canvases}>
        <span>Canvas</span>
        <Choice
          label="Canvas length"
          value={canvas}
          options={canvases.map((n) => [n, String(n)] as const)}
          onChange={(n) => void session.change({ canvas: n })}
        />
      </div>
      <p id={`${id}-fault`} className={css.fault} role={fault ? 'alert' : undefined}>
        {fault}
      </p>
    </form>
  );
}
