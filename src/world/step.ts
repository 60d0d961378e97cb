/**
 * The tick: one u32 action moves the world by 1/20 s. Pure integer rules, no hidden state, so that a log of actions is the episode.
 * Order inside a tick: methods/world.md 3. step() is one tick, stepAction() one decision of an agent.
 */
import {
  actionCamera,
  actionKeys,
  CAMERA_ANGLE,
  cameraPitchBin,
  cameraYawBin,
  canonicalise,
  hotbarOf,
  KEY,
} from './actions.ts';
import { B, isDoor, isFurnace, isTorch, STATES } from './blocks.ts';
import { stop, tickAttack } from './breaking.ts';
import { DAY_TICKS } from './daylight.ts';
import { throwStack, tickDrops } from './drops.ts';
import { EVENT, emit } from './events.ts';
import { tickScheduled } from './fluids.ts';
import { tickFurnaces } from './furnace.ts';
import { closeGui, openGui, tickGui } from './gui.ts';
import { consumeHeld, slotOrder } from './inventory.ts';
import { PLACES, packSlot, slotDamage, slotId } from './items.ts';
import { movePlayer } from './physics.ts';
import { tickUse } from './placing.ts';
import { blockAt, heldSlot, player, type State, setPlayer, setSlot, slot } from './state.ts';
import { GUI, H, P, posX, posY, posZ, SLOT } from './state-layout.ts';
import { EXHAUSTION, exhaust, tickSurvival } from './survival.ts';
import { target } from './targeting.ts';

const PITCH_MAX = 16384;

/** One game tick (1/20 s). Mutates the state. */
export function step(s: State, action: number): void {
  const a = canonicalise(action);
  const keys = actionKeys(a);
  const pressed = keys & ~player(s, P.prevKeys);
  setPlayer(s, P.prevKeys, keys);
  if (player(s, P.swing) > 0) setPlayer(s, P.swing, player(s, P.swing) - 1);

  let worldKeys = keys;
  if (player(s, P.guiKind) !== GUI.none) {
    if ((pressed & (KEY.inventory | KEY.esc)) !== 0 || guiGone(s)) closeGui(s);
    else tickGui(s, a, pressed);
    // An open screen (and the tick that closes it) takes all keys; a held button acts again only after a new press.
    worldKeys = 0;
    stop(s);
  } else if ((pressed & KEY.inventory) !== 0) {
    openGui(s, GUI.inventory);
    worldKeys = 0;
    stop(s);
  } else worldInput(s, a, keys, pressed);

  if (movePlayer(s, worldKeys)) exhaust(s, player(s, P.sprinting) === 1 ? EXHAUSTION.sprintJump : EXHAUSTION.jump);
  tickDrops(s);
  tickScheduled(s);
  tickFurnaces(s);
  tickSurvival(s);
  s.i32[H.tick]++;
  if (s.cfg.dayCycle) s.i32[H.time] = (s.i32[H.time] + 1) % DAY_TICKS;
}

/** One agent decision: the keys held for ticksPerStep ticks, the camera class applied in each, press edges only in the first. */
export function stepAction(s: State, action: number): void {
  for (let i = 0; i < s.cfg.ticksPerStep; i++) step(s, action);
}

function worldInput(s: State, a: number, keys: number, pressed: number): void {
  const camera = actionCamera(a);
  setPlayer(s, P.yaw, (player(s, P.yaw) + CAMERA_ANGLE[cameraYawBin(camera)]) & 65535);
  const pitch = player(s, P.pitch) + CAMERA_ANGLE[cameraPitchBin(camera)];
  setPlayer(s, P.pitch, Math.max(-PITCH_MAX, Math.min(PITCH_MAX, pitch)));

  const n = hotbarOf(keys);
  if (n >= 0 && n < s.cfg.hotbarSlots && n !== player(s, P.selected)) {
    setPlayer(s, P.selected, n);
    emit(s, EVENT.selected, n);
  }
  if ((pressed & KEY.pickItem) !== 0) pickItem(s);
  if ((pressed & KEY.swapHands) !== 0) {
    const t = heldSlot(s);
    setSlot(s, player(s, P.selected), slot(s, SLOT.offhand));
    setSlot(s, SLOT.offhand, t);
  }
  if ((pressed & KEY.drop) !== 0 && heldSlot(s) !== 0) {
    const t = heldSlot(s);
    consumeHeld(s);
    throwStack(s, packSlot(slotId(t), 1, slotDamage(t)));
  }
  tickUse(s, (keys & KEY.use) !== 0, (pressed & KEY.use) !== 0);
  if (player(s, P.guiKind) !== GUI.none) {
    stop(s);
    return;
  }
  const attacking = (keys & KEY.attack) !== 0;
  tickAttack(s, attacking);
  if (attacking && player(s, P.swing) === 0) setPlayer(s, P.swing, 6);
}

/** The table or furnace behind the open screen was broken, or the player is more than 8 blocks away. */
function guiGone(s: State): boolean {
  const p = player(s, P.guiPos) - 1;
  if (p < 0) return false;
  const state = blockAt(s, posX(p), posY(p), posZ(p));
  if (player(s, P.guiKind) === GUI.table ? state !== B.crafting_table : !isFurnace(state)) return true;
  const far = (v: number, c: number) => Math.abs((v >> 16) - c) > 8;
  return far(player(s, P.x), posX(p)) || far(player(s, P.y), posY(p)) || far(player(s, P.z), posZ(p));
}

/** Selects the hotbar slot that holds the block in view, fetching it from the main inventory if needed. */
function pickItem(s: State): void {
  const t = target(s);
  if (!t.hit) return;
  const state = blockAt(s, t.x, t.y, t.z);
  const base = isFurnace(state) ? B.furnace : isTorch(state) ? B.torch : isDoor(state) ? B.door : state;
  const wanted = (id: number) => id !== 0 && (PLACES[id] === base || (PLACES[id] !== 0 && id === STATES[state].drop));
  for (const i of slotOrder(s)) {
    if (!wanted(slotId(slot(s, i)))) continue;
    if (i < SLOT.main) setPlayer(s, P.selected, i);
    else {
      const held = heldSlot(s);
      setSlot(s, player(s, P.selected), slot(s, i));
      setSlot(s, i, held);
    }
    return;
  }
}
