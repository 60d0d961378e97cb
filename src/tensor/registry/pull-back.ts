/** Brings a backward kernel into a trial: the gradient of sum(y * probe). */
import '../ops/attention-backward.ts';
import type { Graph, Tensor } from '../graph.ts';
import { add } from '../ops/pointwise.ts';
import { meanOf } from '../ops/reduce.ts';

/** Gradients of sum(y * probe) with respect to `wrt`. */
export function pullBack(graph: Graph, y: Tensor, probe: Tensor, wrt: Tensor[]): Tensor[] {
  const loss = meanOf(y, [y], () => [probe]);
  const one = graph.table('one', [1], () => new Float32Array([1]));
  return graph
    .gradients(loss, wrt, one, (a, b) => add(a, b))
    .map((g, i) => {
      if (!g) throw new Error(`no gradient for ${wrt[i].name}`);
      return g;
    });
}
