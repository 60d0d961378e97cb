/** Arbitrary action strings on generated worlds: nothing they do breaks an invariant. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cameraClass, hotbarKey, KEY, KEY_MASK, makeAction } from '../../src/world/actions.ts';
import { B, DROP } from '../../src/world/blocks.ts';
import { harvestable } from '../../src/world/breaking.ts';
import { worldConfig } from '../../src/world/config.ts';
import { EVENT, eventCount, eventsSince } from '../../src/world/events.ts';
import { FUEL, I, ITEM_NAMES, SMELTS_TO } from '../../src/world/items.ts';
import { RECIPES } from '../../src/world/recipes.ts';
import type { State } from '../../src/world/state.ts';
import { H } from '../../src/world/state-layout.ts';
import { step } from '../../src/world/step.ts';
import { createWorld, fork, hash, release } from '../../src/world/world.ts';
import { blocksAreConsistent, bodyIsFree, lightIsExact, rangesHold, totalItems } from './invariants.ts';

/** Stretches of held keys with a moving mouse: single random ticks would never break a block. */
const stretch = fc.record({
  keys: fc.oneof(
    fc.integer({ min: 0, max: KEY_MASK }),
    fc
      .subarray([KEY.forward, KEY.attack, KEY.use, KEY.jump, KEY.sneak, KEY.sprint, KEY.left, KEY.back])
      .map((k) => k.reduce((a, b) => a | b, 0)),
    fc.integer({ min: 0, max: 7 }).map((n) => hotbarKey(n) | KEY.use),
    fc.constant(KEY.attack | KEY.forward),
    fc.constant(KEY.inventory),
  ),
  pitch: fc.integer({ min: 2, max: 8 }),
  yaw: fc.integer({ min: 0, max: 10 }),
  ticks: fc.integer({ min: 1, max: 24 }),
  pulse: fc.boolean(),
});
type Stretch = typeof stretch extends fc.Arbitrary<infer T> ? T : never;

function* ticksOf(plan: readonly Stretch[]): Generator<number> {
  for (const p of plan)
    for (let t = 0; t < p.ticks; t++)
      yield makeAction(p.pulse && t & 1 ? 0 : p.keys, t % 3 === 0 ? cameraClass(p.pitch, p.yaw) : undefined);
}

const KIT = [
  ['iron_pickaxe', 1],
  ['sand', 64],
  ['water_bucket', 1],
  ['torch', 64],
  ['door', 12],
  ['furnace', 8],
  ['cobblestone', 64],
  ['crafting_table', 8],
  ['log', 32],
  ['coal', 16],
  ['iron_ore', 16],
  ['glass_pane', 16],
  ['fence', 16],
  ['bed', 1],
  ['sugar_cane', 8],
  ['gravel', 32],
] as const;

const worlds = [
  createWorld(worldConfig('ci', { startKit: KIT }), 3),
  createWorld(worldConfig('ci', { startKit: KIT, survival: true, dayCycle: true }), 4, { time: 12800 }),
];

describe('any actions', () => {
  it('keep the body out of walls, all numbers in range, light exact, blocks supported', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1), fc.array(stretch, { minLength: 10, maxLength: 40 }), (w, plan) => {
        const s = fork(worlds[w]);
        for (const a of ticksOf(plan)) {
          step(s, a);
          const fault = bodyIsFree(s) || rangesHold(s);
          if (fault) throw new Error(fault);
        }
        const fault = lightIsExact(s) || blocksAreConsistent(s, worlds[w]);
        release(s);
        if (fault) throw new Error(fault);
      }),
      { numRuns: 36, seed: 20261 },
    );
  });

  it('create and destroy items only by the rules', () => {
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 10, maxLength: 40 }), (plan) => {
        const s = fork(worlds[0]);
        for (const a of ticksOf(plan)) {
          const before = totalItems(s);
          const from = eventCount(s);
          step(s, a);
          if (s.i32[H.nextEntity] > 60) break;
          checkBalance(s, before, totalItems(s), from);
        }
        release(s);
      }),
      { numRuns: 40, seed: 20262 },
    );
  });

  it('lead to the same state in a fork as in the original', () => {
    fc.assert(
      fc.property(
        fc.array(stretch, { minLength: 5, maxLength: 20 }),
        fc.array(stretch, { minLength: 5, maxLength: 20 }),
        (first, then) => {
          const a = fork(worlds[0]);
          for (const x of ticksOf(first)) step(a, x);
          const b = fork(a);
          const untouched = fork(a);
          for (const x of ticksOf(then)) step(a, x);
          for (const x of ticksOf(then)) step(b, x);
          expect(hash(b)).toEqual(hash(a));
          expect(blocksAreConsistent(untouched, worlds[0])).toBe('');
          for (const s of [a, b, untouched]) release(s);
        },
      ),
      { numRuns: 15, seed: 20263 },
    );
  });
});

/**
 * Every change of an item total is explained by this tick's events. What has no event: fuel and ore in a running furnace, and blocks
 * that the world itself drops when their support goes, possibly ticks later.
 */
function checkBalance(s: State, before: Map<number, number>, after: Map<number, number>, from: number): void {
  const delta = new Map<number, number>();
  const add = (id: number, n: number) => delta.set(id, (delta.get(id) ?? 0) + n);
  for (const [id, n] of after) add(id, n);
  for (const [id, n] of before) add(id, -n);
  const crafted: number[] = [];
  for (const e of eventsSince(s, from)) {
    if (e.type === EVENT.placed) add(e.b, 1);
    if (e.type === EVENT.mined && harvestable(e.a, e.b) && DROP[e.a] !== 0) add(DROP[e.a], -1);
    if (e.type === EVENT.mined && e.a === B.leaves && delta.get(I.apple) === 1) add(I.apple, -1);
    if (e.type === EVENT.crafted) crafted.push(e.a);
    if (e.type === EVENT.toolBroke) add(e.a, 1);
    if (e.type === EVENT.bucketEmptied || e.type === EVENT.bucketFilled) {
      const k = e.type === EVENT.bucketEmptied ? 1 : -1;
      add(I.water_bucket, k);
      add(I.bucket, -k);
    }
    if (e.type === EVENT.ate) add(e.a, 1);
  }
  for (const id of crafted) {
    const options = RECIPES.filter((r) => r.output === id);
    const paid = options.find((r) => r.needs.every(([need, n]) => (delta.get(need) ?? 0) <= -n)) ?? options[0];
    add(id, -paid.count);
    for (const [need, n] of paid.needs) add(need, n);
  }
  for (const [id, n] of delta) {
    if (n === 0) continue;
    const smelted = n === 1 && [...delta].some(([k, m]) => SMELTS_TO[k] === id && m === -1);
    const melted = n === -1 && SMELTS_TO[id] !== 0 && (delta.get(SMELTS_TO[id]) ?? 0) === 1;
    const burnt = n === -1 && FUEL[id] !== 0;
    const fellOff = n > 0 && n <= 8 && LOOSE.has(id);
    if (!smelted && !melted && !burnt && !fellOff)
      throw new Error(`tick ${s.i32[H.tick]}: ${n} of ${ITEM_NAMES[id]} unexplained`);
  }
}

const LOOSE = new Set<number>([I.torch, I.sugar_cane, I.flower_red, I.flower_yellow, I.cactus, I.door, I.bed]);
