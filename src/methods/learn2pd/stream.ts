/** Time of single-stream decodes as the paper measures it: batch of one, read-back included, after warm-up decodes. */
import type { Problem } from '../../lm/tasks/task.ts';
import type { DiffusionDecoder } from './decoder.ts';
import type { DecodeSpec } from './policy.ts';

export interface StreamTiming {
  /** Useful tokens (before the first end token) per second of all decodes together. */
  tokensPerSecond: number;
  msPerSequence: number;
  nfe: number;
  /** Mean time of one network pass, its share of submissions and read-backs included. */
  msPerPass: number;
  passesPerSubmission: number;
  sequences: number;
}

interface Sum {
  ms: number;
  useful: number;
  nfe: number;
  submissions: number;
  sequences: number;
}

/** What is asked of a Judge. */
export interface StreamSource {
  decoder(canvas: number, sequences: number): Pick<DiffusionDecoder, 'decode'>;
  prompts(problems: readonly Problem[]): number[][];
}

/** Entrants take turns problem by problem, so that what else the machine does falls on all of them. */
export async function singleStream(
  judge: StreamSource,
  problems: readonly Problem[],
  entrants: readonly (readonly [name: string, spec: DecodeSpec])[],
  at: { canvas: number; warmUp: number },
): Promise<{ of(name: string): StreamTiming }> {
  const decoder = judge.decoder(at.canvas, 1);
  const sums = new Map<string, Sum>();
  const prompts = judge.prompts(problems);
  for (let round = -at.warmUp; round < prompts.length; round++) {
    const prompt = prompts[Math.max(0, round)];
    let references: ArrayLike<number>[] = [];
    for (const [name, spec] of entrants) {
      // A warm-up of the oracle needs a text, any will do.
      const options = { canvas: at.canvas, references: references.length > 0 ? references : [[]] };
      const { results, stats } = await decoder.decode([prompt], spec, options);
      if (spec.policy.kind === 'static' && spec.policy.perStep === 1) references = [results[0].tokens];
      if (round < 0) continue;
      const sum = sums.get(name) ?? { ms: 0, useful: 0, nfe: 0, submissions: 0, sequences: 0 };
      sums.set(name, {
        ms: sum.ms + stats.wallMs,
        useful: sum.useful + results[0].answerLength,
        nfe: sum.nfe + results[0].nfe,
        submissions: sum.submissions + stats.submissions,
        sequences: sum.sequences + 1,
      });
    }
  }
  return {
    of(name) {
      const s = sums.get(name);
      if (!s) throw new Error(`nobody named ${name} was timed`);
      return {
        tokensPerSecond: s.useful / (s.ms / 1000),
        msPerSequence: s.ms / s.sequences,
        nfe: s.nfe / s.sequences,
        msPerPass: s.ms / s.nfe,
        passesPerSubmission: s.nfe / s.submissions,
        sequences: s.sequences,
      };
    },
  };
}
