// The list of checkpoints that come with the page, `index.json` in a folder of public/models: written here, read by the pages.

import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { UsageError } from './args.ts';

const Entry = v.looseObject({ rung: v.string(), file: v.string(), card: v.string() });
const Index = v.object({ files: v.array(Entry) });
export type Listed = v.InferOutput<typeof Entry>;

/** Enters a checkpoint in place of its rung's old one, smallest file first: the page opens the first that it can use. */
export async function listShipped(folder: string, entry: Listed): Promise<void> {
  const path = join(folder, 'index.json');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '{"files":[]}';
  });
  let known: Listed[];
  try {
    known = v.parse(Index, JSON.parse(text)).files;
  } catch {
    throw new UsageError(`${path} is not a list of checkpoints: mend or remove it`);
  }
  const all = [...known.filter(({ rung }) => rung !== entry.rung), entry];
  const size = (file: string): Promise<number> =>
    stat(join(folder, file)).then(
      (found) => found.size,
      () => {
        throw new UsageError(`${path} names ${file}, which is not there: mend the list`);
      },
    );
  const sized = await Promise.all(all.map(async (e) => ({ e, n: await size(e.file) })));
  const files = sized.sort((a, b) => a.n - b.n).map(({ e }) => e);
  await writeFile(path, `${JSON.stringify({ files }, null, 2)}\n`);
}
