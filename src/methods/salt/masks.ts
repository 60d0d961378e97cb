/**
 * Which tokens of a clip are context and which are targets: V-JEPA's multi-block masks and the variants of the teacher-mask
 * ablation (salt.md section 3). Pure functions of (seed, step, clip); nothing here touches a device.
 */
import { mix32, uniform01 } from '../../gpu/rng.ts';

/** Tokens along time, height and width; a token's index is (t * height + y) * width + x. */
export interface Grid {
  time: number;
  height: number;
  width: number;
}

/** `blocks` blocks of `scale` of the area through all of time; a `ratio` of random places through all of time; later half. */
type MaskRule =
  | { kind: 'blocks'; blocks: number; scale: number }
  | { kind: 'tube'; ratio: number }
  | { kind: 'causal' };

export const MASKS = {
  short: { kind: 'blocks', blocks: 8, scale: 0.15 },
  long: { kind: 'blocks', blocks: 2, scale: 0.7 },
  tube: { kind: 'tube', ratio: 0.9 },
  causal: { kind: 'causal' },
} as const satisfies Record<string, MaskRule>;

export type MaskName = keyof typeof MASKS;

/** Masks that every clip of a step gets, one after the other. */
export const RECIPES = {
  multi: ['short', 'long'],
  short: ['short'],
  long: ['long'],
  tube: ['tube'],
  twoTubes: ['tube', 'tube'],
  causal: ['causal'],
} as const satisfies Record<string, readonly MaskName[]>;

export type Recipe = keyof typeof RECIPES;

/** Tokens in ascending order. */
export interface Mask {
  context: number[];
  target: number[];
}

export interface Sizes {
  context: number;
  target: number;
}

const ASPECT = [0.75, 1.5] as const;
/** Tries before a block loses a row. */
const REDRAWS = 32;

const random = (seed: number, step: number, clip: number, at: number): number =>
  uniform01(mix32(seed, step, clip, 0x6d61736b + at * 2654435761));

/** Rows and columns of a block of `scale` of the area with height / width = `aspect`. */
export function blockSize({ height, width }: Grid, scale: number, aspect: number): [rows: number, columns: number] {
  const area = Math.floor(height * width * scale);
  return [
    Math.max(1, Math.min(height, Math.round(Math.sqrt(area * aspect)))),
    Math.max(1, Math.min(width, Math.round(Math.sqrt(area / aspect)))),
  ];
}

/** Places [height * width] of the targets; true where all of time is hidden. */
function placesOf(grid: Grid, rule: MaskRule, draw: (at: number) => number, aspect: number, shrink: number): boolean[] {
  const { height, width } = grid;
  const hidden = new Array<boolean>(height * width).fill(false);
  if (rule.kind === 'tube') {
    const order = shuffled(height * width, draw);
    const kept = Math.max(1, Math.round((1 - rule.ratio) * order.length));
    for (const place of order.slice(kept)) hidden[place] = true;
  }
  if (rule.kind === 'blocks') {
    const [full, columns] = blockSize(grid, rule.scale, aspect);
    const rows = Math.max(1, full - shrink);
    for (let b = 0; b < rule.blocks; b++) {
      const top = Math.floor(draw(2 * b) * (height - rows + 1));
      const left = Math.floor(draw(2 * b + 1) * (width - columns + 1));
      for (let y = top; y < top + rows; y++) hidden.fill(true, y * width + left, y * width + left + columns);
    }
  }
  return hidden;
}

