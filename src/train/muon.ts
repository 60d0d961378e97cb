/**
 * Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): the momentum of a matrix, made near-orthogonal by five
 * Newton-Schulz iterations, is its update. All directions of a matrix then learn at one speed; AdamW spends the first
 * thousand steps of a small model on the few strongest. Update scale 0.2 * sqrt(max(rows, columns)) as in Liu et al. 2025
 * (arXiv 2502.16982), so that AdamW's learning rate and decay hold for both. For hidden matrices only: embeddings,
 * output heads and vectors stay with AdamW.
 */
import applyLink from '../../shaders/train/muon_apply.wgsl?link';
import momentumLink from '../../shaders/train/muon_momentum.wgsl?link';
import type { ParamSpec, ParamStore, Slab } from '../nn/params.ts';
import type { Graph, Tensor } from '../tensor/graph.ts';
import { cover, pack } from '../tensor/kernel.ts';
import { launch } from '../tensor/ops/launch.ts';
import { matmul } from '../tensor/ops/matmul.ts';
import { add, affine } from '../tensor/ops/pointwise.ts';
import { sumAll } from '../tensor/ops/reduce.ts';

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

/** x [r, c] with |x| = 1 (Frobenius) to a nearby matrix with singular values near 1. */
export function orthogonalise(x: Tensor): Tensor {
  const wide = x.shape[0] <= x.shape[1];
  let y = x;
  for (let i = 0; i < ITERATIONS; i++) {
    // No dispatch may bind one tensor twice, hence the copies.
    const gram = wide ? matmul('nt', y, affine(y, 1)) : matmul('tn', y, affine(y, 1));
    const poly = add(gram, matmul('nn', gram, affine(gram, 1)), B, C);
    y = add(y, wide ? matmul('nn', poly, y) : matmul('nn', y, poly), A, 1);
  }
  return y;
}

/** One Muon step of every matrix claimed. */
export function muon(graph: Graph, store: ParamStore): void {
  const hyper = graph.inputs.get('hyper');
  if (!hyper) throw new Error('muon: call adamw first');
  for (const spec of store.specs.values()) if (spec.claimed) step(graph, store, spec, hyper);
}

const elementwise = (x: Tensor): { link: typeof momentumLink; outputs: [readonly number[]]; threads: number } => ({
  link: momentumLink,
  outputs: [x.shape],
  threads: x.size,
});

/** Nesterov momentum: `state` becomes mu * state + gradient, the result is gradient + mu * state. */
export function nesterov(gradient: Tensor, state: Tensor): Tensor {
  return launch(gradient.graph, {
    ...elementwise(gradient),
    label: 'muon momentum',
    entryPoint: 'momentum',
    inputs: [gradient, state],
    uniforms: [gradient.size, { f: MOMENTUM }],
    flopsEach: 4,
    effect: true,
  })[0];
}

/** x / |x|, given the squared norm [1]. */
export function unit(x: Tensor, norm2: Tensor): Tensor {
  return launch(x.graph, {
    ...elementwise(x),
    label: 'muon unit',
    entryPoint: 'unit',
    inputs: [x, norm2],
    uniforms: [x.size, { f: 0 }],
  })[0];
}

/** value - lr * (0.2 sqrt(max side) * x + decay * value), and its moving average; `hyper` as adamw() reads it. */
export function applyUpdate(x: Tensor, value: Tensor, average: Tensor, hyper: Tensor): void {
  const n = value.size;
  const bindings = [x, value, average, hyper];
  x.graph.add({
    name: 'muon apply',
    inputs: bindings,
    outputs: [],
    effect: true,
    dispatch: () => [
      {
        label: 'muon apply',
        code: applyLink(x.graph.conditions),
        entryPoint: 'apply',
        bindings,
        uniforms: pack(n, { f: 0.2 * Math.sqrt(Math.max(...value.shape)) }),
        workgroups: cover(n),
        flops: n * 8,
        bytes: n * 20,
      },
    ],
  });
}

function step(graph: Graph, store: ParamStore, spec: ParamSpec, hyper: Tensor): void {
  const at = (slab: Slab): Tensor => graph.external(slab, spec.shape, () => store.slab(slab), spec.offset);
  const u = nesterov(at('grad'), at('first'));
  applyUpdate(orthogonalise(unit(u, sumAll(u, 1, true))), at('value'), at('average'), hyper);
}
