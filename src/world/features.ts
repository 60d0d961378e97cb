/**
 * What stands on the ground: trees, cacti, canes, flowers, stone outcrops; then the spawn point and the ladder guarantee
 * (enough of everything near the spawn to climb to a diamond). methods/world.md 4.
 */
import { B } from './blocks.ts';
import type { WorldConfig } from './config.ts';
import { placeVein, SEA_LEVEL } from './terrain.ts';
import { BIOME, drawBelow, HEIGHT, type Volume, vGet, vIndex, vInside, vSet } from './volume.ts';

const S = { trees: 40, treeAt: 41, outcrop: 43, plants: 44, ladder: 46, spawn: 47 };

export function addFeatures(cfg: WorldConfig, v: Volume): void {
  const columns = (v.sizeX >> 4) * (v.sizeZ >> 4);
  const outcrops = Math.floor((columns * cfg.outcrops) / 16);
  for (let i = 0; i < outcrops; i++)
    outcrop(v, i, 8 + drawBelow(v, S.outcrop, i, 0, v.sizeX - 16), 8 + drawBelow(v, S.outcrop, i, 1, v.sizeZ - 16));
  for (let cz = 0; cz < v.sizeZ >> 4; cz++) for (let cx = 0; cx < v.sizeX >> 4; cx++) plantColumn(cfg, v, cx, cz);
}

/** y of the first cell above the ground at a column, looking at what is there now. */
export function surface(v: Volume, x: number, z: number): number {
  let y = HEIGHT - 1;
  while (y > 0 && v.blocks[vIndex(v, x, y, z)] === B.air) y--;
  return y + 1;
}

const isSoil = (state: number) => state === B.grass || state === B.dirt || state === B.snow;

/** A tree whose trunk starts at (x, y, z); false if there is no room or no soil. */
export function tree(v: Volume, x: number, y: number, z: number, trunk: number): boolean {
  if (x < 3 || z < 3 || x >= v.sizeX - 3 || z >= v.sizeZ - 3 || y + trunk + 2 >= HEIGHT) return false;
  if (!isSoil(vGet(v, x, y - 1, z))) return false;
  for (let dz = -1; dz <= 1; dz++)
    for (let dx = -1; dx <= 1; dx++)
      for (let dy = 0; dy < trunk; dy++)
        if (vGet(v, x + dx, y + dy, z + dz) !== B.air && (dy > 0 || (dx === 0 && dz === 0))) return false;
  const top = y + trunk - 1;
  const leaf = (dx: number, dy: number, dz: number) => {
    if (vGet(v, x + dx, top + dy, z + dz) === B.air) vSet(v, x + dx, top + dy, z + dz, B.leaves);
  };
  for (let dz = -2; dz <= 2; dz++)
    for (let dx = -2; dx <= 2; dx++) {
      const corner = Math.abs(dx) + Math.abs(dz);
      if (corner < 4) leaf(dx, -1, dz);
      if (corner < 3) leaf(dx, 0, dz);
      if (corner < 2) leaf(dx, 1, dz);
    }
  for (let i = 0; i < trunk; i++) vSet(v, x, y + i, z, B.log);
  vSet(v, x, y - 1, z, B.dirt);
  return true;
}

function plantColumn(cfg: WorldConfig, v: Volume, cx: number, cz: number): void {
  const id = cz * 64 + cx;
  const biome = v.biome[(cz * 16 + 8) * v.sizeX + cx * 16 + 8];
  const r = (stream: number, j: number, n: number) => drawBelow(v, stream, id, j, n);
  // Trees per column in 1/100 before the density factor: plains 0-1, forest 5-8, snowy 2, desert none.
  const base = [r(S.trees, 0, 101), 500 + r(S.trees, 0, 301), 0, 200][biome];
  const scaled = Math.floor((base * cfg.treeDensity) / 100);
  const trees = Math.floor(scaled / 100) + (r(S.trees, 1, 100) < scaled % 100 ? 1 : 0);
  for (let i = 0; i < trees; i++) {
    const x = cx * 16 + r(S.treeAt, i * 4, 16);
    const z = cz * 16 + r(S.treeAt, i * 4 + 1, 16);
    tree(v, x, surface(v, x, z), z, 4 + r(S.treeAt, i * 4 + 2, 3));
  }
  for (let i = 0; i < 6; i++) {
    const x = cx * 16 + r(S.plants, i * 4, 16);
    const z = cz * 16 + r(S.plants, i * 4 + 1, 16);
    const y = surface(v, x, z);
    if (y >= HEIGHT - 4) continue;
    const soil = vGet(v, x, y - 1, z);
    const kind = r(S.plants, i * 4 + 2, 6);
    if (soil === B.grass) vSet(v, x, y, z, kind === 0 ? B.flower_red : kind === 1 ? B.flower_yellow : B.tall_grass);
    else if (soil === B.sand && y > SEA_LEVEL) {
      if (biome === BIOME.desert && i < 2 && isolated(v, x, y, z))
        for (let k = 0; k <= kind % 3; k++) vSet(v, x, y + k, z, B.cactus);
    }
  }
  for (let i = 0; i < 8; i++) {
    const x = cx * 16 + r(S.plants, 40 + i * 2, 16);
    const z = cz * 16 + r(S.plants, 41 + i * 2, 16);
    const y = surface(v, x, z);
    const soil = vGet(v, x, y - 1, z);
    if ((soil === B.sand || soil === B.grass) && besideWater(v, x, y - 1, z)) {
      vSet(v, x, y, z, B.sugar_cane);
      vSet(v, x, y + 1, z, B.sugar_cane);
    }
  }
}

