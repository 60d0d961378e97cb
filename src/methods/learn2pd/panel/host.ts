// The worker's half of the page: owns the device, the weights that are looked at and the decoder that runs them. A lost
// device costs the decode that was at work: the weights are kept as bytes, everything is made again and the decode repeated.

import { type Gpu, type GpuResult, isBroken, openGpu } from '../../../gpu/device.ts';
import { answerText } from '../../../lm/evaluate.ts';
import { storeModel } from '../../../lm/language-model.ts';
import type { Problem, Verdict } from '../../../lm/tasks/task.ts';
import { EOT } from '../../../lm/tokenizers/closed.ts';
import type { Answer as Judged, Verifier } from '../../../lm/verify/verifier.ts';
import { type Learn2pdModel, readCheckpoint } from '../checkpoint.ts';
import { canvasesOf, modelConfig } from '../config.ts';
import { type DecodeResult, type DiffusionDecoder, decoderOf } from '../decoder.ts';
import { eotWaste } from '../diagnostics.ts';
import type { FilterWeights } from '../filter.ts';
import { DECODE_DEFAULTS, type DecodeSpec, type Policy } from '../policy.ts';
import { problemsOf } from '../problems.ts';
import { cacheSimilarity, type Similarity } from '../similarity.ts';
import { accuracyOf, Grower, type TrainRequest } from './grow.ts';
import {
  type Adopted,
  type Answer,
  CANCELLED,
  type Decoded,
  type DecodeRequest,
  type HostEvent,
  type Learn2pdApi,
  type MeasureRequest,
  type Model,
  type Opened,
  type Outcome,
  type PolicyChoice,
  type SimilarityRequest,
  type Source,
  type SpecChoice,
} from './protocol.ts';
import { Refit, type RefitRequest, type RefitState } from './refit.ts';

/** Problems that the page shows are those of this seed; training never sees the test split. */
const SEED = 7;
const MAX_REBUILDS = 2;

type Unjudged = Omit<Outcome, 'right'> & { problem: Problem };

interface Loaded {
  gpu: Gpu;
  model: Learn2pdModel;
  source: Source;
  decoder: DiffusionDecoder;
  dispose(): void;
}

/** What failed, with what to do about it. */
export class HostError extends Error {
  readonly advice: string;
  constructor(reason: string, advice: string) {
    super(reason);
    this.advice = advice;
  }
}

export class Learn2pdHost implements Learn2pdApi {
  readonly #open: () => Promise<GpuResult>;
  #gpu: Gpu | null = null;
  /** `filter`: one that was learned here takes the place of the checkpoint's. */
  #bytes: { checkpoint: Uint8Array<ArrayBuffer>; source: Source; filter?: FilterWeights } | null = null;
  #refit: Refit | null = null;
  #loaded: Loaded | null = null;
  #events: MessagePort | null = null;
  readonly #openVerifier: () => Promise<Verifier>;
  #verifier: Verifier | null = null;
  readonly #grower = new Grower(() => this.#device());
  /** Static texts of the loaded weights: what the oracle and the hatching compare with. */
  #texts = new Map<string, Uint32Array<ArrayBuffer>>();
  /** Combinations whose pipelines exist. */
  #warm = new Set<string>();
  /** Comparisons that wait or are at work, by their names. */
  readonly #comparing = new Map<string, AbortController>();
  /** Commands take turns: a device is never asked two things at once. */
  #turn: Promise<unknown> = Promise.resolve();

  /** Programs that a model writes may loop: a page gives a verifier whose workers can be ended. */
  constructor(open: () => Promise<GpuResult> = openGpu, openVerifier: () => Promise<Verifier> = localOne) {
    this.#open = open;
    this.#openVerifier = openVerifier;
  }

  async listen(port: MessagePort): Promise<void> {
    this.#events = port;
  }

