// The small text tools behind kernels: constants, written-out loops, packed uniforms, workgroup counts.

import { expect, test } from 'vitest';
import { cover, f32bits, pack, specialise, unrollLoops } from '../../src/tensor/kernel.ts';
import { unroll } from '../../src/tensor/kernels/unroll.ts';

test('constants are set by name, with and without a type', () => {
  const code = 'const DH4: u32 = 4u;\nconst N = 2u;\nlet x = DH4 * N;';
  expect(specialise(code, { DH4: 8, N: 16 })).toBe('const DH4: u32 = 8u;\nconst N = 16u;\nlet x = DH4 * N;');
  expect(() => specialise(code, { DH: 8 })).toThrow('no constant DH in this kernel');
});

test('loops over a constant are written out, their arrays become variables', () => {
  const code = `const N: u32 = 3u;
var q: array<vec4f, N>;
for (var c = 0u; c < N; c++) { q[c] = x[at + c]; }
for (var c = 0u; c < N; c++) {
  if (c > 0u) { y += q[c]; }
}`;
  const out = unrollLoops(code, 'N');
  expect(out).not.toContain('for');
  expect(out).not.toContain('array');
  expect(out).toContain('var q_0: vec4f; var q_1: vec4f; var q_2: vec4f;');
  for (const i of [0, 1, 2]) {
    expect(out).toContain(`{ q_${i} = x[at + ${i}u]; }`);
    expect(out).toMatch(new RegExp(`if \\(${i}u > 0u\\) \\{ y \\+= q_${i}; \\}`));
  }
});

test('loops within loops, and names that only begin like the index, stay what they mean', () => {
  const code =
    'const A: u32 = 2u;\nconst B = 2u;\nfor (var u = 0u; u < A; u++) { for (var c = 0u; c < B; c++) { s[u] += cap * c; } }';
  const out = unrollLoops(unrollLoops(code, 'A'), 'B');
  expect(out).not.toContain('for');
  expect(out.match(/s\[[01]u\] \+= cap \* [01]u;/g)).toEqual([
    's[0u] += cap * 0u;',
    's[0u] += cap * 1u;',
    's[1u] += cap * 0u;',
    's[1u] += cap * 1u;',
  ]);
  expect(() => unrollLoops('x', 'A')).toThrow('no constant A');
});

test('templates keep, drop and repeat lines', () => {
  const template = [
    'keep',
    '// a comment of the template',
    'a_0 = LANE; // each row',
    'bias // if bias',
    'b_0 // each row, if bias',
  ].join('\n');
  const lists = { row: [{ LANE: 7 }, { LANE: 9 }] };
  expect(unroll(template, { flags: [], lists })).toBe('keep\na_0 = 7;\na_1 = 9;');
  expect(unroll(template, { flags: ['bias'], lists })).toBe('keep\na_0 = 7;\na_1 = 9;\nbias\nb_0\nb_1');
  expect(() => unroll('x // each column', { flags: [], lists })).toThrow("nothing is called 'column'");
});

test('uniform structs hold words and floats, padded to 16 bytes', () => {
  expect([...pack(1, { f: 1.5 }, 0xffffffff)]).toEqual([1, 0x3fc00000, 0xffffffff, 0]);
  expect(pack(1, 2, 3, 4, 5).length).toBe(8);
  expect(pack(-1)[0]).toBe(0xffffffff);
  expect(new Float32Array(Uint32Array.of(f32bits(-0.1)).buffer)[0]).toBe(Math.fround(-0.1));
});

test('workgroups cover every thread and no row is too long', () => {
  for (const threads of [0, 1, 63, 64, 65, 65535 * 64, 65535 * 64 + 1, 3 * 65535 * 64 + 5]) {
    const [x, y, z] = cover(threads);
    expect(x).toBeGreaterThan(0);
    expect(x).toBeLessThanOrEqual(65535);
    expect(z).toBe(1);
    expect(x * y * 64).toBeGreaterThanOrEqual(threads);
    // Kernels find their index as x + y * 65535 * 64: rows are full when there are several.
    if (y > 1) expect(x).toBe(65535);
  }
  expect(cover(17, 8)).toEqual([3, 1, 1]);
});
