/**
 * What happened: a ring of the last 64 events with their ticks, counters per kind and item, and the first tick of each milestone item.
 * The ring is for rewards, labels and the interface; the agent never sees it and it is not part of the state hash.
 */
import { I, ITEM_STRIDE } from './item-ids.ts';
import type { State } from './state.ts';
import { H, MILE, RING, RING_DATA, RING_MAX, STAT, STAT_KIND } from './state-layout.ts';

export const EVENT = {
  /** a = block state, b = item held. */
  mined: 1,
  /** a = item, b = count. */
  picked: 2,
  crafted: 3,
  smeltedTaken: 4,
  /** a = block state, b = item. */
  placed: 5,
  /** a = item, b = block state: a block broken with the tool, food eaten, a door used. */
  used: 6,
  /** a = GUI kind. */
  opened: 7,
  closed: 8,
  ate: 9,
  /** a = half hearts lost, b = cause (events.ts CAUSE). */
  hurt: 10,
  died: 11,
  /** a = item, b = count, thrown with the drop key. */
  dropped: 12,
  /** a = slot. */
  selected: 13,
  /** a = item that wore out. */
  toolBroke: 14,
  bucketFilled: 15,
  bucketEmptied: 16,
} as const;
export const CAUSE = { fall: 1, drown: 2, lava: 3, hunger: 4, void: 5, cactus: 6 } as const;

export const EVENT_NAMES: readonly string[] = (() => {
  const names: string[] = [];
  for (const [n, i] of Object.entries(EVENT)) names[i] = n;
  return names;
})();

/** Items of the milestone table, in its order. */
export const MILESTONES = [
  I.log,
  I.planks,
  I.stick,
  I.crafting_table,
  I.wooden_pickaxe,
  I.cobblestone,
  I.stone_pickaxe,
  I.iron_ore,
  I.furnace,
  I.iron_ingot,
  I.iron_pickaxe,
  I.diamond,
] as const;
const milestoneOf = new Int8Array(256).fill(-1);
MILESTONES.forEach((item, i) => {
  milestoneOf[item] = i;
});

export interface WorldEvent {
  tick: number;
  type: number;
  a: number;
  b: number;
}

export function emit(s: State, type: number, a = 0, b = 0): void {
  const n = s.i32[RING];
  const at = RING_DATA + (n % RING_MAX) * 4;
  s.i32[at] = s.i32[H.tick];
  s.i32[at + 1] = type;
  s.i32[at + 2] = a;
  s.i32[at + 3] = b;
  s.i32[RING] = n + 1;
}

export function count(s: State, kind: number, item: number, n = 1): void {
  s.i32[STAT + kind * ITEM_STRIDE + item] += n;
}

/** How often so far: `counter(s, STAT_KIND.mined, I.log)`. Mined counts harvests by the item dropped. */
export const counter = (s: State, kind: keyof typeof STAT_KIND, item: number) =>
  s.i32[STAT + STAT_KIND[kind] * ITEM_STRIDE + item];

/** Marks the item as owned for the first time. */
export function milestone(s: State, item: number): void {
  const m = milestoneOf[item];
  if (m >= 0 && s.i32[MILE + m] === 0) s.i32[MILE + m] = s.i32[H.tick] + 1;
}

/** First tick at which milestone item m was in the inventory, or -1. */
export const milestoneTick = (s: State, m: number) => s.i32[MILE + m] - 1;

/** Events number `from`, `from + 1`, ... that are still in the ring; pass the previous eventCount() to get the new ones. */
export function eventsSince(s: State, from: number): WorldEvent[] {
  const n = s.i32[RING];
  const out: WorldEvent[] = [];
  for (let i = Math.max(from, n - RING_MAX, 0); i < n; i++) {
    const at = RING_DATA + (i % RING_MAX) * 4;
    out.push({ tick: s.i32[at], type: s.i32[at + 1], a: s.i32[at + 2], b: s.i32[at + 3] });
  }
  return out;
}

export const eventCount = (s: State) => s.i32[RING];

/** The events still in the ring, oldest first. */
export const events = (s: State) => eventsSince(s, 0);
