/**
 * Which matmul tile is fastest on this adapter, by class of shape: the candidates of a class take turns on one shape of it.
 * Changes no result: a tile is chosen only if it gives every bit of what the rule's own choice gives, so runs with and without a
 * table, or with the tables of two measurements, are equal. What the table does not name follows the cost model.
 */
import type { Gpu, MatmulTile, TileTable } from '../gpu/device.ts';
import { Readback } from '../gpu/readback.ts';
import { race } from '../gpu/timing.ts';
import { type MatmulForm, planMatmul, tileCandidates, tileClass } from '../tensor/kernels/matmul.ts';
import { random } from '../tensor/registry/entry.ts';

/** Shapes of play, training and of the roofline, one for each class that models ask for. */
export const TILE_SHAPES: readonly (readonly [MatmulForm, number, number, number])[] = [
  ['nn', 52, 128, 64],
  ['nn', 52, 320, 64],
  ['nn', 52, 64, 160],
  ['nn', 1024, 128, 64],
  ['nn', 1024, 256, 64],
  ['nn', 256, 256, 256],
  ['nt', 1024, 64, 256],
  ['tn', 64, 256, 1024],
];

export interface TileRow {
  class: string;
  shape: string;
  /** Milliseconds of every candidate, the rule's own choice first; NaN: it gave other bits and is out. */
  tiles: readonly (MatmulTile & { ms: number })[];
  chosen: MatmulTile;
}

/** Less than this is not worth leaving the rule: machines are noisy. */
const GAIN = 0.9;

const bufferOf = (
  device: GPUDevice,
  data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  usage: number,
): GPUBuffer => {
  const buffer = device.createBuffer({
    size: Math.ceil(data.byteLength / 16) * 16,
    usage: usage | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
};

/** One class: null where this adapter has one tile only. */
export async function measureTile(gpu: Gpu, [form, M, N, K]: (typeof TILE_SHAPES)[number]): Promise<TileRow | null> {
  const { device, conditions } = gpu;
  const candidates = tileCandidates(conditions, { form, M, N, K });
  if (candidates.length < 2) return null;
  const [a, b] = [random([M, K], 1).data, random([K, N], 2).data].map((d) =>
    bufferOf(device, d, GPUBufferUsage.STORAGE),
  );
  const made: GPUBuffer[] = [a, b];
  const readback = new Readback(device);
  try {
    const entrants = candidates.map((tile) => {
      const plan = planMatmul({ form, M, N, K, software: true, subgroup: conditions.subgroupSize, ...tile });
      const pipeline = gpu.pipelines.get({ code: plan.code, entryPoint: plan.entryPoint, storage: 3, label: plan.key });
      const c = bufferOf(device, new Float32Array(M * N), GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
      const uniforms = bufferOf(device, new Uint32Array(plan.uniforms), GPUBufferUsage.UNIFORM);
      made.push(c, uniforms);
      const bind = device.createBindGroup({
        layout: gpu.pipelines.layout(3).bind,
        entries: [a, b, c, uniforms].map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      const record = (pass: GPUComputePassEncoder): void => {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bind);
        pass.dispatchWorkgroups(...plan.workgroups);
      };
      return { name: `${tile.rows} x ${tile.blocks}`, record, c };
    });
    const timings = await race(device, entrants, { rounds: 5, batchMs: 6, budgetMs: 120 });
    const results: Uint32Array[] = [];
    for (const e of entrants) results.push(new Uint32Array(await readback.read(e.c)));
    const tiles = candidates.map((tile, i) => ({
      ...tile,
      // The best batch: what else the machine did at the time is not the tile's fault.
      ms: results[i].every((word, at) => word === results[0][at]) ? timings[i].min : Number.NaN,
    }));
    const best = tiles.reduce((x, y) => (y.ms < x.ms * (x === tiles[0] ? GAIN : 1) ? y : x), tiles[0]);
    const { rows, blocks } = best;
    return { class: tileClass(form, M, N, K), shape: `${M} x ${N} x ${K}`, tiles, chosen: { rows, blocks } };
  } finally {
    readback.dispose();
    for (const buffer of made) buffer.destroy();
  }
}

export const tileTable = (rows: readonly TileRow[]): TileTable =>
  Object.fromEntries(rows.map((row) => [row.class, row.chosen]));
