/**
 * Answers in turns: the policy writes until it ends or calls its environment, the environment's tokens follow, and the policy
 * goes on. Each turn is a decoding of its own over what stands there so far.
 */
import { mix32 } from '../../../gpu/rng.ts';
import type { Decoder, Generated, GenerateOptions } from '../../../lm/decoder.ts';
import { type ClosedTokenizer, EOT } from '../../../lm/tokenizers/closed.ts';
import { OBSERVE, type Task } from './domain.ts';
import { domainOf } from './domains.ts';

export interface Spoken {
  answer: Generated;
  /** 1: the policy's own token, 0: the environment's. */
  mask: number[];
}

interface Row {
  task: Task;
  prompt: readonly number[];
  tokens: number[];
  logProbs: number[];
  mask: number[];
  calls: number;
  end: Generated['end'];
}

/** One answer to every task; `maxNew` counts the environment's tokens too. Equal seeds give equal answers. */
export async function converse(
  decoder: Decoder,
  tokenizer: ClosedTokenizer,
  tasks: readonly Task[],
  options: Omit<GenerateOptions, 'stop' | 'seeds'>,
): Promise<Spoken[]> {
  const observe = tokenizer.id(OBSERVE);
  const rows = tasks.map(
    (task): Row => ({
      task,
      prompt: tokenizer.encode(task.prompt),
      tokens: [],
      logProbs: [],
      mask: [],
      calls: domainOf(task.domain).calls,
      end: 'limit',
    }),
  );
  let open = rows.map((row, i) => ({ row, i }));
  for (let turn = 0; open.length > 0; turn++) {
    const { rows: said } = await decoder.generate(
      open.map(({ row }) => [...row.prompt, ...row.tokens]),
      {
        ...options,
        maxNew: options.maxNew - Math.min(...open.map(({ row }) => row.tokens.length)),
        stop: [EOT, observe],
        seeds: open.map(({ i }) => mix32(options.seed, i, turn, 0x7475726e)),
      },
    );
    open = open.filter(({ row }, n) => goesOn(row, said[n], options.maxNew, tokenizer));
  }
  return rows.map(({ tokens, logProbs, mask, end }) => ({
    answer: { tokens: Uint32Array.from(tokens), logProbs: Float32Array.from(logProbs), end },
    mask,
  }));
}

/** Takes what the policy said into the row and, after a call, the reply; whether the policy is to go on. */
function goesOn(row: Row, said: Generated, most: number, tokenizer: ClosedTokenizer): boolean {
  const { task } = row;
  const own = Array.from(said.tokens).slice(0, most - row.tokens.length);
  row.tokens.push(...own);
  row.logProbs.push(...Array.from(said.logProbs).slice(0, own.length));
  row.mask.push(...own.map(() => 1));
  const last = own[own.length - 1];
  if (last === EOT) row.end = 'stop';
  if (last !== tokenizer.id(OBSERVE) || !task.reply || row.calls === 0) return false;
  row.calls -= 1;
  const text = tokenizer.decode(row.tokens.slice(0, -1));
  const reply = tokenizer.encode(task.reply(text));
  // Room for the reply and an answer, or none at all: a reply is never cut.
  if (row.tokens.length + reply.length >= most) return false;
  row.tokens.push(...reply);
  row.logProbs.push(...reply.map(() => 0));
  row.mask.push(...reply.map(() => 0));
  return true;
}
