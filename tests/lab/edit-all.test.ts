// Every text of every kernel can be edited: a change that changes nothing is linked and compiles, and a mistake in it is found,
// so what is compiled is the edited text and not the built one.

import { beforeAll, expect, test } from 'vitest';
import { buildEdit } from '../../src/bench/edit.ts';
import { kernelsOf } from '../../src/bench/registry.ts';
import { SHADER_SOURCES } from '../../src/bench/shader-sources.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { isTemplate } from '../../src/gpu/shader-edits.ts';
import { casesFor, type KernelEntry, type Variant } from '../../src/tensor/registry/entry.ts';
import { testGpu } from '../support/gpu.ts';

let gpu: Gpu;

beforeAll(async () => {
  ({ gpu } = await testGpu());
});

/** What this adapter can run, one kernel for each file. */
function editable(): Map<string, { entry: KernelEntry; variant: Variant }> {
  const found = new Map<string, { entry: KernelEntry; variant: Variant }>();
  for (const entry of kernelsOf(gpu.conditions)) {
    for (const variant of entry.variants) {
      if (!(variant.needs?.(gpu.conditions) ?? true)) continue;
      for (const file of variant.files) if (!found.has(file)) found.set(file, { entry, variant });
    }
  }
  return found;
}

test('an edit of any file of any kernel is linked, compiled, and is what is compiled', async () => {
  const files = [...editable()];
  expect(files.length).toBeGreaterThan(80);
  for (const [file, { entry, variant }] of files) {
    const text = SHADER_SOURCES[file];
    // The data of the benchmark take long to make.
    const cases = casesFor(entry, variant);
    const build = (changed: string) => buildEdit(gpu, entry, variant, file, changed, undefined, cases);
    const harmless = await build(`${text}\n// nothing\n`);
    expect(harmless.ok ? [] : harmless.errors, `${entry.name}: ${file}`).toEqual([]);
    // The linker drops declarations of imported modules that nobody uses, but reads them.
    const reached = file === variant.files[0] || isTemplate(file);
    const mistake = reached ? 'const lab_mistake: u32 = 1.5;' : 'fn (';
    const wrong = await build(`${text}\n${mistake}\n`);
    expect(wrong.ok ? [] : wrong.errors.map((e) => e.file), `${entry.name}: ${file}`).toContain(file);
  }
});
