/**
 * Runs one trial of a kernel outside of any program: every tensor in a buffer of its own, with a guard behind it inside the
 * binding, so that a store past the end of a tensor lands where it is seen instead of being clamped away. Inputs must keep
 * their bits, outputs start as NaN, and the second run must repeat the first bit by bit.
 */
import type { Conditions, Gpu } from '../../gpu/device.ts';
import { Graph, type Tensor } from '../graph.ts';
import type { Dispatch } from '../kernel.ts';
import type { Trial, Want } from './entry.ts';

/** Words behind every tensor. The first 16-byte boundary belongs to kernels that work in vec4s. */
const GUARD_WORDS = 256;
/** A NaN: whoever reads it by mistake and uses it shows it. */
const GUARD = 0x7fc0beef;

export interface Difference {
  /** Largest difference as a share of the largest wanted magnitude; what the tolerance is stated in. */
  share: number;
  tolerance: number;
}

export type Verdict = { ok: true; difference: Difference } | { ok: false; reason: string; difference?: Difference };

interface Slot {
  name: string;
  buffer: GPUBuffer;
  /** Content before a run, guard included. */
  initial: Uint32Array<ArrayBuffer>;
  size: number;
  given: boolean;
}

export interface Prepared {
  dispatches: readonly Dispatch[];
  /** Compared tensors by name. */
  outputs: Readonly<Record<string, Tensor>>;
  slots: ReadonlyMap<number, Slot>;
  /** Fills every buffer with its initial content. */
  reset(): void;
  record(pass: GPUComputePassEncoder, only?: (d: Dispatch) => boolean): void;
  dispose(): void;
}

const align4 = (n: number): number => Math.ceil(n / 4) * 4;

interface Traced {
  graph: Graph;
  dispatches: readonly Dispatch[];
  outputs: Record<string, Tensor>;
}

/** Traces the trial for an adapter of these conditions; makes nothing on it. `rewrite` may put another kernel in a dispatch's place. */
export function traceTrial(
  conditions: Conditions,
  trial: Trial,
  force: Partial<Conditions>,
  rewrite: (d: Dispatch) => Dispatch = (d) => d,
): Traced {
  const graph = new Graph({ ...conditions, precision: undefined, ...force });
  // Declared when first asked for: some operations declare inputs of these names themselves.
  const inputs: Record<string, Tensor> = {};
  for (const [name, { shape }] of Object.entries(trial.inputs)) {
    Object.defineProperty(inputs, name, { get: () => graph.inputs.get(name) ?? graph.input(name, shape) });
  }
  const outputs = trial.build(inputs, graph);
  return { graph, dispatches: graph.nodes.flatMap((node) => node.dispatch()).map(rewrite), outputs };
}

