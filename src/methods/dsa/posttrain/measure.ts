/** How a policy does on problems that nothing was trained on: outcome, right answers, length and language of every domain. */
import type { ClosedTokenizer } from '../../../lm/tokenizers/closed.ts';
import type { Verifier } from '../../../lm/verify/verifier.ts';
import type { PostConfig } from './config.ts';
import { domainIds } from './config.ts';
import { converse } from './conversation.ts';
import { MODES } from './domain.ts';
import { domainOf } from './domains.ts';
import type { Policy } from './policy.ts';
import { type Judged, judgeAll } from './reward.ts';
import { taskAt } from './tasks.ts';
import type { PostAnswer } from './verifier.ts';

export interface Measure {
  /** Verifier's score of every problem, in order: the same problems for every policy. */
  outcomes: number[];
  outcome: number;
  length: number;
  /** Of thoughts in the thinking mode. */
  consistency: number;
  /** The first problems, as a reader sees them. */
  samples: Sample[];
}

/** With the verdict on every answer. */
export interface Judgements extends Measure {
  judgements: Judged[];
}

export interface Sample {
  prompt: string;
  answer: string;
  /** Verdict of the verifier. */
  outcome: number;
  reasons: string[];
}

/** One problem of each mode. */
const SAMPLES = MODES.length;

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

/** Half of the problems are thought about, half answered directly; one sample of each (pass@1) at temperature 1. */
export async function measure(
  policy: Policy,
  tokenizer: ClosedTokenizer,
  c: PostConfig,
  seed: number,
  verifier: Verifier<PostAnswer>,
): Promise<Map<string, Judgements>> {
  const ids = domainIds(c);
  const tasks = ids.flatMap((id) =>
    Array.from({ length: c.evalProblems }, (_, i) =>
      taskAt(domainOf(id), 'test', seed, i, {
        care: { wrong: 0, mixed: 0 },
        distractors: c.distractors,
        mode: MODES[i % MODES.length],
      }),
    ),
  );
  const options = { temperature: 1, topK: 0, topP: 1, maxNew: c.maxNew, seed };
  const said = await converse(policy.decoder, tokenizer, tasks, options);
  const all = await judgeAll(tokenizer, verifier, tasks, said);
  const sampleAt = (i: number): Sample => {
    const { outcome, reasons } = all[i];
    return { prompt: tasks[i].prompt, answer: tokenizer.decode([...said[i].answer.tokens]), outcome, reasons };
  };
  return new Map(
    ids.map((id, d) => {
      const own = all.slice(d * c.evalProblems, (d + 1) * c.evalProblems);
      const outcomes = own.map((j) => j.outcome);
      const thought = own.filter((_, i) => i % MODES.length === MODES.indexOf('think'));
      return [
        id,
        {
          outcomes,
          outcome: mean(outcomes),
          length: mean(own.map((j) => j.length)),
          consistency: mean(thought.map((j) => j.consistency)),
          judgements: own,
          samples: own.slice(0, SAMPLES).map((_, i) => sampleAt(d * c.evalProblems + i)),
        },
      ];
    }),
  );
}
