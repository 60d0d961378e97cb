/** Records and filter state as tensors of a training checkpoint: all numbers are single precision or small, so nothing is lost. */
import { type SafetensorsFile, type TensorToWrite, toFloat32 } from '../../data/safetensors.ts';
import { CheckpointError } from '../../train/checkpoint.ts';
import type { FilterTrainer } from './filter-trainer.ts';
import type { FilterRecord } from './filter-training.ts';

function take(file: SafetensorsFile, name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const t = file.tensors.get(name);
  if (!t) throw new CheckpointError(`The checkpoint has no tensor ${name}.`);
  if (t.shape.length !== shape.length || shape.some((n, i) => n >= 0 && n !== t.shape[i])) {
    throw new CheckpointError(`${name} is [${t.shape}] in the file, [${shape.map((n) => (n < 0 ? 'any' : n))}] here.`);
  }
  return toFloat32(t);
}

export function writeRecords(tensors: Map<string, TensorToWrite>, records: readonly FilterRecord[]): void {
  const n = records.length;
  const B = records[0]?.c.length ?? 0;
  const [c, marks, prompts] = [new Float32Array(n * B), new Float32Array(n * B), new Float32Array(n)];
  records.forEach((r, k) => {
    c.set(r.c, k * B);
    for (let i = 0; i < B; i++) marks[k * B + i] = r.label[i] + 2 * r.masked[i];
    prompts[k] = r.prompt;
  });
  if (n === 0) return;
  tensors.set('records/confidence', { shape: [n, B], values: c });
  tensors.set('records/marks', { shape: [n, B], values: marks });
  tensors.set('records/prompt', { shape: [n], values: prompts });
}

/** None if there are none. */
export function readRecords(file: SafetensorsFile, B: number): FilterRecord[] {
  if (!file.tensors.has('records/prompt')) return [];
  const prompts = take(file, 'records/prompt', [-1]);
  const c = take(file, 'records/confidence', [prompts.length, B]);
  const marks = take(file, 'records/marks', [prompts.length, B]);
  return Array.from(prompts, (prompt, k) => {
    const own = marks.subarray(k * B, (k + 1) * B);
    return {
      prompt,
      c: c.slice(k * B, (k + 1) * B),
      label: Uint8Array.from(own, (m) => m & 1),
      masked: Uint8Array.from(own, (m) => m >> 1),
    };
  });
}

const SLABS = ['value', 'first', 'second'] as const;

export async function writeFilterState(tensors: Map<string, TensorToWrite>, trainer: FilterTrainer): Promise<void> {
  const shape = [trainer.start.values.length];
  for (const slab of SLABS) tensors.set(`filter/${slab}`, { shape, values: await trainer.read(slab) });
  if (trainer.best) tensors.set('filter/best', { shape, values: trainer.best.values });
}

/** Puts a trainer where the saved one stood. */
export function readFilterState(file: SafetensorsFile, trainer: FilterTrainer, step: number): void {
  const shape = [trainer.start.values.length];
  const slabs = SLABS.map((slab) => [slab, take(file, `filter/${slab}`, shape)] as const);
  if (file.tensors.has('filter/best')) trainer.keep(take(file, 'filter/best', shape));
  for (const [slab, values] of slabs) trainer.write(slab, values);
  trainer.step = step;
}
