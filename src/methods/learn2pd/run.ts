/** A whole run: train the small LLaDA, collect, train the filter, measure every policy on unseen problems. */
import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { smallConfig } from '../../lm/config.ts';
import { answerText } from '../../lm/evaluate.ts';
import { storeModel } from '../../lm/language-model.ts';
import { wilson } from '../../lm/statistics.ts';
import { familyOf, taskTokenizer } from '../../lm/tasks/families.ts';
import { type Problem, problemAt, type Split } from '../../lm/tasks/task.ts';
import { EOT } from '../../lm/tokenizers/closed.ts';
import { exampleOf } from '../../lm/train/sft.ts';
import { TRAIN_DEFAULTS } from '../../lm/train/trainer.ts';
import { localVerifier } from '../../lm/verify/verifier.ts';
import { collectRecords } from './collect.ts';
import type { Learn2pdConfig } from './config.ts';
import { DiffusionDecoder } from './decoder.ts';
import { FILTER_TRAINING, newFilter, trainFilter } from './filter.ts';
import { DECODE_DEFAULTS, type DecodeSpec } from './policy.ts';
import { diffusionBatch, lladaTrainer } from './train.ts';

export interface RunResult {
  metrics: Record<string, number>;
  table: { name: string; columns: string[]; rows: (number | string)[][] };
  flops: number;
}

export async function runLearn2pd(
  gpu: Gpu,
  c: Learn2pdConfig,
  seed: number,
  note: (text: string) => void,
): Promise<RunResult> {
  const families = c.tasks.split(',').map(familyOf);
  const tokenizer = taskTokenizer(families);
  const model = { ...smallConfig(tokenizer.vocab, c.d, c.layers, c.prompt + c.canvas), positions: true };
  /** The next problem from `from` on that fits prompt and canvas, and the index behind it. */
  const problem = (split: Split, salt: number, from: number): { found: Problem; next: number } => {
    for (let i = from; ; i++) {
      const family = families[i % families.length];
      const levels = Array.from({ length: c.level }, (_, k) => family.levels[0] + k).filter(
        (k) => k <= Math.max(c.level, family.levels[0]),
      );
      const found = problemAt(family, split, mix32(seed, salt, 0, 7), i, levels);
      const e = exampleOf(tokenizer, found, EOT);
      if (e.prompt.length <= c.prompt && e.answer.length <= c.canvas) return { found, next: i + 1 };
      if (i - from > 1000) throw new Error('No problem of these tasks fits prompt and canvas.');
    }
  };
  const many = (split: Split, salt: number, count: number): Problem[] => {
    const out: Problem[] = [];
    for (let at = 0; out.length < count; ) {
      const { found, next } = problem(split, salt, at);
      out.push(found);
      at = next;
    }
    return out;
  };
  const time = c.prompt + c.canvas;
  const spec = { ...TRAIN_DEFAULTS, batch: c.rows, time, steps: c.steps, lr: c.lr, seed };
  const trainer = lladaTrainer(gpu, model, spec);
  for (let step = 1; step <= c.steps; step++) {
    const examples = many('train', step, c.rows).map((p) => exampleOf(tokenizer, p, EOT));
    trainer.advance(diffusionBatch(examples, c.prompt, c.canvas, mix32(seed, step, 0, 9)));
    await trainer.settle();
    if (step % 100 === 0) note(`step ${step}/${c.steps}  loss ${(await trainer.metrics()).loss.toFixed(4)}`);
  }
  const loss = (await trainer.metrics()).loss;
  const weights = storeModel(gpu, model, trainer.store, { sequences: 32, capacity: time }, 'average');
  const shape = { prompt: c.prompt, block: c.block, canvas: c.canvas, depth: 2, perSubmission: 8 };
  const decoder = new DiffusionDecoder(gpu, weights, shape);
  const ids = (all: readonly Problem[]): number[][] => all.map((p) => tokenizer.encode(p.prompt));
  const { records } = await collectRecords(decoder, ids(many('train', 1_000_001, c.prompts)), c.canvas);
  note(`${records.length} records for the filter`);
  const settings = { ...FILTER_TRAINING, steps: c.filterSteps, seed };
  const { filter } = trainFilter(newFilter(c.block, 2, seed), records, settings);
  const problems = many('test', 1, c.problems);
  const plain: DecodeSpec = { ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 1 } };
  const learned: DecodeSpec = { ...plain, policy: { kind: 'learn2pd', tau: c.tau, filter } };
  const specs: [string, DecodeSpec][] = [
    ['static', plain],
    ['threshold', { ...plain, policy: { kind: 'threshold', tau: c.threshold } }],
    ['egp', { ...plain, policy: { kind: 'egp' } }],
    ['learn2pd', learned],
    ['learn2pdEotp', { ...learned, eotp: 'strict' }],
    ['learn2pdEotpDual', { ...learned, eotp: 'strict', cache: 'dual' }],
  ];
  const verifier = localVerifier();
  const metrics: Record<string, number> = { loss, filterParams: filter.values.length };
  const rows: (number | string)[][] = [];
  let y: Uint32Array[] = [];
  for (const [name, s] of specs) {
    const { results } = await decoder.decode(ids(problems), s, { references: y });
    if (name === 'static') y = results.map((r) => r.tokens);
    const texts = results.map((r) => answerText(tokenizer, r.tokens, EOT));
    const verdicts = await verifier.verify(problems.map((p, i) => ({ problem: p, text: texts[i] })));
    const right = wilson(verdicts.filter((x) => x.score === 1).length, problems.length);
    const nfe = results.reduce((sum, r) => sum + r.nfe, 0) / results.length;
    const same = texts.filter((t, i) => t === answerText(tokenizer, y[i], EOT)).length / texts.length;
    metrics[`${name}.nfe`] = nfe;
    metrics[`${name}.accuracy`] = right.value;
    metrics[`${name}.sameAnswer`] = same;
    rows.push([name, nfe, right.value, right.lower, right.upper, same]);
  }
  metrics.nfeSpeedupLearn2pd = metrics['static.nfe'] / metrics['learn2pd.nfe'];
  metrics.nfeSpeedupEotp = metrics['static.nfe'] / metrics['learn2pdEotp.nfe'];
  const flops = trainer.program.stats.flops * c.steps;
  for (const part of [decoder, weights, trainer, trainer.store]) part.dispose();
  const columns = ['policy', 'passes', 'accuracy', 'lower 95 %', 'upper 95 %', 'same answer as static'];
  return { metrics, table: { name: 'main', columns, rows }, flops };
}
