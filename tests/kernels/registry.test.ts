// The kernel registry: every kernel file has an entry, every entry says what its WGSL says, and every kernel and variant
// computes what its float64 reference computes on this adapter.

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { proofPlan, proveOne } from '../../src/bench/proof.ts';
import { countProof, type ProofRow } from '../../src/bench/proof-rows.ts';
import { KERNELS, kernelsOf, RENDERS } from '../../src/bench/registry.ts';
import type { Conditions } from '../../src/gpu/device.ts';
import { Graph, type Tensor } from '../../src/tensor/graph.ts';
import type { Dispatch } from '../../src/tensor/kernel.ts';
import {
  casesFor,
  isOf,
  type KernelCase,
  type KernelEntry,
  rewriteFor,
  type Variant,
} from '../../src/tensor/registry/entry.ts';
import { testGpu } from '../support/gpu.ts';

const SHADERS = resolve(import.meta.dirname, '../../shaders');

/** Adapters that together choose every variant. */
const ADAPTERS: Conditions[] = [
  { software: true, lavapipe: true, f16: false, subgroups: true, subgroupSize: 8 },
  { software: true, f16: false, subgroups: true, subgroupSize: 4 },
  { software: true, f16: false, subgroups: false, subgroupSize: 0 },
  { software: false, f16: true, subgroups: true, subgroupSize: 0 },
  { software: false, f16: true, subgroups: true, subgroupSize: 0, precision: 'f16' },
  { software: true, lavapipe: true, f16: true, subgroups: true, subgroupSize: 8, precision: 'f16' },
  { software: true, f16: false, subgroups: false, subgroupSize: 0, precision: 'f16' },
];

function shaderFiles(): string[] {
  return readdirSync(SHADERS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.wgsl'));
}

/** The dispatches of a trial without any device. */
function trace(c: KernelCase, entry: KernelEntry, variant: Variant): Dispatch[] {
  const graph = new Graph(conditionsOf(variant));
  const inputs: Record<string, Tensor> = {};
  const trial = c.make(variant.force.precision);
  for (const [name, { shape }] of Object.entries(trial.inputs)) {
    Object.defineProperty(inputs, name, { get: () => graph.inputs.get(name) ?? graph.input(name, shape) });
  }
  trial.build(inputs, graph);
  const own = graph.nodes.flatMap((node) => node.dispatch()).filter((d) => isOf(entry, d));
  return own.map(rewriteFor(entry, variant));
}

function conditionsOf(variant: Variant): Conditions {
  const base = ADAPTERS.find((a) => variant.chosen(a)) ?? ADAPTERS[0];
  return { ...base, ...variant.force };
}

/** What a formula of an entry gives for the sizes of a case. */
function evaluate(formula: string, dims: Readonly<Record<string, number>>): number {
  return new Function(...Object.keys(dims), `return ${formula};`)(...Object.values(dims));
}

test('every entry point in shaders/ is in the registry, and every file of an entry exists', () => {
  const known = new Set([
    ...KERNELS.flatMap((k) => k.variants.map((v) => `${v.files[0]} ${v.entryPoint}`)),
    ...RENDERS.flatMap((k) => k.entryPoints.map((entryPoint) => `${k.file} ${entryPoint}`)),
  ]);
  const files = shaderFiles();
  const found = files.flatMap((file) => {
    const text = readFileSync(resolve(SHADERS, file), 'utf8');
    const points = text.matchAll(/@(?:compute|vertex|fragment)\b(?:\s*@\w+\([^)]*\))*\s*fn\s+(\w+)/g);
    return [...points].map(([, name]) => `${file} ${name}`);
  });
  expect(found.length).toBeGreaterThan(50);
  expect(found.filter((point) => !known.has(point))).toEqual([]);
  expect([...known].filter((point) => !found.includes(point))).toEqual([]);
  const named = new Set(KERNELS.flatMap((k) => k.variants.flatMap((v) => v.files)));
  expect([...named].filter((file) => !files.includes(file))).toEqual([]);
  // Modules without an entry point are there to be imported, or are named as part of a kernel.
  const texts = files.map((file) => readFileSync(resolve(SHADERS, file), 'utf8')).join('\n');
  const modules = files.filter((file) => !found.some((point) => point.startsWith(`${file} `)) && !named.has(file));
  const imported = (file: string): boolean =>
    texts.includes(`package::${file.slice(0, -'.wgsl'.length).replaceAll('/', '::').replaceAll('-', '_')}::`);
  expect(modules.filter((file) => !imported(file))).toEqual([]);
});

