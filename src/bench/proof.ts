/**
 * Proof: every kernel and variant that this adapter can run, on every case, against its float64 reference. Two runs of each
 * must agree bit by bit, inputs must stay as they were, nothing may be written past an end (tensor/registry/run.ts).
 */
import type { Conditions, Gpu } from '../gpu/device.ts';
import {
  casesFor,
  type KernelCase,
  type KernelEntry,
  lackOf,
  type RenderEntry,
  rewriteFor,
  type Variant,
} from '../tensor/registry/entry.ts';
import { checkTrial } from '../tensor/registry/run.ts';
import { TOLERANCE } from '../tensor/registry/tolerance.ts';
import { type GradientCheck, gradientError } from './gradient-check.ts';
import { GRADIENTS } from './gradients.ts';
import type { ProofCounts, ProofRow, Skipped } from './proof-rows.ts';
import { KERNELS, RENDERS } from './registry.ts';

export type ProofItem =
  | { kind: 'kernel'; entry: KernelEntry; variant: Variant; case: KernelCase }
  | { kind: 'render'; entry: RenderEntry }
  | { kind: 'gradient'; name: string; check: GradientCheck };

/** What will be checked on an adapter of these conditions, in order. */
export function proofPlan(conditions: Conditions, only: readonly string[] = []): ProofItem[] {
  const wanted = (name: string): boolean => only.length === 0 || only.includes(name);
  const items: ProofItem[] = [];
  for (const entry of KERNELS.filter((k) => wanted(k.name)))
    for (const variant of entry.variants.filter((v) => v.needs?.(conditions) ?? true))
      for (const c of casesFor(entry, variant)) items.push({ kind: 'kernel', entry, variant, case: c });
  for (const entry of RENDERS.filter((k) => wanted(k.name))) items.push({ kind: 'render', entry });
  for (const [name, check] of Object.entries(GRADIENTS))
    if (wanted(`gradient of ${name}`)) items.push({ kind: 'gradient', name, check });
  return items;
}

/** What a proof that runs the whole plan will count. */
export function countPlan(items: readonly ProofItem[]): Omit<ProofCounts, 'failed'> {
  const checked = items.flatMap((item) => (item.kind === 'gradient' ? [] : [item]));
  const variantOf = (item: (typeof checked)[number]): string =>
    item.kind === 'kernel' ? item.variant.name : 'portable';
  return {
    kernels: new Set(checked.map((item) => item.entry.name)).size,
    variants: new Set(checked.map((item) => `${item.entry.name}|${variantOf(item)}`)).size,
    cases: checked.length,
    gradients: items.length - checked.length,
  };
}

/** The variants that are not in the plan, each with what the adapter lacks. */
export const skippedVariants = (conditions: Conditions, only: readonly string[] = []): Skipped[] =>
  KERNELS.filter((k) => only.length === 0 || only.includes(k.name)).flatMap((k) =>
    k.variants.flatMap((v) => {
      const lacks = lackOf(v, conditions);
      return lacks ? [{ kernel: k.name, variant: v.name, lacks }] : [];
    }),
  );

/** Elements of each input that a gradient spot check differentiates. */
const SPOTS = 3;

export async function proveOne(gpu: Gpu, item: ProofItem): Promise<ProofRow> {
  const start = performance.now();
  const row = await check(gpu, item);
  // A lost device fails everything after it: the caller has to know.
  if (gpu.lostReason !== null) throw new Error(`The GPU device was lost: ${gpu.lostReason}`);
  return { ...row, ms: performance.now() - start };
}

async function check(gpu: Gpu, item: ProofItem): Promise<Omit<ProofRow, 'ms'>> {
  const base = { ok: false, share: Number.NaN, tolerance: 0, reason: '' };
  if (item.kind === 'kernel') {
    const { entry, variant } = item;
    const verdict = await checkTrial(
      gpu,
      item.case.make(variant.force.precision),
      variant.force,
      rewriteFor(entry, variant),
    );
    return {
      ...base,
      kind: 'kernel',
      kernel: entry.name,
      family: entry.family,
      variant: variant.name,
      case: item.case.name,
      ok: verdict.ok,
      ...verdict.difference,
      reason: verdict.ok ? '' : verdict.reason,
    };
  }
  if (item.kind === 'render') {
    const { name, family, check: draw } = item.entry;
    const reason = await draw(gpu);
    const row = { kind: 'render' as const, kernel: name, family, variant: 'portable', case: '8 x 6 on 64 x 21' };
    return { ...base, ...row, ok: reason === null, share: reason === null ? 0 : Number.NaN, reason: reason ?? '' };
  }
  const share = await gradientError(gpu, { ...item.check, samples: SPOTS });
  const ok = share < TOLERANCE.f32.gradient;
  return {
    kind: 'gradient',
    kernel: `gradient of ${item.name}`,
    family: 'gradient',
    variant: 'as chosen',
    case: `${SPOTS} elements per input`,
    ok,
    share,
    tolerance: TOLERANCE.f32.gradient,
    reason: ok ? '' : 'differs from the finite difference',
  };
}
