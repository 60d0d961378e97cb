// The memory plan: whatever the graph, no two tensors that are needed at the same time share a byte.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Graph, type Tensor } from '../../src/tensor/graph.ts';
import { ALIGN, alignUp, plan } from '../../src/tensor/plan.ts';

const conditions = { software: true, f16: false, subgroups: false, subgroupSize: 0 };
const newGraph = (): Graph => new Graph(conditions);

function node(graph: Graph, inputs: Tensor[], sizes: number[], effect = false): Tensor[] {
  return graph.add({ name: 'node', inputs, outputs: sizes.map((n) => [n]), dispatch: () => [], effect });
}

/** Random graphs: some inputs, then nodes that read earlier tensors (or views of them), some outputs and effects. */
const graphs = fc
  .record({
    inputs: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
    nodes: fc.array(
      fc.record({
        reads: fc.array(fc.nat(1000), { maxLength: 3 }),
        writes: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 3 }),
        effect: fc.boolean(),
        output: fc.boolean(),
        external: fc.boolean(),
      }),
      { maxLength: 25 },
    ),
    chunk: fc.constantFrom(Number.POSITIVE_INFINITY, 16 * ALIGN, 37 * ALIGN),
  })
  .map(({ inputs, nodes, chunk }) => {
    const graph = newGraph();
    const tensors = inputs.map((n, i) => graph.input(`in ${i}`, [n]));
    nodes.forEach(({ reads, writes, effect, output, external }, i) => {
      const outs = node(
        graph,
        reads.map((r) => tensors[r % tensors.length]),
        writes,
        effect,
      );
      if (external) graph.place(outs[0], () => null as unknown as GPUBuffer, 0);
      if (output) graph.output(`out ${i}`, outs[outs.length - 1]);
      tensors.push(...outs, graph.reshape(outs[0], [outs[0].size, 1]));
    });
    return { graph, chunk };
  });

interface Life {
  from: number;
  until: number;
  offset: number;
  end: number;
}

/** When each tensor of the arena is needed, worked out from the nodes alone. */
function lives({ nodes, offsets }: ReturnType<typeof plan>, graph: Graph): Map<number, Life> {
  const out = new Map<number, Life>();
  const use = (t: Tensor, at: number): void => {
    if (t.storage.external) return;
    const offset = offsets.get(t.storage.id);
    if (offset === undefined) throw new Error(`${t.name} has no place`);
    const life = out.get(t.storage.id) ?? { from: at, until: at, offset, end: offset + t.storage.size * 4 };
    out.set(t.storage.id, { ...life, from: Math.min(life.from, at), until: Math.max(life.until, at) });
  };
  nodes.forEach((n, at) => {
    for (const t of [...n.inputs, ...n.outputs]) use(t, at);
  });
  for (const t of graph.inputs.values()) {
    use(t, -1);
    use(t, nodes.length);
  }
  for (const t of graph.outputs.values()) use(t, nodes.length);
  return out;
}

describe('random graphs', () => {
  test('tensors that live at the same time lie apart, aligned, within one chunk', () => {
    fc.assert(
      fc.property(graphs, ({ graph, chunk }) => {
        const p = plan(graph, chunk);
        const all = [...lives(p, graph).values()];
        for (const [i, a] of all.entries()) {
          expect(a.offset % ALIGN).toBe(0);
          expect(a.end).toBeLessThanOrEqual(p.arenaBytes);
          if (Number.isFinite(chunk)) expect(Math.floor((a.end - 1) / chunk)).toBe(Math.floor(a.offset / chunk));
          for (const b of all.slice(0, i)) {
            if (a.from > b.until || b.from > a.until) continue;
            expect(a.end <= b.offset || b.end <= a.offset, `${JSON.stringify(a)} and ${JSON.stringify(b)}`).toBe(true);
          }
        }
        if (!Number.isFinite(chunk)) expect(p.arenaBytes).toBeLessThanOrEqual(p.unsharedBytes);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('exactly the nodes run that an output or an effect needs, in order', () => {
    fc.assert(
      fc.property(graphs, ({ graph }) => {
        const { nodes } = plan(graph);
        const kept = new Set(nodes);
        const order = nodes.map((n) => graph.nodes.indexOf(n));
        expect(order).toEqual([...order].sort((a, b) => a - b));
        const outputs = new Set([...graph.outputs.values()].map((t) => t.storage.id));
        const readers = new Map<number, boolean>();
        for (const n of [...graph.nodes].reverse()) {
          const needed = n.effect || n.outputs.some((t) => outputs.has(t.storage.id) || readers.get(t.storage.id));
          expect(kept.has(n)).toBe(needed);
          if (needed) for (const t of n.inputs) readers.set(t.storage.id, true);
        }
      }),
      { numRuns: 200, seed: 2 },
    );
  });
});

test('a chain of equal tensors needs room for the input, the output and two links', () => {
  const graph = newGraph();
  let t = graph.input('x', [64]);
  for (let i = 0; i < 10; i++) [t] = node(graph, [t], [64]);
  graph.output('y', t);
  const p = plan(graph);
  expect(p.unsharedBytes).toBe(11 * ALIGN);
  expect(p.arenaBytes).toBe(3 * ALIGN);
});

test('inputs keep their bytes to the end: tables are written once', () => {
  const graph = newGraph();
  const x = graph.input('x', [64]);
  const table = graph.table('table', [64], () => new Float32Array(64));
  let [t] = node(graph, [x, table], [64]);
  for (let i = 0; i < 5; i++) [t] = node(graph, [t], [64]);
  graph.output('y', t);
  const { offsets, nodes } = plan(graph);
  const taken = new Set([offsets.get(x.storage.id), offsets.get(table.storage.id)]);
  for (const n of nodes) for (const o of n.outputs) expect(taken.has(offsets.get(o.storage.id))).toBe(false);
});

test('sizes round up to the binding alignment', () => {
  expect([0, 1, 255, 256, 257].map(alignUp)).toEqual([0, 256, 256, 256, 512]);
});
