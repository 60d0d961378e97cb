/** What must hold in every reachable state. Each function describes the first violation, or returns ''. */
import { FLAG, FLAGS, isFurnace, STATES } from '../../src/world/blocks.ts';
import { supported } from '../../src/world/change.ts';
import { HALF_WIDTH, HEIGHT_SNEAK, HEIGHT_STAND } from '../../src/world/collide.ts';
import { DURABILITY, ITEM_COUNT, STACK_MAX, slotCount, slotDamage, slotId } from '../../src/world/items.ts';
import { COLLISION } from '../../src/world/shapes.ts';
import { blockAt, changeHi, changeLo, lightAt, player, type State, slot } from '../../src/world/state.ts';
import {
  BE,
  BE_MAX,
  BE_WORDS,
  E,
  ENT,
  ENT_MAX,
  ENT_WORDS,
  ENTITY,
  F,
  GUI,
  H,
  P,
  PLAYER,
  packPos,
  SLOT,
  SPARE,
  STATE_WORDS,
} from '../../src/world/state-layout.ts';
import { HEIGHT, vIndex } from '../../src/world/volume.ts';
import { volumeOf } from './arena.ts';

const FURNACE_STACKS = [F.input, F.fuel, F.output];

/** The body overlaps no collision box. Arms of panes and fences may grow into it when a neighbour is placed, so those are skipped. */
export function bodyIsFree(s: State): string {
  const [px, py, pz] = [player(s, P.x), player(s, P.y), player(s, P.z)];
  const h = player(s, P.sneaking) ? HEIGHT_SNEAK : HEIGHT_STAND;
  for (let y = (py >> 16) - 1; y <= (py + h) >> 16; y++)
    for (let z = (pz - HALF_WIDTH) >> 16; z <= (pz + HALF_WIDTH) >> 16; z++)
      for (let x = (px - HALF_WIDTH) >> 16; x <= (px + HALF_WIDTH) >> 16; x++) {
        const state = blockAt(s, x, y, z);
        if ((FLAGS[state] & FLAG.connects) !== 0) continue;
        for (let b = 0; b < COLLISION.count[state * 16]; b++) {
          const d = COLLISION.data.subarray((COLLISION.first[state * 16] + b) * 6);
          const over = (lo: number, hi: number, c: number, axis: number) =>
            lo < (c << 16) + (d[axis + 3] << 12) && hi > (c << 16) + (d[axis] << 12);
          if (
            over(px - HALF_WIDTH, px + HALF_WIDTH, x, 0) &&
            over(py, py + h, y, 1) &&
            over(pz - HALF_WIDTH, pz + HALF_WIDTH, z, 2)
          )
            return `tick ${s.i32[H.tick]}: body at ${px / 65536},${py / 65536},${pz / 65536} is inside ${STATES[state].name} at ${x},${y},${z}`;
        }
      }
  return '';
}

export function rangesHold(s: State): string {
  const bad = (what: string) => `tick ${s.i32[H.tick]}: ${what}`;
  if (player(s, P.yaw) < 0 || player(s, P.yaw) > 65535) return bad(`yaw ${player(s, P.yaw)}`);
  if (Math.abs(player(s, P.pitch)) > 16384) return bad(`pitch ${player(s, P.pitch)}`);
  if (player(s, P.x) < 0 || player(s, P.x) >= s.sizeX << 16) return bad(`x ${player(s, P.x)}`);
  if (player(s, P.z) < 0 || player(s, P.z) >= s.sizeZ << 16) return bad(`z ${player(s, P.z)}`);
  if (player(s, P.y) < 0) return bad(`y ${player(s, P.y)}`);
  if (player(s, P.health) < 1 || player(s, P.health) > 20) return bad(`health ${player(s, P.health)}`);
  if (player(s, P.food) < 0 || player(s, P.food) > 20) return bad(`food ${player(s, P.food)}`);
  if (player(s, P.selected) < 0 || player(s, P.selected) >= s.cfg.hotbarSlots)
    return bad(`slot ${player(s, P.selected)}`);
  for (let i = SPARE; i < STATE_WORDS; i++) if (s.i32[i] !== 0) return bad(`spare word ${i} is ${s.i32[i]}`);
  // Runs after every tick of thousands: nothing is built unless something is wrong.
  const wrong = (stack: number) => {
    if (stack === 0) return '';
    const [id, n, damage] = [slotId(stack), slotCount(stack), slotDamage(stack)];
    if (id === 0 || id >= ITEM_COUNT || n < 1 || n > STACK_MAX[id]) return `holds ${n} of item ${id}`;
    return damage > 0 && damage >= DURABILITY[id] ? `has damage ${damage} of item ${id}` : '';
  };
  const onCursor = wrong(s.u32[PLAYER + P.cursorStack]);
  if (onCursor) return bad(`cursor ${onCursor}`);
  for (let i = 0; i < SLOT.count; i++) {
    const fault = wrong(slot(s, i));
    if (fault) return bad(`slot ${i} ${fault}`);
  }
  for (let i = 0; i < BE_MAX; i++)
    for (const f of FURNACE_STACKS) {
      const fault = wrong(s.u32[BE + i * BE_WORDS + f]);
      if (fault) return bad(`furnace ${i} ${fault}`);
    }
  for (let i = 0; i < ENT_MAX; i++) {
    if (s.i32[ENT + i * ENT_WORDS] !== ENTITY.item) continue;
    const fault = wrong(s.u32[ENT + i * ENT_WORDS + E.item]);
    if (fault) return bad(`entity ${i} ${fault}`);
  }
  if (player(s, P.guiKind) === GUI.none && s.u32[PLAYER + P.cursorStack] !== 0)
    return bad('a stack on the cursor of a closed screen');
  for (let i = 0; i < BE_MAX; i++) {
    const key = s.i32[BE + i * BE_WORDS + F.pos];
    if (key === 0) continue;
    const p = key - 1;
    if (!isFurnace(blockAt(s, p & 255, (p >> 16) & 63, (p >> 8) & 255)))
      return bad(`furnace entry ${i} without its block`);
  }
  return '';
}