  open(checkpoint: Uint8Array<ArrayBuffer>, source: Source): Promise<Answer<Opened>> {
    return this.#exclusive(async () => {
      const before = this.#loaded;
      const next = await this.#load(checkpoint, source);
      this.#endRefit();
      before?.dispose();
      this.#bytes = { checkpoint, source };
      this.#use(next);
      const { report } = next.gpu;
      return {
        adapter: report.description || report.device || `${report.vendor} ${report.architecture}`.trim(),
        software: report.software,
        model: describe(next, false),
      };
    });
  }

  problem(task: string, index: number): Promise<Answer<Problem>> {
    return this.#exclusive(async () => {
      const { model } = await this.#model();
      const tasks = model.tasks.filter(({ family }) => family.id === task);
      if (tasks.length === 0) throw new Error(`These weights have not learned the task '${task}'.`);
      const room = { prompt: model.config.prompt, canvas: model.config.canvas };
      return problemsOf(tasks, model.tokenizer, room, { split: 'test', seed: SEED, salt: 1 }, index + 1)[index];
    });
  }

  decode(request: DecodeRequest): Promise<Answer<Decoded>> {
    return this.#exclusive(() => this.#again(() => this.#decode(request)));
  }

  judge(problem: Problem, text: string): Promise<Answer<Verdict>> {
    return answered(() => this.#judge({ problem, text }));
  }

  similarity(request: SimilarityRequest): Promise<Answer<Similarity>> {
    const given = new AbortController();
    this.#comparing.set(request.id, given);
    return this.#exclusive(async () => {
      try {
        return await this.#again(() => this.#similarity(request, given.signal));
      } catch (error) {
        throw given.signal.aborted ? new HostError(CANCELLED, '') : error;
      } finally {
        if (this.#comparing.get(request.id) === given) this.#comparing.delete(request.id);
      }
    });
  }

  /** Not in turn: what it gives up may be waiting for its own. */
  async cancel(id: string): Promise<void> {
    this.#comparing.get(id)?.abort();
  }

  async measure(request: MeasureRequest): Promise<Answer<Outcome[]>> {
    const done = await this.#exclusive(() => this.#again(() => this.#measure(request)));
    return thenOf(done, async (parts) => {
      const out: Outcome[] = [];
      // One by one: a verifier that had to be ended has judged none of what it was given.
      for (const { problem, ...part } of parts) {
        out.push({ ...part, right: (await this.#judge({ problem, text: part.text })).score === 1 });
      }
      return out;
    });
  }

  train(request: TrainRequest, resume: Uint8Array<ArrayBuffer> | null) {
    return this.#exclusive(() => this.#grower.start(request, resume));
  }

  advance(ms: number) {
    return this.#exclusive(() => this.#grower.advance(ms));
  }

  saveTraining() {
    return this.#exclusive(() => this.#grower.save());
  }

  look() {
    return this.#exclusive(() => this.#grower.look());
  }

  async accuracy() {
    const done = await this.#exclusive(() => this.#grower.answers());
    return thenOf(done, (found) => accuracyOf(found, (answer) => this.#judge(answer)));
  }

  result() {
    return this.#exclusive(() => this.#grower.result());
  }

  refit(request: RefitRequest): Promise<Answer<RefitState>> {
    return this.#exclusive(async () => {
      const { gpu, model } = await this.#model();
      this.#endRefit();
      this.#refit = new Refit(gpu, model, request);
      return this.#refit.state();
    });
  }

  advanceRefit(ms: number): Promise<Answer<RefitState>> {
    return this.#exclusive(() => this.#refitting((refit) => refit.advance(ms)));
  }

  adoptFilter(): Promise<Answer<Adopted>> {
    return this.#exclusive(async () => {
      const { filter, report, reliability } = await this.#refitting((refit) => refit.result());
      this.#endRefit();
      const loaded = await this.#model();
      if (this.#bytes) this.#bytes.filter = filter;
      loaded.model = { ...loaded.model, filter };
      return { model: describe(loaded, true), report, reliability };
    });
  }

  endRefit(): Promise<Answer<void>> {
    return this.#exclusive(async () => this.#endRefit());
  }

  async #refitting<T>(body: (refit: Refit) => Promise<T>): Promise<T> {
    if (!this.#refit) throw new HostError('Other weights were opened meanwhile.', 'Train the filter for them.');
    try {
      return await body(this.#refit);
    } catch (error) {
      const lost = this.#refit.gpu.lostReason ?? this.#refit.gpu.error;
      if (lost === null) throw error;
      this.#endRefit();
      throw new HostError(`The GPU device was lost (${lost}).`, 'Train the filter again; the one before is at work.');
    }
  }

  #endRefit(): void {
    this.#refit?.dispose();
    this.#refit = null;
  }

  async #decode(request: DecodeRequest): Promise<Decoded> {
    const loaded = await this.#model();
    const { model, decoder } = loaded;
    const { problem, canvas } = request;
    const prompt = this.#encode(loaded, problem, canvas);
    const spec = specOf(request, model);
    const references = spec.policy.kind === 'egp' ? [await this.#text(loaded, problem, canvas)] : undefined;
    const key = warmKey(request, canvas);
    const cold = !this.#warm.has(key);
    const marks: Decoded['marks'] = [];
    const { results, stats } = await decoder.decode([prompt], spec, {
      canvas,
      references,
      trace: true,
      onSubmission: async ({ passes, ms, trace }) => {
        marks.push({ passes: passes[0], ms });
        // A decode that is over within a blink needs no report.
        if (ms > 120) this.#post({ kind: 'passes', id: request.id, trace: (await trace())[0], ms });
      },
    });
    this.#warm.add(key);
    const [result] = results;
    if (isPlain(request)) this.#texts.set(textKey(problem, canvas), result.tokens);
    const text = answerText(model.tokenizer, result.tokens, EOT);
    return { ...result, trace: result.trace ?? [], text, wallMs: stats.wallMs, cold, marks };
  }

  async #similarity({ id, problem, canvas, ...choice }: SimilarityRequest, signal: AbortSignal): Promise<Similarity> {
    signal.throwIfAborted();
    const loaded = await this.#model();
    const { gpu, model } = loaded;
    const prompt = this.#encode(loaded, problem, canvas);
    const references = choice.policy.kind === 'egp' ? [await this.#text(loaded, problem, canvas)] : undefined;
    const { block, depth, prompt: room } = model.config;
    const c = modelConfig(model.config, model.tokenizer.vocab);
    // A cache of its own: the decoder's would have to be as long as the longest canvas.
    const cached = storeModel(gpu, c, model.store, { sequences: 1, capacity: room + canvas });
    const shape = { prompt: room, block, canvas, depth };
    const spec = specOf({ ...choice, cache: 'none' }, model);
    try {
      return await cacheSimilarity(gpu, cached, shape, prompt, spec, {
        ...{ canvas, references, signal },
        onPass: (passes) => this.#post({ kind: 'compared', id, passes }),
      });
    } finally {
      cached.dispose();
    }
  }

  async #measure(request: MeasureRequest): Promise<Unjudged[]> {
    const loaded = await this.#model();
    const { model, decoder } = loaded;
    const { canvas, from, count } = request;
    const spec = specOf(request, model);
    const room = { prompt: model.config.prompt, canvas: Math.min(canvas, model.config.canvas) };
    const problems = problemsOf(
      model.tasks,
      model.tokenizer,
      room,
      { split: 'test', seed: SEED, salt: 2 },
      from + count,
    ).slice(from);
    const out: Unjudged[] = [];
    for (const problem of problems) {
      const prompt = this.#encode(loaded, problem, canvas);
      const y = await this.#text(loaded, problem, canvas);
      const run = () => decoder.decode([prompt], spec, { canvas, references: [y] });
      const key = warmKey(request, canvas);
      if (!this.#warm.has(key)) await run();
      this.#warm.add(key);
      const { results, stats } = await run();
      const traced = await decoder.decode([prompt], spec, { canvas, references: [y], trace: true });
      out.push(this.#outcome(loaded, problem, y, results[0], stats.wallMs, traced.results[0]));
    }
    return out;
  }

  #outcome(
    { model }: Loaded,
    problem: Problem,
    y: Uint32Array,
    result: DecodeResult,
    wallMs: number,
    traced: DecodeResult,
  ): Unjudged {
    const text = answerText(model.tokenizer, result.tokens, EOT);
    const end = y.indexOf(EOT);
    // The end token counts: a text that goes on behind it is another answer.
    const places = end < 0 ? y.length : end + 1;
    let same = 0;
    for (let i = 0; i < places; i++) same += Number(result.tokens[i] === y[i]);
    return {
      nfe: result.nfe,
      wallMs,
      answerLength: result.answerLength,
      length: result.tokens.length,
      agreement: same / places,
      waste: eotWaste(traced.trace ?? [], traced.tokens, model.config.prompt),
      problem,
      prompt: problem.prompt,
      text,
      task: problem.family,
    };
  }

  /** The sandbox for programs is large: it is loaded with the first verdict, not before the first decode. */
  async #judge(answer: Judged): Promise<Verdict> {
    const [verdict] = await (await this.#verdicts()).verify([answer]);
    return verdict;
  }

  async #verdicts(): Promise<Verifier> {
    this.#verifier ??= await this.#openVerifier();
    return this.#verifier;
  }

  /** Static text of a problem, one token a pass. */
  async #text(loaded: Loaded, problem: Problem, canvas: number): Promise<Uint32Array<ArrayBuffer>> {
    const key = textKey(problem, canvas);
    const known = this.#texts.get(key);
    if (known) return known;
    const prompt = this.#encode(loaded, problem, canvas);
    const spec: DecodeSpec = { ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 1 } };
    const { results } = await loaded.decoder.decode([prompt], spec, { canvas });
    this.#texts.set(key, results[0].tokens);
    return results[0].tokens;
  }

  #encode({ model }: Loaded, problem: Problem, canvas: number): number[] {
    const { config } = model;
    if (canvas > config.longest) {
      throw new HostError(
        `A canvas of ${canvas} tokens is longer than the ${config.longest} that these weights were trained for.`,
        `Choose ${canvasesOf(config).join(', ')}; beyond them the positions mean nothing to the model.`,
      );
    }
    const ids = model.tokenizer.encode(problem.prompt);
    if (ids.length > config.prompt) {
      throw new HostError(
        `The problem has ${ids.length} tokens; these weights read ${config.prompt}.`,
        'Make it shorter.',
      );
    }
    return ids;
  }

  async #load(
    checkpoint: Uint8Array<ArrayBuffer>,
    source: Source,
    own: { filter?: FilterWeights } = {},
  ): Promise<Loaded> {
    const gpu = await this.#device();
    const model = { ...readCheckpoint(gpu, checkpoint), ...own };
    const decoder = decoderOf(gpu, model, { sequences: 1, canvas: model.config.longest });
    const dispose = (): void => {
      for (const part of [decoder, decoder.model, model.store]) part.dispose();
    };
    return { gpu, model, source, decoder, dispose };
  }

  #use(loaded: Loaded): void {
    this.#loaded = loaded;
    this.#texts = new Map();
    this.#warm = new Set();
  }

  async #model(): Promise<Loaded> {
    if (!this.#bytes) throw new Error('There are no weights to decode with.');
    if (!this.#loaded || isBroken(this.#loaded.gpu)) {
      const { checkpoint, source, filter } = this.#bytes;
      this.#use(await this.#load(checkpoint, source, filter && { filter }));
    }
    return this.#loaded as Loaded;
  }

  async #device(): Promise<Gpu> {
    if (this.#gpu && !isBroken(this.#gpu)) return this.#gpu;
    const result = await this.#open();
    if (!result.ok) throw new HostError(result.reason, result.advice);
    this.#gpu = result.gpu;
    return this.#gpu;
  }

  /** Once more on a new device if the old one was lost meanwhile. */
  async #again<T>(work: () => Promise<T>): Promise<T> {
    for (let rebuilds = 0; ; rebuilds++) {
      try {
        return await work();
      } catch (error) {
        const reason = this.#gpu?.lostReason ?? this.#gpu?.error ?? null;
        if (reason === null || rebuilds >= MAX_REBUILDS) throw error;
        this.#post({ kind: 'rebuilt', reason });
      }
    }
  }

  #post(event: HostEvent): void {
    this.#events?.postMessage(event);
  }

  #exclusive<T>(body: () => Promise<T>): Promise<Answer<T>> {
    const done = this.#turn.then(() => answered(body));
    this.#turn = done;
    return done;
  }
}