test('names are unique, and some adapter chooses every variant', () => {
  const names = [...KERNELS, ...RENDERS].map((k) => k.name);
  expect(new Set(names).size).toBe(names.length);
  for (const kernel of KERNELS) {
    const cases = kernel.cases.map((c) => c.name);
    expect(cases, kernel.name).toEqual([...new Set(cases)]);
    for (const conditions of ADAPTERS.filter((a) => kernel.exists?.(a) ?? true)) {
      const chosen = kernel.variants.filter((v) => v.chosen(conditions));
      expect(chosen.length, `${kernel.name} on ${JSON.stringify(conditions)}`).toBe(1);
      expect(chosen[0].needs?.(conditions) ?? true).toBe(true);
    }
    for (const variant of kernel.variants.filter((v) => !v.instead)) {
      expect(
        ADAPTERS.some((a) => variant.chosen(a)),
        `${kernel.name}: ${variant.name}`,
      ).toBe(true);
    }
  }
});

/** Where a step of some method, or of the reference models, spends its time. */
const HOT = [
  ...['matmul nn', 'matmul nt', 'matmul tn', 'linear bf16'],
  ...['attention', 'attention backward query', 'attention backward key', 'ring attention', 'cache attention'],
  ...['latent attention', 'latent attention backward query', 'latent attention backward key', 'index scores of codes'],
  ...['rmsnorm', 'rmsnorm backward', 'softmax', 'adamw', 'qk rope', 'top-k radix', 'row block', 'ray caster'],
];

