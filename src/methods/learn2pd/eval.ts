/**
 * Evaluation of a model with its filter on problems of the test split, new with every seed: the tables of learn2pd section 6.
 * Passes, accuracy and agreement do not depend on the machine; times come from single-stream decodes that take turns.
 * Verdicts come from intervals, never from here.
 */

import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { pairedBootstrap, wilson } from '../../lm/statistics.ts';
import type { Problem } from '../../lm/tasks/task.ts';
import { ablate } from './ablations.ts';
import type { Learn2pdModel } from './checkpoint.ts';
import { diagnose } from './diagnostics.ts';
import { Judge, type Judged } from './judge.ts';
import { lengthTables } from './lengths.ts';
import { filterOverhead } from './overhead.ts';
import { PAPER } from './paper.ts';
import { paretoTable } from './pareto.ts';
import { DECODE_DEFAULTS, type DecodeSpec, type Policy } from './policy.ts';
import { problemsOf } from './problems.ts';
import { accuracyVerdict, type EvalOptions, mean, type ResultTable } from './report.ts';
import { singleStream } from './stream.ts';

export interface Evaluation {
  metrics: Record<string, number>;
  tables: ResultTable[];
}

/** Tokens a pass of the fixed rate: about what a threshold of 0.9 takes with LLaDA (Fast-dLLM: 3.25). */
const FIXED_RATE = 4;
/** Lead over the second guess. */
const MARGIN = 0.9;

const plain = (policy: Policy): DecodeSpec => ({ ...DECODE_DEFAULTS, policy });

/** The decoders of the main table by name; `static` comes first, the others are compared with it. */
export function mainSpecs({ config: c, filter }: Learn2pdModel): Record<string, DecodeSpec> {
  const learned = plain({ kind: 'learn2pd', tau: c.tau, filter });
  return {
    static: plain({ kind: 'static', perStep: 1 }),
    threshold: plain({ kind: 'threshold', tau: c.threshold }),
    fixedRate: plain({ kind: 'static', perStep: FIXED_RATE }),
    margin: plain({ kind: 'margin', m: MARGIN }),
    egp: plain({ kind: 'egp' }),
    learn2pd: learned,
    learn2pdEotp: { ...learned, eotp: 'strict' },
    learn2pdEotpReleased: { ...learned, eotp: 'released' },
    random: plain({ kind: 'random', tau: c.tau, filter }),
  };
}

