/** Generated worlds: reproducible column by column, exact light, and good to live in. */
import { describe, expect, it } from 'vitest';
import {
  B,
  EMISSION,
  FACE_DX,
  FACE_DY,
  FACE_DZ,
  FLAG,
  FLAGS,
  isWater,
  OPACITY,
  STATES,
} from '../../src/world/blocks.ts';
import { supported } from '../../src/world/change.ts';
import { type ProfileName, worldConfig } from '../../src/world/config.ts';
import { generate } from '../../src/world/generate.ts';
import { hex64 } from '../../src/world/hash.ts';
import { blockAt } from '../../src/world/state.ts';
import { groundHeights } from '../../src/world/terrain.ts';
import { type Volume, vGet, vIndex } from '../../src/world/volume.ts';
import { createWorld, hash } from '../../src/world/world.ts';
import { columnHashes, seedsOf } from './golden-terrain.ts';

const count = (v: Volume, test: (state: number) => boolean) => v.blocks.reduce((n, s) => n + (test(s) ? 1 : 0), 0);

const PROFILE_NAMES: ProfileName[] = ['ci', 'mini', 'meadow'];

describe.each(PROFILE_NAMES)('%s terrain', (profile) => {
  const cfg = worldConfig(profile);

  it('is a pure function of the seed', () => {
    expect(columnHashes(profile, 5)).toEqual(columnHashes(profile, 5));
    expect(columnHashes(profile, 5)).not.toEqual(columnHashes(profile, 6));
    expect(hex64(hash(createWorld(cfg, 5)))).toBe(hex64(hash(createWorld(cfg, 5))));
  });

  it('has bedrock below, air above, no hanging plants, and water only where it stays', () => {
    const s = createWorld(cfg, 3);
    for (let z = 0; z < s.sizeZ; z++)
      for (let x = 0; x < s.sizeX; x++) {
        if (blockAt(s, x, 0, z) !== B.bedrock) expect(blockAt(s, x, 0, z)).toBe(B.bedrock);
        if (blockAt(s, x, 63, z) !== B.air) expect(blockAt(s, x, 63, z)).toBe(B.air);
        for (let y = 1; y < 63; y++) {
          const b = blockAt(s, x, y, z);
          if ((FLAGS[b] & FLAG.needsSupport) !== 0 && !supported(s, b, x, y, z))
            throw new Error(`${STATES[b].name} hangs at ${x},${y},${z}`);
          if ((FLAGS[b] & FLAG.falls) !== 0 && blockAt(s, x, y - 1, z) === B.air && y < 31) continue;
          if (isWater(b) && blockAt(s, x, y - 1, z) === B.air) throw new Error(`water over air at ${x},${y},${z}`);
        }
      }
  });

  it('offers a dry spawn with room, and the ladder within reach, in every seed', () => {
    for (const seed of seedsOf(profile)) {
      const { volume: v, spawn } = generate(cfg, seed);
      expect(vGet(v, spawn.x, spawn.y, spawn.z), `seed ${seed}`).toBe(B.air);
      expect(vGet(v, spawn.x, spawn.y + 1, spawn.z), `seed ${seed}`).toBe(B.air);
      expect([B.grass, B.snow, B.sand, B.dirt, B.stone, B.sandstone], `seed ${seed}`).toContain(
        vGet(v, spawn.x, spawn.y - 1, spawn.z),
      );
      const near = (state: number) => {
        let n = 0;
        for (let y = 1; y < 63; y++)
          for (let z = Math.max(0, spawn.z - 40); z <= Math.min(v.sizeZ - 1, spawn.z + 40); z++)
            for (let x = Math.max(0, spawn.x - 40); x <= Math.min(v.sizeX - 1, spawn.x + 40); x++)
              if (v.blocks[vIndex(v, x, y, z)] === state) n++;
        return n;
      };
      for (const [state, need] of [
        [B.log, 12],
        [B.coal_ore, 6],
        [B.iron_ore, 8],
        [B.diamond_ore, 4],
      ])
        expect(near(state), `seed ${seed}: ${STATES[state].name}`).toBeGreaterThanOrEqual(need);
    }
  });
});

