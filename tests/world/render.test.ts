// The frame renderer without a GPU: geometry, light, layers, drops, hotbar, GUI, page store; golden hashes of all that is drawn.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { B, FACE, STATE_COUNT, STATES, TILES } from '../../src/world/blocks.ts';
import { worldConfig } from '../../src/world/config.ts';
import { openGui } from '../../src/world/gui.ts';
import { FURNACE_CELLS } from '../../src/world/gui-layout.ts';
import { digest64, hex64 } from '../../src/world/hash.ts';
import { I, ITEM_COUNT, packSlot } from '../../src/world/items.ts';
import { R, REC_ENTITIES, REC_ENTITY_MAX, REC_ENTITY_WORDS, REC_WORDS } from '../../src/world/render/frame-rec.ts';
import { FrameRendererCpu } from '../../src/world/render/frame-renderer-cpu.ts';
import { frameSpec, gridRowTop } from '../../src/world/render/frame-spec.ts';
import { observeRec } from '../../src/world/render/observe.ts';
import { countBar } from '../../src/world/render/overlay-rec.ts';
import { PageStore } from '../../src/world/render/page-store.ts';
import { addDrop, sampleState } from '../../src/world/render/sample-states.ts';
import { renderTopdown, TOPDOWN_SIZE } from '../../src/world/render/topdown.ts';
import { type State, writeBlock } from '../../src/world/state.ts';
import { E, ENT, ENT_WORDS, F, GUI, H, INV, P, PLAYER, packPos } from '../../src/world/state-layout.ts';
import { ATLAS, tileMean } from '../../src/world/visual/atlas.ts';
import { ICONS } from '../../src/world/visual/icons.ts';
import { INFO } from '../../src/world/visual/materials.ts';
import { arena, fill, GROUND, stand } from './render-arena.ts';

const W = 64;
const VIEW = 40;
const mini = frameSpec(worldConfig('mini').frame);
const renderer = new FrameRendererCpu(mini, new PageStore(2048));
const frame = (s: State) => renderer.frame(s).slice();

const luma = (f: Uint8Array, x: number, y: number) =>
  f[(y * W + x) * 3] + f[(y * W + x) * 3 + 1] + f[(y * W + x) * 3 + 2];
const rgbAt = (f: Uint8Array, x: number, y: number) => [...f.subarray((y * W + x) * 3, (y * W + x) * 3 + 3)];
/** Pixels [x, y] at which two frames differ. */
function changed(a: Uint8Array, b: Uint8Array): [number, number][] {
  const out: [number, number][] = [];
  for (let i = 0; i < a.length; i += 3)
    if (a[i] !== b[i] || a[i + 1] !== b[i + 1] || a[i + 2] !== b[i + 2]) out.push([(i / 3) % W, Math.floor(i / 3 / W)]);
  return out;
}
function digest(bytes: ArrayLike<number>): string {
  const words = Uint32Array.from(bytes);
  return hex64(digest64(words, 0, words.length));
}

test('golden hashes of the tables (those of frames: golden-frames.ts)', () => {
  const file = new URL('./render-golden.json', import.meta.url);
  const got = { atlas: digest(ATLAS), icons: digest(ICONS), materials: digest(INFO) };
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, `${JSON.stringify(got, null, 2)}\n`);
  expect(got).toEqual(JSON.parse(readFileSync(file, 'utf8')));
});

test('every block face has a tile, every item an icon, and icons differ enough to be told apart in one patch', () => {
  for (let s = 1; s < STATE_COUNT; s++)
    for (let f = 0; f < 6; f++) expect(STATES[s].tiles[f], `state ${s}`).toBeTruthy();
  const back = [43, 48, 60];
  const seen = (item: number) =>
    Array.from({ length: 56 }, (_, i) => ICONS[item * 64 + i]).flatMap((t) =>
      t >>> 24 ? [t & 255, (t >>> 8) & 255, (t >>> 16) & 255] : back,
    );
  const icons = Array.from({ length: ITEM_COUNT }, (_, i) => seen(i));
  let least = Number.POSITIVE_INFINITY;
  let pair = '';
  for (let a = 0; a < ITEM_COUNT; a++)
    for (let b = a + 1; b < ITEM_COUNT; b++) {
      const d = icons[a].reduce((t, v, i) => t + Math.abs(v - icons[b][i]), 0);
      if (d < least) {
        least = d;
        pair = `${a} ${b}`;
      }
    }
  // 56 pixels x 3 channels: a mean difference of at least 6/255 per channel.
  expect(least, pair).toBeGreaterThan(1000);
});

