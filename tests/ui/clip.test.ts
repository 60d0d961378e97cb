// The last minute, and the WebM file around its pictures, read back by an independent parser.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClipRing } from '../../src/ui/playground/clip.ts';
import { type VideoChunk, writeWebm } from '../../src/ui/playground/webm.ts';

const truth = () => Uint8Array.of(1, 2, 3);

describe('ClipRing', () => {
  test('keeps the newest frames only', () => {
    const ring = new ClipRing(3);
    for (let index = 0; index < 5; index++) ring.push({ index, truth: truth(), dream: null, psnr: null });
    expect(ring.frames().map(({ index }) => index)).toEqual([2, 3, 4]);
  });

  test('a dream that comes later joins the frame of its step', () => {
    const ring = new ClipRing(3);
    for (let index = 0; index < 3; index++) ring.push({ index, truth: truth(), dream: null, psnr: null });
    ring.attachDream(1, Uint8Array.of(9), 20);
    expect(ring.frames().map(({ psnr }) => psnr)).toEqual([null, 20, null]);
    ring.attachDream(77, Uint8Array.of(9), 20);
    expect(ring.frames().filter(({ dream }) => dream)).toHaveLength(1);
  });
});

interface Element {
  id: number;
  data: Uint8Array;
}

/** Elements of one level: id with its marker bits, then a length of 1 to 8 bytes. */
function parse(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const idLength = Math.clz32(bytes[at]) - 23;
    let id = 0;
    for (let i = 0; i < idLength; i++) id = id * 256 + bytes[at + i];
    at += idLength;
    const sizeLength = Math.clz32(bytes[at]) - 23;
    let size = bytes[at] & (0xff >> sizeLength);
    for (let i = 1; i < sizeLength; i++) size = size * 256 + bytes[at + i];
    at += sizeLength;
    if (at + size > bytes.length) throw new Error(`element ${id.toString(16)} of ${size} bytes runs over the end`);
    elements.push({ id, data: bytes.subarray(at, at + size) });
    at += size;
  }
  return elements;
}
const child = (elements: Element[], id: number) => {
  const found = elements.find((element) => element.id === id);
  if (!found) throw new Error(`no element ${id.toString(16)}`);
  return found.data;
};
const number = (data: Uint8Array) => data.reduce((value, byte) => value * 256 + byte, 0);

describe('writeWebm', () => {
  const track = { codec: 'V_VP9' as const, width: 1032, height: 416, milliseconds: 60_000 };

  test('head and track', () => {
    const [ebml, segment] = parse(writeWebm(track, [{ bytes: Uint8Array.of(1), key: true, milliseconds: 0 }]));
    expect(ebml.id).toBe(0x1a45dfa3);
    expect(new TextDecoder().decode(child(parse(ebml.data), 0x4282))).toBe('webm');
    const parts = parse(segment.data);
    const info = parse(child(parts, 0x1549a966));
    expect(number(child(info, 0x2ad7b1))).toBe(1_000_000);
    const duration = child(info, 0x4489);
    expect(new DataView(duration.buffer, duration.byteOffset).getFloat64(0)).toBe(60_000);
    const entry = parse(child(parse(child(parts, 0x1654ae6b)), 0xae));
    expect(new TextDecoder().decode(child(entry, 0x86))).toBe('V_VP9');
    const video = parse(child(entry, 0xe0));
    expect([number(child(video, 0xb0)), number(child(video, 0xba))]).toEqual([1032, 416]);
  });

  test('every chunk comes back with its time, its key flag and its bytes', () => {
    const chunk = fc.record({
      bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      key: fc.boolean(),
      gap: fc.integer({ min: 1, max: 9000 }),
    });
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 40 }), (raw) => {
        let milliseconds = 0;
        const chunks: VideoChunk[] = raw.map(({ bytes, key, gap }, i) => {
          if (i > 0) milliseconds += gap;
          return { bytes: Uint8Array.from(bytes), key: key || i === 0, milliseconds };
        });
        const [, segment] = parse(writeWebm(track, chunks));
        const read = parse(segment.data)
          .filter(({ id }) => id === 0x1f43b675)
          .flatMap(({ data }) => {
            const inside = parse(data);
            const start = number(child(inside, 0xe7));
            return inside
              .filter(({ id }) => id === 0xa3)
              .map(({ data: block }) => ({
                bytes: block.slice(4),
                key: (block[3] & 0x80) !== 0,
                milliseconds: start + new DataView(block.buffer, block.byteOffset).getInt16(1),
              }));
          });
        expect(read).toEqual(chunks);
      }),
    );
  });
});