describe('options', () => {
  it('relief scales the hills, caves and ponds and trees can be turned off', () => {
    const spread = (relief: number) => {
      const cfg = worldConfig('mini', { relief, ponds: 0 });
      const ground = groundHeights(cfg, 1234);
      const heights: number[] = [];
      for (let z = 20; z < 108; z++) for (let x = 20; x < 108; x++) heights.push(ground[z * 128 + x]);
      return Math.max(...heights) - Math.min(...heights);
    };
    expect(spread(0)).toBe(0);
    expect(spread(24)).toBeLessThan(7);
    expect(spread(100)).toBeGreaterThan(9);
    const bare = generate(
      worldConfig('mini', { treeDensity: 0, caves: false, outcrops: 0, ladder: false, ponds: 0, relief: 10 }),
      4,
    ).volume;
    expect(count(bare, (s) => s === B.log)).toBe(0);
    expect(count(bare, (s) => s === B.lava)).toBe(0);
    expect(count(bare, isWater)).toBe(0);
    const rich = generate(worldConfig('mini'), 4).volume;
    expect(count(rich, (s) => s === B.log)).toBeGreaterThan(40);
    expect(count(rich, isWater)).toBeGreaterThan(100);
  });

  it('only makes the biomes it is given', () => {
    const cfg = worldConfig('mini', { biomes: ['desert'] });
    const v = generate(cfg, 2).volume;
    expect([...new Set(v.biome)]).toEqual([2]);
    expect(count(v, (s) => s === B.grass)).toBe(0);
  });

  it('meadow shows ponds, sand, trees and ores at the surface', () => {
    for (const seed of seedsOf('meadow')) {
      const v = generate(worldConfig('meadow'), seed).volume;
      const top = new Map<number, number>();
      for (let z = 0; z < v.sizeZ; z++)
        for (let x = 0; x < v.sizeX; x++) {
          let y = 63;
          while (v.blocks[vIndex(v, x, y, z)] === B.air) y--;
          const b = v.blocks[vIndex(v, x, y, z)];
          top.set(b, (top.get(b) ?? 0) + 1);
        }
      const share = (b: number) => (top.get(b) ?? 0) / (v.sizeX * v.sizeZ);
      expect(share(B.grass), `seed ${seed}`).toBeGreaterThan(0.5);
      expect(share(B.water), `seed ${seed}`).toBeGreaterThan(0.005);
      expect(share(B.leaves), `seed ${seed}`).toBeGreaterThan(0.04);
      expect(share(B.sand), `seed ${seed}`).toBeGreaterThan(0.005);
      expect(share(B.stone), `seed ${seed}`).toBeGreaterThan(0.02);
      expect(share(B.coal_ore) + share(B.iron_ore), `seed ${seed}`).toBeGreaterThan(0.001);
    }
  });
});

it('light of fresh terrain satisfies its definition in every cell', () => {
  const { volume: v } = generate(worldConfig('ci'), 6);
  const [sx, layer] = [v.sizeX, v.sizeX * v.sizeZ];
  const inside = (x: number, y: number, z: number) =>
    x >= 0 && z >= 0 && y >= 0 && x < v.sizeX && z < v.sizeZ && y < 64;
  for (let i = 0; i < v.blocks.length; i++) {
    const [x, z, y] = [i % sx, Math.floor(i / sx) % v.sizeZ, Math.floor(i / layer)];
    const loss = Math.max(1, OPACITY[v.blocks[i]]);
    const clear = OPACITY[v.blocks[i]] === 0;
    let sky = 0;
    let block = EMISSION[v.blocks[i]];
    for (let f = 0; f < 6; f++) {
      const [nx, ny, nz] = [x + FACE_DX[f], y + FACE_DY[f], z + FACE_DZ[f]];
      const l = ny > 63 ? 0xf0 : inside(nx, ny, nz) ? v.light[vIndex(v, nx, ny, nz)] : 0;
      sky = Math.max(sky, f === 1 && l >> 4 === 15 && clear ? 15 : (l >> 4) - loss);
      block = Math.max(block, (l & 15) - loss);
    }
    if (v.light[i] !== ((sky << 4) | block))
      throw new Error(
        `light at ${x},${y},${z} is ${v.light[i].toString(16)}, not ${((sky << 4) | block).toString(16)}`,
      );
  }
});
