// f16 on request: nothing changes without it, the request reaches products and caches, gradients keep what f16 cannot hold,
// and what was asked for is said beside the adapter.

import { describe, expect, test } from 'vitest';
import { proofPlan, skippedVariants } from '../../src/bench/proof.ts';
import { KERNELS } from '../../src/bench/registry.ts';
import type { Conditions, Gpu } from '../../src/gpu/device.ts';
import { KvCache } from '../../src/nn/kv-cache.ts';
import { adapterName } from '../../src/runs/run-record.ts';
import { Graph } from '../../src/tensor/graph.ts';
import { textConditions } from '../../src/tensor/kernel.ts';
import { linear } from '../../src/tensor/ops/matmul.ts';
import { compile } from '../../src/tensor/program.ts';
import { random } from '../../src/tensor/registry/entry.ts';
import { pullBack } from '../../src/tensor/registry/pull-back.ts';
import { orthogonalise } from '../../src/train/muon.ts';
import { testGpu } from '../support/gpu.ts';

const FLAT: Conditions = { software: false, f16: true, subgroups: false, subgroupSize: 0 };

/** Texts of y = x w and of both its derivatives. */
function texts(conditions: Conditions): string[] {
  const graph = new Graph(conditions);
  const [x, w, dy] = [graph.input('x', [8, 8]), graph.input('w', [8, 8]), graph.input('dy', [8, 8])];
  pullBack(graph, linear(x, w), dy, [x, w]);
  const products = graph.nodes.flatMap((node) => node.dispatch()).filter((d) => d.label.startsWith('matmul'));
  return ['nn', 'nt', 'tn'].map((form) => products.find((d) => d.label.startsWith(`matmul ${form}`))?.code ?? '');
}

describe('what a request changes', () => {
  test('products of forward passes, where the adapter has f16; never their derivatives', () => {
    for (const c of [FLAT, { ...FLAT, precision: 'f16' as const, f16: false }])
      for (const text of texts(c)) expect(text).toMatch(/^(?!.*enable f16)[\s\S]*fn main/);
    const [forward, ...derivatives] = texts({ ...FLAT, precision: 'f16' });
    expect(forward).toContain('enable f16;');
    expect(derivatives).toEqual(texts(FLAT).slice(1));
  });

  test('nor the products of an optimiser', () => {
    const graph = new Graph({ ...FLAT, precision: 'f16' });
    orthogonalise(graph.input('momentum', [2, 8, 16]));
    const products = graph.nodes.flatMap((node) => node.dispatch()).filter((d) => d.label.startsWith('matmul'));
    expect(products.length).toBeGreaterThan(10);
    for (const { code } of products) expect(code).not.toContain('enable f16');
  });

  test('linked texts follow the request, not the adapter', () => {
    expect(textConditions(FLAT).f16).toBe(false);
    expect(textConditions({ ...FLAT, precision: 'f16' }).f16).toBe(true);
  });

  test('a cache of f16 is half as large, and the record says what was asked for', async () => {
    const { gpu } = await testGpu();
    const bytes = (precision?: 'f16'): number => {
      const conditions = { ...gpu.conditions, precision };
      const cache = new KvCache({ ...gpu, conditions } as Gpu, 2, 16, { heads: 4, kvHeads: 2, dim: 8 });
      return cache.layerBytes;
    };
    expect(bytes()).toBe(2 * 16 * 2 * 2 * 8 * 4);
    expect(bytes('f16')).toBe(bytes() / 2);
    expect(adapterName({ ...gpu.report, precision: 'f16' })).toBe(`${adapterName(gpu.report)}, f16 on request`);
  });
});

describe('an adapter that cannot run a variant', () => {
  test('leaves it out of the proof, and the list says what is lacking', () => {
    for (const c of [FLAT, { ...FLAT, f16: false }, { ...FLAT, software: true, subgroupSize: 8 }]) {
      const planned = proofPlan(c).flatMap((i) => (i.kind === 'kernel' ? [`${i.entry.name}|${i.variant.name}`] : []));
      const skipped = skippedVariants(c);
      const variants = KERNELS.flatMap((k) => k.variants.map((v) => `${k.name}|${v.name}`));
      expect(new Set([...planned, ...skipped.map((s) => `${s.kernel}|${s.variant}`)])).toEqual(new Set(variants));
      const half = skipped.filter((s) => s.lacks === '16-bit floats (shader-f16)');
      expect(half.map((s) => `${s.kernel}, ${s.variant}`)).toEqual(
        c.f16
          ? []
          : ['matmul nn, GPU, f16', 'matmul nn, GPU, f16 products', 'matmul nt, GPU, f16', 'matmul tn, GPU, f16'],
      );
    }
  });
});

test('a gradient of 1e-8, which f16 rounds to nothing, arrives', async (context) => {
  const { gpu } = await testGpu();
  if (!gpu.conditions.f16) return context.skip('this adapter has no shader-f16');
  const [x, w] = [random([8, 8], 1), random([8, 8], 2)];
  const run = async (precision?: 'f16') => {
    const program = compile({ ...gpu, conditions: { ...gpu.conditions, precision } } as Gpu, (graph) => {
      const [tx, tw, dy] = [graph.input('x', [8, 8]), graph.input('w', [8, 8]), graph.input('dy', [8, 8])];
      const y = linear(tx, tw);
      graph.output('y', y);
      graph.output('dw', pullBack(graph, y, dy, [tw])[0]);
    });
    program.run({ x: x.data, w: w.data, dy: new Float32Array(64).fill(1e-8) });
    return { y: await program.read('y'), dw: await program.read('dw') };
  };
  const [full, half] = [await run(), await run('f16')];
  expect(half.y).not.toEqual(full.y);
  expect(Math.max(...half.dw.map(Math.abs))).toBeGreaterThan(1e-9);
  for (const [i, value] of full.dw.entries()) expect(Math.abs(half.dw[i] - value)).toBeLessThan(1e-13);
});
