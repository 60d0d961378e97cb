// One new frame over a ring of past keys and values: against float64 with a plain list, through several wraps.

import { describe, expect, test } from 'vitest';
import type { Graph } from '../../src/tensor/graph.ts';
import { type Heads, type Ring, ringAttention, ropeTable } from '../../src/tensor/ops/attention.ts';
import { compile } from '../../src/tensor/program.ts';
import { ringReference } from '../../src/tensor/reference/attention.ts';
import { gpuAs, random } from '../support/compute.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

interface Shape extends Heads {
  rows: number;
  window: number;
  capacity: number;
  cap: number;
}

const ringOf = (graph: Graph, s: Shape, data: GPUBuffer, clock: GPUBuffer): Ring => ({
  data: graph.external('ring', [s.rows, s.kvHeads, s.capacity, 2, s.dim], () => data),
  clock: graph.external('clock', [2], () => clock),
  table: graph.table('ages', [s.window, s.dim], () => ropeTable(s.window, s.dim)),
  capacity: s.capacity,
  window: s.window,
});

/** Runs `frames` frames with the clock starting at `from`; checks each against the last window - 1 frames. */
async function play(s: Shape, frames: number, from: number, conditions = {}): Promise<void> {
  const gpu = await gpuAs(conditions);
  const { heads, kvHeads, dim, rows, window, capacity, cap } = s;
  const width = (heads + 2 * kvHeads) * dim;
  const buffer = (bytes: number): GPUBuffer =>
    gpu.device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  const data = buffer(capacity * rows * 2 * kvHeads * dim * 4);
  const clock = buffer(256);
  const program = compile(gpu, (graph) => {
    const ring = ringOf(graph, s, data, clock);
    graph.output('out', ringAttention(graph.input('qkv', [rows, width]), ring, s, cap, true));
    graph.output('peek', ringAttention(graph.input('other', [rows, width]), ring, s, cap, false));
  });
  const past: Float32Array[] = [];
  for (let f = 0; f < frames; f++) {
    const qkv = random([rows, width], 10 + f).data;
    gpu.device.queue.writeBuffer(clock, 0, new Uint32Array([(from + f) % capacity, Math.min(f, capacity)]));
    program.run({ qkv, other: qkv });
    const got = await program.read('out');
    const visible = past.slice(Math.max(0, past.length - (window - 1)));
    const want = ringReference(visible, qkv, rows, s, cap);
    expectClose(got, want, TOLERANCE.f32.attention);
    past.push(qkv);
  }
  program.dispose();
  data.destroy();
  clock.destroy();
}

const BASE: Shape = { heads: 4, kvHeads: 2, dim: 8, rows: 3, window: 5, capacity: 5, cap: 0 };

describe('decode over a ring', () => {
  test('twelve frames over a ring of five', () => play(BASE, 12, 0));
  test('a counter that starts anywhere', () => play(BASE, 7, 3));
  test('soft cap', () => play({ ...BASE, cap: 2 }, 7, 0));
  test('a ring that is larger than the window', () => play({ ...BASE, window: 3, capacity: 8 }, 10, 0));
  test('a window of the new frame only', () => play({ ...BASE, window: 1, capacity: 2 }, 3, 0));
  test('one head, one row, wide channels', () => play({ ...BASE, heads: 1, kvHeads: 1, dim: 32, rows: 1 }, 7, 0));
  test('the text for a GPU', () => play(BASE, 7, 0, { software: false }));
});

// What lies in a ring that was reset is not zero: 0 times a stale NaN would come out of it.
test.each([{}, { subgroupSize: 0 }, { software: false }])('an empty ring is not read, %j', async (conditions) => {
  const gpu = await gpuAs(conditions);
  const { heads, kvHeads, dim, rows, capacity } = BASE;
  const width = (heads + 2 * kvHeads) * dim;
  const numbers = capacity * rows * 2 * kvHeads * dim;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const [data, clock] = [numbers * 4, 256].map((size) => gpu.device.createBuffer({ size, usage }));
  gpu.device.queue.writeBuffer(data, 0, new Float32Array(numbers).fill(Number.NaN));
  const program = compile(gpu, (graph) => {
    const ring = ringOf(graph, BASE, data, clock);
    graph.output('out', ringAttention(graph.input('qkv', [rows, width]), ring, BASE, 0, false));
  });
  const qkv = random([rows, width], 10).data;
  program.run({ qkv });
  expectClose(await program.read('out'), ringReference([], qkv, rows, BASE, 0), TOLERANCE.f32.attention);
  program.dispose();
  data.destroy();
  clock.destroy();
});

test('reading a ring does not write it', async () => {
  const gpu = await gpuAs({});
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const data = gpu.device.createBuffer({ size: 256, usage });
  const clock = gpu.device.createBuffer({ size: 256, usage });
  gpu.device.queue.writeBuffer(data, 0, new Float32Array(64).fill(0.25));
  gpu.device.queue.writeBuffer(clock, 0, new Uint32Array([1, 1]));
  for (const write of [false, true]) {
    const program = compile(gpu, (graph) => {
      const ring = {
        data: graph.external('ring', [1, 1, 4, 2, 4], () => data),
        clock: graph.external('clock', [2], () => clock),
        table: graph.table('ages', [4, 4], () => ropeTable(4, 4)),
        capacity: 4,
        window: 4,
      };
      const qkv = graph.input('qkv', [1, 16]);
      graph.output('out', ringAttention(qkv, ring, { heads: 2, kvHeads: 1, dim: 4 }, 0, write));
      graph.output('ring', ring.data);
    });
    program.run({ qkv: random([1, 16], 3).data });
    const changed = Array.from(await program.read('ring'), (v, i) => (v === 0.25 ? -1 : i)).filter((i) => i >= 0);
    // Slot 1 of the ring: four channels of the key and four of the value.
    expect(changed).toEqual(write ? [8, 9, 10, 11, 12, 13, 14, 15] : []);
    program.dispose();
  }
});
