/**
 * The two networks of Dreamer 4 as graph builders: causal tokenizer (section 4) and block-causal dynamics (section 5).
 * One set of functions serves training (rows of T frames) and play (one frame over key/value rings).
 */
import {
  dense,
  fanIn,
  type LayerShape,
  norm,
  normal,
  ones,
  type Scope,
  type StackLayer,
  transformerLayer,
  transformerStack,
  type View,
  zeros,
} from '../../nn/layers.ts';
import type { Graph, Tensor } from '../../tensor/graph.ts';
import { maskBits, openLayout, type Ring, ropeTable, spaceLayout, timeLayout } from '../../tensor/ops/attention.ts';
import { patchCell } from '../../tensor/ops/images.ts';
import { add, sigmoid, tanh } from '../../tensor/ops/pointwise.ts';
import { joinSlots, spreadSlots, takeSlots } from '../../tensor/ops/slots.ts';
import { type DreamerConfig, type DynamicsConfig, type TokenizerConfig, worldSlots } from './config.ts';
import { blendRows, corrupt, enterFrame, leaveFrame } from './ops.ts';

/** How time is laid out in a pass: whole rows, or one new frame per stream over rings. */
export type TimeMode =
  | {
      kind: 'rows';
      batch: number;
      time: number;
      starts: Tensor;
      /** [batch * time, 2]: what the frame before is worth to each frame (`carryWeight`), 0 where there is none; only for `frameSkip`. */
      carry?: Tensor;
      /** [batch * time, 2]: 1 where both frames before are known well enough (`KNOWN`), else 0; only for `motionSkip`. */
      moving?: Tensor;
      /** [batch * time, 4]: the same in the first column, for the network to read. */
      known?: Tensor;
    }
  | {
      kind: 'frame';
      streams: number;
      ring: (layer: string, slots: number) => Ring;
      write: boolean;
      /** [streams, N_z, D_z]: the frame before, weighted; only for `frameSkip`. */
      previous?: Tensor;
      /** [streams, N_z, D_z]: the change between the two frames before, 0 until there are two; only for `motionSkip`. */
      motion?: Tensor;
      /** [streams, 4]: 1 in the first column once `motion` holds a change. */
      known?: Tensor;
    };

const framesOf = (mode: TimeMode): number => (mode.kind === 'rows' ? mode.batch * mode.time : mode.streams);

function identityTable(graph: Graph, dim: number): Tensor {
  return graph.table(`no rotation ${dim}`, [1, dim], () => ropeTable(1, dim));
}

function timeView(
  graph: Graph,
  mode: TimeMode,
  layer: string,
  slots: number,
  window: number,
  dim: number,
  cap: number,
): View {
  if (mode.kind === 'frame') {
    return { kind: 'ring', ring: mode.ring(layer, slots), write: mode.write, cap, identity: identityTable(graph, dim) };
  }
  const { batch, time, starts } = mode;
  return {
    kind: 'sequence',
    layout: timeLayout(batch, time, slots, window, cap),
    mask: starts,
    table: graph.table(`time rotation ${time} ${dim}`, [time, dim], () => ropeTable(time, dim)),
    position: { every: slots, period: time },
  };
}

/** Two-dimensional axial rotation of patch tokens (half of the channels by row, half by column); latents are not turned. */
function axialTable(latents: number, columns: number, rows: number, dim: number): Float32Array<ArrayBuffer> {
  const table = new Float32Array((latents + columns * rows) * dim);
  const half = ropeTable(Math.max(columns, rows), dim / 2, 100);
  for (let slot = 0; slot < latents; slot++) {
    for (let i = 0; i < dim; i += 2) table[slot * dim + i] = 1;
  }
  for (let p = 0; p < columns * rows; p++) {
    const at = (latents + p) * dim;
    const [x, y] = patchCell(p, columns);
    table.set(half.subarray((y * dim) / 2, ((y + 1) * dim) / 2), at);
    table.set(half.subarray((x * dim) / 2, ((x + 1) * dim) / 2), at + dim / 2);
  }
  return table;
}

