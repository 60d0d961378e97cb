/** Runs a small graph on given data. Every graph runs twice, and the second result must have the same bits. */
import { expect } from 'vitest';
import type { Conditions, Gpu } from '../../src/gpu/device.ts';
import { normals } from '../../src/nn/params.ts';
import { type Graph, sizeOf, type Tensor } from '../../src/tensor/graph.ts';
import { compile, type InputData } from '../../src/tensor/program.ts';
import { testGpu } from './gpu.ts';

export { pullBack } from '../../src/tensor/registry/pull-back.ts';

export interface Given {
  shape: number[];
  data: InputData;
}

/** Standard normal data of a shape; every salt gives other numbers. */
export function random(shape: number[], salt: number): Given & { data: Float32Array<ArrayBuffer> } {
  return { shape, data: normals(7, salt, sizeOf(shape)) };
}

export const given = (shape: number[], values: ArrayLike<number>): Given => ({
  shape,
  data: Float32Array.from(values),
});
export const words = (shape: number[], values: ArrayLike<number>): Given => ({ shape, data: Uint32Array.from(values) });

/** The same device, with kernels chosen for another kind of adapter. */
export async function gpuAs(conditions: Partial<Conditions>): Promise<Gpu> {
  const { gpu } = await testGpu();
  return { ...gpu, conditions: { ...gpu.conditions, ...conditions } };
}

/** Outputs by name. `build` maps the inputs to the tensors that are wanted. */
export async function compute<I extends string, O extends string>(
  gpu: Gpu,
  inputs: Record<I, Given>,
  build: (t: Record<I, Tensor>, graph: Graph) => Record<O, Tensor>,
): Promise<Record<O, Float32Array<ArrayBuffer>>> {
  const names: string[] = [];
  const program = compile(gpu, (graph) => {
    const tensors = Object.fromEntries(
      Object.entries<Given>(inputs).map(([name, { shape }]) => [name, graph.input(name, shape)]),
    );
    for (const [name, t] of Object.entries<Tensor>(build(tensors as Record<I, Tensor>, graph))) {
      graph.output(`out ${name}`, t);
      names.push(name);
    }
  });
  const data = Object.fromEntries(Object.entries<Given>(inputs).map(([name, g]) => [name, g.data]));
  const once = async (): Promise<Record<string, Float32Array<ArrayBuffer>>> => {
    program.run(data);
    const out: Record<string, Float32Array<ArrayBuffer>> = {};
    for (const name of names) out[name] = await program.read(`out ${name}`);
    return out;
  };
  const first = await once();
  const second = await once();
  for (const name of names) {
    expect(sameBits(second[name], first[name]), `${name} is the same from run to run`).toBe(true);
  }
  program.dispose();
  return first as Record<O, Float32Array<ArrayBuffer>>;
}

/** Equality of raw bytes: NaN equals itself, -0 differs from 0. */
export function sameBits(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const raw = (x: ArrayBufferView): Buffer => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
  return raw(a).equals(raw(b));
}
