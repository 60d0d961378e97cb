// The episode file: round trips, and one clear error for every way a file can be wrong.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorldConfig } from '../../src/world/config.ts';
import { fromPlanes, toPlanes, VarintReader, VarintWriter } from '../../src/world/episodes/bytes.ts';
import { EpisodeFile, encodeEpisodes } from '../../src/world/episodes/d4d.ts';
import { type Episode, hashCount } from '../../src/world/episodes/episode.ts';
import { EpisodeFileError } from '../../src/world/episodes/sections.ts';
import { crc32 } from '../../src/world/hash.ts';

const SIM = 0x1234abcd;
// The file never looks inside a configuration beyond its tick rate, so a small one stands for all.
const config = (name: string, ticksPerStep = 2) => ({ name, ticksPerStep }) as unknown as WorldConfig;

function episode(over: Partial<Episode> = {}, steps = 137): Episode {
  const cfg = over.config ?? config('a');
  return {
    config: cfg,
    worldSeed: 0xfedcba98,
    episodeSeed: 7,
    player: 'rambler',
    actions: Uint32Array.from({ length: steps }, (_, i) => ((60 << 23) | (i % 9 ? 16 : i)) >>> 0),
    events: [
      { tick: 3, type: 1, a: 5, b: 0 },
      { tick: 3, type: 2, a: 300, b: 70000 },
      { tick: 200, type: 1, a: 0, b: 1 },
    ],
    hashes: Uint32Array.from({ length: 2 * hashCount(steps * cfg.ticksPerStep) }, (_, i) => (i * 0x9e3779b1) >>> 0),
    ...over,
  };
}

const sample = () => [
  episode(),
  episode({ player: 'builder', events: [] }, 1),
  episode({ config: config('b', 1) }, 400),
  episode({}, 0),
];

function problem(run: () => unknown): EpisodeFileError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(EpisodeFileError);
    return error as EpisodeFileError;
  }
  throw new Error('no error was thrown');
}

const readAll = (bytes: Uint8Array, sim = SIM) => new EpisodeFile(bytes, sim).all();

describe('bytes', () => {
  it('computes the CRC-32 check value, whole and in pieces', () => {
    const bytes = new TextEncoder().encode('123456789');
    expect(crc32(bytes)).toBe(0xcbf43926);
    expect(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4)))).toBe(0xcbf43926);
  });

  it('round-trips varints and refuses to run past the end', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER })), (values) => {
        const w = new VarintWriter();
        for (const v of values) w.put(v);
        const r = new VarintReader(w.finish());
        expect(values.map(() => r.next())).toEqual(values);
        expect(r.done).toBe(true);
        expect(() => r.next()).toThrow(RangeError);
      }),
      { numRuns: 100 },
    );
  });

  it('round-trips byte planes', () => {
    const words = Uint32Array.from([0, 1, 0xffffffff, 0x01020304, 60 << 23]);
    expect(fromPlanes(toPlanes(words))).toEqual(words);
    expect([...toPlanes(Uint32Array.from([0x04030201]))]).toEqual([1, 2, 3, 4]);
    expect(() => fromPlanes(new Uint8Array(5))).toThrow(RangeError);
  });
});

describe('episode file', () => {
  it('gives back what went in, several configurations and an empty episode included', () => {
    const file = new EpisodeFile(encodeEpisodes(sample(), SIM), SIM);
    expect(file.count).toBe(4);
    expect(file.entries.map((e) => e.steps)).toEqual([137, 1, 400, 0]);
    expect(file.all()).toEqual(sample());
    expect(file.read(2)).toEqual(sample()[2]);
    expect(() => file.read(4)).toThrow(RangeError);
  });

  it('holds an empty set', () => {
    expect(readAll(encodeEpisodes([], SIM))).toEqual([]);
  });

  it('is small: repeated actions cost less than a byte per step', () => {
    const n = 6000;
    const bytes = encodeEpisodes([episode({ hashes: new Uint32Array(2 * hashCount(2 * n)), events: [] }, n)], SIM);
    expect(bytes.length).toBeLessThan(n);
  });

  it('reads from the middle of a larger buffer', () => {
    const bytes = encodeEpisodes(sample(), SIM);
    const large = new Uint8Array(bytes.length + 13);
    large.set(bytes, 5);
    expect(readAll(large.subarray(5, 5 + bytes.length))).toEqual(sample());
  });

  it('names a foreign file, an empty one, a later format and another simulator', () => {
    expect(problem(() => readAll(new TextEncoder().encode('{"not": "this"}'.repeat(10)))).problem).toBe('foreign');
    expect(problem(() => readAll(new Uint8Array(0))).problem).toBe('foreign');
    const other = problem(() => readAll(encodeEpisodes(sample(), SIM), SIM + 1));
    expect(other.problem).toBe('simulator');
    expect(other.message).toContain('another simulator version (1234abcd, this one is 1234abce)');
    const later = encodeEpisodes(sample(), SIM);
    later[4] = 2;
    new DataView(later.buffer).setUint32(60, crc32(later.subarray(0, 60)), true);
    expect(problem(() => readAll(later)).problem).toBe('version');
  });

  it('reports every truncation', () => {
    const bytes = encodeEpisodes(sample(), SIM);
    for (let n = 4; n < bytes.length; n++)
      expect(problem(() => readAll(bytes.subarray(0, n))).problem).toBe('truncated');
  });

  it('refuses bytes after the end', () => {
    const bytes = encodeEpisodes(sample(), SIM);
    const longer = new Uint8Array(bytes.length + 8);
    longer.set(bytes);
    expect(problem(() => readAll(longer)).problem).toBe('corrupt');
  });

  it('notices any single changed byte', () => {
    const bytes = encodeEpisodes(sample(), SIM);
    for (let i = 0; i < bytes.length; i++) {
      const bad = bytes.slice();
      bad[i] ^= 1 << (i % 8);
      const { message } = problem(() => readAll(bad));
      expect(message).not.toContain('\n');
    }
  });

  it('never throws anything but its own error on damaged or random bytes', () => {
    const bytes = encodeEpisodes(sample(), SIM);
    const damage = fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(damage, fc.boolean(), (edits, fixHeader) => {
        const bad = bytes.slice();
        for (const [at, value] of edits) bad[at] = value;
        // With a valid header checksum the damage reaches the layers below.
        if (fixHeader) new DataView(bad.buffer).setUint32(60, crc32(bad.subarray(0, 60)), true);
        try {
          expect(readAll(bad)).toEqual(sample());
        } catch (error) {
          expect(error).toBeInstanceOf(EpisodeFileError);
        }
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
        const bad = new Uint8Array([0x44, 0x34, 0x44, 0x53, ...tail]);
        expect(problem(() => readAll(bad)).problem).not.toBe('foreign');
      }),
      { numRuns: 200 },
    );
  });
});
