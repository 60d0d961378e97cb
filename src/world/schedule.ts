/**
 * Scheduled block ticks: a binary heap of at most 512 (due tick, key) pairs inside the state, ordered by due tick and then by key, so the
 * order of insertion never matters. When it is full a new entry is dropped and a flag is set.
 */
import type { State } from './state.ts';
import { H, HEADER_FLAG, SCHED, SCHED_MAX } from './state-layout.ts';

export const SCHEDULE = { fluid: 1, fall: 2 } as const;

const key = (s: State, kind: number, pos: number) => ((s.i32[H.dim] << 28) | (kind << 22) | pos) >>> 0;
const before = (s: State, i: number, j: number) => {
  const a = SCHED + i * 2;
  const b = SCHED + j * 2;
  return s.u32[a] < s.u32[b] || (s.u32[a] === s.u32[b] && s.u32[a + 1] < s.u32[b + 1]);
};
function swap(s: State, i: number, j: number): void {
  for (let k = 0; k < 2; k++) {
    const t = s.u32[SCHED + i * 2 + k];
    s.u32[SCHED + i * 2 + k] = s.u32[SCHED + j * 2 + k];
    s.u32[SCHED + j * 2 + k] = t;
  }
}

/** Schedules a block tick `delay` ticks from now unless the same cell already waits for one of that kind. */
export function schedule(s: State, kind: number, pos: number, delay: number): void {
  const n = s.i32[H.schedCount];
  const k = key(s, kind, pos);
  for (let i = 0; i < n; i++) if (s.u32[SCHED + i * 2 + 1] === k) return;
  if (n === SCHED_MAX) {
    s.i32[H.flags] |= HEADER_FLAG.scheduleOverflow;
    return;
  }
  s.u32[SCHED + n * 2] = s.i32[H.tick] + delay;
  s.u32[SCHED + n * 2 + 1] = k;
  s.i32[H.schedCount] = n + 1;
  for (let i = n; i > 0; ) {
    const up = (i - 1) >> 1;
    if (!before(s, i, up)) break;
    swap(s, i, up);
    i = up;
  }
}

/** Removes and returns the next key that is due, or -1. The caller reads kind and position with schedKind and schedPos. */
export function popDue(s: State): number {
  const n = s.i32[H.schedCount];
  if (n === 0 || s.u32[SCHED] > s.i32[H.tick]) return -1;
  const k = s.u32[SCHED + 1];
  swap(s, 0, n - 1);
  s.u32[SCHED + (n - 1) * 2] = 0;
  s.u32[SCHED + (n - 1) * 2 + 1] = 0;
  s.i32[H.schedCount] = n - 1;
  for (let i = 0; ; ) {
    const l = 2 * i + 1;
    const r = l + 1;
    let m = i;
    if (l < n - 1 && before(s, l, m)) m = l;
    if (r < n - 1 && before(s, r, m)) m = r;
    if (m === i) break;
    swap(s, i, m);
    i = m;
  }
  return k;
}

export const schedKind = (k: number) => (k >>> 22) & 63;
export const schedPos = (k: number) => k & 0x3fffff;
export const schedDim = (k: number) => k >>> 28;
