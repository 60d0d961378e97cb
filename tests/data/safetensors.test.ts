// Safetensors: what we write we read, half precision rounds right, and no file whatever makes the reader misbehave.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fromHalf,
  readSafetensors,
  SafetensorsError,
  type TensorToWrite,
  toFloat32,
  toHalf,
  writeSafetensors,
} from '../../src/data/safetensors.ts';
import { TOLERANCE } from '../support/tolerance.ts';

/** A file with any header. */
function file(header: unknown, data = 0, length?: bigint): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + text.length + data);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  out.set(text, 8);
  return out;
}

const sample = new Map<string, TensorToWrite>([
  ['a', { shape: [2, 3], values: Float32Array.of(1, -2, 0.5, 1e-30, -0, 3e38) }],
  ['half', { shape: [4], values: Float32Array.of(1, -0.5, 65504, 2 ** -24), dtype: 'F16' }],
  ['scalar', { shape: [], values: Float32Array.of(7) }],
  ['empty', { shape: [0, 5], values: new Float32Array(0) }],
]);

describe('written and read', () => {
  const read = readSafetensors(writeSafetensors(sample, { title: 'Grüße', n: '3' }));

  test('names, shapes, values and metadata survive', () => {
    expect(read.metadata).toEqual({ title: 'Grüße', n: '3' });
    expect([...read.tensors.keys()]).toEqual(['a', 'half', 'scalar', 'empty']);
    for (const [name, t] of sample) {
      const got = read.tensors.get(name);
      expect(got?.shape).toEqual(t.shape);
      expect(got && toFloat32(got)).toEqual(t.values);
    }
  });

  test('the data starts at a multiple of 8 bytes, as the format asks', () => {
    for (const title of ['', 'x', 'xx', 'xxxxxxx']) {
      const bytes = writeSafetensors(sample, { title });
      expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
    }
  });

  test('a file inside a larger buffer', () => {
    const bytes = writeSafetensors(sample);
    const large = new Uint8Array(bytes.length + 13);
    large.set(bytes, 5);
    const got = readSafetensors(large.subarray(5, 5 + bytes.length)).tensors.get('a');
    expect(got && toFloat32(got)).toEqual(sample.get('a')?.values);
  });

  test('any set of tensors', () => {
    const tensor = fc
      .record({ shape: fc.array(fc.nat(4), { maxLength: 3 }), half: fc.boolean(), seed: fc.nat(1000) })
      .map(({ shape, half, seed }): TensorToWrite => {
        const n = shape.reduce((a, b) => a * b, 1);
        const values = Float32Array.from({ length: n }, (_, i) => fromHalf((i * 7919 + seed * 31) % 31744));
        return { shape, values, dtype: half ? 'F16' : 'F32' };
      });
    const name = fc.string({ minLength: 1 }).filter((s) => s !== '__metadata__' && s !== '__proto__');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, tensor), { maxLength: 5 }),
        fc.dictionary(name, fc.string()),
        (list, meta) => {
          const tensors = new Map(list);
          const got = readSafetensors(writeSafetensors(tensors, meta));
          expect(got.metadata).toEqual({ ...meta });
          expect(got.tensors.size).toBe(tensors.size);
          for (const [key, t] of tensors) {
            const back = got.tensors.get(key);
            expect(back?.shape).toEqual(t.shape);
            expect(back && toFloat32(back)).toEqual(t.values);
          }
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });
});

describe('half precision', () => {
  test('all 65536 patterns survive', () => {
    let wrong = 0;
    for (let h = 0; h < 65536; h++) {
      const x = fromHalf(h);
      if (Number.isNaN(x) ? !Number.isNaN(fromHalf(toHalf(x))) : toHalf(x) !== h) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [1e9, 0x7c00],
    [-Number.POSITIVE_INFINITY, 0xfc00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -26, 0x0400],
    [-0, 0x8000],
    // Ties go to the even neighbour.
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2047.5 * 2, 0x6c00],
  ])('%f is %i', (x, h) => {
    expect(toHalf(x)).toBe(h);
  });

  test('rounds to the nearest neighbour', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (x) => {
        const back = fromHalf(toHalf(x));
        const bound = Math.max(Math.abs(x) * TOLERANCE.f16.rounding, 2 ** -25);
        expect(Math.abs(back - x)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 2000, seed: 2 },
    );
  });
});

test('brain floats are widened', () => {
  const header = { b: { dtype: 'BF16', shape: [3], data_offsets: [0, 6] } };
  const bytes = file(header, 6);
  bytes.set([0x80, 0x3f, 0x20, 0xc0, 0, 0], bytes.length - 6);
  const t = readSafetensors(bytes).tensors.get('b');
  expect(t && toFloat32(t)).toEqual(Float32Array.of(1, -2.5, 0));
});

