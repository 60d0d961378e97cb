// The episode file `.d4d` (methods/world.md 8.4): a header, per episode the sections META, ACTS, EVTS, HASH, and an index at the end.
// It stores actions only; frames are rendered again from them. Snapshots for random access (KEYF), frames (FRMS) and latents (LATS) are not
// written: replaying from the start of an episode costs less than reading them.
// Header, 64 bytes: magic "D4DS", version u16, flags u16, simVersion u32, profile CRC u32, index offset u64, index length u64, episode count u32,
// zeros, and in the last four bytes the CRC of the first sixty.

import type { WorldConfig } from '../config.ts';
import { crc32 } from '../hash.ts';
import { fromPlanes, toPlanes, VarintReader, VarintWriter } from './bytes.ts';
import { type Episode, type EpisodeEvent, hashCount } from './episode.ts';
import { decodeSection, EpisodeFileError, encodeSection, type Section } from './sections.ts';

const HEADER = 64;
const FORMAT_VERSION = 1;
const MAGIC = 'D4DS';

interface IndexEntry {
  offset: number;
  steps: number;
  player: string;
  worldSeed: number;
}

interface Index {
  /** Episodes refer to these by position: a set rarely uses more than a handful of configurations. */
  configs: WorldConfig[];
  episodes: IndexEntry[];
}

interface Meta {
  config: number;
  worldSeed: number;
  episodeSeed: number;
  player: string;
}

const text = new TextEncoder();
const json = (value: unknown) => text.encode(JSON.stringify(value));

export function encodeEpisodes(episodes: readonly Episode[], simVersion: number): Uint8Array {
  const configs: WorldConfig[] = [];
  const configAt = new Map<string, number>();
  const index: Index = { configs, episodes: [] };
  const parts: Uint8Array[] = [];
  let offset = HEADER;
  const put = (name: string, raw: Uint8Array) => {
    const bytes = encodeSection(name, raw);
    parts.push(bytes);
    offset += bytes.length;
  };
  for (const ep of episodes) {
    const key = JSON.stringify(ep.config);
    let config = configAt.get(key);
    if (config === undefined) {
      config = configs.push(ep.config) - 1;
      configAt.set(key, config);
    }
    const { worldSeed, episodeSeed, player } = ep;
    index.episodes.push({ offset, steps: ep.actions.length, player, worldSeed });
    put('META', json({ config, worldSeed, episodeSeed, player } satisfies Meta));
    put('ACTS', toPlanes(ep.actions));
    put('EVTS', encodeEvents(ep.events));
    put('HASH', toPlanes(ep.hashes));
  }
  const indexOffset = offset;
  put('INDX', json(index));
  const out = new Uint8Array(offset);
  const view = new DataView(out.buffer);
  for (let i = 0; i < 4; i++) out[i] = MAGIC.charCodeAt(i);
  view.setUint16(4, FORMAT_VERSION, true);
  view.setUint32(8, simVersion, true);
  view.setUint32(12, crc32(json(configs)), true);
  view.setBigUint64(16, BigInt(indexOffset), true);
  view.setBigUint64(24, BigInt(offset - indexOffset), true);
  view.setUint32(32, episodes.length, true);
  view.setUint32(60, crc32(out.subarray(0, 60)), true);
  let at = HEADER;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export class EpisodeFile {
  readonly entries: readonly Readonly<IndexEntry>[];
  readonly simVersion: number;
  private readonly bytes: Uint8Array;
  private readonly configs: WorldConfig[];
  private readonly indexOffset: number;

  /** Checks header and index; episodes are checked when read. `simVersion` is the running simulator's. Throws EpisodeFileError. */
  constructor(bytes: Uint8Array, simVersion: number) {
    const header = readHeader(bytes);
    if (header.simVersion !== simVersion) {
      throw new EpisodeFileError(
        'simulator',
        `episodes were recorded by another simulator version (${hex(header.simVersion)}, this one is ${hex(simVersion)}); record them again`,
      );
    }
    const section = expectSection(bytes, header.indexOffset, bytes.length, 'INDX', 'the index');
    const index = parseJson(section.raw, isIndex, 'the index');
    if (section.end !== bytes.length || index.episodes.length !== header.count)
      throw corrupt('the index does not match the header');
    if (crc32(json(index.configs)) !== header.profileCrc) throw corrupt('the configurations do not match the header');
    this.bytes = bytes;
    this.simVersion = simVersion;
    this.entries = index.episodes;
    this.configs = index.configs;
    this.indexOffset = header.indexOffset;
  }

  get count(): number {
    return this.entries.length;
  }

  read(i: number): Episode {
    const entry = this.entries[i];
    if (!entry) throw new RangeError(`episode ${i} of ${this.count}`);
    const what = `episode ${i}`;
    let at = entry.offset;
    const next = (name: string) => {
      const section = expectSection(this.bytes, at, this.indexOffset, name, what);
      at = section.end;
      return section.raw;
    };
    const meta = parseJson(next('META'), isMeta, what);
    const config = this.configs[meta.config];
    if (!config) throw corrupt(`${what} names a configuration that is not there`);
    const { worldSeed, episodeSeed, player } = meta;
    try {
      const actions = fromPlanes(next('ACTS'));
      const events = decodeEvents(next('EVTS'));
      const hashes = fromPlanes(next('HASH'));
      if (actions.length !== entry.steps || hashes.length !== 2 * hashCount(actions.length * config.ticksPerStep)) {
        throw corrupt(`${what} has the wrong number of steps`);
      }
      return { config, worldSeed, episodeSeed, player, actions, events, hashes };
    } catch (error) {
      if (error instanceof RangeError) throw corrupt(`${what}: ${error.message}`);
      throw error;
    }
  }

  all(): Episode[] {
    return this.entries.map((_, i) => this.read(i));
  }
}

const hex = (v: number) => v.toString(16).padStart(8, '0');
const corrupt = (why: string) => new EpisodeFileError('corrupt', `episode file is corrupt: ${why}`);

function readHeader(bytes: Uint8Array) {
  const head = String.fromCharCode(...bytes.subarray(0, 4));
  if (!MAGIC.startsWith(head) || bytes.length === 0)
    throw new EpisodeFileError('foreign', 'not an episode file (it does not begin with D4DS)');
  if (bytes.length < HEADER) throw truncated();
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER);
  const version = view.getUint16(4, true);
  if (crc32(bytes.subarray(0, 60)) !== view.getUint32(60, true)) throw corrupt('the header fails its checksum');
  if (version !== FORMAT_VERSION) {
    throw new EpisodeFileError(
      'version',
      `episode file has format version ${version}; this program reads version ${FORMAT_VERSION}`,
    );
  }
  const end = view.getBigUint64(16, true) + view.getBigUint64(24, true);
  if (end > BigInt(bytes.length)) throw truncated();
  if (end < BigInt(bytes.length)) throw corrupt('there are bytes after the end');
  return {
    simVersion: view.getUint32(8, true),
    profileCrc: view.getUint32(12, true),
    indexOffset: Number(view.getBigUint64(16, true)),
    count: view.getUint32(32, true),
  };
}

