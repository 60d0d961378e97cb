/**
 * Shader texts that someone changed while the program runs: the kernel lab edits a kernel and lets the engine build it
 * again. Empty everywhere else. The link plugin asks here for every text (scripts/wesl-plugin.ts), templates ask themselves.
 */
export type EditedText = (variant: number) => string;

const edits = new Map<string, EditedText>();

/** The text of a file under shaders/ for a variant (bits: software 1, f16 2, subgroups 4), as edited or as built. */
export function edited(file: string, variant: number, text: string): string {
  return edits.get(file)?.(variant) ?? text;
}

/** Runs `body` with these texts in place. Only what is traced inside it sees them. */
export function withEdits<T>(texts: ReadonlyMap<string, EditedText>, body: () => T): T {
  for (const [file, text] of texts) edits.set(file, text);
  try {
    return body();
  } finally {
    edits.clear();
  }
}
