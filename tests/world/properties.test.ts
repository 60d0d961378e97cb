/** Arbitrary action strings on generated worlds: nothing they do breaks an invariant. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cameraClass, hotbarKey, KEY, KEY_MASK, makeAction } from '../../src/world/actions.ts';
import { worldConfig } from '../../src/world/config.ts';
import { EVENT, eventCount, eventsSince } from '../../src/world/events.ts';
import { I, ITEM_NAMES, SMELTS_TO } from '../../src/world/items.ts';
import { RECIPES } from '../../src/world/recipes.ts';
import type { State } from '../../src/world/state.ts';
import { GUI, H, P } from '../../src/world/state-layout.ts';
import { step } from '../../src/world/step.ts';
import { player } from '../../src/world/state.ts';
import { createWorld, fork, hash, release } from '../../src/world/world.ts';
import { blocksAreConsistent, bodyIsFree, lightIsExact, rangesHold, totalItems } from './invariants.ts';

/** Stretches of held keys with a moving mouse: single random ticks would never break a block. */
const stretch = fc.record({
  keys: fc.oneof(
    fc.integer({ min: 0, max: KEY_MASK }),
    fc.subarray([KEY.forward, KEY.attack, KEY.use, KEY.jump, KEY.sneak, KEY.sprint, KEY.left, KEY.back]).map((k) => k.reduce((a, b) => a | b, 0)),
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
    for (let t = 0; t < p.ticks; t++) yield makeAction(p.pulse && t & 1 ? 0 : p.keys, t % 3 === 0 ? cameraClass(p.pitch, p.yaw) : undefined);
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
      { numRuns: 60, seed: 20261 },
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
      { numRuns: 60, seed: 20262 },
    );
  });

  it('lead to the same state in a fork as in the original', () => {
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 5, maxLength: 20 }), fc.array(stretch, { minLength: 5, maxLength: 20 }), (first, then) => {
        const a = fork(worlds[0]);
        for (const x of ticksOf(first)) step(a, x);
        const b = fork(a);
        const untouched = fork(a);
        for (const x of ticksOf(then)) step(a, x);
        for (const x of ticksOf(then)) step(b, x);
        expect(hash(b)).toEqual(hash(a));
        expect(blocksAreConsistent(untouched, worlds[0])).toBe('');
        for (const s of [a, b, untouched]) release(s);
      }),
      { numRuns: 25, seed: 20263 },
    );
  });
});

/** Every change of an item total is explained by this tick's events or by a rule without event (drops of the world, fuel, smelting). */
function checkBalance(s: State, before: Map<number, number>, after: Map<number, number>, from: number): void {
  const delta = new Map<number, number>();
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const d = (after.get(id) ?? 0) - (before.get(id) ?? 0);
    if (d !== 0) delta.set(id, d);
  }
  const add = (id: number, n: number) => delta.set(id, (delta.get(id) ?? 0) + n);
  let world = 0;
  for (const e of eventsSince(s, from)) {
    if (e.type === EVENT.placed) add(e.b, 1);
    if (e.type === EVENT.placed || e.type === EVENT.mined) world++;
    if (e.type === EVENT.crafted) {
      add(e.a, -e.b);
      const r = RECIPES.filter((q) => q.output === e.a && q.count === e.b);
      const used = r.find((q) => q.needs.every(([id, n]) => (delta.get(id) ?? 0) <= -n)) ?? r[0];
      for (const [id, n] of used.needs) add(id, n);
    }
    if (e.type === EVENT.toolBroke) add(e.a, 1);
    if (e.type === EVENT.bucketEmptied) {
      add(I.water_bucket, 1);
      add(I.bucket, -1);
    }
    if (e.type === EVENT.bucketFilled) {
      add(I.water_bucket, -1);
      add(I.bucket, 1);
    }
    if (e.type === EVENT.ate) add(e.a, 1);
  }
  for (const [id, n] of delta) {
    if (n === 0) continue;
    // Gains come from breaking, from supports that gave way, or from a furnace; losses only into a furnace's fire or pot.
    const smelts = [...delta.keys()].some((k) => SMELTS_TO[k] === id) || SMELTS_TO[id] !== 0;
    const burns = n < 0 && (id === I.coal || id === I.log || id === I.charcoal || id === I.planks || id === I.stick || id === I.crafting_table);
    const gain = n > 0 && n <= 8 && (world > 0 || isLoose(id));
    if (!smelts && !burns && !gain) throw new Error(`tick ${s.i32[H.tick]}: ${n} of ${ITEM_NAMES[id]} out of nowhere, screen ${player(s, P.guiKind) === GUI.none ? 'closed' : 'open'}`);
  }
}

/** Items that the world itself drops when a support goes, possibly ticks after the break. */
const isLoose = (id: number) =>
  id === I.torch || id === I.sugar_cane || id === I.flower_red || id === I.flower_yellow || id === I.cactus || id === I.door || id === I.bed;
