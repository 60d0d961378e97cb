// Faces of the smooth view: hidden ones culled, all of them facing outwards, light as in the ray caster.

import { beforeAll, describe, expect, test } from 'vitest';
import { DEEP, VERTEX } from '../../src/ui/playground/protocol.ts';
import { meshSection, sectionStamp } from '../../src/ui/playground/section-mesh.ts';
import { SimSession } from '../../src/ui/playground/sim-session.ts';
import { B } from '../../src/world/blocks.ts';
import { worldConfig } from '../../src/world/config.ts';
import { blockAt, type State, writeBlock, writeLight } from '../../src/world/state.ts';
import { createWorld } from '../../src/world/world.ts';

const SECTION = [2, 3, 2] as const;
const [X, Y, Z] = [SECTION[0] * 16, SECTION[1] * 16, SECTION[2] * 16];
let state: State;

/** The topmost section of a meadow is air: a clean place to build in. */
beforeAll(() => {
  state = createWorld(worldConfig('meadow'), 1);
  for (let y = 0; y < 16; y++)
    for (let z = 0; z < 16; z++) for (let x = 0; x < 16; x++) writeBlock(state, X + x, Y + y, Z + z, B.air);
});

const mesh = () => meshSection(state, ...SECTION, 0);
const built = (cells: [number, number, number][], block: number, look: () => void) => {
  for (const [x, y, z] of cells) writeBlock(state, X + x, Y + y, Z + z, block);
  look();
  for (const [x, y, z] of cells) writeBlock(state, X + x, Y + y, Z + z, B.air);
};