const SIDES = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
] as const;
const isolated = (v: Volume, x: number, y: number, z: number) =>
  SIDES.every(([dx, dz]) => [0, 1, 2].every((k) => vGet(v, x + dx, y + k, z + dz) === B.air));
const besideWater = (v: Volume, x: number, y: number, z: number) =>
  SIDES.some(([dx, dz]) => vGet(v, x + dx, y, z + dz) === B.water);

/** A rounded boulder of stone, half sunk, with coal and iron (rarely diamond) showing on its faces. */
export function outcrop(v: Volume, i: number, x: number, z: number): void {
  const r = (j: number, n: number) => drawBelow(v, S.outcrop, i, 8 + j, n);
  const radius = 3 + r(0, 3);
  const height = 3 + r(1, 3);
  const floor = v.ground[z * v.sizeX + x];
  if (floor < SEA_LEVEL) return;
  for (let dz = -radius; dz <= radius; dz++)
    for (let dx = -radius; dx <= radius; dx++)
      for (let dy = -3; dy <= height; dy++) {
        const up = dy > 0 ? (dy * dy * 64) / (height * height) : 0;
        const wobble = r(100 + (dz + 8) * 16 + dx + 8, 14);
        if (Math.floor(((dx * dx + dz * dz) * 64) / (radius * radius) + up) + wobble > 68) continue;
        const y = floor + dy;
        if (!vInside(v, x + dx, y, z + dz) || y < 2) continue;
        const old = vGet(v, x + dx, y, z + dz);
        if (old === B.water || old === B.bedrock) continue;
        vSet(v, x + dx, y, z + dz, B.stone);
      }
  const ores = [B.coal_ore, B.coal_ore, B.iron_ore, B.iron_ore, r(2, 3) === 0 ? B.diamond_ore : B.coal_ore];
  ores.forEach((ore, k) => {
    const side = SIDES[r(10 + k, 4)];
    const y = floor + 1 + r(20 + k, Math.max(1, height - 1));
    // Walk in from outside to the first stone cell: the ore shows on the surface.
    for (let d = radius + 1; d >= 0; d--) {
      const ax = x + side[0] * d + side[1] * (r(30 + k, 3) - 1);
      const az = z + side[1] * d + side[0] * (r(30 + k, 3) - 1);
      if (vGet(v, ax, y, az) !== B.stone) continue;
      placeVein(v, ore, ax, y, az, ore === B.diamond_ore ? 2 : 3, (j) => r(50 + k * 16 + j, 6));
      return;
    }
  });
}

export interface Spawn {
  x: number;
  y: number;
  z: number;
}

/** Columns within a square radius, as [x0, x1, z0, z1]. */
function square(v: Volume, at: Spawn, radius: number): [number, number, number, number] {
  const low = (c: number) => Math.max(0, c - radius);
  return [low(at.x), Math.min(v.sizeX - 1, at.x + radius), low(at.z), Math.min(v.sizeZ - 1, at.z + radius)];
}

/** Cells of a state within a square radius of a column, over all heights. */
function countNear(v: Volume, at: Spawn, radius: number, state: number): number {
  const [x0, x1, z0, z1] = square(v, at, radius);
  let n = 0;
  for (let y = 2; y < HEIGHT - 1; y++)
    for (let z = z0; z <= z1; z++) {
      const row = vIndex(v, 0, y, z);
      for (let i = row + x0; i <= row + x1; i++) if (v.blocks[i] === state) n++;
    }
  return n;
}

