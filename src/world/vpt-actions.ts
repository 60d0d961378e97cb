/**
 * The joint button form of the VPT baseline: 4320 combinations of exclusive groups, times camera moving or not, plus one class for the
 * inventory key = 8641 button classes, beside the 121 camera classes. Keys outside the groups (ESC, pickItem, swapHands) are lost.
 */
import {
  actionCamera,
  actionKeys,
  CAMERA_NULL,
  canonicalise,
  hotbarKey,
  hotbarOf,
  KEY,
  makeAction,
} from './actions.ts';

/** Exclusive groups from the slowest to the fastest digit; index 0 of each is "none of them". */
const GROUPS: readonly (readonly number[])[] = [
  [0, ...Array.from({ length: 9 }, (_, i) => hotbarKey(i))],
  [0, KEY.forward, KEY.back],
  [0, KEY.left, KEY.right],
  [0, KEY.sprint, KEY.sneak],
  [0, KEY.use],
  [0, KEY.drop],
  [0, KEY.attack],
  [0, KEY.jump],
];

export const VPT_BUTTONS = 8641;
export const VPT_INVENTORY = VPT_BUTTONS - 1;

/** [button class, camera class] of an action. The inventory key beats everything else. */
export function toVpt(action: number): [number, number] {
  const a = canonicalise(action);
  const keys = actionKeys(a);
  const camera = actionCamera(a);
  if ((keys & KEY.inventory) !== 0) return [VPT_INVENTORY, CAMERA_NULL];
  let index = 0;
  for (const group of GROUPS) {
    const hot =
      group === GROUPS[0]
        ? hotbarOf(a) + 1
        : Math.max(
            0,
            group.findIndex((k) => k !== 0 && (keys & k) !== 0),
          );
    index = index * group.length + hot;
  }
  return [index * 2 + (camera === CAMERA_NULL ? 0 : 1), camera];
}

export function fromVpt(button: number, camera: number): number {
  if (button === VPT_INVENTORY) return makeAction(KEY.inventory);
  let index = button >> 1;
  let keys = 0;
  for (let g = GROUPS.length - 1; g >= 0; g--) {
    keys |= GROUPS[g][index % GROUPS[g].length];
    index = Math.floor(index / GROUPS[g].length);
  }
  return makeAction(keys, button & 1 ? camera : CAMERA_NULL);
}
