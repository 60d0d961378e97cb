/** A node of one dispatch whose bindings are its inputs followed by its outputs: most kernels are that. */
import type { Conditions } from '../../gpu/device.ts';
import type { Graph, Tensor } from '../graph.ts';
import { cover, pack, specialise } from '../kernel.ts';

export interface Launch {
  label: string;
  link: (conditions?: Conditions) => string;
  entryPoint: string;
  inputs: Tensor[];
  outputs: readonly (readonly number[])[];
  uniforms: (number | { f: number })[];
  threads: number;
  /** Workgroup size of the kernel (default 64). */
  group?: number;
  constants?: Record<string, number>;
  /** Per output element; the default is one multiply-add. */
  flopsEach?: number;
  effect?: boolean;
  backward?: (grads: (Tensor | null)[], outputs: Tensor[]) => (Tensor | null)[];
}

export function launch(graph: Graph, l: Launch): Tensor[] {
  return graph.add({
    name: l.label,
    inputs: l.inputs,
    outputs: l.outputs,
    effect: l.effect,
    dispatch: (outs) => {
      const code = l.link(graph.conditions);
      const elements = outs.reduce((sum, t) => sum + t.size, 0);
      return [
        {
          label: l.label,
          code: l.constants ? specialise(code, l.constants) : code,
          entryPoint: l.entryPoint,
          bindings: [...l.inputs, ...outs],
          uniforms: pack(...l.uniforms),
          workgroups: cover(l.threads, l.group),
          flops: elements * (l.flopsEach ?? 2),
          bytes: (elements + l.inputs.reduce((sum, t) => sum + t.size, 0)) * 4,
        },
      ];
    },
    backward: l.backward,
  });
}
