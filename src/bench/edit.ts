/**
 * A kernel changed in place: its module is linked again, compiled, proven on all cases of its kernel, and raced against the
 * version it came from. Mistakes are reported at the line of the source that was edited. Nothing is stored: the change
 * lives in the call.
 *
 * Two kinds of text: modules that the WESL linker assembles, and the templates of the matmul kernels (kernels/unroll.ts),
 * whose lines are traced through the template by a mark in a comment.
 */
import type { Gpu } from '../gpu/device.ts';
import { type EditedText, withEdits } from '../gpu/shader-edits.ts';
import { race, type Timing } from '../gpu/timing.ts';
import { casesFor, isOf, type KernelEntry, rewriteFor, type Trial, type Variant } from '../tensor/registry/entry.ts';
import { checkPrepared, type Prepared, prepareTrial, type Verdict } from '../tensor/registry/run.ts';
import { CONDITION_NAMES, type Linked, linkModule, type SourceError } from './link-module.ts';
import { type KernelEntrant, kernelEntrant, SHORT } from './measure.ts';
import { SHADER_SOURCES } from './shader-sources.ts';

export interface CaseVerdict {
  case: string;
  ok: boolean;
  share: number;
  tolerance: number;
  reason: string;
}

export type EditStage =
  | { stage: 'link' | 'compile' }
  | { stage: 'error'; errors: SourceError[] }
  | { stage: 'case'; done: number; total: number; verdict: CaseVerdict }
  | { stage: 'wrong'; failed: number; total: number }
  | { stage: 'race'; before: Timing; after: Timing };

const isTemplate = (file: string): boolean => /^ops\/matmul_(?:tile|software|vector|scalar)\.wgsl$/.test(file);

const MARK = /\/\*L(\d+)\*\//;

/** Every line of a template that survives unrolling says where it came from. */
function marked(template: string): string {
  return template
    .split('\n')
    .map((line, i) => (line.trim() === '' || line.trimStart().startsWith('//') ? line : `/*L${i + 1}*/${line}`))
    .join('\n');
}

/** Edits `file` (a source below shaders/) of a variant. `report` hears every stage; nothing is returned but by it. */
export async function tryEdit(
  gpu: Gpu,
  entry: KernelEntry,
  variant: Variant,
  file: string,
  text: string,
  report: (stage: EditStage) => void,
): Promise<void> {
  report({ stage: 'link' });
  const conditions = { ...gpu.conditions, ...variant.force };
  const template = isTemplate(file);
  const root = template ? file : variant.files[0];
  const linked = new Map<number, Linked>();
  if (!template) {
    const bits = CONDITION_NAMES.reduce((sum, name, i) => sum + (conditions[name] ? 1 << i : 0), 0);
    const result = await linkModule({ ...SHADER_SOURCES, [file]: text }, root, conditions);
    if (!result.ok) {
      report({ stage: 'error', errors: result.errors });
      return;
    }
    linked.set(bits, result.linked);
  }
  report({ stage: 'compile' });
  const texts = new Map<string, EditedText>([[root, (bits) => (template ? text : (linked.get(bits)?.text ?? text))]]);
  const errors = template
    ? await templateErrors(gpu, entry, variant, file, text)
    : await moduleErrors(gpu, file, [...linked.values()]);
  if (errors.length > 0) {
    report({ stage: 'error', errors });
    return;
  }
  const cases = casesFor(entry, variant);
  let failed = 0;
  for (const [i, c] of cases.entries()) {
    const verdict = await checkEdited(gpu, entry, variant, c.make(), texts);
    if (gpu.lostReason !== null) throw new Error(`The GPU device was lost: ${gpu.lostReason}`);
    if (!verdict.ok) failed++;
    report({
      stage: 'case',
      done: i + 1,
      total: cases.length,
      verdict: {
        case: c.name,
        ok: verdict.ok,
        share: verdict.difference?.share ?? Number.NaN,
        tolerance: verdict.difference?.tolerance ?? 0,
        reason: verdict.ok ? '' : verdict.reason,
      },
    });
  }
  if (failed > 0) {
    report({ stage: 'wrong', failed, total: cases.length });
    return;
  }
  const entrants: KernelEntrant[] = [];
  try {
    entrants.push(await kernelEntrant(gpu, entry, variant, entry.bench, 'before'));
    // Everything up to the first await inside is the trace: it sees the edited text.
    entrants.push(await withEdits(texts, () => kernelEntrant(gpu, entry, variant, entry.bench, 'after')));
    const [before, after] = await race(gpu.device, entrants, { ...SHORT, budgetMs: 2000 });
    report({ stage: 'race', before, after });
  } finally {
    for (const e of entrants) e.dispose();
  }
}

async function checkEdited(
  gpu: Gpu,
  entry: KernelEntry,
  variant: Variant,
  trial: Trial,
  texts: ReadonlyMap<string, EditedText>,
): Promise<Verdict> {
  return checkPrepared(gpu, trial, () =>
    withEdits(texts, (): Prepared => prepareTrial(gpu, trial, variant.force, rewriteFor(entry, variant))),
  );
}

interface Complaint {
  line: number;
  column: number;
  offset: number;
  message: string;
}

async function compile(gpu: Gpu, code: string): Promise<Complaint[]> {
  gpu.device.pushErrorScope('validation');
  const module = gpu.device.createShaderModule({ code });
  const info = await module.getCompilationInfo();
  await gpu.device.popErrorScope();
  return info.messages
    .filter((m) => m.type === 'error')
    .map((m) => ({ line: m.lineNum, column: m.linePos, offset: m.offset, message: m.message }));
}

/** Compiles the linked text and finds the complaints in the source. */
async function moduleErrors(gpu: Gpu, file: string, linked: readonly Linked[]): Promise<SourceError[]> {
  const errors: SourceError[] = [];
  for (const l of linked)
    for (const complaint of await compile(gpu, l.text)) errors.push(l.place(complaint.offset, complaint.message, file));
  return errors;
}

/** Compiles what the template becomes for the benchmark and for every case; the first texts with errors are enough. */
async function templateErrors(
  gpu: Gpu,
  entry: KernelEntry,
  variant: Variant,
  file: string,
  text: string,
): Promise<SourceError[]> {
  const seen = new Set<string>();
  for (const c of [entry.bench, ...casesFor(entry, variant)]) {
    let codes: string[];
    gpu.device.pushErrorScope('validation');
    try {
      const trial = c.make();
      const prepared = withEdits(new Map([[file, () => marked(text)]]), () =>
        prepareTrial(gpu, trial, variant.force, rewriteFor(entry, variant)),
      );
      codes = prepared.dispatches.filter((d) => isOf(entry, d)).map((d) => d.code);
      prepared.dispose();
    } catch (error) {
      return [{ file, line: 0, column: 0, message: error instanceof Error ? error.message : String(error) }];
    } finally {
      await gpu.device.popErrorScope();
    }
    for (const code of codes) {
      if (seen.has(code)) continue;
      seen.add(code);
      const complaints = await compile(gpu, code);
      if (complaints.length === 0) continue;
      const lines = code.split('\n');
      return complaints.map(({ line, message }) => ({
        file,
        line: Number(MARK.exec(lines[line - 1] ?? '')?.[1] ?? 0),
        column: 0,
        message,
      }));
    }
  }
  return [];
}
