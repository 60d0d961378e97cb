// Editing a kernel in place: what compiles is proven and raced, mistakes are found at their line, and texts that would write
// out of bounds or never end are reported instead of run.

import { beforeAll, describe, expect, test } from 'vitest';
import { type EditStage, tryEdit } from '../../src/bench/edit.ts';
import { countTurns } from '../../src/bench/endless.ts';
import { variantHere } from '../../src/bench/measure.ts';
import { kernelNamed } from '../../src/bench/registry.ts';
import { SHADER_SOURCES } from '../../src/bench/shader-sources.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { edited } from '../../src/gpu/shader-edits.ts';
import { testGpu } from '../support/gpu.ts';

let gpu: Gpu;

beforeAll(async () => {
  ({ gpu } = await testGpu());
});

/** The stages of an edit that replaces `from` by `to` in a kernel's own file (or in `file`), as this adapter or `name` has it. */
async function edit(kernel: string, from: string, to: string, file?: string, name?: string): Promise<EditStage[]> {
  const entry = kernelNamed(kernel);
  const variant = entry.variants.find((v) => v.name === name) ?? variantHere(entry, gpu.conditions);
  const source = file ?? variant.files[0];
  const text = SHADER_SOURCES[source];
  expect(text, source).toContain(from);
  const stages: EditStage[] = [];
  await tryEdit(gpu, entry, variant, source, text.replace(from, to), (stage) => stages.push(stage));
  return stages;
}

const lineOf = (file: string, words: string): number =>
  SHADER_SOURCES[file].split('\n').findIndex((line) => line.includes(words)) + 1;

const errorsOf = (stages: EditStage[]) => stages.flatMap((s) => (s.stage === 'error' ? s.errors : []));
const last = (stages: EditStage[]): EditStage => stages[stages.length - 1];

test('a harmless change is linked, compiled, proven on every case and raced', async () => {
  const stages = await edit('swiglu', 'let g = gu[at];', 'let g = gu[at] * 1.0;');
  expect(stages.map((s) => s.stage)).toEqual(['link', 'compile', 'case', 'case', 'case', 'race']);
  for (const s of stages) if (s.stage === 'case') expect(s.verdict).toMatchObject({ ok: true, reason: '' });
  const raced = last(stages);
  if (raced.stage !== 'race') throw new Error('no race');
  expect(raced.before.median).toBeGreaterThan(0);
  expect(raced.after.median).toBeGreaterThan(0);
  // Nothing of it stays.
  expect(edited('ops/swiglu.wgsl', 0, 'as built')).toBe('as built');
});

test('the edited text is what runs: a wrong result is found and not raced', async () => {
  const stages = await edit('swiglu', '1.0 + exp(-g)', '1.5 + exp(-g)');
  expect(last(stages)).toEqual({ stage: 'wrong', failed: 3, total: 3 });
  const [first] = stages.flatMap((s) => (s.stage === 'case' ? [s.verdict] : []));
  expect(first.reason).toMatch(/^h\[\d+\] is .* instead of /);
  expect(first.share).toBeGreaterThan(0.01);
});

test('a variant of f16 is edited as what it is, and its twin of f32 does not see those lines', async () => {
  const halfOnly = ['unpack2x16float(x.x)', '2.0 * unpack2x16float(x.x)', 'attention/kept.wgsl'] as const;
  expect(last(await edit('cache attention', ...halfOnly, 'serial, f16')).stage).toBe('wrong');
  expect(last(await edit('cache attention', ...halfOnly, 'serial')).stage).toBe('race');
});