test('centre ray, handedness and pitch: a block ahead, to the right, above and below', () => {
  const empty = arena();
  const put = (x: number, y: number, z: number) => {
    const s = arena();
    fill(s, [x, y, z], [x, y, z], B.planks);
    return changed(frame(empty), frame(s)).filter(([, row]) => row < VIEW);
  };
  const mean = (p: [number, number][], k: 0 | 1) => p.reduce((t, v) => t + v[k], 0) / p.length;
  // Yaw 0 looks to +z; its right hand is -x.
  const ahead = put(64, GROUND + 1, 70);
  expect(mean(ahead, 0)).toBeCloseTo(31.5, 0);
  expect(mean(put(61, GROUND + 1, 70), 0)).toBeGreaterThan(40);
  expect(mean(put(67, GROUND + 1, 70), 0)).toBeLessThan(24);
  expect(mean(put(64, GROUND + 4, 70), 1)).toBeLessThan(10);
  // A block 5.5 blocks away spans 40 / (2 tan 35 deg) / 5.5 = 5.2 pixels.
  const rows = new Set(ahead.map(([, y]) => y)).size;
  expect(rows).toBeGreaterThanOrEqual(5);
  expect(rows).toBeLessThanOrEqual(8);
  const s = arena();
  stand(s, 64.5, GROUND, 64.5, 0, 16384);
  expect(changed(frame(s), frame(empty)).length).toBeGreaterThan(1000);
});

test('a turn of 90 degrees at a time shows the four sides', () => {
  for (const [yaw, x, z] of [
    [0, 64, 69],
    [16384, 59, 64],
    [32768, 64, 59],
    [49152, 69, 64],
  ]) {
    const s = arena();
    stand(s, 64.5, GROUND, 64.5, yaw, 0);
    const before = frame(s);
    fill(s, [x, GROUND + 1, z], [x, GROUND + 1, z], B.planks);
    expect(changed(before, frame(s)).some(([px, py]) => px === 31 && py === 18)).toBe(true);
  }
});

test('2x2 samples are the rounded mean of four casts', () => {
  const fine = {
    ...frameSpec({ width: 128, height: 96, ssaa: 1, viewDistance: mini.viewDistance }),
    mipDepth: mini.mipDepth,
  };
  expect(fine.depth1).toEqual(mini.depth1);
  const single = new FrameRendererCpu(fine, new PageStore(2048));
  let wrong = 0;
  for (const k of [0, 1, 2, 4]) {
    const s = sampleState(k);
    const a = frame(s);
    const b = single.frame(s);
    for (let y = 0; y < VIEW; y++)
      for (let x = 0; x < W; x++) {
        if (Math.abs(x - 31.5) < 3 && Math.abs(y - 19.5) < 3) continue; // crosshair
        for (let c = 0; c < 3; c++) {
          const at = (2 * y * 128 + 2 * x) * 3 + c;
          const mean = (b[at] + b[at + 3] + b[at + 384] + b[at + 387] + 2) >> 2;
          if (a[(y * W + x) * 3 + c] !== mean) wrong++;
        }
      }
  }
  expect(wrong).toBe(0);
});

test('dropped items are drawn in front of what is behind them and hidden by what is in front', () => {
  const s = arena();
  stand(s, 64.5, GROUND, 64.5, 0, 4000);
  const before = frame(s);
  addDrop(s, 0, 64.5, GROUND, 67.5, I.diamond);
  const drop = changed(before, frame(s));
  expect(drop.length).toBeGreaterThan(3);
  expect(drop.length).toBeLessThan(30);
  expect(drop.every(([x, y]) => Math.abs(x - 31.5) < 4 && y > 10 && y < VIEW)).toBe(true);
  fill(s, [62, GROUND, 66], [67, GROUND + 2, 66], B.stone);
  const walled = frame(s);
  s.i32.fill(0, 192, 192 + 16);
  expect(changed(walled, frame(s))).toEqual([]);
});

test('a drop on the highest block shows against the sky', () => {
  const s = arena();
  fill(s, [64, GROUND, 67], [64, GROUND + 3, 67], B.stone);
  stand(s, 64.5, GROUND, 64.5, 0, -6000);
  const before = frame(s);
  addDrop(s, 0, 64.5, GROUND + 4, 67.05, I.diamond);
  expect(changed(before, frame(s)).length).toBeGreaterThan(2);
});