const noMask = (graph: Graph): Tensor => graph.table('no mask', [4], () => new Uint32Array(4));

function tokenizerSpace(graph: Graph, c: DreamerConfig, frames: number, half: 'encoder' | 'decoder'): View {
  const t = c.tokenizer;
  const columns = c.frame.width / c.frame.patch;
  const rows = c.frame.height / c.frame.patch;
  const latents = t.aligned ? 0 : t.latents;
  const slots = latents + columns * rows;
  const isLatent = (s: number): boolean => s < latents;
  return {
    kind: 'sequence',
    ...(t.aligned
      ? { layout: openLayout(frames, slots, c.softCap), mask: noMask(graph) }
      : {
          layout: spaceLayout(frames, slots, c.softCap),
          mask: graph.table(`${half} mask`, [slots, Math.ceil(slots / 32)], () =>
            // Encoder: latents see all, patches see patches. Decoder: latents see latents, patches see all.
            maskBits(slots, (q, k) => (half === 'encoder' ? isLatent(q) || !isLatent(k) : !isLatent(q) || isLatent(k))),
          ),
        }),
    table: graph.table('axial rotation', [slots, t.dim], () => axialTable(latents, columns, rows, t.dim)),
    position: { every: 1, period: slots },
  };
}

const tokenizerShape = (t: TokenizerConfig): LayerShape => ({
  d: t.d,
  hidden: t.hidden,
  depth: t.layers * 2,
  heads: t.heads,
  kvHeads: t.heads,
  dim: t.dim,
});

export const patchCount = (c: DreamerConfig): number =>
  (c.frame.width / c.frame.patch) * (c.frame.height / c.frame.patch);

const latentTimeView = (graph: Graph, c: DreamerConfig, name: string, mode: TimeMode): View => {
  const t = c.tokenizer;
  return timeView(graph, mode, name, t.latents, t.context, t.dim, c.softCap);
};

/** A time layer on the latent slots of [frames, latents + patches, D] with t.aligned false; patches pass by unchanged. */
function latentTimeLayer(
  scope: Scope,
  c: DreamerConfig,
  name: string,
  x: Tensor,
  mode: TimeMode,
  keepPatches: boolean,
): Tensor {
  const t = c.tokenizer;
  const latents = takeSlots(x, 0, t.latents);
  const view = latentTimeView(scope.graph, c, name, mode);
  const mixed = transformerLayer(scope, name, latents, tokenizerShape(t), view);
  if (!keepPatches) return mixed;
  return joinSlots([mixed, takeSlots(x, t.latents, patchCount(c))], framesOf(mode), t.d);
}

/**
 * Patches [frames, N_p, p*p*3] in 0..1 to latents [frames, N_b, D_b] in -1..1. `keep` [frames*N_p] replaces masked
 * patches by the learned mask vector.
 */
export function encode(scope: Scope, c: DreamerConfig, patches: Tensor, mode: TimeMode, keep?: Tensor): Tensor {
  const t = c.tokenizer;
  const frames = framesOf(mode);
  let tokens = dense(scope, 'enc.patch', patches, t.d, true);
  if (keep) tokens = blendRows(tokens, keep, scope.get('enc.mask', [t.d], normal(0.3), false));
  let x = tokens;
  if (!t.aligned) x = joinSlots([scope.get('enc.latents', [t.latents, t.d], normal(0.3), false), x], frames, t.d);
  x = add(x, scope.get('enc.slots', [x.size / frames / t.d, t.d], normal(0.3), false));
  const space = tokenizerSpace(scope.graph, c, frames, 'encoder');
  const layers = Array.from({ length: t.layers - 1 }, (_, i) => ({ name: `enc.${i}`, view: space }));
  const last = `enc.${t.layers - 1}`;
  if (t.aligned) layers.push({ name: last, view: latentTimeView(scope.graph, c, last, mode) });
  x = transformerStack(scope, layers, x, tokenizerShape(t));
  const latents = t.aligned ? x : latentTimeLayer(scope, c, last, x, mode, false);
  return tanh(dense(scope, 'enc.out', norm(scope, 'enc.norm', latents), t.channels));
}

