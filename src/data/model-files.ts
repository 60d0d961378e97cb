/** The files of a model directory, read in pieces: gigabytes stay on the disk. */

export interface ModelFiles {
  /** Names without folders. */
  list(): string[];
  size(name: string): number;
  /** Bytes from..to-1. */
  read(name: string, from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Files that a visitor has chosen (an `<input type=file>`, with `webkitdirectory` or several). */
export function chosenFiles(files: readonly File[]): ModelFiles {
  const byName = new Map(files.map((f) => [f.name, f]));
  const find = (name: string): File => {
    const file = byName.get(name);
    if (!file) throw new Error(`There is no file ${name} among those that were chosen.`);
    return file;
  };
  return {
    list: () => [...byName.keys()].sort(),
    size: (name) => find(name).size,
    read: async (name, from, to) => new Uint8Array(await find(name).slice(from, to).arrayBuffer()),
  };
}

/** A whole small file as text; null if it is not there. */
export async function readText(files: ModelFiles, name: string): Promise<string | null> {
  if (!files.list().includes(name)) return null;
  return new TextDecoder().decode(await files.read(name, 0, files.size(name)));
}
