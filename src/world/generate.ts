/**
 * From configuration and seed to a shared template: blocks and light as flat arrays, cut into read-only pages and cached per thread.
 * Worlds of one seed share these pages until they change them (pool.ts).
 */
import { B } from './blocks.ts';
import { configCrc, type WorldConfig } from './config.ts';
import { addFeatures, findSpawn, guaranteeLadder, type Spawn } from './features.ts';
import { mix32 } from './hash.ts';
import { fillLight } from './light-fill.ts';
import { PAGE_CELLS, pool, uniformHandle } from './pool.ts';
import { sectionCounts } from './state.ts';
import { buildGround } from './terrain.ts';
import { HEIGHT, type Volume } from './volume.ts';

export interface Template {
  handles: Int32Array;
  root: WeakRef<Int32Array>;
  spawn: Spawn;
}

const templates = new Map<string, Template>();
const MAX_TEMPLATES = 12;

/** Fresh, uncached overworld of a seed: blocks and light as flat arrays. */
export function generate(cfg: WorldConfig, seed: number): { volume: Volume; spawn: Spawn } {
  const volume = buildGround(cfg, mix32(seed, 0x7e44a1, configSalt(cfg), 0));
  addFeatures(cfg, volume);
  const spawn = findSpawn(volume);
  if (cfg.ladder) guaranteeLadder(volume, spawn);
  // Adding trees or veins can bury the point that was dry before.
  while (spawn.y < HEIGHT - 2 && volume.blocks[(spawn.y * volume.sizeZ + spawn.z) * volume.sizeX + spawn.x] !== B.air)
    spawn.y++;
  fillLight(volume);
  return { volume, spawn };
}

/** Terrain depends on the size only through the rim, so different sizes get different worlds. */
const configSalt = (cfg: WorldConfig) => cfg.dims[0][0] * 1024 + cfg.dims[0][2];

/** Handles and spawn of a seed; nether and end are empty air until their rules exist. */
export function template(cfg: WorldConfig, seed: number): Template {
  // A snapshot holds the seed as a signed number: it must find the same pages.
  const key = `${configCrc(cfg)}:${seed | 0}`;
  const known = templates.get(key);
  if (known) {
    templates.delete(key);
    templates.set(key, known);
    return known;
  }
  const { volume, spawn } = generate(cfg, seed);
  const counts = sectionCounts(cfg);
  const handles = new Int32Array(counts[0] + counts[1] + counts[2]).fill(uniformHandle(B.air, 0));
  const root = pool.keep(handles);
  toPages(volume, handles);
  const t = { handles, root, spawn };
  templates.set(key, t);
  if (templates.size > MAX_TEMPLATES) {
    const oldest = templates.keys().next().value as string;
    pool.drop((templates.get(oldest) as Template).root);
    templates.delete(oldest);
  }
  return t;
}

/** Cuts a volume into read-only pages; sections of one state and one light value need none. */
function toPages(v: Volume, handles: Int32Array): void {
  const nx = v.sizeX >> 4;
  const nz = v.sizeZ >> 4;
  for (let sz = 0; sz < nz; sz++)
    for (let sx = 0; sx < nx; sx++)
      for (let sy = 0; sy < 4; sy++) {
        const at = (i: number) => {
          const y = sy * 16 + (i >> 8);
          const z = sz * 16 + ((i >> 4) & 15);
          return (y * v.sizeZ + z) * v.sizeX + sx * 16;
        };
        const first = at(0);
        const state = v.blocks[first];
        const light = v.light[first];
        let uniform = true;
        for (let row = 0; row < PAGE_CELLS && uniform; row += 16) {
          const i = at(row);
          for (let x = 0; x < 16; x++)
            if (v.blocks[i + x] !== state || v.light[i + x] !== light) {
              uniform = false;
              break;
            }
        }
        const h = ((sz * nx + sx) << 2) + sy;
        if (uniform) {
          handles[h] = uniformHandle(state, light);
          continue;
        }
        const page = pool.alloc(0);
        for (let row = 0; row < PAGE_CELLS; row += 16) {
          const i = at(row);
          pool.blocks.set(v.blocks.subarray(i, i + 16), page * PAGE_CELLS + row);
          pool.light.set(v.light.subarray(i, i + 16), page * PAGE_CELLS + row);
        }
        handles[h] = page;
      }
}
