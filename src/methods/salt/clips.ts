/**
 * Clips as programs of 64 numbers, rendered on demand: sprites that move, grow, turn, meet, open or are covered before a textured
 * background. Every action is one half of a pair; the other half is the same program with its frames in reverse, so an
 * order-blind model is at chance within a pair (salt.md section 6.2). Appearance is drawn apart from the action.
 */
import { mix32, uniform01 } from '../../gpu/rng.ts';

export const PROGRAM = 64;

/** Pairs of actions; the second of each is the first played backwards. */
export const PAIRS = [
  ['moves right', 'moves left'],
  ['approaches', 'recedes'],
  ['is lifted', 'drops'],
  ['turns clockwise', 'turns anticlockwise'],
  ['push together', 'pull apart'],
  ['is covered', 'is uncovered'],
  ['light goes on', 'light goes off'],
  ['opens', 'closes'],
] as const;

export const ORDER_CLASSES: readonly string[] = PAIRS.flat();
export const SHAPES = ['disc', 'box', 'ring', 'cross'] as const;
/** Decidable from one frame: the main sprite's shape, plain or striped. */
export const APPEARANCE_CLASSES: readonly string[] = SHAPES.flatMap((s) => [s, `striped ${s}`]);

export interface Clip {
  program: Float32Array<ArrayBuffer>;
  /** Index in ORDER_CLASSES and in APPEARANCE_CLASSES. */
  order: number;
  appearance: number;
}

// Places in a program. Positions and radii are in frame widths, angles in radians, colours and light in 0..1.
const LIGHT = 0; // at the start, at the end
const BACK = 2; // red, green, blue, waves across, waves down, phase, amplitude
const SHAKE = 9; // amplitude, seed
const SPRITES = 11;
const REVERSED = 12;
const SPAN = 13; // begin and end of the action, as shares of the clip
const SPRITE = 16; // three of 16 numbers each
/** In a sprite. The last five are pairs: at the start, at the end. */
const [KIND, RED, STRIPES, PHASE, X, Y, RADIUS, ANGLE, ASPECT] = [0, 1, 4, 5, 6, 8, 10, 12, 14];

/** What `clipOf` draws from: the same numbers on every machine. */
function drawer(seed: number, index: number): (lo: number, hi: number) => number {
  let n = 0;
  return (lo, hi) => lo + (hi - lo) * uniform01(mix32(seed, index, n++, 0x636c6970));
}

/** Clip number `index` of the stream `seed`. */
export function clipOf(seed: number, index: number): Clip {
  const draw = drawer(seed, index);
  const whole = (n: number): number => Math.floor(draw(0, n));
  const order = whole(ORDER_CLASSES.length);
  const appearance = whole(APPEARANCE_CLASSES.length);
  const p = new Float32Array(PROGRAM);
  const put = (at: number, ...values: number[]): void => p.set(values, at);
  put(LIGHT, 1, 1);
  put(
    BACK,
    draw(0.1, 0.6),
    draw(0.1, 0.6),
    draw(0.1, 0.6),
    draw(-20, 20),
    draw(-20, 20),
    draw(0, 6.28),
    draw(0.1, 0.3),
  );
  put(SHAKE, draw(0, 0.02), whole(1 << 16));
  put(SPRITES, 1);
  put(REVERSED, order % 2);
  put(SPAN, draw(0, 0.25), draw(0.75, 1));
  const sprite = (i: number, kind: number, striped: boolean, x: number, y: number, radius: number): number => {
    const at = SPRITE + 16 * i;
    const angle = draw(0, 6.28);
    const aspect = draw(0.75, 1);
    put(at + KIND, kind, draw(0.3, 1), draw(0.3, 1), draw(0.3, 1), striped ? draw(7, 10) : 0, draw(0, 6.28));
    put(at + X, x, x, y, y, radius, radius, angle, angle, aspect, aspect);
    return at;
  };
  const kind = appearance >> 1;
  const striped = appearance % 2 === 1;
  const radius = draw(0.16, 0.24);
  const [x, y] = [draw(0.3, 0.7), draw(0.3, 0.7)];
  const main = sprite(0, kind, striped, x, y, radius);
  const action = order >> 1;
  switch (action) {
    case 0:
      put(main + X, draw(0.1, 0.35), draw(0.65, 0.9));
      break;
    case 1:
      put(main + RADIUS, draw(0.08, 0.13), draw(0.28, 0.38));
      break;
    case 2:
      put(main + Y, draw(0.7, 0.9), draw(0.15, 0.35));
      break;
    case 3: {
      const from = draw(0, 6.28);
      put(main + ANGLE, from, from + draw(1.2, 2.4), 0.5, 0.5);
      break;
    }
    case 4: {
      // The other sprite is a copy on the far side of the meeting point.
      const gap = radius * draw(0.9, 1.1);
      const far = draw(0.25, 0.35);
      put(main + X, x - gap - far, x - gap);
      p.copyWithin(main + 16, main, main + 16);
      put(main + 16 + X, x + gap + far, x + gap);
      put(SPRITES, 2);
      break;
    }
    case 5: {
      const cover = sprite(1, 1, false, x, y, radius * draw(1.3, 1.5));
      const way = draw(0, 6.28);
      const away = draw(0.5, 0.7);
      put(cover + X, x + away * Math.cos(way), x, y + away * Math.sin(way), y);
      put(SPRITES, 2);
      break;
    }
    case 6:
      put(LIGHT, draw(0.25, 0.4), draw(0.9, 1));
      break;
    default:
      put(main + ASPECT, draw(0.12, 0.25), draw(0.8, 1));
  }
  return { program: p, order, appearance };
}

