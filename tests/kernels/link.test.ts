// The shader linker's plugin: imports, conditions and names; no GPU.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { linkVariants } from '../../scripts/wesl-plugin.ts';
import link from '../../shaders/lib/rng.wgsl?link';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function shaderTree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'tenfold-link-'));
  folders.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const KERNEL = `
import package::lib::dtype::scalar;
import package::lib::odd_name::{twice, Params};
@if(f16) enable f16;

override TILE: u32 = 8;
@group(0) @binding(0) var<storage, read_write> data: array<scalar>;
@group(0) @binding(1) var<storage, read_write> wide: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;
@if(software) const LANES = 1u;
@else const LANES = 64u;
@compute @workgroup_size(LANES) fn first(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.n) { data[id.x] = twice(data[id.x]); }
}
@compute @workgroup_size(TILE) fn second(@builtin(global_invocation_id) id: vec3u) {
  wide[id.x] = fma(wide[id.x], vec4f(2.0), vec4f(1.0));
}
`;
const TREE = {
  'ops/kernel.wgsl': KERNEL,
  'lib/dtype.wgsl': '@if(f16) alias scalar = f16;\n@else alias scalar = f32;\n',
  'lib/odd-name.wgsl':
    'import package::lib::dtype::scalar;\nstruct Params { n: u32 }\nfn twice(x: scalar) -> scalar { return x + x; }\nfn unused() {}\n',
};

test('the plugin turns a module into its WGSL text', () => {
  expect(link()).toContain('fn mix32(x: u32, y: u32, z: u32, s: u32) -> u32');
  expect(link({ software: true, f16: true, subgroups: true })).toBe(link());
});

test('imports are followed, names of bindings, overrides and entry points stay', async () => {
  const root = shaderTree(TREE);
  const { texts, variants, files } = await linkVariants(root, join(root, 'ops/kernel.wgsl'));
  const plain = texts[variants[0]];
  for (const part of [
    'override TILE: u32 = 8;',
    '@group(0) @binding(0) var<storage, read_write> data: array<scalar>;',
    '@group(0) @binding(1) var<storage, read_write> wide: array<vec4<f32>>;',
    '@group(0) @binding(2) var<uniform> params: Params;',
    '@compute @workgroup_size(LANES) fn first(',
    '@compute @workgroup_size(TILE) fn second(',
    'struct Params {',
    'fn twice(',
  ]) {
    expect(plain).toContain(part);
  }
  expect(plain).not.toContain('unused');
  expect(plain).not.toContain('import');
  expect(files.map((file) => file.slice(root.length + 1)).sort()).toEqual([
    'lib/dtype.wgsl',
    'lib/odd-name.wgsl',
    'ops/kernel.wgsl',
  ]);
});

test('a variant differs only by the conditions that its files use', async () => {
  const root = shaderTree(TREE);
  const { texts, variants } = await linkVariants(root, join(root, 'ops/kernel.wgsl'));
  expect(texts).toHaveLength(4);
  // Bits: software 1, f16 2, subgroups 4, bf16 8; no file asks for the last two.
  for (const more of [4, 8, 12]) expect(variants.slice(more, more + 4)).toEqual(variants.slice(0, 4));
  expect(texts[variants[0]]).toContain('const LANES = 64u;');
  expect(texts[variants[1]]).toContain('const LANES = 1u;');
  expect(texts[variants[2]]).toMatch(/^enable f16;/);
  expect(texts[variants[2]]).toContain('alias scalar = f16;');
  expect(texts[variants[3]]).toContain('const LANES = 1u;');
  expect(texts[variants[3]]).toContain('alias scalar = f16;');
});

test('a condition that only a conditional import brings in is seen', async () => {
  const root = shaderTree({
    'ops/kernel.wgsl':
      '@if(software) import package::lib::lanes::lanes;\n@if(!software) fn lanes() -> u32 { return 64u; }\nfn main() -> u32 { return lanes(); }\n',
    'lib/lanes.wgsl':
      '@if(subgroups) fn lanes() -> u32 { return 4u; }\n@if(!subgroups) fn lanes() -> u32 { return 1u; }\n',
  });
  const { texts, variants } = await linkVariants(root, join(root, 'ops/kernel.wgsl'));
  const lanes = variants.map((text) => /return (\d+)u;/.exec(texts[text])?.[1]);
  // Bits: software 1, f16 2, subgroups 4, bf16 8.
  const eight = ['64', '1', '64', '1', '64', '4', '64', '4'];
  expect(lanes).toEqual([...eight, ...eight]);
});

test('a mistake names the shader file', async () => {
  const broken = shaderTree({ ...TREE, 'lib/dtype.wgsl': 'fn x( {' });
  await expect(linkVariants(broken, join(broken, 'ops/kernel.wgsl'))).rejects.toThrow(/shaders\/lib\/dtype\.wgsl:1:7/);
  const missing = shaderTree({ ...TREE, 'lib/odd-name.wgsl': 'fn other() {}' });
  await expect(linkVariants(missing, join(missing, 'ops/kernel.wgsl'))).rejects.toThrow(
    /no exported 'Params' in module 'package::lib::odd_name'[\s\S]*shaders\/ops\/kernel\.wgsl[\s\S]*params: Params;/,
  );
});

test('two files may not claim one module path', async () => {
  const root = shaderTree({ ...TREE, 'lib/odd_name.wgsl': 'fn other() {}' });
  await expect(linkVariants(root, join(root, 'ops/kernel.wgsl'))).rejects.toThrow(/same module path/);
});
