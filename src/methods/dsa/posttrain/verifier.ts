/**
 * Judging answers of post-training apart from the thread that trains. A task holds functions, which cross no thread: an answer
 * names what its task is made from, and whoever judges it makes the task again.
 */
import type { Verifier } from '../../../lm/verify/verifier.ts';
import type { TaskSource } from './domain.ts';
import { taskOf } from './tasks.ts';

export interface PostAnswer {
  task: TaskSource;
  /** What stands behind ANSWER. */
  text: string;
}

/** In this thread. */
export const localPostVerifier = (): Verifier<PostAnswer> => ({
  verify: async (answers) => answers.map(({ task, text }) => taskOf(task).judge(text)),
});
