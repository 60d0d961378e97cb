/**
 * A kernel changed in place: its module is linked again, compiled, proven on all cases of its kernel, and raced against the
 * version it came from. Mistakes are reported at the line of the source that was edited. Nothing is stored: the change
 * lives in the call.
 *
 * Two kinds of text: modules that the WESL linker assembles, and templates (kernels/unroll.ts).
 * The engine rewrites both before a driver sees them; a mark in a comment leads a driver's complaint back to its line.
 */
import type { Gpu } from '../gpu/device.ts';
import { type EditedText, isTemplate, withEdits } from '../gpu/shader-edits.ts';
import { race, type Timing } from '../gpu/timing.ts';
import {
  casesFor,
  isOf,
  type KernelCase,
  type KernelEntry,
  rewriteFor,
  type Trial,
  type Variant,
} from '../tensor/registry/entry.ts';
import { checkPrepared, type Prepared, prepareTrial, traceTrial, type Verdict } from '../tensor/registry/run.ts';
import { turnsForEver } from './endless.ts';
import { type Linked, linkModule, type SourceError } from './link-module.ts';
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
  | { stage: 'endless'; case: string }
  | { stage: 'wrong'; failed: number; total: number }
  | { stage: 'race'; before: Timing; after: Timing };

/** Offset of the first character of a line that is not a space. */
function startOfLine(text: string, line: number): number {
  const before =
    text
      .split('\n')
      .slice(0, line - 1)
      .join('\n').length + (line > 1 ? 1 : 0);
  return before + Math.max(0, text.slice(before).search(/\S/));
}

const MARK = /\/\*L(\d+)\*\//;

/** Every line that survives templates and unrolling says where it came from. */
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
  const built = await buildEdit(gpu, entry, variant, file, text, report);
  if (!built.ok) {
    report({ stage: 'error', errors: built.errors });
    return;
  }
  const { texts } = built;
  const cases = casesFor(entry, variant);
  let failed = 0;
  for (const [i, c] of cases.entries()) {
    const trial = c.make(variant.force.precision);
    if (await isEndless(gpu, entry, variant, trial, texts)) {
      report({ stage: 'endless', case: c.name });
      return;
    }
    const verdict = await checkEdited(gpu, entry, variant, trial, texts);
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

export type BuiltEdit = { ok: true; texts: ReadonlyMap<string, EditedText> } | { ok: false; errors: SourceError[] };

/**
 * Links the edited `file` of a variant and compiles all that the engine makes of it for these cases: the texts by their root,
 * for withEdits, or the mistakes in them.
 */
export async function buildEdit(
  gpu: Gpu,
  entry: KernelEntry,
  variant: Variant,
  file: string,
  text: string,
  report: (stage: EditStage) => void = () => undefined,
  cases: readonly KernelCase[] = [entry.bench, ...casesFor(entry, variant)],
): Promise<BuiltEdit> {
  report({ stage: 'link' });
  const conditions = { ...gpu.conditions, precision: undefined, ...variant.force };
  const template = isTemplate(file);
  const root = template ? file : variant.files[0];
  let linked: Linked | null = null;
  if (!template) {
    const result = await linkModule({ ...SHADER_SOURCES, [file]: text }, root, conditions);
    if (!result.ok) return result;
    linked = result.linked;
  }
  report({ stage: 'compile' });
  const whole = linked?.text ?? text;
  const texts = new Map<string, EditedText>([[root, () => whole]]);
  const errors = await compileErrors(gpu, entry, variant, cases, texts, (line, message) =>
    linked && line > 0 ? linked.place(startOfLine(whole, line), message, file) : { file, line, message },
  );
  return errors.length > 0 ? { ok: false, errors } : { ok: true, texts };
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

async function isEndless(
  gpu: Gpu,
  entry: KernelEntry,
  variant: Variant,
  trial: Trial,
  texts: ReadonlyMap<string, EditedText>,
): Promise<boolean> {
  gpu.device.pushErrorScope('validation');
  try {
    return await turnsForEver(
      gpu,
      trial,
      variant.force,
      (d) => isOf(entry, d),
      rewriteFor(entry, variant),
      (prepare) => withEdits(texts, prepare),
    );
  } finally {
    // A text that is no longer valid with counters in it is judged without them.
    await gpu.device.popErrorScope();
  }
}

async function compile(gpu: Gpu, code: string): Promise<{ line: number; message: string }[]> {
  gpu.device.pushErrorScope('validation');
  const module = gpu.device.createShaderModule({ code });
  const info = await module.getCompilationInfo();
  await gpu.device.popErrorScope();
  return info.messages.filter((m) => m.type === 'error').map((m) => ({ line: m.lineNum, message: m.message }));
}

/** A place in the text that went into the engine: line from 1. */
type Locate = (line: number, message: string) => SourceError;

/**
 * Compiles what the engine makes of the text (constants set, loops written out) for each case; the
 * first text with errors is enough. Lines are found by their marks, or by the nearest mark above.
 */
async function compileErrors(
  gpu: Gpu,
  entry: KernelEntry,
  variant: Variant,
  cases: readonly KernelCase[],
  texts: ReadonlyMap<string, EditedText>,
  locate: Locate,
): Promise<SourceError[]> {
  const markedTexts = new Map([...texts].map(([file, text]) => [file, (bits: number) => marked(text(bits))]));
  const seen = new Set<string>();
  for (const c of cases) {
    let codes: string[];
    try {
      const trial = c.make(variant.force.precision);
      const { dispatches } = withEdits(markedTexts, () =>
        traceTrial(gpu.conditions, trial, variant.force, rewriteFor(entry, variant)),
      );
      codes = dispatches.filter((d) => isOf(entry, d)).map((d) => d.code);
    } catch (error) {
      return [locate(0, error instanceof Error ? error.message : String(error))];
    }
    for (const code of codes) {
      if (seen.has(code)) continue;
      seen.add(code);
      const complaints = await compile(gpu, code);
      if (complaints.length === 0) continue;
      const lines = code.split('\n');
      return complaints.map(({ line, message }) => {
        let at = line - 1;
        while (at > 0 && !MARK.test(lines[at] ?? '')) at--;
        return locate(Number(MARK.exec(lines[at] ?? '')?.[1] ?? 0), message);
      });
    }
  }
  return [];
}
