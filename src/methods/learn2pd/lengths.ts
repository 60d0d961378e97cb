/**
 * Cost by canvas length, and the caches at the longest (learn2pd 1.8, 1.9, 6). Static decoding of long canvases takes minutes
 * on a CPU adapter, so its passes are known from its rule (one token a pass), its answers from the blocks that hold them (what
 * lies to the right cannot change them), its work from the formula, and its time from `options.static` whole decodes.
 */

import { pairedBootstrap } from '../../lm/statistics.ts';
import type { Problem } from '../../lm/tasks/task.ts';
import { EOT } from '../../lm/tokenizers/closed.ts';
import { canvasesOf, modelConfig } from './config.ts';
import { passFlops } from './cost.ts';
import { eotWaste } from './diagnostics.ts';
import type { Judge, Judged } from './judge.ts';
import { PAPER } from './paper.ts';
import type { DecodeSpec } from './policy.ts';
import { accuracyVerdict, type EvalOptions, mean, type ResultTable } from './report.ts';
import { type StreamTiming, singleStream } from './stream.ts';

/** Whole static decodes are cheap enough to be timed for every problem up to the first length, for one up to the second. */
const SHORT = 64;
const MIDDLE = 256;

interface StaticRun {
  /** Text of every problem up to the block that holds its end; all of it if there is no end. */
  judged: Judged;
  msPerSequence: number;
  /** Decodes that ran to the end of the canvas. */
  whole: number;
}

/** First block of every problem, then further ones for those whose text has not ended. */
async function staticAnswers(judge: Judge, problems: readonly Problem[], spec: DecodeSpec, canvas: number) {
  const { block } = judge.model.config;
  const started = performance.now();
  let judged = await judge.judge(problems, spec, { canvas, sequences: 1, blocks: 1 });
  const ms = (performance.now() - started) / problems.length;
  for (let blocks = 2; blocks <= canvas / block; blocks *= 2) {
    const open = judged.results.some((r) => r.tokens.length < canvas && !r.tokens.includes(EOT));
    if (!open) break;
    judged = await judge.judge(problems, spec, { canvas, sequences: 1, blocks });
  }
  return { judged, msPerBlock: ms };
}

async function staticRun(
  judge: Judge,
  problems: readonly Problem[],
  spec: DecodeSpec,
  canvas: number,
  whole: number,
): Promise<StaticRun> {
  const { block } = judge.model.config;
  const { judged, msPerBlock } = await staticAnswers(judge, problems, spec, canvas);
  const wanted = canvas <= SHORT ? problems.length : canvas <= MIDDLE ? Math.max(1, whole) : whole;
  const count = Math.min(wanted, problems.length);
  if (count === 0) return { judged, msPerSequence: (msPerBlock * canvas) / block, whole: 0 };
  const timing = await singleStream(judge, problems.slice(0, count), [['static', spec]], { canvas, warmUp: 0 });
  return { judged, msPerSequence: timing.of('static').msPerSequence, whole: count };
}

