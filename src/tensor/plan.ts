/**
 * Memory plan: which nodes run, and where in one arena each intermediate tensor lives. A tensor's range is free again
 * after its last use; a new one takes the smallest gap that fits. The arena is cut into chunks that an adapter can
 * allocate as one buffer; no tensor crosses a cut. Offsets are multiples of 256 bytes (WebGPU's binding
 * alignment), so vector loads may run past a tensor's end into padding.
 */
import type { Graph, Node, Storage } from './graph.ts';

export const ALIGN = 256;

export const alignUp = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

export interface Plan {
  nodes: Node[];
  /** Byte offset of each arena storage by id. */
  offsets: Map<number, number>;
  arenaBytes: number;
  /** Sum of all tensor sizes, as if nothing were reused. */
  unsharedBytes: number;
}

/** Nodes that an output or an effect needs, in their order of creation. */
function live(graph: Graph): Node[] {
  const needed = new Set<number>();
  for (const t of graph.outputs.values()) needed.add(t.storage.id);
  const kept: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (!node.effect && !node.outputs.some((o) => needed.has(o.storage.id))) continue;
    kept.push(node);
    for (const t of node.inputs) needed.add(t.storage.id);
  }
  return kept.reverse();
}

export function plan(graph: Graph, chunkBytes = Number.POSITIVE_INFINITY): Plan {
  const nodes = live(graph);
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  const storages = new Map<number, Storage>();
  const touch = (s: Storage, at: number): void => {
    if (s.external) return;
    storages.set(s.id, s);
    if (!first.has(s.id)) first.set(s.id, at);
    last.set(s.id, Math.max(last.get(s.id) ?? at, at));
  };
  // Inputs keep their place for ever, so that masks and tables are written once; outputs are read after the run.
  for (const t of graph.inputs.values()) {
    touch(t.storage, -1);
    touch(t.storage, nodes.length);
  }
  nodes.forEach((node, at) => {
    for (const t of node.inputs) touch(t.storage, at);
    for (const t of node.outputs) touch(t.storage, at);
  });
  for (const t of graph.outputs.values()) touch(t.storage, nodes.length);

  // Large tensors first within a start time keeps fragmentation low; starts must stay ordered for the sweep.
  const order = [...storages.values()].sort(
    (a, b) => (first.get(a.id) ?? 0) - (first.get(b.id) ?? 0) || b.size - a.size,
  );
  const offsets = new Map<number, number>();
  let busy: { offset: number; end: number; until: number }[] = [];
  let arenaBytes = 0;
  let unsharedBytes = 0;
  for (const s of order) {
    const start = first.get(s.id) ?? 0;
    const until = last.get(s.id) ?? start;
    const bytes = alignUp(s.size * 4);
    unsharedBytes += bytes;
    busy = busy.filter((b) => b.until >= start).sort((a, b) => a.offset - b.offset);
    let best = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    let cursor = 0;
    // First place at or after `at` that does not cross a cut.
    const clear = (at: number): number =>
      Math.floor(at / chunkBytes) === Math.floor((at + bytes - 1) / chunkBytes)
        ? at
        : Math.ceil(at / chunkBytes) * chunkBytes;
    for (const b of busy) {
      const from = clear(cursor);
      const gap = b.offset - from;
      if (gap >= bytes && gap < bestGap) {
        best = from;
        bestGap = gap;
      }
      cursor = Math.max(cursor, b.end);
    }
    const offset = best >= 0 ? best : clear(cursor);
    busy.push({ offset, end: offset + bytes, until });
    offsets.set(s.id, offset);
    arenaBytes = Math.max(arenaBytes, offset + bytes);
  }
  return { nodes, offsets, arenaBytes, unsharedBytes };
}
