/**
 * A look at a small LLaDA while it trains, on problems that it does not train on: cross-entropy of masked answer tokens and
 * of masked end tokens apart, and what it guesses where a fifth, half and nine tenths of an answer are masked. Forward
 * only, on the averaged weights, which are those that ship.
 */
import type { Gpu } from '../../../gpu/device.ts';
import { mix32, uniform01 } from '../../../gpu/rng.ts';
import { lmHidden, lmLogits, rowMixer } from '../../../lm/model.ts';
import { EOT, MASK } from '../../../lm/tokenizers/closed.ts';
import { NO_TOKEN } from '../../../lm/train/batch.ts';
import { Scope } from '../../../nn/layers.ts';
import { compile, type Program } from '../../../tensor/program.ts';
import { modelConfig } from '../config.ts';
import { examplesOf, problemsOf } from '../problems.ts';
import { guessOf } from '../reference.ts';
import type { Learn2pdSession } from '../session.ts';
import { diffusionBatch } from '../train.ts';

export interface PeekSample {
  /** Share of the canvas that is masked. */
  t: number;
  /** Canvas tokens: what the model saw, what it guesses there, what is right. */
  seen: number[];
  guess: number[];
  truth: number[];
}

export interface PeekResult {
  /** Mean -log p of masked tokens, nats. */
  answer: number;
  fill: number;
  prompt: string;
  samples: PeekSample[];
}

const SHARES = [0.2, 0.5, 0.9];
const ROWS = 16;
const STREAM = 0x7065656b;

export class Peek {
  private readonly session: Learn2pdSession;
  private readonly program: Program;

  constructor(gpu: Gpu, session: Learn2pdSession) {
    this.session = session;
    const { config, tokenizer, llada } = session;
    const c = modelConfig(config, tokenizer.vocab);
    const time = config.prompt + config.canvas;
    const n = ROWS * time;
    this.program = compile(gpu, (graph) => {
      const scope = new Scope(graph, llada.store, 'average');
      const rows = {
        ids: graph.input('ids', [n]),
        positions: graph.input('positions', [n]),
        previous: graph.input('previous', [n]),
      };
      const bounds = graph.input('bounds', [n, 2]);
      const mixer = rowMixer(scope, c, rows, { batch: ROWS, time, bounds, causal: false });
      graph.output('logits', lmLogits(scope, c, lmHidden(scope, c, rows, mixer)));
    });
  }

  async look(): Promise<PeekResult> {
    const { config, tasks, tokenizer } = this.session;
    const { prompt: P, canvas: G } = config;
    const [first, ...rest] = problemsOf(
      tasks,
      tokenizer,
      config,
      { split: 'validation', seed: 1, salt: 1 },
      ROWS - SHARES.length + 1,
    );
    const problems = [...SHARES.map(() => first), ...rest];
    const batch = diffusionBatch(examplesOf(tokenizer, problems), P, G, 1);
    const truth = [...tokenizer.encode(first.answer), ...Array<number>(G).fill(EOT)].slice(0, G);
    SHARES.forEach((t, row) => {
      truth.forEach((token, i) => {
        const at = row * (P + G) + P + i;
        batch.ids[at] = uniform01(mix32(1, row, i, STREAM)) < t ? MASK : token;
        batch.targets[at] = NO_TOKEN;
      });
    });
    const { ids, positions, previous, bounds, targets } = batch;
    this.program.run({ ids, positions, previous, bounds });
    const logits = await this.program.read('logits');
    const { vocab } = tokenizer;
    const row = (at: number): Float32Array => logits.subarray(at * vocab, (at + 1) * vocab);
    const sums = { answer: 0, answers: 0, fill: 0, fills: 0 };
    targets.forEach((target, at) => {
      if (target === NO_TOKEN) return;
      const own = row(at);
      const most = own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const loss = Math.log(own.reduce((sum, x) => sum + Math.exp(x - most), 0)) + most - own[target];
      if (target === EOT) {
        sums.fill += loss;
        sums.fills += 1;
      } else {
        sums.answer += loss;
        sums.answers += 1;
      }
    });
    const samples = SHARES.map((t, r): PeekSample => {
      const at = (i: number): number => r * (P + G) + P + i;
      return {
        t,
        truth,
        seen: truth.map((_, i) => ids[at(i)]),
        guess: truth.map((_, i) => (ids[at(i)] === MASK ? guessOf(row(at(i))).id : ids[at(i)])),
      };
    });
    return { answer: sums.answer / sums.answers, fill: sums.fill / sums.fills, prompt: first.prompt, samples };
  }

  dispose(): void {
    this.program.dispose();
  }
}