test('hot kernels have a ladder that begins with a version nobody uses, each with its idea and a figure', () => {
  for (const name of HOT) {
    const [first, ...others] = KERNELS.find((k) => k.name === name)?.variants ?? [];
    expect(first.name, name).toMatch(/^(naive|scalars)$/);
    expect(first.files[0], name).toMatch(/^versions\//);
    for (const v of [first, ...others]) expect(v.idea, `${name}: ${v.name}`).toMatch(/\S[.!]$/);
    // The winner on CPU adapters names its gain.
    const best = others.filter((v) => v.chosen(ADAPTERS[0]) || v.chosen(ADAPTERS[1]));
    for (const v of best) expect(v.idea, `${name}: ${v.name}`).toMatch(/\d/);
  }
  const unused = KERNELS.flatMap((k) => k.variants.filter((v) => !ADAPTERS.some((a) => v.chosen(a))));
  expect(unused.length).toBeGreaterThan(HOT.length);
  for (const v of unused) expect(v.lost, v.name).toMatch(/\d/);
});

interface Member {
  name: string;
  type: { name: string };
  offset: number;
}

/** The text without function bodies: wgsl_reflect stumbles over some valid expressions, and declarations are all it is for. */
function declarationsOf(code: string): string {
  let out = '';
  let depth = 0;
  let inFunction = false;
  for (const line of code.replace(/\/\/.*$/gm, '').split(/(?<=[{}])/)) {
    if (depth === 0) inFunction = /\bfn\s+\w+[^{}]*\{$/.test(line);
    if (!inFunction || depth === 0) out += line;
    if (line.endsWith('{')) depth++;
    if (line.endsWith('}')) depth--;
    if (inFunction && depth === 0) out += ' }';
  }
  return out;
}

/** Members of the uniform struct and the names at each binding, as WGSL has them. */
function reflect(code: string): { bindings: string[][]; uniform: string[]; size: number } {
  const module = new WgslReflect(declarationsOf(code));
  const all = [...module.uniforms, ...module.storage];
  const last = Math.max(...all.map((b) => b.binding));
  expect(module.uniforms.map((b) => [b.group, b.binding])).toEqual([[0, last]]);
  for (const b of module.storage) expect([b.group, b.access]).toEqual([0, 'read_write']);
  const struct = module.structs.find((s) => s.name === module.uniforms[0].type.name);
  const members = (struct?.members ?? []) as Member[];
  // Words of four bytes, one after the other: what pack() writes.
  for (const [i, m] of members.entries()) expect(m.offset).toBe(4 * i);
  return {
    bindings: Array.from({ length: last }, (_, i) => module.storage.filter((b) => b.binding === i).map((b) => b.name)),
    uniform: members.map((m) => `${m.name} ${m.type.name}`),
    size: 4 * members.length,
  };
}

/** The bindings of `entry` that a dispatch with these names has, in order; those in [brackets] may be absent. */
function expectBindings(entry: KernelEntry, found: string[][]): void {
  const declared = entry.bindings.split(' ');
  const names = declared.map((name) => name.replace(/[[\]]/g, ''));
  const present = names.filter((name, i) => !declared[i].startsWith('[') || found.some((at) => at.includes(name)));
  expect(found).toHaveLength(present.length);
  // Two entry points of one file may each declare a view of their own at one binding.
  for (const [i, name] of present.entries()) expect(found[i]).toContain(name);
}

const variants = KERNELS.flatMap((entry) =>
  entry.variants.map((variant) => [entry.name, variant.name, entry, variant] as const),
);

describe('what an entry says is what its kernel says', () => {
  test.each(variants)('%s, %s', (_, __, entry, variant) => {
    const cases = casesFor(entry, variant);
    expect(cases.length).toBeGreaterThan(0);
    for (const c of [...cases, entry.bench]) {
      const own = trace(c, entry, variant);
      expect(own.length, c.name).toBeGreaterThan(0);
      const [d] = own;
      expect(d.entryPoint).toBe(variant.entryPoint);
      expect(d.flops, `FLOPs of ${c.name}`).toBe(evaluate(entry.flops, c.dims));
      expect(d.bytes, `bytes of ${c.name}`).toBe(evaluate(variant.bytes ?? entry.bytes, c.dims));
    }
    const [d] = trace(cases[0], entry, variant);
    const { bindings, uniform, size } = reflect(d.code);
    expect(uniform.join(', ')).toBe(entry.uniform);
    expect(d.uniforms.byteLength).toBeGreaterThanOrEqual(size);
    expect(d.bindings).toHaveLength(bindings.length);
    expectBindings(entry, bindings);
  });
});

describe('proof on this adapter', () => {
  const rows: ProofRow[] = [];
  const kernels = [...KERNELS, ...RENDERS];
  const here = (c: Conditions): string[] => [...kernelsOf(c), ...RENDERS].map((k) => k.name);
  test.each(kernels.map((k) => k.name))('%s', async (name) => {
    const { gpu } = await testGpu();
    const plan = proofPlan(gpu.conditions, [name]);
    expect(plan.length > 0).toBe(here(gpu.conditions).includes(name));
    for (const item of plan) rows.push(await proveOne(gpu, item));
    expect(rows.filter((r) => r.kernel === name && !r.ok)).toEqual([]);
  });

  test('covers every kernel, every variant that this adapter can run, and ragged sizes', async () => {
    const { gpu } = await testGpu();
    const counts = countProof(rows);
    expect(counts.kernels).toBe(here(gpu.conditions).length);
    const runnable = KERNELS.flatMap((k) => k.variants.filter((v) => v.needs?.(gpu.conditions) ?? true));
    expect(counts.variants).toBe(runnable.length + RENDERS.length);
    expect(counts.cases).toBe(proofPlan(gpu.conditions).filter((item) => item.kind !== 'gradient').length);
    for (const k of KERNELS) expect(k.cases.length, k.name).toBeGreaterThan(0);
  });
});
