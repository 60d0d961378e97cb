/**
 * Measured matmul tiles of this machine's adapters, kept between runs: one small JSON file an adapter. A file that cannot be read
 * or says something else is as good as none.
 */
import { integer, minValue, number, object, parse, pipe, record, string } from 'valibot';
import type { AdapterReport, Gpu, GpuResult, TileTable } from '../gpu/device.ts';
import type { Storage } from './storage.ts';

/** Grows when kernels change so much that old measurements mean nothing. */
const VERSION = 1;

const positive = pipe(number(), integer(), minValue(1));
const Schema = object({
  version: number(),
  adapter: string(),
  date: string(),
  tiles: record(string(), object({ rows: positive, blocks: positive })),
});

const describe = (r: AdapterReport): string => [r.vendor, r.architecture, r.device, r.description].join(' | ');

function fileOf(report: AdapterReport): string {
  let h = 2166136261;
  for (const c of describe(report)) h = Math.imul(h ^ (c.codePointAt(0) ?? 0), 16777619);
  return `tiles-${(h >>> 0).toString(16).padStart(8, '0')}.json`;
}

export async function loadTiles(storage: Storage, report: AdapterReport): Promise<TileTable | null> {
  try {
    const bytes = await storage.read(fileOf(report));
    if (!bytes) return null;
    const found = parse(Schema, JSON.parse(new TextDecoder().decode(bytes)));
    return found.version === VERSION && found.adapter === describe(report) ? found.tiles : null;
  } catch {
    return null;
  }
}

export async function saveTiles(storage: Storage, report: AdapterReport, tiles: TileTable, date: Date): Promise<void> {
  const content = { version: VERSION, adapter: describe(report), date: date.toISOString(), tiles };
  await storage.write(fileOf(report), new TextEncoder().encode(JSON.stringify(content, null, 2)));
}

/** Opens a device that uses what was measured on its adapter before, if anything was. */
export async function openWithTiles(
  open: () => Promise<GpuResult>,
  storage: () => Promise<Storage>,
): Promise<GpuResult> {
  const result = await open();
  if (result.ok) await applyTiles(result.gpu, storage);
  return result;
}

async function applyTiles(gpu: Gpu, storage: () => Promise<Storage>): Promise<void> {
  // No storage (a private window) is no reason to have no device.
  const tiles = await storage()
    .then((s) => loadTiles(s, gpu.report))
    .catch(() => null);
  if (tiles) gpu.conditions.tiles = tiles;
}
