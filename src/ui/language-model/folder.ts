// The folder that a visitor chooses or drops, as the files of one model. Browsers hand over whole trees: the model is in the
// shallowest folder that holds a config.json.

export interface ChosenFolder {
  name: string;
  files: File[];
}

export interface TreeFile {
  /** With folders, separated by `/`. */
  path: string;
  file: File;
}

/** Deeper folders of a dropped tree are not looked into. */
const DEEPEST = 4;

export function modelFolder(tree: readonly TreeFile[]): ChosenFolder | null {
  if (tree.length === 0) return null;
  const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
  const depth = (path: string): number => path.split('/').length;
  const nearest = [...tree].sort((a, b) => depth(a.path) - depth(b.path));
  const config = nearest.find(({ file }) => file.name === 'config.json') ?? nearest[0];
  const folder = folderOf(config.path);
  const files = tree.filter(({ path }) => folderOf(path) === folder).map(({ file }) => file);
  return { name: folder.split('/').at(-1) || 'chosen files', files };
}

export function fromInput(list: FileList): ChosenFolder | null {
  return modelFolder(Array.from(list, (file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/** Must be called within the drop event: browsers take the items back when it is over. */
export async function fromDrop(transfer: DataTransfer): Promise<ChosenFolder | null> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry());
  const trees = entries.filter((entry) => entry !== null).map((entry) => filesBelow(entry, 1));
  return modelFolder((await Promise.all(trees)).flat());
}

async function filesBelow(entry: FileSystemEntry, depth: number): Promise<TreeFile[]> {
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path, file }];
  }
  if (depth > DEEPEST || entry.name.startsWith('.')) return [];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const out: TreeFile[] = [];
  // A reader gives its entries in portions; an empty one is the end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return out;
    for (const child of part) out.push(...(await filesBelow(child, depth + 1)));
  }
}