/** 0..n-1 in random order (Fisher and Yates). */
function shuffled(n: number, draw: (at: number) => number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(draw(i) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/**
 * Mask number `variant` of one clip of step `step`. Blocks of a step have one size; places are drawn per clip, again while less than
 * `least` is left for either side, at most 32 times per size, then with blocks one row lower. What then still does not fit moves
 * between the sides at random.
 */
export function drawMask(
  grid: Grid,
  name: MaskName,
  { seed, step, clip, variant = 0 }: { seed: number; step: number; clip: number; variant?: number },
  least: Sizes = { context: 1, target: 1 },
): Mask {
  const { time, height, width } = grid;
  const rule: MaskRule = MASKS[name];
  const key = seed * 8 + variant;
  const aspect = ASPECT[0] + (ASPECT[1] - ASPECT[0]) * random(key, step, -1, 0);
  const area = height * width;
  if (rule.kind === 'causal') {
    const first = Math.ceil(time / 2) * area;
    const all = Array.from({ length: time * area }, (_, i) => i);
    return { context: all.slice(0, first), target: all.slice(first) };
  }
  let hidden: boolean[] = [];
  let count = 0;
  const fits = (): boolean => time * (area - count) >= least.context && time * count >= least.target;
  for (let shrink = 0; shrink < height; shrink++) {
    for (let t = 0; t < REDRAWS; t++) {
      const from = (shrink * REDRAWS + t) * 4096;
      hidden = placesOf(grid, rule, (at) => random(key, step, clip, 1 + from + at), aspect, shrink);
      count = hidden.filter(Boolean).length;
      if (fits()) return split(grid, hidden);
    }
  }
  const order = shuffled(area, (at) => random(key, step, clip, 1 + at));
  for (const place of order) {
    if (fits()) break;
    const wanted = time * count < least.target;
    if (hidden[place] !== wanted) count += wanted ? 1 : -1;
    hidden[place] = wanted;
  }
  if (!fits()) throw new Error(`masks: ${least.context} and ${least.target} tokens are more than a clip has`);
  return split(grid, hidden);
}

function split({ time }: Grid, hidden: readonly boolean[]): Mask {
  const mask: Mask = { context: [], target: [] };
  for (let t = 0; t < time; t++) {
    hidden.forEach((yes, place) => {
      mask[yes ? 'target' : 'context'].push(t * hidden.length + place);
    });
  }
  return mask;
}

/** How many tokens of each side every clip of a batch has. */
export const smallest = (masks: readonly Mask[]): Sizes => ({
  context: Math.min(...masks.map((m) => m.context.length)),
  target: Math.min(...masks.map((m) => m.target.length)),
});

/**
 * Every clip's sides cut to `sizes`, so that tensors are rectangular. `reference` keeps the first tokens, as the public code does,
 * which favours early frames; `random` keeps a random subset.
 */
export function truncate(masks: readonly Mask[], sizes: Sizes, mode: 'random' | 'reference', seed: number): Mask[] {
  const cut = (tokens: number[], n: number, clip: number, side: number): number[] => {
    if (mode === 'reference' || tokens.length === n) return tokens.slice(0, n);
    const order = shuffled(tokens.length, (at) => random(seed, side, clip, at));
    return order
      .slice(0, n)
      .map((i) => tokens[i])
      .sort((a, b) => a - b);
  };
  return masks.map((m, clip) => ({
    context: cut(m.context, sizes.context, clip, 1),
    target: cut(m.target, sizes.target, clip, 2),
  }));
}

/** Batches from which `fixedSizes` learns what a batch leaves. */
const SAMPLED = 101;

/**
 * Sizes for a whole run: a compiled step has one shape, so every batch is cut to what the median batch would be cut to, and clips
 * that have less are drawn again.
 */
export function fixedSizes(grid: Grid, name: MaskName, batch: number): Sizes {
  const all = Array.from({ length: SAMPLED }, (_, step) =>
    smallest(Array.from({ length: batch }, (_, clip) => drawMask(grid, name, { seed: 0x5a17, step, clip }))),
  );
  const median = (of: (s: Sizes) => number): number => all.map(of).sort((a, b) => a - b)[SAMPLED >> 1];
  return { context: median((s) => s.context), target: median((s) => s.target) };
}

/** Masks of the clips of a step, cut to `sizes`. */
export function drawBatch(
  grid: Grid,
  name: MaskName,
  sizes: Sizes,
  at: { seed: number; step: number; batch: number; variant: number },
): Mask[] {
  const { seed, step, batch, variant } = at;
  const masks = Array.from({ length: batch }, (_, clip) => drawMask(grid, name, { seed, step, clip, variant }, sizes));
  return truncate(masks, sizes, 'random', mix32(seed, step, variant, 0x63757421));
}
