// Training in the worker: a session of the method in slices, looks at it in between.

import type { Gpu } from '../../../gpu/device.ts';
import { answerText } from '../../../lm/evaluate.ts';
import type { Verdict } from '../../../lm/tasks/task.ts';
import { EOT } from '../../../lm/tokenizers/closed.ts';
import type { Answer } from '../../../lm/verify/verifier.ts';
import type { RunEvent } from '../../contract.ts';
import { SafeSession } from '../../safe-session.ts';
import { frozenBase } from '../checkpoint.ts';
import { configure, type Learn2pdConfig, settingsOf } from '../config.ts';
import { decoderOf } from '../decoder.ts';
import { type FilterReport, type ReliabilityBin, reliabilityOf, reportFilter } from '../filter-report.ts';
import { splitRecords } from '../filter-training.ts';
import { DECODE_DEFAULTS } from '../policy.ts';
import { problemsOf } from '../problems.ts';
import { Learn2pdSession, runOf } from '../session.ts';
import { Peek, type PeekResult } from './peek.ts';

export interface TrainRequest {
  preset: string;
  seed: number;
  /** As the configuration holds them; empty: those of the preset. */
  tasks: string;
}

export interface TrainState extends TrainRequest {
  phase: string;
  title: string;
  step: number;
  steps: number;
  done: boolean;
  /** Numbers of the last measured step. */
  values: Record<string, number>;
}

/** How good a new filter is on records that it has not seen. */
export interface FilterGrade {
  report: FilterReport;
  reliability: ReliabilityBin[];
}

export interface Grown extends FilterGrade {
  checkpoint: Uint8Array<ArrayBuffer>;
}

/** What the weights after `step` answer to problems of each task. */
export interface Answered {
  step: number;
  tasks: { task: string; answers: Answer[] }[];
}

export interface Accuracy {
  step: number;
  tasks: { task: string; right: number; count: number }[];
}

const SAFETY_MS = 15_000;
const CHECKED = 8;

export class Grower {
  private readonly device: () => Promise<Gpu>;
  private run: { safe: SafeSession<Learn2pdSession>; config: Learn2pdConfig; seed: number } | null = null;
  private peek: Peek | null = null;
  private values: Record<string, number> = {};

  constructor(device: () => Promise<Gpu>) {
    this.device = device;
  }

  /** A new run, or the one of a training checkpoint. Throws ConfigError, or CheckpointError if that is none. */
  async start({ preset, seed, tasks }: TrainRequest, resume: Uint8Array<ArrayBuffer> | null): Promise<TrainState> {
    const config = resume ? runOf(resume).config : configure(preset, tasks ? { tasks } : {});
    const own = resume ? runOf(resume).seed : seed;
    await this.device();
    this.dispose();
    const context = {
      seed: own,
      signal: new AbortController().signal,
      emit: (event: RunEvent) => {
        if (event.kind === 'metrics') this.values = event.values;
      },
    };
    const parts = {
      device: this.device,
      create: (gpu: Gpu) => new Learn2pdSession({ ...context, gpu }, config),
      now: () => performance.now(),
      everyMs: SAFETY_MS,
    };
    const safe = await SafeSession.open(parts, resume);
    this.values = {};
    this.run = { safe, config, seed: own };
    return this.state();
  }

  async advance(ms: number): Promise<TrainState> {
    const { safe } = this.current();
    const lost = await safe.survive(async (session) => {
      const more = await session.advance({ ms });
      if (more === 'done' || safe.due) await safe.save();
    });
    if (lost !== null) this.unpeek();
    return this.state();
  }

  async save(): Promise<Uint8Array<ArrayBuffer>> {
    const { bytes } = await (await this.alive()).safe.save();
    // The page's copy is moved to it.
    return bytes.slice();
  }

  async look(): Promise<PeekResult> {
    const { gpu, session } = (await this.alive()).safe;
    this.peek ??= new Peek(gpu, session);
    return this.peek.look();
  }

  /** Answers to unseen problems of each task, decoded statically with the weights as they would ship now; not judged yet. */
  async answers(): Promise<Answered> {
    const { gpu, session } = (await this.alive()).safe;
    const { config, tasks, tokenizer, llada } = session;
    const { store } = await frozenBase(gpu, config, tokenizer.vocab, llada.store);
    const decoder = decoderOf(gpu, { config, tokenizer, store }, { sequences: CHECKED, canvas: config.canvas });
    try {
      const out: Answered['tasks'] = [];
      for (const task of tasks) {
        const problems = problemsOf([task], tokenizer, config, { split: 'validation', seed: 1, salt: 2 }, CHECKED);
        const spec = { ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 1 } } as const;
        const prompts = problems.map((p) => tokenizer.encode(p.prompt));
        const { results } = await decoder.decode(prompts, spec);
        const answers = problems.map((problem, i) => ({
          problem,
          text: answerText(tokenizer, results[i].tokens, EOT),
        }));
        out.push({ task: task.family.id, answers });
      }
      return { step: session.state().step, tasks: out };
    } finally {
      for (const part of [decoder, decoder.model, store]) part.dispose();
    }
  }

  /** The finished run as a checkpoint, and how good its filter is on records that it has not seen. */
  async result(): Promise<Grown> {
    const { safe, config, seed } = await this.alive();
    const { session } = safe;
    const { filter } = await session.result('');
    const { bytes } = await session.export(
      ['Trained in this tab', config.rung, `seed ${seed}`, ...settingsOf(config)].join(', '),
    );
    const { test } = splitRecords(session.records);
    return { checkpoint: bytes, report: reportFilter(filter, test), reliability: reliabilityOf(filter, test) };
  }

  private current() {
    if (!this.run) throw new Error('No training is open.');
    return this.run;
  }

  /** The run, on a device that is there. */
  private async alive() {
    const run = this.current();
    if ((await run.safe.survive(async () => {})) !== null) this.unpeek();
    return run;
  }

  private state(): TrainState {
    const { safe, config, seed } = this.current();
    const { session } = safe;
    const { phase, step, done } = session.state();
    const { title, steps } = session.phases.find((p) => p.id === phase) ?? { title: '', steps: 0 };
    const { rung: preset, tasks } = config;
    return { preset, seed, tasks, phase, title, step, steps, done, values: this.values };
  }

  private dispose(): void {
    this.unpeek();
    this.run?.safe.dispose();
    this.run = null;
  }

  /** What looked at another session is of no use. */
  private unpeek(): void {
    this.peek?.dispose();
    this.peek = null;
  }
}

/** One by one: a verifier that had to be ended has judged none of what it was given. */
export async function accuracyOf(
  { step, tasks }: Answered,
  judge: (answer: Answer) => Promise<Verdict>,
): Promise<Accuracy> {
  const scores: Accuracy['tasks'] = [];
  for (const { task, answers } of tasks) {
    let right = 0;
    for (const answer of answers) right += Number((await judge(answer)).score === 1);
    scores.push({ task, right, count: answers.length });
  }
  return { step, tasks: scores };
}
