/**
 * Inventory arithmetic on packed slots: adding, taking, counting, swapping. Order of preference as in methods/world.md 3.7:
 * a matching stack, the selected slot if empty, the first empty hotbar slot, the main inventory.
 */
import { milestone } from './events.ts';
import { DURABILITY, packSlot, STACK_MAX, slotCount, slotDamage, slotId } from './items.ts';
import { heldSlot, player, type State, setSlot, slot } from './state.ts';
import { P, SLOT } from './state-layout.ts';

const ORDERS = new Map<string, readonly number[]>();

/** Usable slots of a profile: hotbar first, then main. */
export function slotOrder(s: State): readonly number[] {
  const key = `${s.cfg.hotbarSlots}/${s.cfg.mainSlots}`;
  let order = ORDERS.get(key);
  if (!order) {
    order = [
      ...Array.from({ length: s.cfg.hotbarSlots }, (_, i) => SLOT.hotbar + i),
      ...Array.from({ length: s.cfg.mainSlots }, (_, i) => SLOT.main + i),
    ];
    ORDERS.set(key, order);
  }
  return order;
}

/** Puts a packed stack away; returns what did not fit (packed, 0 = all stored). */
export function addStack(s: State, stack: number): number {
  const id = slotId(stack);
  if (id === 0) return 0;
  let left = slotCount(stack);
  const damage = slotDamage(stack);
  const before = left;
  const order = slotOrder(s);
  const max = STACK_MAX[id];
  if (max > 1)
    for (const i of order) {
      if (left === 0) break;
      const t = slot(s, i);
      if (slotId(t) !== id || slotCount(t) >= max) continue;
      const n = Math.min(left, max - slotCount(t));
      setSlot(s, i, packSlot(id, slotCount(t) + n, slotDamage(t)));
      left -= n;
    }
  while (left > 0) {
    const selected = player(s, P.selected);
    const i = slot(s, selected) === 0 ? selected : order.find((k) => slot(s, k) === 0);
    if (i === undefined) break;
    const n = Math.min(left, max);
    setSlot(s, i, packSlot(id, n, damage));
    left -= n;
  }
  if (left < before) milestone(s, id);
  return packSlot(id, left, damage);
}

/** Can the whole stack be stored? */
export function fits(s: State, id: number, n: number): boolean {
  let room = 0;
  for (const i of slotOrder(s)) {
    const t = slot(s, i);
    if (t === 0) room += STACK_MAX[id];
    else if (slotId(t) === id && STACK_MAX[id] > 1) room += STACK_MAX[id] - slotCount(t);
    if (room >= n) return true;
  }
  return false;
}

export function countItem(s: State, id: number): number {
  let n = 0;
  for (const i of slotOrder(s)) if (slotId(slot(s, i)) === id) n += slotCount(slot(s, i));
  return n;
}

/** Removes n items, last slots first, so that the hotbar keeps its look. Only call with enough present. */
export function removeItems(s: State, id: number, n: number): void {
  const order = slotOrder(s);
  for (let k = order.length - 1; k >= 0 && n > 0; k--) {
    const t = slot(s, order[k]);
    if (slotId(t) !== id) continue;
    const take = Math.min(n, slotCount(t));
    setSlot(s, order[k], packSlot(id, slotCount(t) - take, slotDamage(t)));
    n -= take;
  }
}

/** Takes one item from the selected slot. */
export function consumeHeld(s: State): void {
  const t = heldSlot(s);
  setSlot(s, player(s, P.selected), packSlot(slotId(t), slotCount(t) - 1, slotDamage(t)));
}

/** One use of the held tool; true if it broke. */
export function wearHeld(s: State): boolean {
  const t = heldSlot(s);
  const uses = DURABILITY[slotId(t)];
  if (uses === 0) return false;
  const damage = slotDamage(t) + 1;
  setSlot(s, player(s, P.selected), damage >= uses ? 0 : packSlot(slotId(t), 1, damage));
  return damage >= uses;
}