describe('meshSection', () => {
  test('air has no mesh', () => {
    expect(mesh()).toBeNull();
  });

  test('one block has six faces, two side by side have ten, a full cube of 27 has 54', () => {
    built([[5, 5, 5]], B.stone, () => expect(mesh()?.opaque).toHaveLength(6 * 6));
    built(
      [
        [5, 5, 5],
        [6, 5, 5],
      ],
      B.stone,
      () => expect(mesh()?.opaque).toHaveLength(10 * 6),
    );
    const cube: [number, number, number][] = [];
    for (let i = 0; i < 27; i++) cube.push([4 + (i % 3), 4 + (Math.floor(i / 3) % 3), 4 + Math.floor(i / 9)]);
    built(cube, B.stone, () => expect(mesh()?.opaque).toHaveLength(54 * 6));
  });

  test('every triangle faces away from its block', () => {
    built([[5, 6, 7]], B.stone, () => {
      const { vertices, opaque } = mesh() ?? { vertices: [], opaque: [] };
      const at = (i: number) => [vertices[i * VERTEX], vertices[i * VERTEX + 1], vertices[i * VERTEX + 2]];
      for (let t = 0; t < opaque.length; t += 3) {
        const [a, b, c] = [at(opaque[t]), at(opaque[t + 1]), at(opaque[t + 2])];
        const u = a.map((value, k) => b[k] - value);
        const v = a.map((value, k) => c[k] - value);
        const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
        const out = a.map((value, k) => (value + b[k] + c[k]) / 3 - [5.5, 6.5, 7.5][k]);
        expect(normal.reduce((sum, value, k) => sum + value * out[k], 0)).toBeGreaterThan(0);
      }
    });
  });

  test('texels lie in 0..1 and walls stand upright', () => {
    built([[5, 6, 7]], B.grass, () => {
      const { vertices } = mesh() ?? { vertices: [] };
      for (let i = 0; i < vertices.length; i += VERTEX) {
        const [, y, , u, v] = vertices.slice(i, i + 5);
        expect(u).toBeGreaterThanOrEqual(0);
        expect(u).toBeLessThanOrEqual(1);
        const face = Math.floor(i / (4 * VERTEX));
        if (face >= 2) expect(v).toBeCloseTo(y - 6, 6);
      }
    });
  });

  test('water is see-through, and two water cells have no face between them', () => {
    built(
      [
        [5, 5, 5],
        [6, 5, 5],
      ],
      B.water,
      () => {
        const water = mesh();
        expect(water?.opaque).toHaveLength(0);
        expect(water?.translucent).toHaveLength(10 * 6);
      },
    );
  });

  test('a surface knows how deep the water below it is, other faces of water do not ask', () => {
    const column = (deep: number) => Array.from({ length: deep }, (_, i): [number, number, number] => [5, 12 - i, 5]);
    const depths = () => {
      const found = [...(mesh()?.vertices ?? [])].filter((_, i) => i % VERTEX === VERTEX - 1);
      return [...new Set(found)].sort();
    };
    built(column(1), B.water, () => expect(depths()).toEqual([0, 14 / 16]));
    built(column(3), B.water, () => expect(depths()).toEqual([0, 2 + 14 / 16]));
    built(column(9), B.water, () => expect(depths()).toEqual([0, DEEP - 1 + 14 / 16]));
    built(column(3), B.stone, () => expect(depths()).toEqual([0]));
  });

  test('a torch is a small box', () => {
    built([[5, 5, 5]], B.torch, () => {
      const { vertices } = mesh() ?? { vertices: [] };
      const xs = [...vertices].filter((_, i) => i % VERTEX === 0);
      const width = Math.max(...xs) - Math.min(...xs);
      expect(width).toBeGreaterThan(0);
      expect(width).toBeLessThan(0.5);
      expect(Math.min(...xs)).toBeGreaterThan(5);
      expect(Math.max(...xs)).toBeLessThan(6);
    });
  });

  test('a corner between two blocks is darker than the open side', () => {
    built(
      [
        [5, 5, 5],
        [6, 6, 5],
        [5, 6, 6],
      ],
      B.stone,
      () => {
        for (let y = 4; y < 8; y++)
          for (let z = 4; z < 8; z++) for (let x = 4; x < 8; x++) writeLight(state, X + x, Y + y, Z + z, 0xf0);
        const { vertices } = mesh() ?? { vertices: [] };
        const light = new Map<string, number>();
        for (let i = 0; i < vertices.length; i += VERTEX) {
          // Top face of the lower block: the second of its six.
          if (Math.floor(i / (4 * VERTEX)) === 1) light.set(`${vertices[i]},${vertices[i + 2]}`, vertices[i + 6]);
        }
        expect(light.get('5,5')).toBeGreaterThan(light.get('6,6') as number);
      },
    );
  });

  test('the edge of a section sees its neighbour', () => {
    writeBlock(state, X + 15, Y + 3, Z + 3, B.stone);
    writeBlock(state, X + 16, Y + 3, Z + 3, B.stone);
    expect(mesh()?.opaque).toHaveLength(5 * 6);
    writeBlock(state, X + 15, Y + 3, Z + 3, B.air);
    writeBlock(state, X + 16, Y + 3, Z + 3, B.air);
  });
});

test('the stamp changes with the section and with its neighbours, and only then', () => {
  const before = sectionStamp(state, ...SECTION);
  expect(sectionStamp(state, ...SECTION)).toBe(before);
  writeBlock(state, X + 1, Y + 1, Z + 1, B.stone);
  const after = sectionStamp(state, ...SECTION);
  expect(after).not.toBe(before);
  expect(blockAt(state, X + 1, Y + 1, Z + 1)).toBe(B.stone);
  writeBlock(state, X + 17, Y + 1, Z + 1, B.stone);
  expect(sectionStamp(state, ...SECTION)).not.toBe(after);
});

test('the session sends each section once, nearest first, and again when it is asked afresh', async () => {
  const session = new SimSession();
  await session.open(null, null);
  const { camera } = await session.start({ seed: 1 });
  const all = [];
  for (let meshes = await session.mesh(8, true); meshes.length > 0; meshes = await session.mesh(8, false))
    all.push(...meshes);
  expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
  expect(all.length).toBeGreaterThan(20);
  const away = all.map(({ at }) =>
    Math.hypot(at[0] / 16 - Math.floor(camera.x / 16), at[2] / 16 - Math.floor(camera.z / 16)),
  );
  expect([...away].sort((a, b) => a - b)).toEqual(away);
  expect((await session.mesh(1000, true)).length).toBe(all.length);
});
