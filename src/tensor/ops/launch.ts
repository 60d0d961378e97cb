/** A node of one dispatch whose bindings are its inputs followed by its outputs: most kernels are that. */
import type { Conditions } from '../../gpu/device.ts';
import type { Graph, Tensor } from '../graph.ts';
import { cover, pack, specialise, unrollLoops } from '../kernel.ts';

export interface Launch {
  label: string;
  link: (conditions?: Conditions) => string;
  entryPoint: string;
  inputs: Tensor[];
  outputs: readonly (readonly number[])[];
  uniforms: (number | { f: number })[];
  threads: number;
  /** Instead of `threads` in a row: a grid, where dividing an index would cost more than the work. */
  workgroups?: [number, number, number];
  /** Workgroup size of the kernel (default 64). */
  group?: number;
  constants?: Record<string, number>;
  /** Constants whose loops are written out: no adapter has to find out that indexed arrays fit registers. */
  unroll?: readonly string[];
  /** All floating point operations, where they do not go by output elements. */
  flops?: number;
  /** Per output element; the default is one multiply-add. */
  flopsEach?: number;
  /** Bytes of memory, where inputs are not read whole. */
  bytes?: number;
  effect?: boolean;
  /** Tensors that are not bound, but must be there first. */
  after?: readonly Tensor[];
  backward?: (grads: (Tensor | null)[], outputs: Tensor[]) => (Tensor | null)[];
}

export function launch(graph: Graph, l: Launch): Tensor[] {
  return graph.add({
    name: l.label,
    inputs: l.after ? [...l.inputs, ...l.after] : l.inputs,
    outputs: l.outputs,
    effect: l.effect,
    dispatch: (outs) => {
      let code = l.link(graph.conditions);
      if (l.constants) code = specialise(code, l.constants);
      for (const name of l.unroll ?? []) code = unrollLoops(code, name);
      const elements = outs.reduce((sum, t) => sum + t.size, 0);
      return [
        {
          label: l.label,
          code,
          entryPoint: l.entryPoint,
          bindings: [...l.inputs, ...outs],
          uniforms: pack(...l.uniforms),
          workgroups: l.workgroups ?? cover(l.threads, l.group),
          flops: l.flops ?? elements * (l.flopsEach ?? 2),
          bytes: l.bytes ?? (elements + l.inputs.reduce((sum, t) => sum + t.size, 0)) * 4,
        },
      ];
    },
    backward: l.backward,
  });
}