/** Latents [frames, N_b, D_b] to patches [frames, N_p, p*p*3] in 0..1. */
export function decode(scope: Scope, c: DreamerConfig, z: Tensor, mode: TimeMode): Tensor {
  const t = c.tokenizer;
  const frames = framesOf(mode);
  const np = patchCount(c);
  let x = dense(scope, 'dec.in', z, t.d);
  if (!t.aligned) x = joinSlots([x, scope.get('dec.queries', [np, t.d], normal(0.3), false)], frames, t.d);
  x = add(x, scope.get('dec.slots', [x.size / frames / t.d, t.d], normal(0.3), false));
  // The time layer comes first: behind the space layers nothing would read what it does to the latents.
  if (!t.aligned) x = latentTimeLayer(scope, c, 'dec.0', x, mode, true);
  const space = tokenizerSpace(scope.graph, c, frames, 'decoder');
  const layers = Array.from({ length: t.layers - 1 }, (_, i) => ({ name: `dec.${i + 1}`, view: space }));
  if (t.aligned) layers.unshift({ name: 'dec.0', view: latentTimeView(scope.graph, c, 'dec.0', mode) });
  x = transformerStack(scope, layers, x, tokenizerShape(t));
  const out = norm(scope, 'dec.norm', t.aligned ? x : takeSlots(x, t.latents, np));
  return sigmoid(dense(scope, 'dec.out', out, c.frame.patch ** 2 * 3, true));
}

const dynamicsShape = (d: DynamicsConfig): LayerShape => ({
  d: d.d,
  hidden: d.hidden,
  depth: d.layers,
  heads: d.heads,
  kvHeads: d.kvHeads,
  dim: d.dim,
});

/** Layer i of the dynamics mixes time, one in four; all others mix the slots of a frame. */
export const isTimeLayer = (d: DynamicsConfig, i: number): boolean => i % 4 === (d.timeFirst ? 0 : 3);

/** Rotations of a frame's slots in space layers: by place in the frame for spatial tokens if wanted, none for the rest. */
function slotRotation(graph: Graph, c: DreamerConfig): { table: Tensor; position: { every: number; period: number } } {
  const d = c.dynamics;
  if (!d.spaceRotation) return { table: identityTable(graph, d.dim), position: { every: 1, period: 1 } };
  const slots = worldSlots(d);
  const columns = c.frame.width / c.frame.patch;
  const table = graph.table('slot rotation', [slots, d.dim], () => {
    const patches = axialTable(0, columns, c.frame.height / c.frame.patch, d.dim);
    const rows = new Float32Array(slots * d.dim);
    for (let s = 0; s < slots; s++) {
      // A token stands where its first patch stands; of four packed ones the others follow in the same block of 2x2.
      const patch = (s - 2) * (c.tokenizer.latents / d.tokens);
      if (s >= 2 && s < 2 + d.tokens) rows.set(patches.subarray(patch * d.dim, (patch + 1) * d.dim), s * d.dim);
      else for (let i = 0; i < d.dim; i += 2) rows[s * d.dim + i] = 1;
    }
    return rows;
  });
  return { table, position: { every: 1, period: slots } };
}

/**
 * The factor that turns latents of signal level tau into the best linear guess of the clean ones (both of unit variance):
 * tau / (tau^2 + (1 - tau)^2).
 */
export const carryWeight = (tau: number): number => tau / (tau * tau + (1 - tau) * (1 - tau));

