// Clips: the same program gives the same pixels; the two halves of a pair have the same frames in reverse; classes are balanced.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  APPEARANCE_CLASSES,
  clipOf,
  ORDER_CLASSES,
  PAIRS,
  PROGRAM,
  renderClip,
  shuffleFrames,
} from '../../../src/methods/salt/clips.ts';

const FRAMES = 8;
const SIZE = 24;
/** Place of "reversed" in a program. */
const REVERSED = 12;

function framesOf(pixels: Uint8Array): string[] {
  const each = pixels.length / FRAMES;
  return Array.from({ length: FRAMES }, (_, f) =>
    createHash('sha256')
      .update(pixels.subarray(f * each, (f + 1) * each))
      .digest('hex'),
  );
}

test('a clip is a function of seed and index', () => {
  const first = clipOf(5, 17);
  expect(first.program.length).toBe(PROGRAM);
  expect(clipOf(5, 17)).toEqual(first);
  expect(clipOf(6, 17)).not.toEqual(first);
  expect(renderClip(first.program, FRAMES, SIZE)).toEqual(renderClip(clipOf(5, 17).program, FRAMES, SIZE));
});

test('the halves of every pair share the same frames, in reverse, and frames differ', () => {
  const seen = new Set<number>();
  for (let i = 0; seen.size < ORDER_CLASSES.length; i++) {
    const { program, order } = clipOf(1, i);
    expect(program[REVERSED]).toBe(order % 2);
    const other = program.slice();
    other[REVERSED] = 1 - program[REVERSED];
    const [a, b] = [program, other].map((p) => framesOf(renderClip(p, FRAMES, SIZE)));
    expect(b).toEqual([...a].reverse());
    expect([...b].sort()).toEqual([...a].sort());
    // Else there would be no order to see.
    expect(new Set(a).size, ORDER_CLASSES[order]).toBeGreaterThan(FRAMES / 2);
    expect(a[0]).not.toBe(a[FRAMES - 1]);
    seen.add(order);
  }
});

test('classes come equally often, and appearance says nothing about order', () => {
  const n = 4000;
  const order = new Array<number>(ORDER_CLASSES.length).fill(0);
  const appearance = new Array<number>(APPEARANCE_CLASSES.length).fill(0);
  const later = new Array<number>(APPEARANCE_CLASSES.length).fill(0);
  for (let i = 0; i < n; i++) {
    const clip = clipOf(2, i);
    order[clip.order] += 1;
    appearance[clip.appearance] += 1;
    later[clip.appearance] += clip.order % 2;
  }
  expect(ORDER_CLASSES.length).toBe(2 * PAIRS.length);
  for (const c of order) expect(Math.abs(c / n - 1 / order.length)).toBeLessThan(0.02);
  for (const [k, c] of appearance.entries()) {
    expect(Math.abs(c / n - 1 / appearance.length)).toBeLessThan(0.025);
    expect(Math.abs(later[k] / c - 0.5)).toBeLessThan(0.1);
  }
});

test('shuffling keeps the frames and forgets their order', () => {
  const pixels = renderClip(clipOf(3, 4).program, FRAMES, SIZE);
  const shuffled = shuffleFrames(pixels, FRAMES, 8);
  expect(framesOf(shuffled)).not.toEqual(framesOf(pixels));
  expect(framesOf(shuffled).sort()).toEqual(framesOf(pixels).sort());
  const firsts = new Set(
    Array.from({ length: 40 }, (_, seed) => framesOf(shuffleFrames(pixels, FRAMES, seed)).indexOf(framesOf(pixels)[0])),
  );
  expect(firsts.size).toBeGreaterThan(4);
});
