/** The event ring and the schedule: bounded, ordered, and never part of what decides a replay. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT, EVENT_NAMES, emit, eventCount, events, eventsSince } from '../../src/world/events.ts';
import { popDue, schedKind, schedPos, schedule } from '../../src/world/schedule.ts';
import { H, HEADER_FLAG, packPos, posX, posY, posZ, SCHED, SCHED_MAX } from '../../src/world/state-layout.ts';
import { hash } from '../../src/world/world.ts';
import { flat } from './arena.ts';

describe('event ring', () => {
  it('gives the new events since a mark, keeps 64, and does not touch the hash', () => {
    const s = flat();
    const before = hash(s);
    const mark = eventCount(s);
    for (let i = 0; i < 10; i++) emit(s, EVENT.placed, i, 100 + i);
    expect(eventsSince(s, mark).map((e) => [e.a, e.b])).toEqual(Array.from({ length: 10 }, (_, i) => [i, 100 + i]));
    expect(eventsSince(s, mark + 8).length).toBe(2);
    for (let i = 0; i < 200; i++) emit(s, EVENT.mined, i);
    expect(events(s).length).toBe(64);
    expect(events(s)[63]).toMatchObject({ type: EVENT.mined, a: 199, tick: s.i32[H.tick] });
    expect(hash(s)).toEqual(before);
    expect(EVENT_NAMES[EVENT.crafted]).toBe('crafted');
  });
});

describe('schedule', () => {
  it('returns entries by due tick and then by key, whatever the order of insertion', () => {
    const entry = fc.record({
      kind: fc.constantFrom(1, 2),
      x: fc.nat(63),
      y: fc.nat(63),
      z: fc.nat(63),
      delay: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(entry, { maxLength: 120, selector: (e) => `${e.kind},${e.x},${e.y},${e.z}` }),
        (list) => {
          const run = (order: typeof list) => {
            const s = flat();
            for (const e of order) schedule(s, e.kind, packPos(e.x, e.y, e.z), e.delay);
            const out: string[] = [];
            for (let t = 0; t <= 20; t++) {
              for (let k = popDue(s); k >= 0; k = popDue(s))
                out.push(`${t}:${schedKind(k)}:${posX(schedPos(k))},${posY(schedPos(k))},${posZ(schedPos(k))}`);
              s.i32[H.tick]++;
            }
            expect(s.i32[H.schedCount]).toBe(0);
            for (let i = 0; i < SCHED_MAX * 2; i++)
              if (s.i32[SCHED + i] !== 0) throw new Error(`word ${i} left behind`);
            return out;
          };
          const forward = run(list);
          expect(forward.length).toBe(list.length);
          expect(run([...list].reverse())).toEqual(forward);
          for (const [i, e] of list.entries())
            if (!forward.includes(`${e.delay}:${e.kind}:${e.x},${e.y},${e.z}`))
              throw new Error(`entry ${i} lost or late`);
        },
      ),
      { numRuns: 60, seed: 20265 },
    );
  });

  it('keeps one entry per cell and kind, and sets a flag when 512 are not enough', () => {
    const s = flat();
    schedule(s, 1, packPos(1, 2, 3), 5);
    schedule(s, 1, packPos(1, 2, 3), 2);
    schedule(s, 2, packPos(1, 2, 3), 2);
    expect(s.i32[H.schedCount]).toBe(2);
    for (let i = 0; i < 600; i++) schedule(s, 1, packPos(i & 63, 10 + (i >> 6), 7), 9);
    expect(s.i32[H.schedCount]).toBe(SCHED_MAX);
    expect(s.i32[H.flags] & HEADER_FLAG.scheduleOverflow).not.toBe(0);
  });
});
