// A new filter for the weights that are open, in the worker: records of their oracle, then the filter's own training. In slices,
// so that decodes get their turn in between. A lost device ends it; the weights and the filter before stay.

import type { Gpu } from '../../../gpu/device.ts';
import type { Learn2pdModel } from '../checkpoint.ts';
import { collectRecords, promptNumbers } from '../collect.ts';
import { recordCanvas } from '../config.ts';
import { type DiffusionDecoder, decoderOf } from '../decoder.ts';
import { type FilterWeights, newFilter } from '../filter.ts';
import { reliabilityOf, reportFilter } from '../filter-report.ts';
import { FilterTrainer } from '../filter-trainer.ts';
import { FILTER_TRAINING, type FilterRecord, splitRecords } from '../filter-training.ts';
import { problemsOf } from '../problems.ts';
import type { FilterGrade } from './grow.ts';

export interface RefitRequest {
  prompts: number;
  seed: number;
  /** Of the filter. */
  steps: number;
}

export interface RefitState {
  phase: 'records' | 'filter';
  /** Prompts or steps. */
  step: number;
  steps: number;
  records: number;
  /** Lowest loss on prompts that the filter does not learn from; none before the first look at them. */
  validation: number | null;
  done: boolean;
}

/** Prompts that are decoded at once: a processor takes seconds for a few. */
const TOGETHER = { processor: 8, gpu: 64 };
/** Salt of the prompts, as in a run of the method. */
const COLLECTED = 0x7fffffff;

export class Refit {
  readonly gpu: Gpu;
  private readonly model: Learn2pdModel;
  private readonly seed: number;
  private readonly steps: number;
  private readonly prompts: number[][];
  private readonly numbers: number[];
  private readonly records: FilterRecord[] = [];
  private collected = 0;
  private decoder: DiffusionDecoder | null;
  private trainer: FilterTrainer | null = null;

  constructor(gpu: Gpu, model: Learn2pdModel, { prompts, seed, steps }: RefitRequest) {
    const { config, tasks, tokenizer } = model;
    this.gpu = gpu;
    this.model = model;
    this.seed = seed;
    this.steps = steps;
    const problems = problemsOf(tasks, tokenizer, config, { split: 'train', seed, salt: COLLECTED }, prompts);
    this.prompts = problems.map((p) => tokenizer.encode(p.prompt));
    this.numbers = promptNumbers(this.prompts);
    const sequences = Math.min(prompts, gpu.conditions.software ? TOGETHER.processor : TOGETHER.gpu);
    this.decoder = decoderOf(gpu, model, { sequences, canvas: recordCanvas(config) });
  }

  async advance(ms: number): Promise<RefitState> {
    const until = performance.now() + ms;
    do {
      if (this.collected < this.prompts.length) await this.collect();
      else await this.fitting().advance();
    } while (!this.state().done && performance.now() < until);
    return this.state();
  }

  state(): RefitState {
    const { trainer, records, prompts, collected } = this;
    const common = { records: records.length, validation: trainer?.best?.loss ?? null };
    if (collected < prompts.length) {
      return { ...common, phase: 'records', step: collected, steps: prompts.length, done: false };
    }
    const step = trainer?.step ?? 0;
    return { ...common, phase: 'filter', step, steps: this.steps, done: step >= this.steps };
  }

  async result(): Promise<{ filter: FilterWeights } & FilterGrade> {
    const filter = await this.fitting().result();
    const { test } = splitRecords(this.records);
    return { filter, report: reportFilter(filter, test), reliability: reliabilityOf(filter, test) };
  }

  dispose(): void {
    this.decoder?.model.dispose();
    this.decoder?.dispose();
    this.decoder = null;
    this.trainer?.dispose();
  }

  private async collect(): Promise<void> {
    const { decoder, prompts, numbers, model, collected } = this;
    if (!decoder) throw new Error('This training of the filter is over.');
    const to = collected + decoder.model.sequences;
    const some = prompts.slice(collected, to);
    const canvas = recordCanvas(model.config);
    const { records } = await collectRecords(decoder, some, numbers.slice(collected, to), canvas);
    this.records.push(...records);
    this.collected += some.length;
  }

  private fitting(): FilterTrainer {
    const { config } = this.model;
    const { train, validation } = splitRecords(this.records);
    const start = newFilter(config.block, config.depth, this.seed);
    const settings = { ...FILTER_TRAINING, steps: this.steps, seed: this.seed };
    this.trainer ??= new FilterTrainer(this.gpu, start, train, settings, validation);
    return this.trainer;
  }
}