/** Whether a sprite covers the point (a, b) of its own axes, in radii. */
function covers(kind: number, a: number, b: number): boolean {
  const [u, v] = [Math.abs(a), Math.abs(b)];
  if (kind === 1) return Math.max(u, v) < 0.85;
  if (kind === 3) return Math.max(u, v) < 1 && Math.min(u, v) < 0.33;
  const r = u * u + v * v;
  return r < 1 && (kind === 0 || r > 0.3);
}

/** RGB bytes [frames, size, size, 3] of a program. */
export function renderClip(p: Float32Array, frames: number, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(frames * size * size * 3);
  for (let f = 0; f < frames; f++) {
    const moment = p[REVERSED] ? frames - 1 - f : f;
    renderFrame(p, moment, frames, size, out.subarray(f * size * size * 3));
  }
  return out;
}

function renderFrame(p: Float32Array, moment: number, frames: number, size: number, out: Uint8Array): void {
  const t = moment / (frames - 1);
  const done = Math.min(1, Math.max(0, (t - p[SPAN]) / (p[SPAN + 1] - p[SPAN])));
  const between = (at: number): number => p[at] + (p[at + 1] - p[at]) * done;
  const shake = (axis: number): number => p[SHAKE] * (2 * uniform01(mix32(p[SHAKE + 1], moment, axis, 3)) - 1);
  const [shakeX, shakeY] = [shake(0), shake(1)];
  const light = between(LIGHT);
  const sprites = Array.from({ length: p[SPRITES] }, (_, i) => {
    const at = SPRITE + 16 * i;
    const angle = between(at + ANGLE);
    return {
      at,
      x: between(at + X),
      y: between(at + Y),
      radius: between(at + RADIUS),
      cos: Math.cos(angle),
      sin: Math.sin(angle),
      aspect: between(at + ASPECT),
    };
  });
  for (let row = 0; row < size; row++) {
    const y = (row + 0.5) / size + shakeY;
    for (let column = 0; column < size; column++) {
      const x = (column + 0.5) / size + shakeX;
      let factor = 1 + p[BACK + 6] * Math.sin(p[BACK + 3] * x + p[BACK + 4] * y + p[BACK + 5]);
      let colour = BACK;
      // The last sprite lies on top.
      for (let i = sprites.length - 1; i >= 0; i--) {
        const s = sprites[i];
        const [dx, dy] = [(x - s.x) / s.radius, (y - s.y) / s.radius];
        const a = dx * s.cos + dy * s.sin;
        const b = (dy * s.cos - dx * s.sin) / s.aspect;
        if (!covers(p[s.at + KIND], a, b)) continue;
        colour = s.at + RED;
        factor = p[s.at + STRIPES] > 0 && Math.sin(p[s.at + STRIPES] * a + p[s.at + PHASE]) < 0 ? 0.45 : 1;
        break;
      }
      const at = 3 * (row * size + column);
      for (let c = 0; c < 3; c++)
        out[at + c] = Math.round(255 * Math.min(1, Math.max(0, p[colour + c] * factor * light)));
    }
  }
}

/** The clip's frames in a random order that depends on `seed`: what an order-blind model sees. */
export function shuffleFrames(pixels: Uint8Array, frames: number, seed: number): Uint8Array<ArrayBuffer> {
  const size = pixels.length / frames;
  const keys = Array.from({ length: frames }, (_, f) => mix32(seed, f, 0, 0x73687566));
  const order = keys.map((_, f) => f).sort((a, b) => keys[a] - keys[b]);
  const out = new Uint8Array(pixels.length);
  for (const [to, from] of order.entries()) out.set(pixels.subarray(from * size, (from + 1) * size), to * size);
  return out;
}
