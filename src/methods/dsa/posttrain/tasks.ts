/**
 * Problems of the domains as token rows: `<tag><A> distractors problem <think>` to `thought <ans> answer <eot>`. Every task is a
 * function of (split, seed, index) only; problems of evaluation are never trained on (split by hash, src/lm/tasks/task.ts).
 */
import { mix32 } from '../../../gpu/rng.ts';
import { Draws, type Split, splitOf } from '../../../lm/tasks/task.ts';
import { ClosedTokenizer, EOT } from '../../../lm/tokenizers/closed.ts';
import type { Example } from '../../../lm/train/batch.ts';
import {
  ANSWER,
  DIRECT,
  type Domain,
  MODES,
  model,
  type Part,
  type Problem,
  type Task,
  type TaskOptions,
  type TaskSource,
  THINK,
} from './domain.ts';
import { DOMAINS, domainOf, FACTS, KEYS } from './domains.ts';
import { ALL_WORDS, LANGUAGES, speaker } from './lexicon.ts';

/** Tokens of all domains in a fixed order; `size` pads the vocabulary. */
export const postTokenizer = (size = 0): ClosedTokenizer =>
  new ClosedTokenizer(
    [
      ...DOMAINS.map((d) => d.tag),
      ...LANGUAGES.map((l) => `<${l}>`),
      ...[THINK, DIRECT, ANSWER],
      ...ALL_WORDS,
      ...DOMAINS.flatMap((d) => d.tokens),
    ],
    size,
  );

export function taskAt(domain: Domain, split: Split, seed: number, index: number, options: TaskOptions): Task {
  const source = { domain: domain.id, split, seed, index, options };
  for (let attempt = 0; attempt < 1000; attempt++) {
    const draws = new Draws(mix32(seed, index, attempt, 0x706f7374), 0);
    const problem = domain.generate(draws);
    const key = problem.key ?? `${problem.prompt} ${problem.answer}`;
    if (splitOf({ family: `post ${domain.id}`, key }) !== split) continue;
    return assemble(domain, problem, draws, source);
  }
  throw new Error(`${domain.id}: there is no problem in the ${split} split`);
}

/** The task of a source, in whatever thread. */
export const taskOf = ({ domain, split, seed, index, options }: TaskSource): Task =>
  taskAt(domainOf(domain), split, seed, index, options);

function assemble(domain: Domain, problem: Problem, draws: Draws, source: TaskSource): Task {
  const { options } = source;
  const language = options.language ?? draws.pick(LANGUAGES);
  const mode = options.mode ?? draws.pick(MODES);
  // Facts about keys that the problem does not name: something to look past.
  const spare = KEYS.filter((key) => !problem.prompt.includes(key));
  const pairs = Math.min(spare.length, options.distractors >> 1);
  const noise = draws.some(spare, pairs).map((key) => key + draws.pick(FACTS));
  const spoiled = draws.uniform() < options.care.wrong;
  const last = model(`${ANSWER}${spoiled ? problem.slip : problem.answer}`);
  const say = speaker(draws, language, options.care.mixed);
  // Agents need their calls in either mode.
  const thinks = mode === 'think' || domain.calls > 0;
  return {
    domain: domain.id,
    source,
    language,
    mode,
    prompt: `${domain.tag}<${language}>${noise.join('')}${problem.prompt}${mode === 'think' ? THINK : DIRECT}`,
    demonstration: thinks ? [...problem.thought(say), last] : [last],
    judge: problem.judge,
    reply: problem.reply,
  };
}

/** A prompt with an answer in parts; the environment's tokens carry no loss. */
export function exampleOf(tokenizer: ClosedTokenizer, task: Task, parts: readonly Part[]): Example {
  const answer: number[] = [];
  const mask: number[] = [];
  for (const { text, by } of parts) {
    const ids = tokenizer.encode(text);
    answer.push(...ids);
    mask.push(...ids.map(() => Number(by === 'model')));
  }
  return { prompt: tokenizer.encode(task.prompt), answer: [...answer, EOT], mask: [...mask, 1] };
}