test('of more drops than a record holds the nearest are drawn', () => {
  const s = arena();
  stand(s, 64.5, GROUND, 64.5, 0, 3000);
  const rec = new Uint32Array(REC_WORDS);
  const pages = new PageStore(256);
  // Forty in a row that leads away, the farthest first in the state's list.
  for (let i = 0; i < 40; i++) addDrop(s, i, 62.5 + (i % 5), GROUND, 67 + (39 - i) * 0.5, I.diamond);
  observeRec(s, rec, 0, mini, pages);
  expect(rec[R.entityCount]).toBe(REC_ENTITY_MAX);
  const depth = Array.from({ length: REC_ENTITY_MAX }, (_, n) => rec[REC_ENTITIES + n * REC_ENTITY_WORDS + 2]);
  const all = frame(s);
  for (let i = 0; i < 40 - REC_ENTITY_MAX; i++) s.i32[ENT + i * ENT_WORDS + E.type] = 0;
  observeRec(s, rec, 0, mini, pages);
  const near = Array.from({ length: REC_ENTITY_MAX }, (_, n) => rec[REC_ENTITIES + n * REC_ENTITY_WORDS + 2]);
  expect(depth.sort()).toEqual(near.sort());
  expect(changed(all, frame(s))).toEqual([]);
});

test('break progress darkens the target in four steps and nothing else', () => {
  const s = arena();
  fill(s, [64, GROUND + 1, 67], [64, GROUND + 1, 67], B.sand);
  const clean = frame(s);
  let last = Number.POSITIVE_INFINITY;
  for (const ticks of [1, 10, 20, 30]) {
    s.i32[PLAYER + P.breakPos] = packPos(64, GROUND + 1, 67) + 1;
    s.i32[PLAYER + P.breakTicks] = ticks;
    s.i32[PLAYER + P.breakNeed] = 40;
    const f = frame(s);
    const touched = changed(clean, f);
    expect(touched.length).toBeGreaterThan(60);
    expect(touched.every(([x, y]) => Math.abs(x - 31.5) < 10 && y < VIEW)).toBe(true);
    const sum = touched.reduce((t, [x, y]) => t + luma(f, x, y), 0) / touched.length;
    expect(sum).toBeLessThan(last - 20);
    last = sum;
  }
});

test('water tints what lies below and hides it with depth', () => {
  const below = (depth: number) => {
    const s = arena();
    fill(s, [58, GROUND - depth, 58], [70, GROUND - 1, 72], B.water, 0xf0);
    stand(s, 64.5, GROUND, 64.5, 0, 12000);
    return rgbAt(frame(s), 20, 20);
  };
  const dry = arena();
  stand(dry, 64.5, GROUND, 64.5, 0, 12000);
  const stone = rgbAt(frame(dry), 20, 20);
  const [one, six] = [below(1), below(6)];
  expect(stone[2] - stone[0]).toBeLessThan(40);
  expect(one[2] - one[0]).toBeGreaterThan(60);
  expect(six[2] - six[0]).toBeGreaterThan(one[2] - one[0] + 10);
});

test('underwater everything is blue, even nearby stone', () => {
  const s = arena();
  fill(s, [58, GROUND, 58], [70, GROUND + 3, 72], B.water, 0xf0);
  const f = frame(s);
  for (let x = 0; x < W; x += 7) expect(rgbAt(f, x, 30)[2]).toBeGreaterThan(rgbAt(f, x, 30)[0] + 25);
});

test('corners are darker than open faces, and a torch lights a dark room', () => {
  const s = arena();
  fill(s, [60, GROUND, 70], [68, GROUND + 4, 70], B.planks);
  stand(s, 64.5, GROUND, 64.5, 0, 1500);
  const f = frame(s);
  const open = luma(f, 20, 10);
  let foot = 765;
  for (let y = 15; y < VIEW; y++) foot = Math.min(foot, luma(f, 20, y));
  expect(foot).toBeLessThan(open);
  const room = arena();
  fill(room, [60, 10, 60], [68, 13, 76], B.air, 0);
  stand(room, 64.5, 10, 62.5);
  const dark = frame(room);
  for (let z = 60; z <= 76; z++)
    for (let y = 10; y <= 13; y++)
      for (let x = 60; x <= 68; x++)
        fill(room, [x, y, z], [x, y, z], B.air, Math.max(0, 14 - Math.abs(x - 64) - Math.abs(z - 70) - (y - 10)));
  writeBlock(room, 64, 10, 70, B.torch);
  const lit = frame(room);
  const sum = (g: Uint8Array) => g.subarray(0, W * VIEW * 3).reduce((t, v) => t + v, 0);
  expect(sum(lit)).toBeGreaterThan(3 * sum(dark));
});

