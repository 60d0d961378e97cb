// What `lab bench --only` asks for: parts by name, and kernels, growth curves and method benches by theirs.

import { UsageError } from './args.ts';

export const PARTS = ['device', 'proof', 'tiles', 'roofline', 'versions', 'growth', 'methods'] as const;
export type Part = (typeof PARTS)[number];

/** Names that can be asked for within a part. */
export interface BenchNames {
  kernels: readonly string[];
  growth: readonly string[];
  methods: readonly string[];
}

/** A part that runs, and what of it; none = all of it. */
export interface ChosenPart {
  part: Part;
  only: string[];
}

const OF_KERNELS: readonly Part[] = ['proof', 'roofline', 'versions'];

/**
 * A name narrows the parts that know it; a kernel without one of its parts means all three, a curve or a method its own.
 * Nothing asked for is everything. Throws UsageError for a name that nobody has.
 */
export function chooseParts(names: readonly string[], known: BenchNames): ChosenPart[] {
  const isPart = (name: string): boolean => (PARTS as readonly string[]).includes(name);
  const unknown = names.find((n) => !isPart(n) && !Object.values(known).some((list) => list.includes(n)));
  if (unknown !== undefined) {
    throw new UsageError(
      `bench: no part or kernel '${unknown}' (parts: ${PARTS.join(', ')}; growth: ${known.growth.join(', ')}; methods: ${known.methods.join(', ')}; kernels: ${known.kernels.join(', ')})`,
    );
  }
  const of = (list: readonly string[]): string[] => names.filter((name) => list.includes(name));
  const kernels = of(known.kernels);
  const kernelParts = OF_KERNELS.filter((part) => names.includes(part));
  const onlyOf = (part: Part): string[] =>
    OF_KERNELS.includes(part) ? kernels : part === 'growth' || part === 'methods' ? of(known[part]) : [];
  const implied = (part: Part): boolean =>
    onlyOf(part).length > 0 && (!OF_KERNELS.includes(part) || kernelParts.length === 0);
  return PARTS.filter((part) => names.length === 0 || names.includes(part) || implied(part)).map((part) => ({
    part,
    only: onlyOf(part),
  }));
}