/** Light equals the flood fill from scratch, in every cell. */
export function lightIsExact(s: State): string {
  const v = volumeOf(s);
  for (let y = 0; y < HEIGHT; y++)
    for (let z = 0; z < s.sizeZ; z++)
      for (let x = 0; x < s.sizeX; x++) {
        const want = v.light[vIndex(v, x, y, z)];
        const have = lightAt(s, x, y, z);
        if (want !== have)
          return `light at ${x},${y},${z}: sky ${have >> 4} block ${have & 15} instead of sky ${want >> 4} block ${want & 15}`;
      }
  return '';
}

/** The incremental change hash equals the sum over all cells that differ from a fresh world; every block has its support. */
export function blocksAreConsistent(s: State, fresh: State): string {
  let lo = 0;
  let hi = 0;
  for (let y = 0; y < HEIGHT; y++)
    for (let z = 0; z < s.sizeZ; z++)
      for (let x = 0; x < s.sizeX; x++) {
        // One page of both states: no cell of it can differ.
        if ((x & 15) === 0) {
          const section = s.base + (((z >> 4) * (s.sizeX >> 4) + (x >> 4)) << 2) + (y >> 4);
          if (s.handles[section] === fresh.handles[section]) {
            x += 15;
            continue;
          }
        }
        const a = blockAt(fresh, x, y, z);
        const b = blockAt(s, x, y, z);
        if (a === b) continue;
        if ((FLAGS[b] & FLAG.needsSupport) !== 0 && !supported(s, b, x, y, z))
          return `${STATES[b].name} at ${x},${y},${z} hangs in the air`;
        lo ^= changeLo(0, packPos(x, y, z), a) ^ changeLo(0, packPos(x, y, z), b);
        hi ^= changeHi(0, packPos(x, y, z), a) ^ changeHi(0, packPos(x, y, z), b);
      }
  const same = lo >>> 0 === s.u32[H.changeLo] && hi >>> 0 === s.u32[H.changeHi];
  return same ? '' : 'change hash differs from recomputation';
}

/** All items in the world: inventory, cursor, furnaces, drops. */
export function totalItems(s: State): Map<number, number> {
  const total = new Map<number, number>();
  const add = (stack: number) => {
    if (stack !== 0) total.set(slotId(stack), (total.get(slotId(stack)) ?? 0) + slotCount(stack));
  };
  for (let i = 0; i < SLOT.count; i++) add(slot(s, i));
  add(s.u32[PLAYER + P.cursorStack]);
  for (let i = 0; i < BE_MAX; i++) for (const f of FURNACE_STACKS) add(s.u32[BE + i * BE_WORDS + f]);
  for (let i = 0; i < ENT_MAX; i++)
    if (s.i32[ENT + i * ENT_WORDS] === ENTITY.item) add(s.u32[ENT + i * ENT_WORDS + E.item]);
  return total;
}
