/**
 * The section pool: 16x16x16 pages of block states and light bytes, shared by all worlds of a thread, copied on write.
 * A page may be written in place only by the state whose token owns it; owner 0 is generated terrain, read-only for ever.
 * Cell index in a page: (y << 8) | (z << 4) | x. Light byte: sky << 4 | block. A negative handle is a section of one state
 * without storage: state in bits 0..7, its light byte in bits 8..15.
 */
export const PAGE_CELLS = 4096;

export const uniformHandle = (state: number, light: number) => 0x80000000 | (light << 8) | state | 0;

class SectionPool {
  blocks = new Uint8Array(0);
  light = new Uint8Array(0);
  owner = new Uint32Array(0);
  /** Grows on every write to the page: renderers upload a page again when it differs. */
  version = new Uint32Array(0);
  capacity = 0;
  /** Grows when the arrays above are replaced: holders of views must take them again. */
  generation = 0;
  private freePages: number[] = [];
  private nextVersion = 1;
  private nextToken = 1;
  private readonly tables = new Set<WeakRef<Int32Array>>();

  constructor(capacity: number) {
    this.resize(capacity);
  }

  token(): number {
    return this.nextToken++;
  }

  touch(page: number): void {
    this.version[page] = this.nextVersion++;
  }

  /** Registers a handle table as a root for collection; the entry dies with the table or with drop(). */
  keep(table: Int32Array): WeakRef<Int32Array> {
    const ref = new WeakRef(table);
    this.tables.add(ref);
    return ref;
  }

  drop(ref: WeakRef<Int32Array>): void {
    this.tables.delete(ref);
  }

  /** A page with unspecified content, owned by the token. */
  alloc(token: number): number {
    let page = this.freePages.pop();
    if (page === undefined) {
      this.collect();
      if (this.freePages.length < this.capacity / 4) this.resize(this.capacity * 2);
      page = this.freePages.pop() as number;
    }
    this.owner[page] = token;
    this.touch(page);
    return page;
  }

  /** The page to write for a handle: itself if owned, else a private copy. The caller stores the returned handle. */
  writable(handle: number, token: number): number {
    if (handle >= 0 && this.owner[handle] === token) {
      this.touch(handle);
      return handle;
    }
    const page = this.alloc(token);
    const to = page * PAGE_CELLS;
    if (handle >= 0) {
      const from = handle * PAGE_CELLS;
      this.blocks.copyWithin(to, from, from + PAGE_CELLS);
      this.light.copyWithin(to, from, from + PAGE_CELLS);
    } else {
      this.blocks.fill(handle & 255, to, to + PAGE_CELLS);
      this.light.fill((handle >>> 8) & 255, to, to + PAGE_CELLS);
    }
    return page;
  }

  used(): number {
    return this.capacity - this.freePages.length;
  }

  /** Frees every page that no registered table refers to. */
  private collect(): void {
    const live = new Uint8Array(this.capacity);
    for (const ref of this.tables) {
      const t = ref.deref();
      if (!t) {
        this.tables.delete(ref);
        continue;
      }
      for (let i = 0; i < t.length; i++) if (t[i] >= 0) live[t[i]] = 1;
    }
    this.freePages = [];
    for (let p = this.capacity - 1; p >= 0; p--) if (!live[p]) this.freePages.push(p);
  }

  private resize(capacity: number): void {
    const grow = <T extends Uint8Array | Uint32Array>(old: T, fresh: T) => {
      fresh.set(old);
      return fresh;
    };
    this.blocks = grow(this.blocks, new Uint8Array(capacity * PAGE_CELLS));
    this.light = grow(this.light, new Uint8Array(capacity * PAGE_CELLS));
    this.owner = grow(this.owner, new Uint32Array(capacity));
    this.version = grow(this.version, new Uint32Array(capacity));
    for (let p = capacity - 1; p >= this.capacity; p--) this.freePages.push(p);
    this.capacity = capacity;
    this.generation++;
  }
}

/** One pool per thread. */
export const pool = new SectionPool(1024);
export type { SectionPool };
