// Path search on small hand-drawn terrain.
import { describe, expect, it } from 'vitest';
import { findPath, type Path, type Terrain } from '../../src/world/players/path.ts';

/** Height map digits (solid below that height); '~' is a water surface at height 2 over a floor at height 1; '#' is a wall of height 9. */
function terrain(rows: string[]): Terrain {
  const at = (x: number, z: number) => rows[z]?.[x] ?? '#';
  const height = (c: string) => (c === '#' ? 9 : c === '~' ? 1 : Number(c));
  return {
    solid: (x, y, z) => y < height(at(x, z)),
    water: (x, y, z) => at(x, z) === '~' && y === 1,
    passable: (x, y, z) => y >= height(at(x, z)),
  };
}

function go(rows: string[], from: [number, number, number], to: [number, number, number]): Path {
  return findPath(terrain(rows), {
    from: { x: from[0], y: from[1], z: from[2] },
    reached: (x, y, z) => x === to[0] && y === to[1] && z === to[2],
    left: (x, _y, z) => Math.max(Math.abs(x - to[0]), Math.abs(z - to[2])),
  });
}

const end = (p: Path) => p.cells[p.cells.length - 1];

describe('findPath', () => {
  it('walks straight and diagonally', () => {
    const p = go(['11111', '11111', '11111'], [0, 1, 0], [4, 1, 2]);
    expect(p.complete).toBe(true);
    expect(p.cells).toHaveLength(5);
  });

  it('goes round a wall and does not cut its corner', () => {
    const p = go(['11#11', '11#11', '11111'], [1, 1, 1], [3, 1, 1]);
    expect(p.complete).toBe(true);
    expect(p.cells.map((c) => `${c.x},${c.z}`)).toEqual(['1,1', '1,2', '2,2', '3,2', '3,1']);
  });

  it('climbs one block but not two, drops three but not four', () => {
    expect(go(['12'], [0, 1, 0], [1, 2, 0]).complete).toBe(true);
    expect(go(['13'], [0, 1, 0], [1, 3, 0]).complete).toBe(false);
    expect(go(['41'], [0, 4, 0], [1, 1, 0]).complete).toBe(true);
    expect(go(['51'], [0, 5, 0], [1, 1, 0]).complete).toBe(false);
  });

  it('swims across water when there is no other way, and prefers land', () => {
    expect(go(['2~~2'], [0, 2, 0], [3, 2, 0]).complete).toBe(true);
    const p = go(['2~~2', '2222'], [0, 2, 0], [3, 2, 0]);
    expect(p.cells.every((c) => c.y === 2)).toBe(true);
  });

  it('settles for the nearest cell when the goal cannot be reached', () => {
    const p = go(['111#1'], [0, 1, 0], [4, 1, 0]);
    expect(p.complete).toBe(false);
    expect(end(p)).toEqual({ x: 2, y: 1, z: 0 });
  });

  it('stops at its limit', () => {
    const rows = Array.from({ length: 60 }, () => '1'.repeat(60));
    const p = findPath(terrain(rows), { from: { x: 0, y: 1, z: 0 }, reached: () => false, left: () => 0, limit: 50 });
    expect(p.complete).toBe(false);
  });
});
