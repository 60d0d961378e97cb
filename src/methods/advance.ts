/** The loop of Session.advance() (contract.ts). */
import type { Budget, RunContext, RunState } from './contract.ts';

/** Takes steps until the run is done, the budget is used or the run is stopped: whichever comes first, at a step boundary. */
export async function advanceSteps(
  { ms = Number.POSITIVE_INFINITY, steps = Number.POSITIVE_INFINITY }: Budget,
  { signal }: Pick<RunContext, 'signal'>,
  state: () => RunState,
  step: () => Promise<void>,
): Promise<'more' | 'done'> {
  const until = performance.now() + ms;
  for (let n = 0; n < steps && !signal.aborted; n++) {
    if (state().done) return 'done';
    await step();
    if (performance.now() >= until) break;
  }
  return state().done ? 'done' : 'more';
}
