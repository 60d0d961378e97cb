// Which physical key does what. Codes, not characters: WASD is a shape on the keyboard, not four letters.

import { hotbarKey, KEY } from '../../world/actions.ts';

/** Held keys that become action bits. */
export const ACTION_KEYS: Readonly<Record<string, number>> = {
  KeyW: KEY.forward,
  KeyS: KEY.back,
  KeyA: KEY.left,
  KeyD: KEY.right,
  ShiftLeft: KEY.sneak,
  ControlLeft: KEY.sprint,
  KeyR: KEY.sprint,
  KeyE: KEY.inventory,
  KeyQ: KEY.drop,
  KeyF: KEY.swapHands,
  KeyJ: KEY.attack,
  KeyK: KEY.use,
  KeyL: KEY.jump,
  ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`Digit${i + 1}`, hotbarKey(i)])),
};

/** Turn per agent step while an arrow key is held, degrees: [yaw, pitch]. */
export const LOOK_KEYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-11.62, 0],
  ArrowRight: [11.62, 0],
  ArrowUp: [0, -6.43],
  ArrowDown: [0, 6.43],
};

export const MOUSE_BUTTONS: Readonly<Record<number, number>> = { 0: KEY.attack, 1: KEY.pickItem, 2: KEY.use };

/** What the `?` list shows. */
export const KEY_LIST: readonly { keys: readonly string[]; does: string }[] = [
  { keys: ['W', 'A', 'S', 'D'], does: 'walk' },
  { keys: ['Mouse', '← ↑ → ↓'], does: 'look' },
  { keys: ['Left button', 'J'], does: 'attack, break' },
  { keys: ['Right button', 'K'], does: 'use, place' },
  { keys: ['Space', 'L'], does: 'jump (Space while the mouse is captured)' },
  { keys: ['Shift'], does: 'sneak' },
  { keys: ['W W', 'Ctrl', 'R'], does: 'sprint' },
  { keys: ['1 – 8', 'Wheel'], does: 'choose from the hotbar' },
  { keys: ['E'], does: 'inventory' },
  { keys: ['Q', 'F', 'Middle button'], does: 'drop, swap hands, pick' },
  { keys: ['Space'], does: 'play or pause (mouse free)' },
  { keys: ['.'], does: 'one step' },
  { keys: ['C'], does: 'continue the dream from here' },
  { keys: ['N'], does: 'new random start' },
  { keys: ['Esc'], does: 'free the mouse' },
  { keys: ['?'], does: 'this list' },
];
