/**
 * Properties of arbitrary action strings on generated worlds (methods/world.md 13.3): nothing they do breaks an invariant. Each function
 * throws fast-check's report of the shortest counterexample. No test framework here: properties-run.ts bundles this file.
 */
import fc from 'fast-check';
import { cameraClass, hotbarKey, KEY, KEY_MASK, makeAction } from '../../src/world/actions.ts';
import { B, DROP } from '../../src/world/blocks.ts';
import { harvestable } from '../../src/world/breaking.ts';
import { setBlock } from '../../src/world/change.ts';
import { PROFILES, type WorldConfig, worldConfig } from '../../src/world/config.ts';
import { EVENT, eventCount, eventsSince } from '../../src/world/events.ts';
import { hex64 } from '../../src/world/hash.ts';
import { FUEL, I, ITEM_NAMES, SMELTS_TO } from '../../src/world/items.ts';
import { RECIPES } from '../../src/world/recipes.ts';
import { restore, snapshot } from '../../src/world/snapshot.ts';
import { blockAt, player, type State } from '../../src/world/state.ts';
import { GUI, H, P, PLAYER } from '../../src/world/state-layout.ts';
import { step } from '../../src/world/step.ts';
import { createWorld, fork, hash, release } from '../../src/world/world.ts';
import { FLOOR, face, flat, give, hold, tap } from './arena.ts';
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

const kitted = (change: Partial<WorldConfig> = {}) => worldConfig('ci', { startKit: KIT, ...change });
const worlds = [
  createWorld(kitted(), 3),
  createWorld(kitted({ survival: true, dayCycle: true }), 4, { time: 12800 }),
  // The rules of mini in the size of ci, whose light is filled four times as fast.
  createWorld(worldConfig('mini', { dims: PROFILES.ci.dims, startKit: KIT }), 5),
  // Starts 24 blocks above the ground, which no body survives.
  createWorld(kitted({ survival: true, relief: 0 }), 6, { at: [32, 60, 32] }),
];
const anyWorld = fc.integer({ min: 0, max: worlds.length - 1 });
const plan = fc.array(stretch, { minLength: 40, maxLength: 60 });

const CASES = 300;
const TICKS = 400;

/** The first TICKS ticks of a plan; a short one begins again. */
function* ticksOf(plan: readonly Stretch[], ticks = TICKS): Generator<number> {
  for (let left = ticks; left > 0; )
    for (const p of plan)
      for (let t = 0; t < p.ticks && left > 0; t++, left--)
        yield makeAction(p.pulse && t & 1 ? 0 : p.keys, t % 3 === 0 ? cameraClass(p.pitch, p.yaw) : undefined);
}

function demand(fault: string): void {
  if (fault) throw new Error(fault);
}

/** Body out of walls and all numbers in range after every tick; at the end light exact, change hash exact, blocks supported. */
export function invariantsHold(): { ticks: number; deaths: number } {
  const sum = { ticks: 0, deaths: 0 };
  fc.assert(
    fc.property(anyWorld, plan, (w, stretches) => {
      const s = fork(worlds[w]);
      for (const a of ticksOf(stretches)) {
        const from = eventCount(s);
        step(s, a);
        demand(bodyIsFree(s) || rangesHold(s));
        sum.ticks++;
        for (const e of eventsSince(s, from)) if (e.type === EVENT.died) sum.deaths++;
      }
      demand(lightIsExact(s) || blocksAreConsistent(s, worlds[w]));
      release(s);
    }),
    { numRuns: CASES, seed: 20261 },
  );
  return sum;
}

/** Items come and go only by the rules of mining, placing, crafting, smelting, eating. */
export function itemsAreConserved(): { ticks: number } {
  let ticks = 0;
  fc.assert(
    fc.property(anyWorld, plan, (w, stretches) => {
      const s = fork(worlds[w]);
      for (const a of ticksOf(stretches)) {
        const before = totalItems(s);
        const from = eventCount(s);
        step(s, a);
        // There is room for 64 drops; beyond it one makes way for the next.
        if (s.i32[H.nextEntity] > 60) break;
        checkBalance(s, before, totalItems(s), from);
        ticks++;
      }
      release(s);
    }),
    { numRuns: CASES, seed: 20262 },
  );
  return { ticks };
}

