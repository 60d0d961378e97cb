// Sections: the checked, optionally deflated byte blocks that an episode file is made of (methods/world.md 8.4).
// Layout, little endian, 8-byte aligned: fourcc u32, codec u32 (0 raw, 1 deflate), rawLen u64, len u64, crc u32, zero u32, data, zero padding.
// The CRC runs over the first 24 header bytes and the stored data, so no byte of a section can change unnoticed.

import { deflateSync, inflateSync } from 'fflate';
import { crc32 } from '../hash.ts';

export type EpisodeFileProblem = 'foreign' | 'truncated' | 'corrupt' | 'version' | 'simulator';

/** The one error class of this format; `message` is a single line made for a person. */
export class EpisodeFileError extends Error {
  readonly problem: EpisodeFileProblem;

  constructor(problem: EpisodeFileProblem, message: string) {
    super(message);
    this.name = 'EpisodeFileError';
    this.problem = problem;
  }
}

export const SECTION_HEADER = 32;
// A section holds one episode's log; 64 MiB is 600 hours of actions. It bounds what a hostile length can allocate.
const MAX_RAW = 64 << 20;

const align8 = (n: number) => (n + 7) & ~7;

export function encodeSection(name: string, raw: Uint8Array): Uint8Array {
  const deflated = deflateSync(raw, { level: 9 });
  const codec = deflated.length < raw.length ? 1 : 0;
  const stored = codec ? deflated : raw;
  const out = new Uint8Array(align8(SECTION_HEADER + stored.length));
  const view = new DataView(out.buffer);
  for (let i = 0; i < 4; i++) out[i] = name.charCodeAt(i);
  view.setUint32(4, codec, true);
  view.setBigUint64(8, BigInt(raw.length), true);
  view.setBigUint64(16, BigInt(stored.length), true);
  view.setUint32(24, crc32(stored, crc32(out.subarray(0, 24))), true);
  out.set(stored, SECTION_HEADER);
  return out;
}

export interface Section {
  name: string;
  raw: Uint8Array;
  /** Offset of the byte after this section and its padding. */
  end: number;
}

/** Reads the section at `at`, which must lie wholly before `limit`. `what` names the place in error messages. */
export function decodeSection(bytes: Uint8Array, at: number, limit: number, what: string): Section {
  const corrupt = (why: string) => new EpisodeFileError('corrupt', `episode file is corrupt: ${what} ${why}`);
  if (at % 8 !== 0 || at < 0 || at + SECTION_HEADER > limit) throw corrupt('points outside the file');
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, SECTION_HEADER);
  const codec = view.getUint32(4, true);
  const rawLength = view.getBigUint64(8, true);
  const length = view.getBigUint64(16, true);
  if (codec > 1) throw corrupt(`uses unknown codec ${codec}`);
  if (rawLength > MAX_RAW || length > BigInt(limit - at - SECTION_HEADER)) throw corrupt('has an impossible length');
  const start = at + SECTION_HEADER;
  const stop = start + Number(length);
  const end = at + align8(stop - at);
  const stored = bytes.subarray(start, stop);
  if (crc32(stored, crc32(bytes.subarray(at, at + 24))) !== view.getUint32(24, true))
    throw corrupt('fails its checksum');
  if (end > limit || view.getUint32(28, true) !== 0 || bytes.subarray(stop, end).some((b) => b !== 0)) {
    throw corrupt('has bytes where there must be none');
  }
  return {
    name: String.fromCharCode(...bytes.subarray(at, at + 4)),
    raw: inflate(stored, codec, Number(rawLength), corrupt),
    end,
  };
}

function inflate(stored: Uint8Array, codec: number, rawLength: number, corrupt: (why: string) => Error): Uint8Array {
  if (codec === 0) {
    if (stored.length !== rawLength) throw corrupt('has two different lengths');
    return stored;
  }
  let raw: Uint8Array;
  try {
    raw = inflateSync(stored, { out: new Uint8Array(rawLength) });
  } catch {
    throw corrupt('cannot be inflated');
  }
  if (raw.length !== rawLength) throw corrupt('inflates to another length');
  return raw;
}