test('integers are not read as weights', () => {
  for (const [dtype, width] of [
    ['U8', 1],
    ['U32', 4],
    ['I32', 4],
    ['I64', 8],
  ] as const) {
    const t = readSafetensors(file({ x: { dtype, shape: [2], data_offsets: [0, 2 * width] } }, 2 * width)).tensors.get(
      'x',
    );
    expect(t?.bytes.length).toBe(2 * width);
    expect(() => t && toFloat32(t)).toThrow(SafetensorsError);
  }
});

const f32 = (change: object) => ({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change } });

describe('faults', () => {
  test.each([
    ['too short', new Uint8Array(7), 'too few'],
    ['a header longer than the file', file('{}', 0, 3n), 'claims 3 bytes'],
    ['a header longer than any file', file('{}', 0, 2n ** 64n - 1n), 'claims'],
    ['no JSON', file('{"a"'), 'not JSON'],
    ['no text', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe), 'not JSON'],
    ['a list', file([]), 'not an object'],
    ['null', file('null'), 'not an object'],
    ['an entry that is a number', file({ x: 3 }), 'entry x'],
    ['an entry that is null', file({ x: null }), 'entry x'],
    ['no type', file(f32({ dtype: undefined }), 8), 'type undefined'],
    ['a foreign type', file(f32({ dtype: 'F8_E4M3' }), 8), 'F8_E4M3'],
    ['a type from the prototype', file(f32({ dtype: 'constructor' }), 8), 'constructor'],
    ['a negative side', file(f32({ shape: [-2] }), 8), 'no valid shape'],
    ['a broken side', file(f32({ shape: [0.5, 4] }), 8), 'no valid shape'],
    ['no shape', file(f32({ shape: 2 }), 8), 'no valid shape'],
    ['three offsets', file(f32({ data_offsets: [0, 4, 8] }), 8), 'no valid offsets'],
    ['offsets that are texts', file(f32({ data_offsets: ['0', '8'] }), 8), 'no valid offsets'],
    ['turned offsets', file(f32({ data_offsets: [8, 0] }), 8), 'needs 8 bytes, its offsets give -8'],
    ['offsets that do not fit the shape', file(f32({ data_offsets: [0, 4] }), 8), 'needs 8 bytes'],
    ['data cut short', file(f32({}), 7), 'cut short'],
    ['a size beyond all numbers', file(f32({ shape: [2 ** 50, 2 ** 50] }), 8), 'needs'],
  ])('%s', (_, bytes, part) => {
    expect(() => readSafetensors(bytes as Uint8Array<ArrayBuffer>)).toThrow(SafetensorsError);
    expect(() => readSafetensors(bytes as Uint8Array<ArrayBuffer>)).toThrow(part);
  });

  /** Reads, decodes what was read, and lets only the reader's own error pass. */
  function survives(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      for (const t of readSafetensors(bytes).tensors.values()) toFloat32(t);
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw error;
      expect(error.message.length).toBeGreaterThan(10);
    }
  }

  test('arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(Uint8Array.from(bytes))),
      { numRuns: 500, seed: 3 },
    );
  });

  test('arbitrary headers', () => {
    const entry = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          dtype: fc.oneof(fc.constantFrom('F32', 'F16', 'BF16', 'U8', 'I64', '__proto__', 'toString'), fc.jsonValue()),
          shape: fc.oneof(fc.array(fc.oneof(fc.nat(5), fc.integer(), fc.double()), { maxLength: 3 }), fc.jsonValue()),
          data_offsets: fc.oneof(fc.tuple(fc.nat(70), fc.nat(70)), fc.jsonValue()),
        },
        { requiredKeys: [] },
      ),
    );
    const name = fc.oneof(fc.string(), fc.constantFrom('__metadata__', '__proto__', 'constructor'));
    fc.assert(
      fc.property(fc.dictionary(name, entry), fc.nat(80), (header, data) => survives(file(header, data))),
      { numRuns: 1000, seed: 4 },
    );
  });

  test('a good file with some bytes changed or cut off', () => {
    const good = writeSafetensors(sample, { title: 't' });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.nat(good.length),
        (edits, end) => {
          const bytes = good.slice();
          for (const [at, value] of edits) bytes[at] = value;
          survives(bytes.slice(0, edits.length === 0 ? end : bytes.length));
        },
      ),
      { numRuns: 1000, seed: 5 },
    );
  });
});
