/**
 * Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): the momentum of a matrix, made near-orthogonal by five
 * Newton-Schulz iterations, is its update. All directions of a matrix then learn at one speed; AdamW spends the first
 * thousand steps of a small model on the few strongest. Update scale 0.2 * sqrt(max(rows, columns)) as in Liu et al. 2025
 * (arXiv 2502.16982), so that AdamW's learning rate and decay hold for both. For hidden matrices only: embeddings,
 * output heads and vectors stay with AdamW.
 */
import applyLink from '../../shaders/train/muon_apply.wgsl?link';
import momentumLink from '../../shaders/train/muon_momentum.wgsl?link';
import unitLink from '../../shaders/train/muon_unit.wgsl?link';
import type { ParamSpec, ParamStore, Slab } from '../nn/params.ts';
import { type Graph, sizeOf, type Tensor } from '../tensor/graph.ts';
import { launch } from '../tensor/ops/launch.ts';
import { matmul } from '../tensor/ops/matmul.ts';
import { add, affine } from '../tensor/ops/pointwise.ts';

const MOMENTUM = 0.95;
/** Quintic that drives singular values in (0, 1] into about 0.7..1.2. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const ITERATIONS = 5;

/** Call before adamw(), in the same trace: the named matrices are then left to Muon. Needs an input `hyper` of adamw(). */
export function claim(store: ParamStore, names: readonly string[]): void {
  for (const name of names) {
    const spec = store.specs.get(name);
    if (spec?.shape.length !== 2) throw new Error(`muon: ${name} is no matrix of this model`);
    spec.claimed = true;
  }
}

/** x [n, r, c], every matrix of Frobenius norm 1, to nearby matrices with singular values near 1. */
export function orthogonalise(x: Tensor): Tensor {
  const wide = x.shape[1] <= x.shape[2];
  let y = x;
  for (let i = 0; i < ITERATIONS; i++) {
    // No dispatch may bind one tensor twice, hence the copies.
    const gram = wide ? matmul('nt', y, affine(y, 1)) : matmul('tn', y, affine(y, 1));
    const poly = add(gram, matmul('nn', gram, affine(gram, 1)), B, C);
    y = add(y, wide ? matmul('nn', poly, y) : matmul('nn', y, poly), A, 1);
  }
  return y;
}

/** Matrices of one shape in the parameter slabs: element at which each starts, [n]. */
export interface Places {
  shape: readonly number[];
  starts: Tensor;
}

/** Nesterov momentum: `state` becomes mu * state + gradient, the result [n, r, c] is gradient + mu * state. */
export function nesterov(gradient: Tensor, state: Tensor, { shape, starts }: Places): Tensor {
  const each = sizeOf(shape);
  const n = starts.size * each;
  return launch(gradient.graph, {
    label: 'muon momentum',
    link: momentumLink,
    entryPoint: 'momentum',
    inputs: [gradient, state, starts],
    outputs: [[starts.size, ...shape]],
    threads: n,
    uniforms: [n, each, { f: MOMENTUM }],
    flopsEach: 4,
    bytes: n * 16,
    effect: true,
  })[0];
}

/** Every matrix of x [n, r, c] divided by its Frobenius norm. */
export function unit(x: Tensor): Tensor {
  const [n, ...shape] = x.shape;
  return launch(x.graph, {
    label: 'muon unit',
    link: unitLink,
    entryPoint: 'unit',
    inputs: [x],
    outputs: [x.shape],
    threads: n,
    workgroups: [n, 1, 1],
    uniforms: [sizeOf(shape)],
    flopsEach: 3,
  })[0];
}

/** value - lr * (0.2 sqrt(max side) * x + decay * value), and its moving average; `hyper` as adamw() reads it. */
export function applyUpdate(x: Tensor, value: Tensor, average: Tensor, hyper: Tensor, { shape, starts }: Places): void {
  launch(x.graph, {
    label: 'muon apply',
    link: applyLink,
    entryPoint: 'apply',
    inputs: [x, value, average, hyper, starts],
    outputs: [],
    threads: x.size,
    uniforms: [x.size, sizeOf(shape), { f: 0.2 * Math.sqrt(Math.max(...shape)) }],
    flops: x.size * 8,
    bytes: x.size * 20,
    effect: true,
  });
}

/** One Muon step of every matrix claimed; matrices of one shape go through it together. */
export function muon(graph: Graph, store: ParamStore): void {
  const hyper = graph.inputs.get('hyper');
  if (!hyper) throw new Error('muon: call adamw first');
  const groups = new Map<string, ParamSpec[]>();
  for (const spec of store.specs.values()) {
    if (!spec.claimed) continue;
    const name = spec.shape.join('x');
    groups.set(name, [...(groups.get(name) ?? []), spec]);
  }
  for (const [name, specs] of groups) step(graph, store, name, specs, hyper);
}

function step(graph: Graph, store: ParamStore, name: string, specs: readonly ParamSpec[], hyper: Tensor): void {
  const { shape } = specs[0];
  // The stretch of the slabs that holds them all.
  const from = Math.min(...specs.map((s) => s.offset));
  const size = (Math.max(...specs.map((s) => s.offset)) - from) / 4 + sizeOf(shape);
  const at = (slab: Slab): Tensor => graph.external(slab, [size], () => store.slab(slab), from);
  const starts = graph.table(`muon ${name}`, [specs.length], () =>
    Uint32Array.from(specs, (s) => (s.offset - from) / 4),
  );
  const places = { shape, starts };
  const u = nesterov(at('grad'), at('first'), places);
  applyUpdate(orthogonalise(unit(u)), at('value'), at('average'), hyper, places);
}