describe('mistakes are reported at the line of the source', () => {
  test('a type error', async () => {
    const [error] = errorsOf(await edit('rmsnorm', 'rstd[row] = r;', 'rstd[row] = vec2f(r);'));
    expect(error).toMatchObject({ file: 'ops/rmsnorm.wgsl', line: lineOf('ops/rmsnorm.wgsl', 'rstd[row] = r;') });
    expect(error.message).toMatch(/vec2/);
  });

  test('an unknown name', async () => {
    const [error] = errorsOf(await edit('rmsnorm', 'rstd[row] = r;', 'rstd[row] = rr;'));
    expect(error).toMatchObject({ file: 'ops/rmsnorm.wgsl', line: lineOf('ops/rmsnorm.wgsl', 'rstd[row] = r;') });
    expect(error.message).toMatch(/'rr'/);
  });

  test('a syntax error', async () => {
    const [error] = errorsOf(await edit('rmsnorm', 'fn forward(', 'fn forward(('));
    expect(error).toMatchObject({ file: 'ops/rmsnorm.wgsl', line: lineOf('ops/rmsnorm.wgsl', 'fn forward(') });
  });

  test('an error in a text whose loops are written out for CPU adapters', async () => {
    const entry = kernelNamed('attention');
    const file = variantHere(entry, gpu.conditions).files[0];
    const words = 'let shrink = exp(';
    const [error] = errorsOf(await edit('attention', words, 'let shrink = 1u * exp('));
    expect(error).toMatchObject({ file, line: lineOf(file, words) });
  });

  test('an error in a line that a template repeats', async () => {
    const entry = kernelNamed('matmul nn');
    const file = variantHere(entry, gpu.conditions).files[0];
    const candidates = ['sums[0] += x.x * y;', 'rows[ROW] = c_0;', 'cells[CELL] = c_0;'];
    const words = candidates.find((line) => SHADER_SOURCES[file].includes(line)) ?? '';
    const [error] = errorsOf(await edit('matmul nn', words, words.replace(/\w+;$/, 'nowhere;')));
    expect(error).toMatchObject({ file, line: lineOf(file, words) });
    expect(error.message).toMatch(/nowhere/);
  });
});

test('a store past the end of an output is found', async () => {
  const stages = await edit('rmsnorm', 'rstd[row] = r;', 'rstd[row] = r; rstd[row + params.rows + 4u] = r;');
  expect(last(stages).stage).toBe('wrong');
  const reasons = stages.flatMap((s) => (s.stage === 'case' && !s.verdict.ok ? [s.verdict.reason] : []));
  expect(reasons.length).toBeGreaterThan(0);
  for (const reason of reasons) expect(reason).toMatch(/out of bounds: it wrote \d+ words past the end of /);
});

test('a store into an input is found', async () => {
  const stages = await edit('rmsnorm', 'rstd[row] = r;', 'rstd[row] = r; x[at] += vec4f(1.0);');
  const [first] = stages.flatMap((s) => (s.stage === 'case' ? [s.verdict] : []));
  expect(first.reason).toMatch(/it changed its input x/);
});

describe('loops that never end are broken off before the kernel runs', () => {
  test.each([
    ['for', 'for (var z = 0u; z < 10u; z += u32(params.eps)) { rstd[row] += 1.0; }'],
    ['while', 'while (rstd[row] < 1e30) { rstd[row] = 0.5; }'],
    ['loop', 'loop { rstd[row] += 0.5; continuing { break if rstd[row] < -1.0; } }'],
  ])('%s', async (_, text) => {
    const stages = await edit('rmsnorm', 'rstd[row] = r;', `rstd[row] = r; ${text}`);
    expect(last(stages)).toEqual({ stage: 'endless', case: 'rows 1, d 4' });
  });

  test('counters do not disturb a kernel, with subgroups, barriers or neither', async () => {
    for (const kernel of ['attention', 'sum of rows', 'sample']) {
      const entry = kernelNamed(kernel);
      const file = variantHere(entry, gpu.conditions).files[0];
      const stages = await edit(kernel, '// ', '//  ', file);
      expect(
        stages.some((s) => s.stage === 'endless' || s.stage === 'wrong'),
        kernel,
      ).toBe(false);
      expect(last(stages).stage, kernel).toBe('race');
    }
  });

  test('comments and other blocks are no loops', () => {
    const code = `enable subgroups;
@group(0) @binding(1) var<uniform> params: Params;
// for (;;) { }
fn f() { if (a) { b(); } /* loop { } */ for (var i = 0u; i < n(2u); i++) { c(); } }`;
    const counted = countTurns(code, 1);
    expect(counted.match(/lab_turns \+= 1u/g)).toHaveLength(1);
    expect(counted).toContain('@binding(1) var<storage, read_write> lab_flag: array<u32>;');
    expect(counted).toContain('@binding(2) var<uniform> params: Params;');
    expect(counted.indexOf('enable subgroups;')).toBeLessThan(counted.indexOf('var<private> lab_turns'));
    // With a barrier, each loop counts for itself.
    const barriers = countTurns(code.replace('c();', 'workgroupBarrier();'), 1);
    expect(barriers).toContain('var lab_turns_0 = 0u; for');
    expect(barriers).not.toContain('var<private>');
  });
});
