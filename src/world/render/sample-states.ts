// States for the proof that both renderers agree: seeded places in real worlds with a scatter of everything that can be drawn.

import { B, FLAG, FLAGS, STATE_COUNT } from '../blocks.ts';
import { type WorldConfig, worldConfig } from '../config.ts';
import { openGui } from '../gui.ts';
import { mix32 } from '../hash.ts';
import { I, packSlot } from '../items.ts';
import { blockAt, type State, writeBlock, writeLight } from '../state.ts';
import { E, ENT, ENT_WORDS, ENTITY, H, INV, P, PLAYER, packPos } from '../state-layout.ts';
import { createWorld } from '../world.ts';

const put = (s: State, field: number, value: number) => {
  s.i32[PLAYER + field] = value;
};

/** Surface height (first air above ground) at a column. */
export function surface(s: State, x: number, z: number): number {
  let y = 63;
  while (y > 0 && blockAt(s, x, y - 1, z) === B.air) y--;
  return y;
}

export function addDrop(s: State, index: number, x: number, y: number, z: number, item: number): void {
  const e = ENT + index * ENT_WORDS;
  s.i32[e + E.type] = ENTITY.item;
  s.i32[e + E.x] = Math.floor(x * 65536);
  s.i32[e + E.y] = Math.floor(y * 65536);
  s.i32[e + E.z] = Math.floor(z * 65536);
  s.u32[e + E.item] = packSlot(item, 1);
}

/** State k of a fixed endless list: k decides place, view, time of day, blocks around, drops, GUI. */
export function sampleState(k: number, cfg: WorldConfig = worldConfig(k % 3 === 0 ? 'mini' : 'meadow')): State {
  const r = (i: number, n: number) => mix32(k, i, 0x5a3e, 7) % n;
  const s = createWorld(cfg, 1 + (k & 1));
  const x = 24 + r(1, s.sizeX - 48);
  const z = 24 + r(2, s.sizeZ - 48);
  const y = Math.max(4, surface(s, x, z) - (k % 4 === 1 ? r(3, 12) : 0));
  put(s, P.x, x * 65536 + 32768);
  put(s, P.y, y * 65536 + (k % 5 === 4 ? 65536 * r(4, 9) : 0));
  put(s, P.z, z * 65536 + r(5, 65536));
  put(s, P.yaw, r(6, 65536));
  put(s, P.pitch, r(7, 24000) - 10000);
  put(s, P.sneaking, r(8, 2));
  put(s, P.selected, r(9, 8));
  s.i32[H.time] = r(10, 24000);
  // A scatter of every state there is, with light of all kinds.
  for (let i = 0; i < 60; i++) {
    const bx = x - 6 + r(100 + 5 * i, 13);
    const bz = z - 6 + r(101 + 5 * i, 13);
    const by = Math.min(62, Math.max(1, y - 2 + r(102 + 5 * i, 6)));
    if (bx === x && bz === z) continue;
    writeBlock(s, bx, by, bz, r(103 + 5 * i, STATE_COUNT));
    writeLight(s, bx, by, bz, r(104 + 5 * i, 256));
  }
  if (k % 7 === 3) {
    const eye = [x, Math.min(63, y + 1), z] as const;
    if ((FLAGS[blockAt(s, ...eye)] & FLAG.fullSolid) === 0) writeBlock(s, ...eye, B.water);
  }
  for (let i = 0; i < 6; i++)
    addDrop(
      s,
      i,
      x - 3 + r(500 + i, 700) / 100,
      y + r(520 + i, 200) / 100,
      z - 3 + r(540 + i, 700) / 100,
      1 + r(560 + i, 60),
    );
  for (let i = 0; i < 36; i++)
    if (r(600 + i, 3)) s.u32[INV + i] = packSlot(1 + r(640 + i, 64), 1 + r(700 + i, 64), r(740 + i, 40));
  if (k % 2) {
    put(s, P.breakPos, packPos(x, Math.max(0, y - 1), z) + 1);
    put(s, P.breakTicks, r(11, 40));
    put(s, P.breakNeed, 40);
    put(s, P.pitch, 9000 + r(12, 7000));
  }
  if (k % 8 === 6) put(s, P.hurtTimer, 1 + r(13, 10));
  if (k % 8 === 5) {
    openGui(s, 1 + r(14, 3), x, y, z);
    put(s, P.cursorX, r(15, 64 * 256));
    put(s, P.cursorY, r(16, 48 * 256));
    put(s, P.cursorStack, r(17, 2) ? packSlot(I.torch, 4) : 0);
  }
  return s;
}