test('beyond the view distance there is only sky, and night is darker', () => {
  const s = arena();
  stand(s, 64.5, GROUND + 2, 64.5, 0, 0);
  const before = frame(s);
  fill(s, [56, GROUND, 98], [72, GROUND + 8, 98], B.planks);
  expect(changed(before, frame(s))).toEqual([]);
  fill(s, [56, GROUND, 80], [72, GROUND + 8, 80], B.planks);
  expect(changed(before, frame(s)).length).toBeGreaterThan(300);
  const night = arena({ dayCycle: true });
  night.i32[H.time] = 18000;
  const day = arena({ dayCycle: true });
  day.i32[H.time] = 6000;
  expect(luma(frame(night), 10, 35) * 2).toBeLessThan(luma(frame(day), 10, 35));
  expect(luma(frame(night), 10, 5) * 2).toBeLessThan(luma(frame(day), 10, 5));
});

test('hotbar strip: icon on its patch, count bar, selected slot obvious', () => {
  const s = arena();
  s.u32[INV + 2] = packSlot(I.planks, 40);
  const f = frame(s);
  const other = arena();
  other.u32[INV + 2] = packSlot(I.planks, 40);
  other.i32[PLAYER + P.selected] = 5;
  const touched = changed(f, frame(other));
  expect(touched.every(([x, y]) => y >= VIEW && (x < 8 || (x >= 40 && x < 48)))).toBe(true);
  expect(touched.length).toBe(128);
  // The background of a slot moves by more than 60/255 in blue, count rows included.
  const moved = frame(other);
  for (const [x, y] of touched)
    expect(Math.abs(f[(y * W + x) * 3 + 2] - moved[(y * W + x) * 3 + 2])).toBeGreaterThan(60);
  const none = arena();
  expect(changed(frame(none), f).every(([x, y]) => y >= VIEW && x >= 16 && x < 24)).toBe(true);
  expect([0, 1, 2, 8, 16, 63, 64].map(countBar)).toEqual([0, 0, 1, 2, 3, 8, 8]);
});

test('GUI screens cover the frame on the 8-px grid and show the cursor', () => {
  const s = arena();
  s.u32[INV + 9] = packSlot(I.log, 3);
  openGui(s, GUI.inventory);
  const f = frame(s);
  stand(s, 64.5, GROUND, 64.5, 20000, 3000);
  expect(changed(f, frame(s))).toEqual([]);
  s.u32[INV + 9] = packSlot(I.diamond, 3);
  const [x, y] = [changed(f, frame(s)).map(([a]) => a), changed(f, frame(s)).map(([, b]) => b)];
  // Slot 9 is the first cell of row 2; a log can also be crafted, so the strip above loses its recipes.
  expect(x.some((v, i) => v < 8 && y[i] >= 16 && y[i] < 24)).toBe(true);
  expect(x.every((v, i) => (v < 8 && y[i] >= 16 && y[i] < 24) || y[i] < 16)).toBe(true);
  const still = frame(s);
  s.i32[PLAYER + P.cursorX] += 8 << 8;
  const moved = changed(still, frame(s));
  expect(moved.length).toBeGreaterThan(20);
  expect(Math.max(...moved.map(([a]) => a)) - Math.min(...moved.map(([a]) => a))).toBeLessThan(14);
  expect(gridRowTop(mini, 5)).toBe(40);
  expect([0, 1, 2, 3, 4].map((r) => gridRowTop(mini, r))).toEqual([0, 8, 16, 24, 32]);
});

