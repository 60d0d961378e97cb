/**
 * Training of the filter on the GPU: AdamW on random batches of records, a function of records and settings, so that a saved
 * and resumed run has the same bits. Float64 twin: trainReference in filter-training.ts.
 */
import type { Gpu } from '../../gpu/device.ts';
import { Readback } from '../../gpu/readback.ts';
import { compile, type Program } from '../../tensor/program.ts';
import type { FilterWeights } from './filter.ts';
import { filterSlopes, filterUpdate } from './filter-ops.ts';
import { type FilterRecord, type FilterTraining, filterLoss, filterRate, pickRecords } from './filter-training.ts';

/** Validation loss is looked at this often; the weights with the lowest are kept. */
const CHECK_EVERY = 100;
/** Steps that are handed over before their end is awaited. */
const AHEAD = 8;

const SLABS = ['value', 'first', 'second'] as const;
type Slab = (typeof SLABS)[number];

export class FilterTrainer {
  readonly settings: FilterTraining;
  readonly start: FilterWeights;
  /** Finished steps. */
  step = 0;
  /** Weights of the lowest validation loss so far; none without validation records. */
  best: { loss: number; values: Float32Array<ArrayBuffer> } | null = null;
  readonly program: Program;
  private readonly gpu: Gpu;
  private readonly records: readonly FilterRecord[];
  private readonly validation: readonly FilterRecord[];
  private readonly buffers: Record<Slab | 'confidence' | 'marks', GPUBuffer>;
  private readonly readback: Readback;

  constructor(
    gpu: Gpu,
    start: FilterWeights,
    records: readonly FilterRecord[],
    settings: FilterTraining,
    validation: readonly FilterRecord[] = [],
  ) {
    if (records.length === 0) throw new Error('The filter has no records to learn from.');
    const { B, depth, values } = start;
    this.gpu = gpu;
    this.start = start;
    this.settings = settings;
    this.records = records;
    this.validation = validation;
    this.readback = new Readback(gpu.device);
    const make = (data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = gpu.device.createBuffer({ size: Math.max(256, data.byteLength), usage });
      gpu.device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    };
    const confidence = new Float32Array(records.length * B);
    const marks = new Uint32Array(records.length * B);
    records.forEach((r, k) => {
      confidence.set(r.c, k * B);
      for (let i = 0; i < B; i++) marks[k * B + i] = r.label[i] + 2 * r.masked[i];
    });
    this.buffers = {
      value: make(values),
      first: make(new Float32Array(values.length)),
      second: make(new Float32Array(values.length)),
      confidence: make(confidence),
      marks: make(marks),
    };
    this.program = compile(gpu, (graph) => {
      const at = (name: keyof typeof this.buffers, shape: number[]) =>
        graph.external(name, shape, () => this.buffers[name]);
      const state = {
        filter: at('value', [values.length]),
        first: at('first', [values.length]),
        second: at('second', [values.length]),
      };
      const hyper = graph.input('hyper', [5]);
      const batch = {
        filter: state.filter,
        confidence: at('confidence', [records.length, B]),
        marks: at('marks', [records.length, B]),
        picks: graph.input('picks', [Math.min(settings.batch, records.length)]),
        hyper,
      };
      const found = filterSlopes(batch, depth, settings.maskedOnly);
      graph.output('losses', found.losses);
      filterUpdate(found, hyper, state);
    });
  }

  async advance(): Promise<void> {
    const { settings: t, records, start } = this;
    this.step += 1;
    const picks = pickRecords(t, this.step, records.length);
    const each = (r: FilterRecord): number => (t.maskedOnly ? r.masked.reduce((a, b) => a + b, 0) : start.B);
    const count = picks.reduce((sum, k) => sum + each(records[k]), 0);
    const bias = [1 - 0.9 ** this.step, 1 - 0.999 ** this.step];
    this.program.run({
      picks,
      hyper: new Float32Array([filterRate(t, this.step), ...bias, t.weightDecay, 1 / Math.max(1, count)]),
    });
    if (this.step % AHEAD === 0) await this.program.settle();
    if (this.validation.length > 0 && (this.step % CHECK_EVERY === 0 || this.step === t.steps)) {
      this.keep(await this.read('value'));
    }
  }

  /** Mean loss of the last step's batch. */
  async loss(): Promise<number> {
    return (await this.program.read('losses')).reduce((a, b) => a + b, 0);
  }

  /** These weights become the best if their validation loss is lower than that of the best so far. */
  keep(values: Float32Array<ArrayBuffer>): void {
    const { loss } = filterLoss({ ...this.start, values }, this.validation, this.settings.maskedOnly);
    if (!this.best || loss < this.best.loss) this.best = { loss, values };
  }

  /** Weights or moments as they are now. */
  async read(slab: Slab): Promise<Float32Array<ArrayBuffer>> {
    await this.program.settle();
    const bytes = this.start.values.byteLength;
    return new Float32Array((await this.readback.read(this.buffers[slab], 0, bytes)).slice(0, bytes));
  }

  write(slab: Slab, values: Float32Array<ArrayBuffer>): void {
    this.gpu.device.queue.writeBuffer(this.buffers[slab], 0, values);
  }

  /** The weights to use: those of the lowest validation loss, else the last. */
  async result(): Promise<FilterWeights> {
    return { ...this.start, values: this.best ? this.best.values.slice() : await this.read('value') };
  }

  dispose(): void {
    this.program.dispose();
    this.readback.dispose();
    for (const b of Object.values(this.buffers)) b.destroy();
  }
}

/** All steps at once. */
export async function trainFilter(
  gpu: Gpu,
  start: FilterWeights,
  records: readonly FilterRecord[],
  t: FilterTraining,
  validation: readonly FilterRecord[] = [],
): Promise<FilterWeights> {
  const trainer = new FilterTrainer(gpu, start, records, t, validation);
  while (trainer.step < t.steps) await trainer.advance();
  const filter = await trainer.result();
  trainer.dispose();
  return filter;
}
