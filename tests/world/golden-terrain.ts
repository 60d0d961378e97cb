/** Hashes of 9 columns of 16x16 of generated terrain per seed (blocks, light, ground, biome). No test framework, so a page can import it. */
import { type ProfileName, worldConfig } from '../../src/world/config.ts';
import { generate } from '../../src/world/generate.ts';
import { digest64, hex64 } from '../../src/world/hash.ts';
import { vIndex } from '../../src/world/volume.ts';

export const TERRAIN_SEEDS = [1, 2, 3, 4, 5, 6, 7, 8] as const;

/** For tests behind a runner's module wrappers: the large worlds are four times the work, so fewer of them. */
export const seedsOf = (profile: ProfileName) => (profile === 'ci' ? TERRAIN_SEEDS : TERRAIN_SEEDS.slice(0, 3));

export function columnHashes(profile: ProfileName, seed: number): string[] {
  const { volume: v } = generate(worldConfig(profile), seed);
  const [nx, nz] = [v.sizeX >> 4, v.sizeZ >> 4];
  const picks = [0, nx >> 1, nx - 1].flatMap((cx) => [0, nz >> 1, nz - 1].map((cz) => [cx, cz]));
  return picks.map(([cx, cz]) => {
    const words = new Uint32Array(16 * 16 * 64);
    let at = 0;
    for (let y = 0; y < 64; y++)
      for (let z = 0; z < 16; z++)
        for (let x = 0; x < 16; x++) {
          const i = vIndex(v, cx * 16 + x, y, cz * 16 + z);
          const c = (cz * 16 + z) * v.sizeX + cx * 16 + x;
          words[at++] = v.blocks[i] | (v.light[i] << 8) | (v.ground[c] << 16) | (v.biome[c] << 24);
        }
    return hex64(digest64(words, 0, words.length));
  });
}

/** "profile/seed h h h h h h h h h" for eight seeds of every profile. */
export function goldenTerrain(): string[] {
  return (['ci', 'mini', 'meadow'] as const).flatMap((p) =>
    TERRAIN_SEEDS.map((s) => `${p}/${s} ${columnHashes(p, s).join(' ')}`),
  );
}