test('the furnace screen shows its slots, the flame and the arrow where the layout says', () => {
  const s = arena();
  writeBlock(s, 64, GROUND, 67, B.furnace);
  openGui(s, GUI.furnace, 64, GROUND, 67);
  const at = s.i32[PLAYER + P.guiBlockEntity] - 1;
  const inCell = (touched: [number, number][], [col, row]: readonly [number, number]) =>
    touched.length > 0 && touched.every(([x, y]) => x >> 3 === col && y >> 3 === row);
  const cold = frame(s);
  s.u32[at + F.input] = packSlot(I.iron_ore, 2);
  const loaded = frame(s);
  expect(inCell(changed(cold, loaded), FURNACE_CELLS.input)).toBe(true);
  s.i32[at + F.burnTotal] = 80;
  s.i32[at + F.burnLeft] = 40;
  const lit = frame(s);
  expect(inCell(changed(loaded, lit), FURNACE_CELLS.flame)).toBe(true);
  const arrow = (cook: number) => {
    s.i32[at + F.cook] = cook;
    return changed(lit, frame(s));
  };
  const smelt = s.cfg.smeltTicks;
  expect(inCell(arrow(smelt * 0.4), FURNACE_CELLS.arrow)).toBe(true);
  const late = arrow(smelt * 0.9);
  expect(late.length).toBeGreaterThan(arrow(smelt * 0.4).length);
  expect(late.some(([x]) => x >> 3 === FURNACE_CELLS.arrow2[0])).toBe(true);
});

test('a record keeps its moment: pages written later do not change it', () => {
  const s = arena();
  const pages = new PageStore(256);
  const r = new FrameRendererCpu(mini, pages);
  const recs = new Uint32Array(2 * REC_WORDS);
  const first = frame(s);
  observeRec(s, recs, 0, mini, pages);
  fill(s, [63, GROUND, 67], [66, GROUND + 2, 67], B.planks);
  const second = frame(s);
  observeRec(s, recs, REC_WORDS, mini, pages);
  const both = r.render(recs);
  expect(changed(both.subarray(0, r.frameBytes), first)).toEqual([]);
  expect(changed(both.subarray(r.frameBytes), second)).toEqual([]);
  expect(changed(first, second).length).toBeGreaterThan(100);
});

test('page eviction does not change frames; a batch that cannot fit says so', () => {
  const tight = new FrameRendererCpu(mini, new PageStore(160));
  for (const k of [0, 1, 3, 0, 6, 1, 9, 3])
    expect(changed(tight.frame(sampleState(k)), frame(sampleState(k)))).toEqual([]);
  const recs = new Uint32Array(40 * REC_WORDS);
  const tiny = new PageStore(60);
  expect(() => {
    for (let i = 0; i < 40; i++) observeRec(sampleState(i), recs, i * REC_WORDS, mini, tiny);
  }).toThrow(/more than 60 pages/);
});

test('observing changes nothing in the state', () => {
  const s = sampleState(7);
  const before = s.u32.slice();
  const handles = s.handles.slice();
  frame(s);
  expect(s.u32).toEqual(before);
  expect(s.handles).toEqual(handles);
});

test('impossible frames are refused', () => {
  expect(() => frameSpec({ width: 60, height: 48, ssaa: 1, viewDistance: 32 })).toThrow(/multiple of 8/);
  expect(() => frameSpec({ width: 64, height: 48, ssaa: 1, viewDistance: 100 })).toThrow(/view distance 100/);
});

test('topdown: grid of tiles, the player in the middle, heading, relief', () => {
  const s = arena();
  fill(s, [66, GROUND - 1, 64], [66, GROUND - 1, 64], B.sand, 0);
  const f = renderTopdown(s);
  const at = (x: number, y: number) =>
    (f[(y * TOPDOWN_SIZE + x) * 3] << 16) |
    (f[(y * TOPDOWN_SIZE + x) * 3 + 1] << 8) |
    f[(y * TOPDOWN_SIZE + x) * 3 + 2];
  // Sand two blocks east of the player: tile column 6, row 4, one flat colour.
  const tile = new Set(Array.from({ length: 16 }, (_, i) => at(24 + (i & 3), 16 + (i >> 2))));
  expect(tile.size).toBe(1);
  expect([...tile][0]).not.toBe(at(0, 0));
  expect(tileMean(TILES[B.sand * 6 + FACE.up])).toBeGreaterThan(0xd00000);
  // Yaw 0 is south: down on the map.
  expect(at(18, 18)).toBe(0xfff6e0);
  expect(at(18, 19)).toBe(0xe0483c);
  s.i32[PLAYER + P.yaw] = 16384;
  const west = renderTopdown(s);
  expect([west[(18 * 32 + 17) * 3], west[(19 * 32 + 18) * 3]]).toEqual([0xe0, f[0]]);
  s.i32[PLAYER + P.x] += 16384;
  expect(renderTopdown(s)[(18 * 32 + 19) * 3]).toBe(0xff);
});
