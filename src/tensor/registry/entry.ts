/**
 * What the lab knows about one kernel: where its text is, what it binds, how it is launched, what it costs, what it must
 * compute, and on which sizes that is checked and timed. A trial builds the kernel through the engine's own operation, so
 * that the proof, the roofline and a model all run one dispatch rule. Entries are data; running them is run.ts.
 * A new kernel file without an entry fails tests/kernels/registry.test.ts.
 */
import type { Conditions, Gpu, Precision } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { type Graph, sizeOf, type Tensor } from '../graph.ts';
import type { Dispatch } from '../kernel.ts';

export type TrialData = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

export interface Given {
  shape: readonly number[];
  data: TrialData;
}

/** What an output must be: numbers within `share` of the largest wanted magnitude (or of `scale`), or exact u32 words. */
export type Want = { values: ArrayLike<number>; share: number; scale?: number } | { words: ArrayLike<number> };

/** One run of a kernel on given data. */
export interface Trial {
  inputs: Record<string, Given>;
  /** The tensors that are compared, by name. An input that a kernel may write is named in `writes`. */
  build(t: Record<string, Tensor>, graph: Graph): Record<string, Tensor>;
  /** Names of inputs that the kernel writes; all others must keep every bit. */
  writes?: readonly string[];
  /** Float64 reference, by the names of `build`'s result and of `writes`. */
  want(): Record<string, Want>;
}

export interface KernelCase {
  name: string;
  /** Sizes by letter, for the entry's formulas. */
  dims: Readonly<Record<string, number>>;
  /** `precision` is that of the variant that will run it: data that it reads and tolerances may follow it. */
  make(precision?: Precision): Trial;
}

/** One text of a kernel, or one way to launch it. */
export interface Variant {
  name: string;
  /** In words: which adapters run it. */
  when: string;
  /** Files under shaders/ whose text is in it, the kernel's own file first. */
  files: readonly string[];
  entryPoint: string;
  /** Whether an adapter with these conditions chooses this variant. */
  chosen(c: Conditions): boolean;
  /** What it needs to run at all; every adapter by default. */
  needs?(c: Conditions): boolean;
  /** Conditions that make the engine choose it; f32 unless it names a precision. */
  force: Partial<Conditions>;
  /** Its bytes where they differ from its kernel's. */
  bytes?: string;
  /** One sentence: the idea of this rung. A kernel whose variants have ideas is shown as a ladder, in their order. */
  idea?: string;
  /** Why it is not used, with the figure that decided. */
  lost?: string;
  /** A version that no adapter chooses takes the place of the kernel's own dispatch. */
  instead?(d: Dispatch): Dispatch;
  /** Sizes for which it exists, or at which it is run; all by default. */
  takes?(dims: Readonly<Record<string, number>>): boolean;
}

export interface KernelEntry {
  /** Unique, in words: 'rmsnorm backward'. */
  name: string;
  family: string;
  /** One sentence: what it computes. */
  about: string;
  /** Labels of its dispatches, between bars; one that ends with a space is the beginning of theirs. */
  label: string;
  /** WGSL names of the storage bindings in order. */
  bindings: string;
  /** Members of the uniform struct in order, each with its type: 'rows u32, eps f32'. */
  uniform: string;
  /** Dispatch rule in words: what one invocation does and how many there are. */
  dispatch: string;
  /** Formulas over `dims`; tests hold them against what the dispatch rule reports. */
  flops: string;
  bytes: string;
  /** Adapters that have this kernel; the others use single operations instead. All by default. */
  exists?(c: Conditions): boolean;
  variants: readonly Variant[];
  cases: readonly KernelCase[];
  /** The size at which it is timed; its reference is not asked for. */
  bench: KernelCase;
  /** The size at which its versions are raced, where that is not `bench`. */
  ladder?(software: boolean): KernelCase;
}

/** A vertex and fragment shader: it has no bindings convention and no FLOPs, but it is checked like a kernel. */
export interface RenderEntry {
  name: string;
  family: string;
  about: string;
  file: string;
  entryPoints: readonly string[];
  /** Draws and compares; resolves to what is wrong, or null. */
  check(gpu: Gpu): Promise<string | null>;
}

/** The variant of a kernel that has one text for all adapters. */
export const single = (file: string, entryPoint: string): Variant[] => [
  { name: 'portable', when: 'every adapter', files: [file], entryPoint, chosen: () => true, force: {} },
];

