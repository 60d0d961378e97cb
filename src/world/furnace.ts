/**
 * Furnaces: 64 block entities that burn fuel and smelt one item per period. Fuel times scale with the profile's smelt period.
 */
import { B, isFurnace } from './blocks.ts';
import { setBlock } from './change.ts';
import { dropAtBlock } from './drops.ts';
import { FUEL, packSlot, SMELTS_TO, STACK_MAX, slotCount, slotDamage, slotId } from './items.ts';
import { blockAt, type State } from './state.ts';
import { BE, BE_MAX, BE_WORDS, F, H, packPos, posX, posY, posZ } from './state-layout.ts';

/** Word index of the furnace at a position, creating it if asked and possible; -1 otherwise. */
export function furnaceAt(s: State, x: number, y: number, z: number, create = false): number {
  const key = ((s.i32[H.dim] << 24) | packPos(x, y, z)) + 1;
  let free = -1;
  for (let i = 0; i < BE_MAX; i++) {
    const at = BE + i * BE_WORDS;
    if (s.i32[at + F.pos] === key) return at;
    if (free < 0 && s.i32[at + F.pos] === 0) free = at;
  }
  if (!create || free < 0) return -1;
  s.i32.fill(0, free, free + BE_WORDS);
  s.i32[free + F.pos] = key;
  return free;
}

/** Drops the contents and frees the entry. */
export function dropFurnace(s: State, x: number, y: number, z: number): void {
  const at = furnaceAt(s, x, y, z);
  if (at < 0) return;
  for (const f of [F.input, F.fuel, F.output]) dropAtBlock(s, s.u32[at + f], x, y, z);
  s.i32.fill(0, at, at + BE_WORDS);
}

/** Burn ticks of an item in this profile. */
export const fuelTicks = (s: State, item: number) => Math.ceil((FUEL[item] * s.cfg.smeltTicks) / 200);

function canSmelt(s: State, at: number): boolean {
  const input = s.u32[at + F.input];
  const result = SMELTS_TO[slotId(input)];
  if (result === 0) return false;
  const out = s.u32[at + F.output];
  return out === 0 || (slotId(out) === result && slotCount(out) < STACK_MAX[result]);
}

const less = (stack: number) => packSlot(slotId(stack), slotCount(stack) - 1, slotDamage(stack));

export function tickFurnaces(s: State): void {
  for (let i = 0; i < BE_MAX; i++) {
    const at = BE + i * BE_WORDS;
    if (s.i32[at + F.pos] !== 0) tickFurnace(s, at);
  }
}

function tickFurnace(s: State, at: number): void {
  const w = s.i32;
  const wasLit = w[at + F.burnLeft] > 0;
  if (wasLit) w[at + F.burnLeft]--;
  const ready = canSmelt(s, at);
  if (w[at + F.burnLeft] === 0 && ready) {
    const fuel = slotId(s.u32[at + F.fuel]);
    const ticks = fuelTicks(s, fuel);
    if (ticks > 0) {
      w[at + F.burnLeft] = ticks;
      w[at + F.burnTotal] = ticks;
      s.u32[at + F.fuel] = less(s.u32[at + F.fuel]);
    }
  }
  if (w[at + F.burnLeft] > 0 && ready) {
    if (++w[at + F.cook] >= s.cfg.smeltTicks) {
      w[at + F.cook] = 0;
      const result = SMELTS_TO[slotId(s.u32[at + F.input])];
      const out = s.u32[at + F.output];
      s.u32[at + F.output] = packSlot(result, out === 0 ? 1 : slotCount(out) + 1);
      s.u32[at + F.input] = less(s.u32[at + F.input]);
    }
  } else w[at + F.cook] = 0;
  const lit = w[at + F.burnLeft] > 0;
  if (lit !== wasLit) {
    const p = (w[at + F.pos] - 1) & 0xffffff;
    const state = blockAt(s, posX(p), posY(p), posZ(p));
    if (isFurnace(state)) setBlock(s, posX(p), posY(p), posZ(p), B.furnace + ((state - B.furnace) & 6) + (lit ? 1 : 0));
  }
}
