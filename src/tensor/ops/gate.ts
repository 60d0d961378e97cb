/** Device-side conditions: a kernel that opens or closes the indirect dispatches of a whole program. */
import link from '../../../shaders/ops/gate.wgsl?link';
import type { Tensor } from '../graph.ts';
import { pack } from '../kernel.ts';

export interface GateRule {
  /** Words looked at: `flags[offset + i * stride]`, i < count. */
  count: number;
  stride: number;
  offset: number;
  /** The value that opens. */
  wanted: number;
}

/** Writes `args` [words]: `table` [words] if any flag has the wanted value, else zeros. */
export function openGate(flags: Tensor, table: Tensor, args: Tensor, rule: GateRule): void {
  const { graph } = flags;
  graph.add({
    name: 'gate',
    inputs: [flags, table, args],
    outputs: [],
    effect: true,
    dispatch: () => [
      {
        label: 'gate',
        code: link(graph.conditions),
        entryPoint: 'gate',
        bindings: [flags, table, args],
        uniforms: pack(rule.count, rule.stride, rule.offset, rule.wanted, table.size),
        workgroups: [1, 1, 1],
        flops: 0,
        bytes: 8 * table.size + 4 * rule.count,
      },
    ],
  });
}
