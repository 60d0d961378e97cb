/** Decodes judged problem by problem: passes, right or wrong, agreement with the static text, work. What every table is made of. */
import type { Gpu } from '../../gpu/device.ts';
import { answerText } from '../../lm/evaluate.ts';
import type { Problem } from '../../lm/tasks/task.ts';
import { EOT } from '../../lm/tokenizers/closed.ts';
import { localVerifier, type Verifier } from '../../lm/verify/verifier.ts';
import type { Learn2pdModel } from './checkpoint.ts';
import { modelConfig } from './config.ts';
import { decodeFlops } from './cost.ts';
import { type DecodeResult, type DiffusionDecoder, decoderOf } from './decoder.ts';
import type { DecodeSpec } from './policy.ts';

/** One number per problem. */
export interface Judged {
  results: DecodeResult[];
  nfe: number[];
  /** 1 = the verifier accepts the answer. */
  right: number[];
  /** Share of the positions of the answer that equal the static text; NaN without one. */
  agreement: number[];
  /** Tokens before the first end token. */
  useful: number[];
  flops: number[];
}

/** Equal positions up to the later of both first end tokens; behind the end of a cut text stand end tokens. */
export function agreementOf(tokens: ArrayLike<number>, y: ArrayLike<number>): number {
  const list = Array.from(tokens);
  const other = Array.from(y);
  const end = (text: number[]): number => (text.includes(EOT) ? text.indexOf(EOT) + 1 : text.length);
  const n = Math.max(end(list), end(other));
  let same = 0;
  for (let i = 0; i < n; i++) same += Number((list[i] ?? EOT) === (other[i] ?? EOT));
  return n === 0 ? 1 : same / n;
}

/** Decoders of one model by canvas and number of sequences, and the verifier, which is the caller's. */
export class Judge {
  readonly gpu: Gpu;
  readonly model: Learn2pdModel;
  private readonly verifier: Verifier;
  private readonly decoders = new Map<string, DiffusionDecoder>();

  constructor(gpu: Gpu, model: Learn2pdModel, verifier: Verifier = localVerifier()) {
    this.gpu = gpu;
    this.model = model;
    this.verifier = verifier;
  }

  decoder(canvas: number, sequences: number): DiffusionDecoder {
    const key = `${canvas} ${sequences}`;
    const known = this.decoders.get(key);
    if (known) return known;
    const made = decoderOf(this.gpu, this.model, { sequences, canvas });
    this.decoders.set(key, made);
    return made;
  }

  prompts(problems: readonly Problem[]): number[][] {
    return problems.map((p) => this.model.tokenizer.encode(p.prompt));
  }

  async judge(
    problems: readonly Problem[],
    spec: DecodeSpec,
    at: { canvas: number; sequences: number; references?: readonly ArrayLike<number>[]; blocks?: number },
  ): Promise<Judged> {
    const { config, tokenizer } = this.model;
    const prompts = this.prompts(problems);
    const { canvas, sequences, references, blocks } = at;
    const decoder = this.decoder(canvas, sequences);
    const { results } = await decoder.decode(prompts, spec, { canvas, references, blocks, trace: true });
    const texts = results.map((r) => answerText(tokenizer, r.tokens, EOT));
    const verdicts = await this.verifier.verify(problems.map((problem, i) => ({ problem, text: texts[i] })));
    const lm = modelConfig(config, tokenizer.vocab);
    const filter = 'filter' in spec.policy ? spec.policy.filter.values.length : 0;
    return {
      results,
      nfe: results.map((r) => r.nfe),
      right: verdicts.map((v) => Number(v.score === 1)),
      agreement: results.map((r, i) => (references?.[i] ? agreementOf(r.tokens, references[i]) : Number.NaN)),
      useful: results.map((r) => r.answerLength),
      flops: results.map((r, i) =>
        decodeFlops(lm, r.trace ?? [], spec.cache, {
          P: config.prompt,
          prompt: prompts[i].length,
          block: config.block,
          filter,
        }),
      ),
    };
  }

  /** Frees decoders and their caches; the model is the caller's. */
  dispose(): void {
    for (const d of this.decoders.values()) {
      d.model.dispose();
      d.dispose();
    }
    this.decoders.clear();
  }
}