/** What follows on a turn and needs no device: others get their turn meanwhile. */
const thenOf = async <T, U>(done: Answer<T>, next: (value: T) => Promise<U>): Promise<Answer<U>> =>
  done.ok ? answered(() => next(done.value)) : done;

async function answered<T>(body: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await body() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, reason, advice: error instanceof HostError ? error.advice : '' };
  }
}

const localOne = async (): Promise<Verifier> => (await import('../../../lm/verify/verifier.ts')).localVerifier();

const textKey = ({ prompt }: Problem, canvas: number): string => `${canvas} ${prompt}`;
const isPlain = ({ policy, eotp, cache }: SpecChoice): boolean =>
  policy.kind === 'static' && policy.perStep === 1 && eotp === 'off' && cache === 'none';
const warmKey = ({ eotp, cache }: SpecChoice, canvas: number): string => `${canvas} ${eotp} ${cache}`;

function specOf({ policy, eotp, cache }: SpecChoice, { filter }: Learn2pdModel): DecodeSpec {
  return { ...DECODE_DEFAULTS, policy: withFilter(policy, filter), eotp, cache };
}

function withFilter(policy: PolicyChoice, filter: Learn2pdModel['filter']): Policy {
  return policy.kind === 'learn2pd' || policy.kind === 'random' ? { ...policy, filter } : policy;
}

function describe({ model, source }: Loaded, ownFilter: boolean): Model {
  const { title, config, store, tokenizer, tasks, filter } = model;
  let parameters = 0;
  for (const { shape } of store.specs.values()) parameters += shape.reduce((a, b) => a * b, 1);
  return {
    source,
    title,
    config,
    parameters,
    tokens: tokenizer.tokens,
    canvases: canvasesOf(config),
    filter,
    ownFilter,
    tasks: tasks.map(({ family, levels }) => ({ id: family.id, title: family.title, tag: family.tag, levels })),
  };
}
