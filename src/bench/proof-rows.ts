/** Results of the proof and how they are counted; without the registry, so that a page may import it. */

export interface ProofRow {
  kind: 'kernel' | 'render' | 'gradient';
  kernel: string;
  family: string;
  variant: string;
  case: string;
  ok: boolean;
  /** Largest error as a share of the largest wanted value, and what is allowed. 0 of 0: exact. */
  share: number;
  tolerance: number;
  /** What is wrong; empty if nothing is. */
  reason: string;
  ms: number;
}

/** A variant that this adapter cannot run. */
export interface Skipped {
  kernel: string;
  variant: string;
  /** What the adapter lacks, in words. */
  lacks: string;
}

/** Skipped variants by what is lacking. */
export function byLack(skipped: readonly Skipped[]): [lacks: string, variants: string[]][] {
  const found = new Map<string, string[]>();
  for (const { kernel, variant, lacks } of skipped)
    found.set(lacks, [...(found.get(lacks) ?? []), `${kernel} (${variant})`]);
  return [...found];
}

export interface ProofCounts {
  kernels: number;
  variants: number;
  cases: number;
  gradients: number;
  failed: number;
}

export function countProof(rows: readonly ProofRow[]): ProofCounts {
  const checked = rows.filter((r) => r.kind !== 'gradient');
  return {
    kernels: new Set(checked.map((r) => r.kernel)).size,
    variants: new Set(checked.map((r) => `${r.kernel}|${r.variant}`)).size,
    cases: checked.length,
    gradients: rows.length - checked.length,
    failed: rows.filter((r) => !r.ok).length,
  };
}
