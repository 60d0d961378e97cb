/**
 * The visitor's choice of tasks for a training in the tab: families with levels, as the text that the configuration and the
 * link hold (`lists:4-8,sums:2`), and in one sentence why it cannot be trained on.
 */
import { FAMILIES } from '../../../lm/tasks/families.ts';
import type { Split } from '../../../lm/tasks/task.ts';
import { ConfigError } from '../../config-values.ts';
import { presets } from '../config.ts';
import { fits, parseTasks, problemsOf, type Task, tokenizerOf } from '../problems.ts';

/** Easiest and hardest level of each chosen family, by id. */
export type Chosen = ReadonlyMap<string, readonly [from: number, to: number]>;

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];

/** Throws ConfigError if the text is no choice of tasks. */
export const chosenOf = (text: string): Chosen =>
  new Map(parseTasks(text).map(({ family, levels }) => [family.id, [levels[0], levels[levels.length - 1]]]));

/** Families of the preset first and in its order, so that its own choice is its own text. */
export function textOf(chosen: Chosen, preset: string): string {
  const order = new Set([...chosenOf(presets[preset].tasks).keys(), ...FAMILIES.map((f) => f.id)]);
  return [...order]
    .flatMap((id) => {
      const levels = chosen.get(id);
      return levels ? [levels[0] === levels[1] ? `${id}:${levels[0]}` : `${id}:${levels[0]}-${levels[1]}`] : [];
    })
    .join(',');
}

/** Why this size cannot be trained on these tasks; empty if it can. */
export function faultOf(text: string, preset: string): string {
  let tasks: Task[];
  try {
    tasks = parseTasks(text);
  } catch (error) {
    if (error instanceof ConfigError) return `${error.message.replace(/^configuration tasks: /, '')}.`;
    throw error;
  }
  const twice = tasks.find(({ family }, i) => tasks.findIndex((t) => t.family === family) !== i);
  if (twice) return `${twice.family.title} is named twice.`;
  const c = presets[preset];
  const tokenizer = tokenizerOf(tasks);
  for (const task of tasks) {
    const { title } = task.family;
    // A level whose problems are all too long would never be drawn, and nobody would notice.
    const long = task.levels.find((level) => !fits(task.family, level, tokenizer, c));
    if (long !== undefined) {
      return `${title}, level ${long}: no problem fits the prompt of ${c.prompt} and the answer of ${c.canvas} tokens of ${preset}. Choose lower levels or a larger size.`;
    }
    for (const split of SPLITS) {
      try {
        problemsOf([task], tokenizer, c, { split, seed: 1, salt: 1 }, 1);
      } catch {
        return `${title} has too few problems at these levels to set some apart for the evaluation. Choose more levels.`;
      }
    }
  }
  return '';
}