/** A fork and a restored snapshot go on as the original does, and a fork left alone stays as it is. */
export function forksAgree(): void {
  fc.assert(
    fc.property(anyWorld, plan, plan, (w, first, then) => {
      const a = fork(worlds[w]);
      for (const x of ticksOf(first, TICKS / 2)) step(a, x);
      const untouched = fork(a);
      const then0 = hex64(hash(a));
      const branches = [a, fork(a), restore(snapshot(a))];
      for (const s of branches) for (const x of ticksOf(then, TICKS / 2)) step(s, x);
      const [original, forked, restored] = branches.map((s) => hex64(hash(s)));
      demand(forked === original ? '' : `the fork ends at ${forked}, the original at ${original}`);
      demand(restored === original ? '' : `the restored state ends at ${restored}, the original at ${original}`);
      demand(hex64(hash(untouched)) === then0 ? '' : 'a fork changed with its original');
      demand(blocksAreConsistent(untouched, worlds[w]));
      for (const s of [...branches, untouched]) release(s);
    }),
    { numRuns: CASES, seed: 20263 },
  );
}

/** Clicks in any screen lose nothing, and closing it gives everything back to the inventory. */
export function screensReturnEverything(): void {
  const click = fc.record({
    x: fc.integer({ min: 0, max: 10 }),
    y: fc.integer({ min: 0, max: 10 }),
    n: fc.integer({ min: 0, max: 6 }),
    key: fc.constantFrom(KEY.attack, KEY.use, KEY.attack | KEY.sneak, KEY.drop, hotbarKey(3), 0),
  });
  const block = fc.constantFrom(B.furnace, B.crafting_table, B.air);
  fc.assert(
    fc.property(block, fc.array(click, { minLength: 5, maxLength: 60 }), (at, clicks) => {
      const s = flat();
      setBlock(s, 32, FLOOR + 1, 34, at);
      face(s, 0, 40);
      // Nothing here can be crafted, smelted or burnt, so the totals stay as they are.
      give(s, 0, 'dirt', 40);
      give(s, 1, 'gravel', 64);
      give(s, 2, 'stone_pickaxe', 1, 7);
      give(s, 3, 'glowstone', 9);
      const before = JSON.stringify([...totalItems(s)].sort());
      tap(s, at === B.air ? 'inventory' : 'use');
      for (const c of clicks) {
        for (let i = 0; i < c.n; i++) step(s, makeAction(0, cameraClass(c.y, c.x)));
        step(s, makeAction(c.key));
        demand(rangesHold(s));
      }
      tap(s, 'inventory');
      if (player(s, P.guiKind) !== GUI.none) tap(s, 'inventory');
      const after = JSON.stringify([...totalItems(s)].sort());
      demand(after === before ? '' : `${after} instead of ${before}`);
      demand(s.u32[PLAYER + P.cursorStack] === 0 ? '' : 'a stack stayed on the cursor');
      demand(s.i32[H.flags] === 0 ? '' : `flags ${s.i32[H.flags]}`);
      release(s);
    }),
    { numRuns: CASES, seed: 20264 },
  );
}

/** Water among arbitrary walls comes to rest, with exact light, and dries up without its sources. Returns the cases that did. */
export function waterRests(cases: number): number {
  let met = 0;
  const [least, most] = [26, 37];
  const across = fc.integer({ min: least, max: most });
  const walls = fc.uniqueArray(fc.record({ x: across, y: fc.integer({ min: 1, max: 3 }), z: across }), {
    maxLength: 40,
    selector: (c) => `${c.x},${c.y},${c.z}`,
  });
  const springs = fc.array(fc.record({ x: across, z: across }), { minLength: 1, maxLength: 2 });
  const settle = (s: State) => {
    for (let i = 0; i < 400 && s.i32[H.schedCount] > 0; i++) hold(s, 1);
    demand(s.i32[H.schedCount] === 0 ? '' : 'water does not come to rest');
  };
  const each = (s: State, visit: (state: number, x: number, y: number, z: number) => void) => {
    for (let y = FLOOR + 1; y < FLOOR + 6; y++)
      for (let z = 8; z < 56; z++) for (let x = 8; x < 56; x++) visit(blockAt(s, x, y, z), x, y, z);
  };
  fc.assert(
    fc.property(walls, springs, (cells, sources) => {
      const s = flat('ci', {}, 8, 8);
      for (const c of cells) setBlock(s, c.x, FLOOR + c.y, c.z, B.stone);
      for (const c of sources) setBlock(s, c.x, FLOOR + 3, c.z, B.water);
      settle(s);
      demand(lightIsExact(s));
      each(s, (b, x, y, z) => {
        if (b === B.water) setBlock(s, x, y, z, B.air);
      });
      settle(s);
      let wet = 0;
      each(s, (b) => {
        if (b > B.water && b <= B.water + 8) wet++;
      });
      demand(wet === 0 ? '' : `${wet} cells of water without a source`);
      release(s);
      met++;
    }),
    { numRuns: cases, seed: 20266 },
  );
  return met;
}

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
