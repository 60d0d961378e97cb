/** Writing rows into caches that outlive a program, by position; what reads them takes the returned tensor as `after`. */
import link from '../../../shaders/attention/store_rows.wgsl?link';
import type { Tensor } from '../graph.ts';
import { launch } from './launch.ts';

/** x [rows, ..] (f32 or u32) into cache [sequences, capacity, ..] at positions `at` u32 [rows]; >= capacity: not kept. */
export function storeRows(x: Tensor, at: Tensor, cache: Tensor): Tensor {
  const rows = at.size;
  const [sequences, capacity] = cache.shape;
  const words = x.size / rows;
  if (cache.size !== sequences * capacity * words || rows % sequences !== 0) {
    throw new Error(`storeRows: [${x.shape}] at ${rows} positions does not fit the cache [${cache.shape}]`);
  }
  return launch(x.graph, {
    label: 'store rows',
    link,
    entryPoint: 'store',
    inputs: [x, at, cache],
    outputs: [[1]],
    uniforms: [rows, rows / sequences, capacity, words],
    threads: x.size,
    flops: 0,
    effect: true,
  })[0];
}
