/** Judging many answers: the logic that runs in a worker (workers/verify.ts), or in process where there is none. */
import { familyOf } from '../tasks/families.ts';
import type { Problem, ProgramRunner, Verdict } from '../tasks/task.ts';
import { openSandbox } from './sandbox.ts';

export interface Answer {
  problem: Problem;
  /** Text up to the end token. */
  text: string;
}

/** `A`: what is judged; a method whose problems are no task families has answers of its own. */
export interface Verifier<A = Answer> {
  /** Verdicts in the order of the answers. */
  verify(answers: readonly A[]): Promise<Verdict[]>;
}

/** In this thread. The sandbox is loaded when the first program comes. */
export function localVerifier(): Verifier {
  let runner: ProgramRunner | undefined;
  return {
    async verify(answers) {
      const verdicts: Verdict[] = [];
      for (const { problem, text } of answers) {
        const family = familyOf(problem.family);
        if (family.programs) runner ??= await openSandbox();
        verdicts.push(family.verify(problem, text, runner));
      }
      return verdicts;
    },
  };
}
