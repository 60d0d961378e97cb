/**
 * Parameters to and from safetensors. A training checkpoint holds every buffer that the next step reads (values,
 * moments, average), so that a resumed run is bit-identical; a shipped one holds the averaged weights in half precision.
 */
import { readSafetensors, type SafetensorsFile, type TensorToWrite, toFloat32 } from '../data/safetensors.ts';
import type { Conditions } from '../gpu/device.ts';
import { type ParamStore, SLABS, type Slab } from '../nn/params.ts';

export class CheckpointError extends Error {}

/** For the metadata of a training checkpoint: what the run's device computes in. */
export const precisionOf = (c: Conditions): { precision: string } => ({ precision: c.precision ?? 'f32' });

/**
 * Like another adapter, another precision changes results: a run ends with the one that it began with. Throws CheckpointError.
 * Files that do not say theirs are older than this check and are taken.
 */
export function checkPrecision(metadata: { precision?: string }, conditions: Conditions): void {
  const { precision } = precisionOf(conditions);
  const begun = metadata.precision ?? precision;
  if (begun === precision) return;
  throw new CheckpointError(
    `This run began in ${begun} and would go on in ${precision}, to other results: resume it on the command line with TENFOLD_PRECISION=${begun}, or begin a new run.`,
  );
}

const TRAINING_SLABS = SLABS.filter((s) => s !== 'grad');

/** All state of a store as tensors named `<prefix><slab>/<parameter>`. */
export async function trainingTensors(store: ParamStore, prefix = ''): Promise<Map<string, TensorToWrite>> {
  const out = new Map<string, TensorToWrite>();
  for (const slab of TRAINING_SLABS) {
    for (const [name, values] of await store.read(slab)) {
      out.set(`${prefix}${slab}/${name}`, { shape: store.specs.get(name)?.shape ?? [], values });
    }
  }
  return out;
}

/** Averaged weights in half precision, named as the parameters. */
export async function shippedTensors(store: ParamStore, slab: Slab = 'average'): Promise<Map<string, TensorToWrite>> {
  const out = new Map<string, TensorToWrite>();
  for (const [name, values] of await store.read(slab)) {
    out.set(name, { shape: store.specs.get(name)?.shape ?? [], values, dtype: 'F16' });
  }
  return out;
}

type Load = [slab: Slab, parameter: string, values: Float32Array<ArrayBuffer>];

function find(store: ParamStore, slab: Slab, file: SafetensorsFile, nameOf: (parameter: string) => string): Load[] {
  return [...store.specs.values()].map((spec) => {
    const t = file.tensors.get(nameOf(spec.name));
    if (!t)
      throw new CheckpointError(`The checkpoint has no tensor ${nameOf(spec.name)}; it belongs to another model.`);
    if (t.shape.join() !== spec.shape.join()) {
      throw new CheckpointError(
        `The checkpoint belongs to another model: ${spec.name} is [${t.shape}] in the file, [${spec.shape}] here.`,
      );
    }
    return [slab, spec.name, toFloat32(t)];
  });
}

/** All or nothing: the store stays as it was if the file lacks anything. */
function load(store: ParamStore, loads: Load[]): void {
  for (const [slab, parameter, values] of loads) store.write(slab, parameter, values);
}

/** Checks a store's part of a training checkpoint; the result writes it. Several parts can so be checked before any is written. */
export function checkedTraining(store: ParamStore, file: SafetensorsFile, prefix = ''): () => void {
  const loads = TRAINING_SLABS.flatMap((slab) => find(store, slab, file, (name) => `${prefix}${slab}/${name}`));
  return () => load(store, loads);
}

export function restoreTraining(store: ParamStore, file: SafetensorsFile, prefix = ''): void {
  checkedTraining(store, file, prefix)();
}

export function restoreShipped(store: ParamStore, file: SafetensorsFile): void {
  load(
    store,
    find(store, 'value', file, (name) => name),
  );
}

/** Start values for a training run from shipped weights; the average starts there too. All or nothing. */
export function startFromShipped(store: ParamStore, file: SafetensorsFile): void {
  load(
    store,
    (['value', 'average'] as const).flatMap((slab) => find(store, slab, file, (name) => name)),
  );
}

export { readSafetensors };
