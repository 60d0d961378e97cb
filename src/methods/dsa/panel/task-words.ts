// Tasks and tokens in words.

import { type Task, tokenName } from '../tasks.ts';

export const TASK_WORDS: Record<Task, string> = {
  retrieval: 'recall',
  needle: 'needle',
  copy: 'copy',
  hops: 'pointers',
  control: 'majority',
  text: 'text',
};

/** What people call the tokens of a task's rows. */
export const namesOf =
  (task: Task) =>
  (id: number): string =>
    tokenName(id, task === 'text');
