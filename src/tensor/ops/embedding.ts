/** Rows of a table chosen by ids. */
import link from '../../../shaders/ops/embedding.wgsl?link';
import type { Tensor } from '../graph.ts';
import { launch } from './launch.ts';

/** ids u32 [..] into table [vocab, D]: [.., D]. */
export function embedding(ids: Tensor, table: Tensor): Tensor {
  const [vocab, d] = table.shape;
  const tokens = ids.size;
  const spec = { label: 'embedding', link, uniforms: [tokens, d / 4, vocab] };
  const quads = ids.graph.conditions.software ? ([8, 4, 2].find((n) => (d / 4) % n === 0) ?? 1) : 1;
  return launch(ids.graph, {
    ...spec,
    entryPoint: 'gather',
    inputs: [ids, table],
    outputs: [[...ids.shape, d]],
    threads: (tokens * d) / 4,
    backward: ([dy]) => [
      null,
      dy &&
        launch(ids.graph, {
          ...spec,
          entryPoint: 'scatter',
          inputs: [ids, dy],
          outputs: [table.shape],
          constants: { QUADS: quads },
          unroll: ['QUADS'],
          threads: (vocab * d) / 4 / quads,
        })[0],
    ],
  })[0];
}