export async function evaluate(gpu: Gpu, model: Learn2pdModel, options: EvalOptions): Promise<Evaluation> {
  const { config: c, tasks, tokenizer } = model;
  const { seed, progress } = options;
  const judge = new Judge(gpu, model, options.verifier);
  const canvas = options.canvas || Math.min(c.longest, 2 * c.canvas);
  const count = options.problems || c.problems;
  const draws = (salt: number) => ({ split: 'test', seed: mix32(seed, 0, 0, 0x6576616c), salt }) as const;
  // Small families repeat themselves, and equal problems are no evidence of their own.
  const sets = tasks.map((task, i): [string, Problem[]] => [
    task.family.id,
    distinct(problemsOf([task], tokenizer, c, draws(i), count)),
  ]);
  const sample = sets.flatMap(([, problems]) => problems.slice(0, options.sample || problems.length));
  const specs = mainSpecs(model);
  const metrics: Record<string, number> = { filterParams: model.filter.values.length, mainCanvas: canvas };
  const main: ResultTable = {
    name: 'main',
    columns: [
      ...['task', 'policy', 'canvas', 'problems', 'passes', 'fewer passes', 'tokens/s', 'faster'],
      ...['accuracy', 'lower 95 %', 'upper 95 %', 'against static', 'agreement with static'],
    ],
    rows: [],
  };
  try {
    const all: Record<string, Judged[]> = {};
    for (const [task, problems] of sets) {
      let references: ArrayLike<number>[] = [];
      const stream = { canvas, warmUp: options.warmUp };
      const timing = await singleStream(judge, problems.slice(0, options.timed), Object.entries(specs), stream);
      const found = new Map<string, Judged>();
      for (const [name, spec] of Object.entries(specs)) {
        const judged = await judge.judge(problems, spec, { canvas, sequences: options.sequences, references });
        if (name === 'static') references = judged.results.map((r) => r.tokens);
        found.set(name, judged);
        all[name] = [...(all[name] ?? []), judged];
      }
      const base = found.get('static') as Judged;
      for (const [name, judged] of found) {
        const nfe = mean(judged.nfe);
        const right = wilson(judged.right.filter(Boolean).length, problems.length);
        const agreement = name === 'static' ? 1 : mean(judged.agreement);
        const tps = timing.of(name).tokensPerSecond;
        const faster = timing.of('static').msPerSequence / timing.of(name).msPerSequence;
        Object.assign(metrics, {
          [`${task}.${name}.nfe`]: nfe,
          [`${task}.${name}.tps`]: tps,
          [`${task}.${name}.accuracy`]: right.value,
          [`${task}.${name}.agreement`]: agreement,
        });
        const against = name === 'static' ? '' : accuracyVerdict(judged.right, base.right, seed);
        main.rows.push([
          ...[task, name, canvas, problems.length, nfe, mean(base.nfe) / nfe, tps, faster],
          ...[right.value, right.lower, right.upper, against, agreement],
        ]);
      }
      progress?.(`${task}: static ${(100 * mean(base.right)).toFixed(1)} % right`);
    }
    for (const [name, parts] of Object.entries(all)) {
      metrics[`${name}.nfe`] = mean(parts.flatMap((p) => p.nfe));
      metrics[`${name}.accuracy`] = mean(parts.flatMap((p) => p.right));
    }
    const difference = pairedBootstrap(
      all.learn2pdEotp.flatMap((p) => p.right),
      all.static.flatMap((p) => p.right),
      seed,
    );
    Object.assign(metrics, {
      accuracyDifference: difference.value,
      accuracyLower95: difference.lower,
      accuracyUpper95: difference.upper,
    });
    const tables: ResultTable[] = [main, paperTable()];
    tables.push({
      name: 'oracleGap',
      columns: ['task', 'oracle (EGP)', 'Learn2PD', 'threshold', 'static'],
      rows: sets.map(([task], i) => [
        task,
        ...['egp', 'learn2pd', 'threshold', 'static'].map((name) => mean(all[name][i].nfe)),
      ]),
    });
    tables.push(...diagnose(all, c, canvas));
    const wanted = Math.max(options.long, options.timed);
    const mixed = distinct(problemsOf(tasks, tokenizer, c, draws(1000), 2 * wanted)).slice(0, wanted);
    const lengths = await lengthTables(judge, mixed, options, specs);
    Object.assign(metrics, lengths.metrics);
    tables.push(...lengths.tables);
    const overhead = await filterOverhead(judge, mixed[0], canvas, options.rounds);
    Object.assign(metrics, overhead.metrics);
    tables.push(overhead.table);
    if (options.pareto) tables.push(await paretoTable(judge, sample, canvas, options));
    if (options.ablations > 0) {
      const work = {
        seed,
        canvas,
        sequences: options.sequences,
        prompts: options.ablations,
        steps: Math.min(3000, c.filterSteps),
      };
      tables.push(
        ...(await ablate({ gpu, model, problems: sample, options: { ...work, progress, verifier: options.verifier } })),
      );
    }
    return { metrics, tables };
  } finally {
    judge.dispose();
  }
}

const distinct = (problems: readonly Problem[]): Problem[] => [...new Map(problems.map((p) => [p.key, p])).values()];

/** The paper's own rows, to be read beside `main`. */
const paperTable = (): ResultTable => ({
  name: 'paper',
  columns: ['task', 'policy', 'canvas', 'tokens/s', 'speed-up', 'score'],
  rows: PAPER.main.map((r) => [r.task, `${r.method}, ${PAPER.model}`, r.canvas, r.tps, r.speedup, r.score]),
});