/** Traces the trial, makes its pipelines and buffers. */
export function prepareTrial(
  gpu: Gpu,
  trial: Trial,
  force: Partial<Conditions>,
  rewrite?: (d: Dispatch) => Dispatch,
): Prepared {
  const { device } = gpu;
  const { graph, dispatches, outputs } = traceTrial(gpu.conditions, trial, force, rewrite);
  const slots = new Map<number, Slot>();
  const made: GPUBuffer[] = [];
  const slotOf = (t: Tensor): Slot => {
    const known = slots.get(t.storage.id);
    if (known) return known;
    const size = t.storage.size;
    const initial = new Uint32Array(align4(size) + GUARD_WORDS).fill(GUARD);
    const data = t.storage.producer ? undefined : (trial.inputs[t.name]?.data ?? graph.fixed.get(t.name));
    if (!t.storage.producer && !data) throw new Error(`trial: nothing is given for ${t.name}`);
    if (data) new Uint8Array(initial.buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    const buffer = device.createBuffer({
      size: initial.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      label: t.name,
    });
    made.push(buffer);
    const slot = { name: t.name, buffer, initial, size, given: data !== undefined };
    slots.set(t.storage.id, slot);
    return slot;
  };
  const commands = dispatches.map((d) => {
    const uniforms = device.createBuffer({
      size: Math.ceil(d.uniforms.byteLength / 16) * 16,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    made.push(uniforms);
    device.queue.writeBuffer(uniforms, 0, d.uniforms);
    const pipeline = gpu.pipelines.get({
      code: d.code,
      entryPoint: d.entryPoint,
      storage: d.bindings.length,
      constants: d.constants,
      label: d.label,
    });
    const bind = device.createBindGroup({
      layout: gpu.pipelines.layout(d.bindings.length).bind,
      entries: [...d.bindings.map((t) => slotOf(t).buffer), uniforms].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    });
    return { dispatch: d, pipeline, bind };
  });
  return {
    dispatches,
    outputs,
    slots,
    reset() {
      for (const slot of slots.values()) device.queue.writeBuffer(slot.buffer, 0, slot.initial);
    },
    record(pass, only = () => true) {
      for (const { dispatch, pipeline, bind } of commands) {
        if (!only(dispatch)) continue;
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bind);
        pass.dispatchWorkgroups(...dispatch.workgroups);
      }
    },
    dispose() {
      for (const buffer of made) buffer.destroy();
    },
  };
}

/** Runs all dispatches once on fresh content and returns what every buffer then holds. */
export async function runOnce(gpu: Gpu, p: Prepared): Promise<Map<number, Uint32Array<ArrayBuffer>>> {
  const { device } = gpu;
  p.reset();
  const total = [...p.slots.values()].reduce((sum, slot) => sum + slot.initial.byteLength, 0);
  const staging = device.createBuffer({ size: total, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  p.record(pass);
  pass.end();
  let at = 0;
  for (const slot of p.slots.values()) {
    encoder.copyBufferToBuffer(slot.buffer, 0, staging, at, slot.initial.byteLength);
    at += slot.initial.byteLength;
  }
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const all = staging.getMappedRange().slice(0);
  staging.destroy();
  at = 0;
  const found = new Map<number, Uint32Array<ArrayBuffer>>();
  for (const [id, slot] of p.slots) {
    found.set(id, new Uint32Array(all, at, slot.initial.length));
    at += slot.initial.byteLength;
  }
  return found;
}

/** Runs the trial twice and says whether everything is as it must be; throws only for a lost device. */
export const checkTrial = (
  gpu: Gpu,
  trial: Trial,
  force: Partial<Conditions>,
  rewrite?: (d: Dispatch) => Dispatch,
): Promise<Verdict> => checkPrepared(gpu, trial, () => prepareTrial(gpu, trial, force, rewrite));

/** The same for a trial that somebody else prepares. */
export async function checkPrepared(gpu: Gpu, trial: Trial, prepare: () => Prepared): Promise<Verdict> {
  gpu.device.pushErrorScope('validation');
  let prepared: Prepared;
  try {
    prepared = prepare();
  } catch (error) {
    await gpu.device.popErrorScope();
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
  const first = await runOnce(gpu, prepared);
  const second = await runOnce(gpu, prepared);
  const invalid = await gpu.device.popErrorScope();
  const verdict: Verdict = invalid
    ? { ok: false, reason: `WebGPU: ${invalid.message.split('\n')[0]}` }
    : judge(trial, prepared, first, second);
  prepared.dispose();
  return verdict;
}

function judge(
  trial: Trial,
  p: Prepared,
  first: ReadonlyMap<number, Uint32Array<ArrayBuffer>>,
  second: ReadonlyMap<number, Uint32Array<ArrayBuffer>>,
): Verdict {
  const written = new Set(trial.writes);
  for (const [id, slot] of p.slots) {
    const got = first.get(id) as Uint32Array<ArrayBuffer>;
    for (let i = align4(slot.size); i < got.length; i++) {
      if (got[i] !== GUARD) {
        const past = i - slot.size;
        return { ok: false, reason: `out of bounds: it wrote ${past} words past the end of ${slot.name}` };
      }
    }
    if (slot.given && !written.has(slot.name)) {
      const at = got.findIndex((word, i) => word !== slot.initial[i]);
      if (at >= 0) return { ok: false, reason: `it changed its input ${slot.name} at element ${at}` };
    }
    const again = second.get(id) as Uint32Array<ArrayBuffer>;
    const at = got.findIndex((word, i) => i < slot.size && word !== again[i]);
    if (at >= 0) return { ok: false, reason: `not deterministic: two runs differ in ${slot.name} at element ${at}` };
  }
  let worst: Difference = { share: 0, tolerance: 0 };
  const byName = new Map([...p.slots].map(([id, slot]) => [slot.name, id]));
  for (const [name, want] of Object.entries(trial.want())) {
    const id = p.outputs[name]?.storage.id ?? byName.get(name);
    const got = id === undefined ? undefined : first.get(id);
    if (!got) return { ok: false, reason: `nothing was computed for ${name}` };
    const verdict = compare(name, got, want);
    if (!verdict.ok) return verdict;
    const { share, tolerance } = verdict.difference;
    // What must be exact, and is, says nothing about the others.
    if (tolerance > 0 && share * worst.tolerance >= worst.share * tolerance) worst = verdict.difference;
  }
  return { ok: true, difference: worst };
}

function compare(name: string, got: Uint32Array<ArrayBuffer>, want: Want): Verdict {
  if ('words' in want) {
    for (let i = 0; i < want.words.length; i++) {
      if (got[i] !== want.words[i]) {
        return { ok: false, reason: `${name}[${i}] is ${got[i]} instead of ${want.words[i]}` };
      }
    }
    return { ok: true, difference: { share: 0, tolerance: 0 } };
  }
  const values = new Float32Array(got.buffer, got.byteOffset, got.length);
  let scale = want.scale ?? 0;
  if (want.scale === undefined)
    for (let i = 0; i < want.values.length; i++) scale = Math.max(scale, Math.abs(want.values[i]));
  let share = 0;
  let at = 0;
  for (let i = 0; i < want.values.length; i++) {
    const error = Math.abs(values[i] - want.values[i]) / Math.max(scale, 1e-30);
    if (!(error <= share)) {
      share = error;
      at = i;
      if (Number.isNaN(share)) break;
    }
  }
  const difference = { share, tolerance: want.share };
  if (share <= want.share) return { ok: true, difference };
  return { ok: false, reason: `${name}[${at}] is ${values[at]} instead of ${want.values[at]}`, difference };
}
