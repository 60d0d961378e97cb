/**
 * Copies of section pages at the versions that frames refer to. A world goes on changing its pages while frames of
 * earlier ticks wait to be drawn; frames of different ticks, forks and worlds share every page that is the same.
 * Cells are u16 = block state | light << 8. Slots are reused least recently used first, never one of the current batch.
 */
import { PAGE_CELLS, pool } from '../pool.ts';

export class PageStore {
  readonly capacity: number;
  readonly cells: Uint16Array;
  /** Highest y (0..15) of a non-air cell per slot, -1 = none. */
  readonly top: Int8Array;
  /** Slots written since the last takeDirty(): what a GPU copy has to upload. */
  private dirty: number[] = [];
  /** Pool page versions are unique for ever: they name a page's content. */
  private readonly slotOf = new Map<number, number>();
  private readonly versionOf: Float64Array;
  private readonly usedIn: Uint32Array;
  private batch = 1;
  private hand = 0;

  constructor(capacity = 1024) {
    this.capacity = capacity;
    this.cells = new Uint16Array(capacity * PAGE_CELLS);
    this.top = new Int8Array(capacity);
    this.versionOf = new Float64Array(capacity).fill(-1);
    this.usedIn = new Uint32Array(capacity);
  }

  /** Frames observed before this call are drawn: their pages may be replaced. */
  nextBatch(): void {
    this.batch++;
  }

  /** Slot with the present content of a pool page. Throws when one batch needs more pages than there are slots. */
  slot(page: number): number {
    const version = pool.version[page];
    const found = this.slotOf.get(version);
    if (found !== undefined) {
      this.usedIn[found] = this.batch;
      return found;
    }
    const slot = this.victim();
    if (this.versionOf[slot] >= 0) this.slotOf.delete(this.versionOf[slot]);
    this.versionOf[slot] = version;
    this.slotOf.set(version, slot);
    this.usedIn[slot] = this.batch;
    const from = page * PAGE_CELLS;
    const to = slot * PAGE_CELLS;
    let last = -1;
    for (let i = 0; i < PAGE_CELLS; i++) {
      const block = pool.blocks[from + i];
      this.cells[to + i] = block | (pool.light[from + i] << 8);
      if (block) last = i;
    }
    this.top[slot] = last < 0 ? -1 : last >> 8;
    this.dirty.push(slot);
    return slot;
  }

  takeDirty(): number[] {
    const out = this.dirty;
    this.dirty = [];
    return out;
  }

  /** Clock-hand search: the next slot that no frame of this batch uses, older batches first. */
  private victim(): number {
    for (let age = 2; age >= 0; age--)
      for (let k = 0; k < this.capacity; k++) {
        const slot = (this.hand + k) % this.capacity;
        const idle = this.batch - this.usedIn[slot];
        if (this.versionOf[slot] < 0 || (idle > age && idle > 0)) {
          this.hand = slot + 1;
          return slot;
        }
      }
    throw new Error(
      `page store: one batch of frames needs more than ${this.capacity} pages; draw fewer frames at a time`,
    );
  }
}
