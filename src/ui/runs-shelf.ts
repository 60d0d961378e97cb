// Run records of this browser, in IndexedDB, newest first. Storing may fail because the disk is full; the caller says so.

import * as v from 'valibot';

export const StoredRun = v.object({
  id: v.string(),
  /** Milliseconds since 1970; shown, never used in a result. */
  at: v.number(),
  method: v.string(),
  preset: v.string(),
  seed: v.number(),
  adapter: v.string(),
  wallMs: v.number(),
  config: v.record(v.string(), v.unknown()),
  metrics: v.record(v.string(), v.number()),
});
export type StoredRun = v.InferOutput<typeof StoredRun>;

const STORE = 'runs';

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('tenfold', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('storage is not available'));
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('storage refused'));
    transaction.onerror = () => reject(transaction.error ?? new Error('storage refused'));
  });
}

export async function listRuns(): Promise<StoredRun[]> {
  const database = await open();
  const transaction = database.transaction(STORE);
  const request = transaction.objectStore(STORE).getAll();
  await finished(transaction);
  database.close();
  // An older or foreign entry is left alone and not shown.
  return (request.result as unknown[])
    .filter((entry): entry is StoredRun => v.is(StoredRun, entry))
    .sort((a, b) => b.at - a.at);
}

export async function keepRun(run: StoredRun): Promise<void> {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, 'readwrite');
    transaction.objectStore(STORE).put(run);
    await finished(transaction);
  } finally {
    database.close();
  }
}
