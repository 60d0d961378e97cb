// A* over standing cells (methods/world.md 8.1): walk, diagonal, step up 1, drop at most 3, swim. It neither digs nor builds.
// A standing cell is where the feet are: passable, passable above, and solid or water below. Costs are seconds of walking, roughly.

export interface Terrain {
  /** A body can be in this cell (air, plants, water). Unknown cells are not passable. */
  passable(x: number, y: number, z: number): boolean;
  /** A body can stand on this cell. */
  solid(x: number, y: number, z: number): boolean;
  water(x: number, y: number, z: number): boolean;
}

export interface Cell {
  x: number;
  y: number;
  z: number;
}

export interface PathQuery {
  from: Cell;
  /** Where to: the search stops at the first cell for which this holds. */
  reached(x: number, y: number, z: number): boolean;
  /** Lower bound of the steps left. */
  left(x: number, y: number, z: number): number;
  /** Expanded cells before the search settles for the nearest cell found. */
  limit?: number;
}

export interface Path {
  cells: Cell[];
  complete: boolean;
}

const SWIM_COST = 2.2;
const CLIMB_COST = 0.4;
const MAX_DROP = 3;
/** A drop of more than one block cannot be walked back up. */
const DROP_COST = [0, 0.3, 3, 5];
const DIAGONAL = Math.SQRT2;

export function standable(t: Terrain, x: number, y: number, z: number): boolean {
  return t.passable(x, y, z) && t.passable(x, y + 1, z) && (t.solid(x, y - 1, z) || t.water(x, y, z));
}

// Coordinates are packed into one number below 2^30 (worlds are at most 1024 wide and high).
const pack = (x: number, y: number, z: number) => (y << 20) | (z << 10) | x;
const unpack = (k: number): Cell => ({ x: k & 1023, y: k >> 20, z: (k >> 10) & 1023 });

interface Node {
  cost: number;
  parent: number;
  closed: boolean;
}

export function findPath(t: Terrain, query: PathQuery): Path {
  const nodes = new Map<number, Node>();
  const heap = new Heap();
  const start = pack(query.from.x, query.from.y, query.from.z);
  nodes.set(start, { cost: 0, parent: -1, closed: false });
  let best = start;
  let bestLeft = query.left(query.from.x, query.from.y, query.from.z);
  heap.push(start, bestLeft);
  let complete = false;
  for (let expanded = 0; expanded < (query.limit ?? 4000); expanded++) {
    const key = heap.pop();
    if (key < 0) break;
    const node = nodes.get(key) as Node;
    if (node.closed) {
      expanded--;
      continue;
    }
    node.closed = true;
    const { x, y, z } = unpack(key);
    if (query.reached(x, y, z)) {
      best = key;
      complete = true;
      break;
    }
    const left = query.left(x, y, z);
    if (left < bestLeft) {
      best = key;
      bestLeft = left;
    }
    visitNeighbours(t, x, y, z, (nx, ny, nz, step) => {
      const k = pack(nx, ny, nz);
      const cost = node.cost + step;
      const known = nodes.get(k);
      if (known && (known.closed || known.cost <= cost)) return;
      if (known) {
        known.cost = cost;
        known.parent = key;
      } else {
        nodes.set(k, { cost, parent: key, closed: false });
      }
      heap.push(k, cost + query.left(nx, ny, nz));
    });
  }
  const cells: Cell[] = [];
  for (let k = best; k >= 0; k = (nodes.get(k) as Node).parent) cells.push(unpack(k));
  return { cells: cells.reverse(), complete };
}

function visitNeighbours(
  t: Terrain,
  x: number,
  y: number,
  z: number,
  visit: (x: number, y: number, z: number, cost: number) => void,
): void {
  const swimming = t.water(x, y, z);
  const base = swimming ? SWIM_COST : 1;
  // Water is also travelled straight up and down.
  if (swimming && t.passable(x, y + 1, z) && t.passable(x, y + 2, z) && t.water(x, y + 1, z)) visit(x, y + 1, z, base);
  if (swimming && t.water(x, y - 1, z)) visit(x, y - 1, z, base);
  for (let dx = -1; dx <= 1; dx++) {
    for (let dz = -1; dz <= 1; dz++) {
      if (dx === 0 && dz === 0) continue;
      const nx = x + dx;
      const nz = z + dz;
      const diagonal = dx !== 0 && dz !== 0;
      const length = base * (diagonal ? DIAGONAL : 1);
      if (diagonal && !(column(t, nx, y, z) && column(t, x, y, nz))) continue;
      if (column(t, nx, y, nz)) {
        if (t.solid(nx, y - 1, nz) || t.water(nx, y, nz)) visit(nx, y, nz, length);
        else if (!diagonal) drop(t, nx, y, nz, length, visit);
      } else if (!diagonal && t.passable(x, y + 2, z) && standable(t, nx, y + 1, nz)) {
        visit(nx, y + 1, nz, length + CLIMB_COST);
      }
    }
  }
}

const column = (t: Terrain, x: number, y: number, z: number) => t.passable(x, y, z) && t.passable(x, y + 1, z);

function drop(
  t: Terrain,
  x: number,
  y: number,
  z: number,
  length: number,
  visit: (x: number, y: number, z: number, cost: number) => void,
): void {
  for (let down = 1; down <= MAX_DROP; down++) {
    if (!t.passable(x, y - down, z)) return;
    if (t.solid(x, y - down - 1, z) || t.water(x, y - down, z)) {
      visit(x, y - down, z, length + DROP_COST[down]);
      return;
    }
  }
}

/** Binary min-heap of (key, priority). */
class Heap {
  private keys: number[] = [];
  private priorities: number[] = [];

  push(key: number, priority: number): void {
    const { keys, priorities } = this;
    let i = keys.length;
    keys.push(key);
    priorities.push(priority);
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (priorities[up] <= priority) break;
      keys[i] = keys[up];
      priorities[i] = priorities[up];
      i = up;
    }
    keys[i] = key;
    priorities[i] = priority;
  }

  /** The key of least priority, or -1. */
  pop(): number {
    const { keys, priorities } = this;
    if (keys.length === 0) return -1;
    const top = keys[0];
    const key = keys.pop() as number;
    const priority = priorities.pop() as number;
    const n = keys.length;
    if (n === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= n) break;
      if (child + 1 < n && priorities[child + 1] < priorities[child]) child++;
      if (priorities[child] >= priority) break;
      keys[i] = keys[child];
      priorities[i] = priorities[child];
      i = child;
    }
    keys[i] = key;
    priorities[i] = priority;
    return top;
  }
}
