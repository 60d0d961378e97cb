// What `lab ship` writes for every method: a model and the card with its measured figures, both or neither.

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The settings of an evaluation as its command has them. */
export const setFlags = (set: Readonly<Record<string, string>>): string =>
  Object.entries(set)
    .map(([key, value]) => ` --set ${key}=${value}`)
    .join('');

/**
 * `cardOf` measures the model where it lies for the time being. Model and card take their places when both are written: old
 * files stay together if the measurement fails.
 */
export async function placeTogether<Card>(
  folder: string,
  { file, bytes, card: cardFile }: { file: string; bytes: Uint8Array; card: string },
  cardOf: (model: string) => Promise<Card>,
): Promise<Card> {
  await mkdir(folder, { recursive: true });
  const beside = (name: string): string => join(folder, `${name}.${process.pid}.part`);
  try {
    await writeFile(beside(file), bytes);
    const card = await cardOf(beside(file));
    await writeFile(beside(cardFile), `${JSON.stringify(card, null, 2)}\n`);
    await rename(beside(file), join(folder, file));
    await rename(beside(cardFile), join(folder, cardFile));
    return card;
  } finally {
    for (const name of [file, cardFile]) await rm(beside(name), { force: true });
  }
}