/** Stone cells with air beside or above them. */
function countBare(v: Volume, at: Spawn, radius: number): number {
  const [x0, x1, z0, z1] = square(v, at, radius);
  const b = v.blocks;
  const [sx, layer] = [v.sizeX, v.sizeX * v.sizeZ];
  let n = 0;
  for (let y = 26; y <= 60; y++)
    for (let z = z0; z <= z1; z++) {
      const row = vIndex(v, 0, y, z);
      for (let i = row + x0; i <= row + x1; i++) {
        if (b[i] !== B.stone) continue;
        const open = b[i + 1] === B.air || b[i - 1] === B.air || b[i + sx] === B.air || b[i - sx] === B.air;
        if (open || b[i + layer] === B.air) n++;
      }
    }
  return n;
}

/** Sum of a per-column count within a square radius. */
function sumNear(v: Volume, at: Spawn, radius: number, columns: Uint8Array): number {
  const [x0, x1, z0, z1] = square(v, at, radius);
  let n = 0;
  for (let z = z0; z <= z1; z++) for (let x = x0; x <= x1; x++) n += columns[z * v.sizeX + x];
  return n;
}

/** Dry grass (or whatever the biomes offer) near the centre, with trees within 24 and water within 48 if there is such a place. */
export function findSpawn(v: Volume): Spawn {
  const layer = v.sizeX * v.sizeZ;
  const logs = new Uint8Array(layer);
  const water = new Uint8Array(layer);
  for (let c = 0; c < layer; c++) {
    for (let y = 30; y <= 60; y++) if (v.blocks[y * layer + c] === B.log) logs[c]++;
    const top = v.blocks[SEA_LEVEL * layer + c];
    if (top === B.water || top === B.ice) water[c] = 1;
  }
  let best: Spawn = { x: v.sizeX >> 1, y: surface(v, v.sizeX >> 1, v.sizeZ >> 1), z: v.sizeZ >> 1 };
  let bestScore = -1;
  for (let i = 0; i < 48; i++) {
    const spread = 6 + i;
    const x = Math.max(12, Math.min(v.sizeX - 13, (v.sizeX >> 1) + drawBelow(v, S.spawn, i, 0, spread * 2) - spread));
    const z = Math.max(12, Math.min(v.sizeZ - 13, (v.sizeZ >> 1) + drawBelow(v, S.spawn, i, 1, spread * 2) - spread));
    const y = surface(v, x, z);
    const at = { x, y, z };
    const ground = vGet(v, x, y - 1, z);
    const dry = ground === B.grass ? 3 : ground === B.snow || ground === B.sand ? 1 : 0;
    if (dry === 0 || y > HEIGHT - 16) continue;
    let score = dry * 100;
    score += Math.min(5, Math.floor(sumNear(v, at, 24, logs) / 4)) * 20;
    score += Math.min(20, sumNear(v, at, 48, water)) * 4;
    if (score > bestScore) {
      bestScore = score;
      best = at;
    }
    if (score >= 480) break;
  }
  return best;
}

/** Adds trees, an outcrop and veins around the spawn until the ladder to a diamond can be climbed there. */
export function guaranteeLadder(v: Volume, at: Spawn): void {
  const radius = Math.min(40, (v.sizeX >> 1) - 12, (v.sizeZ >> 1) - 12);
  const place = (i: number, j: number) => ({
    x: Math.max(8, Math.min(v.sizeX - 9, at.x + drawBelow(v, S.ladder, i, j, radius * 2) - radius)),
    z: Math.max(8, Math.min(v.sizeZ - 9, at.z + drawBelow(v, S.ladder, i, j + 1, radius * 2) - radius)),
  });
  const far = ({ x, z }: { x: number; z: number }) => Math.abs(x - at.x) + Math.abs(z - at.z) >= 8;
  let logs = countNear(v, at, radius, B.log);
  for (let i = 0; i < 400 && logs < 12; i++) {
    const p = place(i, 0);
    if (far(p) && tree(v, p.x, surface(v, p.x, p.z), p.z, 5)) logs += 5;
  }
  for (let i = 0; i < 40 && countBare(v, at, radius) < 20; i++) {
    const p = place(i, 4);
    if (far(p)) outcrop(v, 1000 + i, p.x, p.z);
  }
  for (const [ore, need, depth, size] of [
    [B.coal_ore, 6, 10, 6],
    [B.iron_ore, 8, 12, 5],
    [B.diamond_ore, 4, 0, 4],
  ] as const) {
    let have = countNear(v, at, radius, ore);
    for (let i = 0; i < 200 && have < need; i++) {
      const p = place(i, 8 + ore * 2);
      const ground = v.ground[p.z * v.sizeX + p.x];
      const y = depth === 0 ? 8 : Math.max(4, ground - depth);
      have += placeVein(v, ore, p.x, y, p.z, size, (j) => drawBelow(v, S.ladder, i * 16 + j, 99 + ore, 6));
    }
  }
}
