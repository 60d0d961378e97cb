// What a training in the tab learns: families of tasks with the levels from which problems are drawn.

import { FAMILIES } from '../../../lm/tasks/families.ts';
import { Button } from '../../../ui/controls/Button.tsx';
import { type Chosen, chosenOf, textOf } from './own-tasks.ts';
import { Select } from './Select.tsx';
import css from './tasks.module.css';

interface TaskChooserProps {
  preset: string;
  /** As the configuration holds them, and those of the preset. */
  tasks: string;
  standard: string;
  /** Why they cannot be trained on; empty if they can. */
  fault: string;
  onChange: (tasks: string) => void;
}

const levels = (from: number, to: number): [string, string][] =>
  Array.from({ length: to - from + 1 }, (_, i) => [String(from + i), String(from + i)]);

/** A link may hold anything: what is no choice of tasks is shown as the preset's, below the sentence that says so. */
function readable(tasks: string, standard: string): Chosen {
  try {
    return chosenOf(tasks);
  } catch {
    return chosenOf(standard);
  }
}

export function TaskChooser({ preset, tasks, standard, fault, onChange }: TaskChooserProps) {
  const chosen = readable(tasks, standard);
  const put = (id: string, range: readonly [number, number] | null): void => {
    const next = new Map(chosen);
    if (range) next.set(id, range);
    else next.delete(id);
    onChange(textOf(next, preset));
  };
  return (
    <fieldset className={css.tasks} data-testid="tasks">
      <legend>Tasks and their levels</legend>
      {fault && (
        <p className={css.fault} role="alert">
          {fault}
        </p>
      )}
      <div className={css.rows}>
        {FAMILIES.map(({ id, title, levels: [lowest, highest] }) => {
          const range = chosen.get(id);
          const own = chosenOf(standard).get(id) ?? [lowest, lowest];
          return (
            <div key={id} className={css.row}>
              <label>
                <input
                  type="checkbox"
                  checked={range !== undefined}
                  // Without any task there is nothing to learn.
                  disabled={range !== undefined && chosen.size === 1}
                  data-testid={`task-${id}`}
                  onChange={({ target }) => put(id, target.checked ? own : null)}
                />
                {title}
              </label>
              {range && (
                <span className={css.levels}>
                  <Select
                    label={`${title}: easiest level`}
                    value={String(range[0])}
                    options={levels(lowest, highest)}
                    onChange={(value) => put(id, [Number(value), Math.max(Number(value), range[1])])}
                    testId={`from-${id}`}
                  />
                  to
                  <Select
                    label={`${title}: hardest level`}
                    value={String(range[1])}
                    options={levels(range[0], highest)}
                    onChange={(value) => put(id, [range[0], Number(value)])}
                    testId={`to-${id}`}
                  />
                </span>
              )}
            </div>
          );
        })}
      </div>
      {tasks !== standard && <Button onClick={() => onChange(standard)}>{`Tasks of ${preset}`}</Button>}
    </fieldset>
  );
}