const truncated = () => new EpisodeFileError('truncated', 'episode file is truncated: its end is missing');

function expectSection(bytes: Uint8Array, at: number, limit: number, name: string, what: string): Section {
  const section = decodeSection(bytes, at, limit, what);
  if (section.name !== name)
    throw corrupt(`${what} has a section ${JSON.stringify(section.name)} where ${name} must be`);
  return section;
}

function parseJson<T>(raw: Uint8Array, is: (value: unknown) => value is T, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(raw));
  } catch {
    throw corrupt(`${what} is not JSON`);
  }
  if (!is(value)) throw corrupt(`${what} has the wrong fields`);
  return value;
}

const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null;
const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;

function isMeta(v: unknown): v is Meta {
  return (
    isRecord(v) && isCount(v.config) && isCount(v.worldSeed) && isCount(v.episodeSeed) && typeof v.player === 'string'
  );
}

function isIndex(v: unknown): v is Index {
  return (
    isRecord(v) &&
    Array.isArray(v.configs) &&
    v.configs.every((c) => isRecord(c) && isCount(c.ticksPerStep) && c.ticksPerStep > 0) &&
    Array.isArray(v.episodes) &&
    v.episodes.every(
      (e) =>
        isRecord(e) && isCount(e.offset) && isCount(e.steps) && isCount(e.worldSeed) && typeof e.player === 'string',
    )
  );
}

/** Events in tick order: varints dtick, type, a, b. */
function encodeEvents(events: readonly EpisodeEvent[]): Uint8Array {
  const out = new VarintWriter();
  let tick = 0;
  for (const e of events) {
    out.put(e.tick - tick);
    out.put(e.type);
    out.put(e.a >>> 0);
    out.put(e.b >>> 0);
    tick = e.tick;
  }
  return out.finish();
}

function decodeEvents(raw: Uint8Array): EpisodeEvent[] {
  const input = new VarintReader(raw);
  const events: EpisodeEvent[] = [];
  let tick = 0;
  while (!input.done) {
    tick += input.next();
    events.push({ tick, type: input.next(), a: input.next(), b: input.next() });
  }
  return events;
}
