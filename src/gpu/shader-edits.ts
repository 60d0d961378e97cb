/**
 * Shader texts that someone changed while the program runs: the kernel lab edits a kernel and lets the engine build it
 * again. Empty everywhere else. The build's plugin asks here for every text, linked or template (scripts/wesl-plugin.ts).
 */
export type EditedText = (variant: number) => string;

/** What a linked text can depend on. Bit i of a variant is condition i; src/env.d.ts declares the same names. */
export const CONDITIONS = ['software', 'f16', 'subgroups', 'bf16'] as const;

const edits = new Map<string, EditedText>();

/** The text of a file under shaders/ for a variant as edited or as built. */
export function edited(file: string, variant: number, text: string): string {
  return edits.get(file)?.(variant) ?? text;
}

/** A linked file under shaders/: its text for what holds. `variants` names one of `texts` for each variant, and repeats. */
export function linked(file: string, texts: readonly string[], variants: readonly number[]) {
  return (conditions: Partial<Record<(typeof CONDITIONS)[number], boolean>> = {}): string => {
    const bits = CONDITIONS.reduce((sum, name, bit) => sum + (conditions[name] ? 1 << bit : 0), 0);
    return edited(file, bits, texts[variants[bits % variants.length]]);
  };
}

const templates = new Set<string>();

/** A file under shaders/ that kernels take whole and write out themselves (tensor/kernels/unroll.ts): its text, as edited or as built. */
export function template(file: string, text: string): () => string {
  templates.add(file);
  return () => edited(file, 0, text);
}

/** Whether a kernel that is loaded takes this file as a template; all others are linked. */
export const isTemplate = (file: string): boolean => templates.has(file);

/** Runs `body` with these texts in place. Only what is traced inside it sees them. */
export function withEdits<T>(texts: ReadonlyMap<string, EditedText>, body: () => T): T {
  for (const [file, text] of texts) edits.set(file, text);
  try {
    return body();
  } finally {
    edits.clear();
  }
}