type Way = Pick<Variant, 'idea' | 'entryPoint'> & { file: string };

/** A reduction with two ways to launch it: without barriers, and by workgroups that end in a tree. */
export const serialOrTree = (serial: Way, tree: Way): Variant[] =>
  [serial, tree].map(({ file, idea, entryPoint }, i) => {
    const software = i === 0;
    return {
      name: software ? 'serial' : 'tree',
      idea,
      when: software ? 'CPU adapters' : 'graphics processors',
      files: [file],
      entryPoint,
      chosen: (c) => c.software === software,
      force: { software },
    };
  });

/** The same with both ways in one file. */
export const eachSerialOrTree = (file: string, serial: string, tree: string, each: string, cost: string): Variant[] =>
  serialOrTree(
    { file, entryPoint: serial, idea: `One invocation per ${each}: no barrier.` },
    {
      file,
      entryPoint: tree,
      idea: `One workgroup per ${each}: its threads read side by side and end in a tree, so that a GPU has enough of them. ${cost}.`,
    },
  );

/** Adapters that have what a variant may need, in words. */
const HAVING: readonly [what: string, facts: Partial<Conditions>][] = [
  ['16-bit floats (shader-f16)', { f16: true }],
  ['a CPU adapter with subgroups of 4', { software: true, subgroups: true, subgroupSize: 4 }],
  ['a CPU adapter with subgroups of 8', { software: true, subgroups: true, subgroupSize: 8 }],
];
const LAVAPIPE: Partial<Conditions> = { software: true, lavapipe: true, subgroups: true, subgroupSize: 8 };

/** What an adapter of these conditions lacks to run the variant; empty when it can. */
export function lackOf(variant: Variant, conditions: Conditions): string {
  const { needs } = variant;
  if (!needs || needs(conditions)) return '';
  const found = HAVING.filter(([, facts]) => needs({ ...conditions, ...facts })).map(([what]) => what);
  if (found.length === 0 && needs({ ...conditions, ...LAVAPIPE })) return 'lavapipe with subgroups of 8';
  return found.join(' or ');
}

/** Small subgroups of one size: what the texts for CPU adapters need. */
export const smallSubgroups = (c: Conditions): boolean => c.subgroupSize === 4 || c.subgroupSize === 8;

/** f32 numbers in [-1, 1) from a counter hash; every salt gives others. */
export function random(shape: readonly number[], salt: number, size = 1): Given & { data: Float32Array<ArrayBuffer> } {
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = (mix32(i, salt, 0x7e57, 1) / 2 ** 31 - 1) * size;
  return { shape, data };
}

export const floats = (shape: readonly number[], values: ArrayLike<number>): Given => ({
  shape,
  data: Float32Array.from(values),
});

export const words = (shape: readonly number[], values: ArrayLike<number>): Given => ({
  shape,
  data: Uint32Array.from(values),
});

/** Sizes in words: 'rows 3, d 20'. */
export const sized = (dims: Readonly<Record<string, number>>): string =>
  Object.entries(dims)
    .map(([name, size]) => `${name} ${size}`)
    .join(', ');

/** One case for each set of sizes, named by them. */
export function casesOf<D extends Record<string, number>>(sizes: readonly D[], make: (dims: D) => Trial): KernelCase[] {
  return sizes.map((dims) => ({ name: sized(dims), dims, make: () => make(dims) }));
}

/** What a trial's dispatches become for a variant. */
export const rewriteFor =
  (entry: KernelEntry, variant: Variant) =>
  (d: Dispatch): Dispatch =>
    variant.instead && isOf(entry, d) ? variant.instead(d) : d;

/** The cases of a kernel that a variant runs. */
export const casesFor = (entry: KernelEntry, variant: Variant): KernelCase[] =>
  entry.cases.filter((c) => variant.takes?.(c.dims) ?? true);

/** Whether a dispatch of a trial is of this kernel (and not one of the others that the trial needs). */
export function isOf(entry: KernelEntry, d: Dispatch): boolean {
  const named = entry.label
    .split('|')
    .some((label) => (label.endsWith(' ') ? d.label.startsWith(label) : d.label === label));
  return named && entry.variants.some((v) => v.entryPoint === d.entryPoint);
}
