/**
 * Shader texts that someone changed while the program runs: the kernel lab edits a kernel and lets the engine build it
 * again. Empty everywhere else. The build's plugin asks here for every text, linked or template (scripts/wesl-plugin.ts).
 */
export type EditedText = (variant: number) => string;

const edits = new Map<string, EditedText>();

/** The text of a file under shaders/ for a variant (bits: software 1, f16 2, subgroups 4), as edited or as built. */
export function edited(file: string, variant: number, text: string): string {
  return edits.get(file)?.(variant) ?? text;
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
