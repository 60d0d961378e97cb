/** Token assembly: parts side by side along the slot axis, and ranges of slots taken out again. */
import slotsLink from '../../../shaders/ops/slots.wgsl?link';
import type { Graph, Tensor } from '../graph.ts';
import { cover, type Dispatch, pack } from '../kernel.ts';
import { sumRows } from './reduce.ts';

function copy(
  graph: Graph,
  entryPoint: 'put' | 'take' | 'embed' | 'spread' | 'fold',
  from: Tensor,
  to: Tensor,
  size: { frames: number; part: number; whole: number; offset: number; d: number; period: number },
): Dispatch {
  const { frames, part, whole, offset, d, period } = size;
  const threads = (frames * (entryPoint === 'embed' || entryPoint === 'spread' ? whole : part) * d) / 4;
  return {
    label: `slots ${entryPoint}`,
    code: slotsLink(graph.conditions),
    entryPoint,
    bindings: [from, to],
    uniforms: pack(frames, part, whole, offset, d / 4, period),
    workgroups: cover(threads),
    flops: entryPoint === 'fold' ? frames * whole * d : 0,
    bytes: threads * 32,
  };
}

/** Joins parts [N, Si, D] (or learned tables [Si, D] that every frame shares) to [N, sum Si, D]. */
export function joinSlots(parts: Tensor[], frames: number, d: number): Tensor {
  const graph = parts[0].graph;
  const shared = parts.map((p) => p.shape.length === 2);
  const sizes = parts.map((p, i) => (shared[i] ? p.shape[0] : p.size / frames / d));
  parts.forEach((p, i) => {
    if (!Number.isInteger(sizes[i]) || p.size !== sizes[i] * d * (shared[i] ? 1 : frames))
      throw new Error(`joinSlots: part ${i} is [${p.shape}]`);
  });
  const whole = sizes.reduce((a, b) => a + b, 0);
  const offsets = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const [out] = graph.add({
    name: 'join slots',
    inputs: parts,
    outputs: [[frames, whole, d]],
    dispatch: ([y]) =>
      parts.map((p, i) =>
        copy(graph, 'put', p, y, {
          frames,
          part: sizes[i],
          whole,
          offset: offsets[i],
          d,
          period: shared[i] ? 1 : frames,
        }),
      ),
    backward: ([dy]) =>
      parts.map((_, i) => {
        if (!dy) return null;
        const g = takeSlots(graph.reshape(dy, [frames, whole, d]), offsets[i], sizes[i]);
        return shared[i] ? sumRows(g, sizes[i] * d) : g;
      }),
  });
  return out;
}

/** Slots offset..offset+count-1 of x [N, S, D]: [N, count, D]. */
export function takeSlots(x: Tensor, offset: number, count: number): Tensor {
  const [frames, whole, d] = x.shape;
  if (x.shape.length !== 3 || offset + count > whole) {
    throw new Error(`takeSlots: ${offset}..${offset + count} is outside [${x.shape}]`);
  }
  const size = { frames, part: count, whole, offset, d, period: frames };
  const [y] = x.graph.add({
    name: 'take slots',
    inputs: [x],
    outputs: [[frames, count, d]],
    dispatch: ([out]) => [copy(x.graph, 'take', x, out, size)],
    backward: ([dy]) => {
      if (!dy) return [null];
      const [dx] = x.graph.add({
        name: 'embed slots',
        inputs: [dy],
        outputs: [x.shape],
        dispatch: ([out]) => [copy(x.graph, 'embed', dy, out, size)],
      });
      return [dx];
    },
  });
  return y;
}

/** x [N, D] in every one of `slots` slots: [N, slots, D]. */
export function spreadSlots(x: Tensor, slots: number): Tensor {
  const d = x.shape[x.shape.length - 1];
  const frames = x.size / d;
  const size = { frames, part: 1, whole: slots, offset: 0, d, period: frames };
  const [y] = x.graph.add({
    name: 'spread slots',
    inputs: [x],
    outputs: [[frames, slots, d]],
    dispatch: ([out]) => [copy(x.graph, 'spread', x, out, size)],
    backward: ([dy]) => {
      if (!dy) return [null];
      return x.graph.add({
        name: 'fold slots',
        inputs: [dy],
        outputs: [x.shape],
        dispatch: ([out]) => [copy(x.graph, 'fold', dy, out, size)],
      });
    },
  });
  return y;
}
