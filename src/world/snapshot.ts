/** A world to bytes and back: only what differs from generated terrain is stored, so a snapshot takes a few kilobytes. */
import { deflateSync, inflateSync } from 'fflate';
import type { WorldConfig } from './config.ts';
import { template } from './generate.ts';
import { crc32 } from './hash.ts';
import { PAGE_CELLS, pool } from './pool.ts';
import { makeState, type State } from './state.ts';
import { H, MAGIC, STATE_BYTES } from './state-layout.ts';
import { SIM_VERSION } from './version.ts';

/** Blocks and light of a handle, XORed into a buffer: once with the world, once with the terrain leaves only what changed. */
function xorPage(out: Uint8Array, at: number, h: number): void {
  for (let i = 0; i < PAGE_CELLS; i++) {
    out[at + i] ^= h < 0 ? h & 255 : pool.blocks[h * PAGE_CELLS + i];
    out[at + PAGE_CELLS + i] ^= h < 0 ? (h >>> 8) & 255 : pool.light[h * PAGE_CELLS + i];
  }
}

const SECTION_BYTES = 4 + 2 * PAGE_CELLS;

/**
 * Bytes that restore() turns into an equal state: magic, version, CRC, then deflated: configuration, dynamic block and the difference to
 * generated terrain of every changed section. Typically 2-20 KB.
 */
export function snapshot(s: State): Uint8Array {
  const t = template(s.cfg, s.i32[H.worldSeed]);
  const changed: number[] = [];
  for (let i = 0; i < s.handles.length; i++) if (s.handles[i] !== t.handles[i]) changed.push(i);
  const config = new TextEncoder().encode(JSON.stringify(s.cfg));
  const head = 8 + ((config.length + 3) & ~3);
  const raw = new Uint8Array(head + STATE_BYTES + changed.length * SECTION_BYTES);
  const view = new DataView(raw.buffer);
  view.setUint32(0, config.length, true);
  view.setUint32(4, changed.length, true);
  raw.set(config, 8);
  raw.set(new Uint8Array(s.i32.buffer), head);
  changed.forEach((i, k) => {
    const at = head + STATE_BYTES + k * SECTION_BYTES;
    view.setUint32(at, i, true);
    xorPage(raw, at + 4, s.handles[i]);
    xorPage(raw, at + 4, t.handles[i]);
  });
  const packed = deflateSync(raw);
  const out = new Uint8Array(12 + packed.length);
  const top = new DataView(out.buffer);
  top.setUint32(0, MAGIC, true);
  top.setUint32(4, SIM_VERSION, true);
  top.setUint32(8, crc32(packed), true);
  out.set(packed, 12);
  return out;
}

/** Throws one clear error on foreign, damaged or other-version bytes. */
export function restore(bytes: Uint8Array): State {
  const top = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || top.getUint32(0, true) !== MAGIC) throw new Error('not a world snapshot');
  const version = top.getUint32(4, true);
  if (version !== SIM_VERSION)
    throw new Error(`snapshot of simulator version ${version}; this is version ${SIM_VERSION}`);
  const packed = bytes.subarray(12);
  if (crc32(packed) !== top.getUint32(8, true)) throw new Error('damaged world snapshot: checksum differs');
  const raw = inflateSync(packed);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const configLength = view.getUint32(0, true);
  const sections = view.getUint32(4, true);
  const head = 8 + ((configLength + 3) & ~3);
  const cfg = JSON.parse(new TextDecoder().decode(raw.subarray(8, 8 + configLength))) as WorldConfig;
  const words = raw.slice(head, head + STATE_BYTES).buffer as ArrayBuffer;
  const t = template(cfg, new Int32Array(words)[H.worldSeed]);
  const s = makeState(cfg, words, t.handles.slice());
  for (let k = 0; k < sections; k++) {
    const at = head + STATE_BYTES + k * SECTION_BYTES;
    const i = view.getUint32(at, true);
    xorPage(raw, at + 4, t.handles[i]);
    const page = pool.alloc(s.token);
    s.handles[i] = page;
    pool.blocks.set(raw.subarray(at + 4, at + 4 + PAGE_CELLS), page * PAGE_CELLS);
    pool.light.set(raw.subarray(at + 4 + PAGE_CELLS, at + SECTION_BYTES), page * PAGE_CELLS);
  }
  return s;
}