export async function lengthTables(
  judge: Judge,
  problems: readonly Problem[],
  options: EvalOptions,
  specs: Record<string, DecodeSpec>,
): Promise<{ metrics: Record<string, number>; tables: ResultTable[] }> {
  const { config: c, tokenizer } = judge.model;
  const lm = modelConfig(c, tokenizer.vocab);
  const { static: plain, learn2pd, learn2pdEotp } = specs;
  const rows: (number | string)[][] = [];
  const metrics: Record<string, number> = {};
  let kv: ResultTable | null = null;
  for (const canvas of canvasesOf(c)) {
    const longest = canvas === c.longest;
    const own = problems.slice(0, options.long);
    const timed = problems.slice(0, options.timed);
    const prompts = judge.prompts(own);
    const fixed = await staticRun(judge, own, plain, canvas, options.static);
    const at = { canvas, sequences: 1, references: fixed.judged.results.map((r) => r.tokens) };
    // Learn2PD alone decodes every block to the end: costly on long canvases, and its cost hardly differs by problem.
    const few = own.slice(0, canvas > 256 ? Math.max(2, options.static) : own.length);
    const alone = await judge.judge(few, learn2pd, at);
    const ended = await judge.judge(own, learn2pdEotp, at);
    const streams: [string, DecodeSpec][] = [['eotp', learn2pdEotp]];
    if (longest) {
      streams.push(['prefix', { ...learn2pdEotp, cache: 'prefix' }], ['dual', { ...learn2pdEotp, cache: 'dual' }]);
    }
    const timing = await singleStream(judge, timed, streams, { canvas, warmUp: options.warmUp });
    const aloneTiming = await singleStream(judge, few.slice(0, 2), [['alone', learn2pd]], { canvas, warmUp: 0 });
    const flops = mean(
      prompts.map((prompt) => canvas * passFlops(lm, prompt.length + canvas, prompt.length + canvas, c.block)),
    );
    const nfe = { alone: mean(alone.nfe), ended: mean(ended.nfe) };
    const wall = {
      alone: fixed.msPerSequence / aloneTiming.of('alone').msPerSequence,
      ended: fixed.msPerSequence / timing.of('eotp').msPerSequence,
    };
    const paper = PAPER.lengths.find((p) => p.canvas === canvas)?.speedup ?? '';
    rows.push([
      ...[canvas, own.length, canvas, nfe.alone, nfe.ended, canvas / nfe.alone, canvas / nfe.ended],
      ...[flops / 1e9, flops / mean(alone.flops), flops / mean(ended.flops)],
      ...[fixed.msPerSequence, fixed.whole, fixed.msPerSequence / canvas, wall.alone, wall.ended, paper],
      ...[mean(fixed.judged.right), mean(ended.right), accuracyVerdict(ended.right, fixed.judged.right, options.seed)],
    ]);
    options.progress?.(
      `canvas ${canvas}: ${wall.ended.toFixed(1)}x in time, ${(canvas / nfe.ended).toFixed(1)}x in passes`,
    );
    if (!longest) continue;
    kv = await cacheTable(judge, own, at, fixed, learn2pdEotp, timing, options.seed);
    const answers = fixed.judged.results.map((r) => r.tokens);
    const difference = pairedBootstrap(ended.right, fixed.judged.right, options.seed);
    Object.assign(metrics, {
      longestCanvas: canvas,
      longestProblems: own.length,
      accuracyDifferenceLongest: difference.value,
      accuracyDifferenceLongestLow: difference.lower,
      accuracyDifferenceLongestHigh: difference.upper,
      staticWhole: fixed.whole,
      speedupLearn2pd: wall.alone,
      speedupEotp: wall.ended,
      speedupKv: fixed.msPerSequence / timing.of('dual').msPerSequence,
      speedupKvPrefix: fixed.msPerSequence / timing.of('prefix').msPerSequence,
      nfeSpeedupLearn2pd: canvas / nfe.alone,
      nfeSpeedupEotp: canvas / nfe.ended,
      flopSpeedupEotp: flops / mean(ended.flops),
      // Measured: a submission has room for eight, the last of a decode is seldom full.
      passesPerSubmission: aloneTiming.of('alone').passesPerSubmission,
      passesPerSubmissionEotp: timing.of('eotp').passesPerSubmission,
      eotWaste: mean(answers.map((tokens) => eotWaste(staticBlocks(canvas, c.block), tokens, 0))),
      answerLength: mean(fixed.judged.useful),
      launchBound: (Number(rows[0][12]) || 0) / (fixed.msPerSequence / canvas),
    });
  }
  const lengthScaling: ResultTable = {
    name: 'lengthScaling',
    columns: [
      ...['canvas', 'problems', 'passes static', 'passes Learn2PD', 'passes + EoTP'],
      ...['fewer passes Learn2PD', 'fewer passes + EoTP'],
      ...['GFLOP static', 'less work Learn2PD', 'less work + EoTP'],
      ...['ms static', 'whole static decodes timed', 'ms per static pass', 'faster Learn2PD', 'faster + EoTP'],
      ...['paper, + EoTP', 'accuracy static', 'accuracy + EoTP', 'against static'],
    ],
    rows,
  };
  return { metrics, tables: kv ? [lengthScaling, kv] : [lengthScaling] };
}

/** The block of every pass of a static decode, canvas indices. */
const staticBlocks = (canvas: number, block: number): { block: number }[] =>
  Array.from({ length: canvas }, (_, i) => ({ block: i - (i % block) }));

async function cacheTable(
  judge: Judge,
  problems: readonly Problem[],
  at: { canvas: number; sequences: number; references: readonly ArrayLike<number>[] },
  fixed: StaticRun,
  spec: DecodeSpec,
  timing: { of(name: string): StreamTiming },
  seed: number,
): Promise<ResultTable> {
  const rows: (number | string)[][] = [];
  for (const [name, entrant, cited] of [
    ['eotp', spec, PAPER.cache[0].speedup],
    ['dual', { ...spec, cache: 'dual' }, PAPER.cache[1].speedup],
    ['prefix', { ...spec, cache: 'prefix' }, PAPER.cache[2].speedup],
  ] as [string, DecodeSpec, number][]) {
    const found = await judge.judge(problems, entrant, at);
    const t = timing.of(name);
    rows.push([
      ...[entrant.cache, at.canvas, problems.length, mean(found.nfe), mean(found.results.map((r) => r.full))],
      ...[mean(found.flops) / 1e9, t.tokensPerSecond, fixed.msPerSequence / t.msPerSequence, cited],
      ...[mean(found.right), accuracyVerdict(found.right, fixed.judged.right, seed), mean(found.agreement)],
    ]);
  }
  return {
    name: 'kv',
    columns: [
      ...['cache', 'canvas', 'problems', 'passes', 'full passes', 'GFLOP', 'tokens/s', 'faster than static'],
      ...['paper', 'accuracy', 'against static', 'agreement with static'],
    ],
    rows,
  };
}