/** Signal level from which a frame counts as known: below it a difference is mostly noise. */
export const KNOWN = 0.5;

/** `scale[i] * x[i]` for every frame i, scale [frames, 2] in the first column. */
export function scaleFrames(x: Tensor, scale: Tensor): Tensor {
  return corrupt(
    x,
    x.graph.table(`zero ${x.size}`, x.shape, () => new Float32Array(x.size)),
    scale,
  );
}

/** The best guess of each frame's predecessor, zero where there is none: [frames, N_z, D_z]. */
function previousFrames(z: Tensor, mode: TimeMode): Tensor {
  if (mode.kind === 'frame') {
    if (!mode.previous) throw new Error('dynamics: frameSkip needs the previous frame');
    return mode.previous;
  }
  const { batch, time, carry } = mode;
  if (!carry) throw new Error('dynamics: frameSkip needs the weights of previous frames');
  return scaleFrames(later(z, batch, time), carry);
}

/** Every frame of rows of `time` one place later, zero at the first: [frames, N_z, D_z]. */
function later(z: Tensor, batch: number, time: number): Tensor {
  const { graph } = z;
  const width = z.size / batch / time;
  if (time === 1) return graph.table(`zero ${z.size}`, z.shape, () => new Float32Array(z.size));
  const first = graph.table(`before ${width}`, [1, width], () => new Float32Array(width));
  const rest = takeSlots(graph.reshape(z, [batch, time, width]), 0, time - 1);
  return graph.reshape(joinSlots([first, rest], batch, width), z.shape);
}

/** The change between each frame's two predecessors, zero where they are not known: [frames, N_z, D_z]. */
function motionBefore(previous: Tensor, mode: TimeMode): Tensor {
  if (mode.kind === 'frame') {
    if (!mode.motion) throw new Error('dynamics: motionSkip needs the change between the frames before');
    return mode.motion;
  }
  if (!mode.moving) throw new Error('dynamics: motionSkip needs to know which frames are known');
  return scaleFrames(add(previous, later(previous, mode.batch, mode.time), 1, -1), mode.moving);
}

/** What spatial tokens read of the frames before, [frames, N_z, D]: the last one, and how things were moving. */
function readBefore(scope: Scope, d: DynamicsConfig, previous: Tensor, mode: TimeMode): Tensor {
  const last = dense(scope, 'dyn.before', previous, d.d);
  if (!d.motionSkip) return last;
  if (!mode.known) throw new Error('dynamics: motionSkip needs to know which frames are known');
  // Standing still must not look like not knowing.
  const known = spreadSlots(dense(scope, 'dyn.known', mode.known, d.d, false, zeros), d.tokens);
  return add(add(last, dense(scope, 'dyn.motion', motionBefore(previous, mode), d.d, false, zeros)), known);
}

/** The layers of the dynamics with what each sees. */
function dynamicsLayers(graph: Graph, c: DreamerConfig, mode: TimeMode): StackLayer[] {
  const d = c.dynamics;
  const slots = worldSlots(d);
  const space: View = {
    kind: 'sequence',
    layout: openLayout(framesOf(mode), slots, c.softCap),
    mask: noMask(graph),
    ...slotRotation(graph, c),
  };
  return Array.from({ length: d.layers }, (_, i) => {
    const name = `dyn.${i}`;
    const view = isTimeLayer(d, i) ? timeView(graph, mode, name, slots, d.context, d.dim, c.softCap) : space;
    return { name, view };
  });
}

/**
 * One pass of the dynamics: noised latents [frames, N_z, D_z], action features [frames, 168] and shortcut features
 * [frames, F] to the predicted clean latents [frames, N_z, D_z].
 */
