// Reads the first connected gamepad of the standard layout once per animation frame into the action sampler.

import { KEY } from '../../world/actions.ts';
import type { ActionSampler } from './action-sampler.ts';

const BUTTONS: Readonly<Record<number, number>> = {
  0: KEY.jump,
  1: KEY.sneak,
  2: KEY.swapHands,
  3: KEY.inventory,
  6: KEY.use,
  7: KEY.attack,
  10: KEY.sprint,
  11: KEY.pickItem,
  13: KEY.drop,
};
const DEAD_ZONE = 0.18;
/** Full deflection turns this fast, degrees per second. */
const TURN_RATE = 180;

export class GamepadReader {
  readonly #sampler: ActionSampler;
  #lastBumpers = 0;

  constructor(sampler: ActionSampler) {
    this.#sampler = sampler;
  }

  /** True while the visitor does something with the pad. */
  read(pad: Gamepad, seconds: number, now: number): boolean {
    let used = false;
    const hold = (source: string, bit: number, down: boolean) => {
      if (down) {
        this.#sampler.press(source, bit, now);
        used = true;
      } else {
        this.#sampler.release(source);
      }
    };
    for (const [index, bit] of Object.entries(BUTTONS))
      hold(`pad${index}`, bit, pad.buttons[Number(index)]?.pressed ?? false);
    const [leftX = 0, leftY = 0, rightX = 0, rightY = 0] = pad.axes;
    hold('padForward', KEY.forward, leftY < -0.5);
    hold('padBack', KEY.back, leftY > 0.5);
    hold('padLeft', KEY.left, leftX < -0.5);
    hold('padRight', KEY.right, leftX > 0.5);
    const yaw = response(rightX);
    const pitch = response(rightY);
    if (yaw !== 0 || pitch !== 0) {
      this.#sampler.turnDegrees(yaw * TURN_RATE * seconds, pitch * TURN_RATE * seconds);
      used = true;
    }
    const bumpers = (pad.buttons[4]?.pressed ? 1 : 0) | (pad.buttons[5]?.pressed ? 2 : 0);
    const fresh = bumpers & ~this.#lastBumpers;
    if (fresh & 1) this.#sampler.scroll(-1);
    if (fresh & 2) this.#sampler.scroll(1);
    this.#lastBumpers = bumpers;
    return used || fresh !== 0;
  }
}

/** Cubic: fine near the centre, fast at the rim. */
function response(axis: number): number {
  const size = Math.abs(axis);
  if (size < DEAD_ZONE) return 0;
  return Math.sign(axis) * ((size - DEAD_ZONE) / (1 - DEAD_ZONE)) ** 3;
}