export function dynamics(
  scope: Scope,
  c: DreamerConfig,
  z: Tensor,
  actions: Tensor,
  signal: Tensor,
  mode: TimeMode,
): Tensor {
  const d = c.dynamics;
  const graph = scope.graph;
  const frames = framesOf(mode);
  const one = (x: Tensor): Tensor => graph.reshape(x, [frames, 1, d.d]);
  let spatial = dense(scope, 'dyn.in', z, d.d);
  const previous = d.frameSkip ? previousFrames(z, mode) : null;
  if (previous) spatial = add(spatial, readBefore(scope, d, previous, mode));
  const action = dense(scope, 'dyn.action', actions, d.d, true, normal(0.3));
  const level = dense(scope, 'dyn.signal', signal, d.d, false, normal(0.3));
  if (d.slotConditions)
    spatial = add(spatial, spreadSlots(dense(scope, 'dyn.conditions', add(action, level), d.d), d.tokens));
  const parts = [one(action), one(level), spatial, scope.get('dyn.registers', [d.registers, d.d], normal(0.3), false)];
  const embedded = joinSlots(parts, frames, d.d);
  const x = add(embedded, scope.get('dyn.slots', [worldSlots(d), d.d], normal(0.3), false));
  const y = transformerStack(scope, dynamicsLayers(graph, c, mode), x, dynamicsShape(d));
  const mixed = norm(scope, 'dyn.norm', takeSlots(y, 2, d.tokens));
  const out = dense(scope, 'dyn.out', mixed, d.channels, false, zeros);
  return previous ? add(out, previous) : out;
}

/** What the passes of one played frame share. */
export interface PlayConditions {
  action: Tensor;
  /** [passes, streams, D] each; `slots` null without slotConditions. */
  levels: Tensor;
  slots: Tensor | null;
  /** [streams, N_z, D]; null without frameSkip. */
  before: Tensor | null;
}

type FrameMode = Extract<TimeMode, { kind: 'frame' }>;

/** Conditions of all passes at once: action features [streams, 168], shortcut features [passes * streams, F]. */
export function playConditions(
  scope: Scope,
  c: DreamerConfig,
  actions: Tensor,
  signals: Tensor,
  mode: FrameMode,
): PlayConditions {
  const { d, slotConditions, frameSkip } = c.dynamics;
  const action = dense(scope, 'dyn.action', actions, d, true, normal(0.3));
  const levels = dense(scope, 'dyn.signal', signals, d, false, normal(0.3));
  return {
    action,
    levels,
    slots: slotConditions ? dense(scope, 'dyn.conditions', add(levels, action), d) : null,
    before: frameSkip ? readBefore(scope, c.dynamics, previousFrames(signals, mode), mode) : null,
  };
}

/**
 * Pass `pass` of a played frame, the same numbers as `dynamics` in few launches: the prediction for z, and z one Euler step
 * further; `levels` [streams, 2] holds (tau, d).
 */
export function playPass(
  scope: Scope,
  c: DreamerConfig,
  z: Tensor,
  shared: PlayConditions,
  pass: number,
  levels: Tensor,
  mode: FrameMode,
): { xhat: Tensor; next: Tensor } {
  const d = c.dynamics;
  const slots = worldSlots(d);
  const into = scope.together((place) => [
    {
      input: place('dyn.in.w', [d.channels, d.d], fanIn(d.channels)),
      registers: place('dyn.registers', [d.registers, d.d], normal(0.3), false),
      slots: place('dyn.slots', [slots, d.d], normal(0.3), false),
    },
  ]);
  const x = enterFrame(into.weights, z, shared, pass, d, into.at[0]);
  const y = transformerStack(scope, dynamicsLayers(scope.graph, c, mode), x, dynamicsShape(d));
  const out = scope.together((place) => [
    {
      norm: place('dyn.norm.g', [d.d], ones, false),
      out: place('dyn.out.w', [d.d, d.channels], zeros),
    },
  ]);
  return leaveFrame(out.weights, y, z, d.frameSkip ? (mode.previous ?? null) : null, levels, d, out.at[0]);
}
