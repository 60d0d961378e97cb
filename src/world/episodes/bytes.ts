// Byte-level pieces of the episode file: unsigned varints, and the split of u32 words into byte planes. No compression and no file layout here.

/** Grows as needed; values are unsigned integers below 2^53, seven bits per byte, low bits first. */
export class VarintWriter {
  private bytes: number[] = [];

  put(value: number): void {
    let v = value;
    while (v >= 128) {
      this.bytes.push((v % 128) | 128);
      v = Math.floor(v / 128);
    }
    this.bytes.push(v);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

/** Throws RangeError when the bytes end inside a number or the number passes 2^53. */
export class VarintReader {
  private at = 0;
  private bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  next(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (this.at >= this.bytes.length) throw new RangeError('varint runs past the end');
      const b = this.bytes[this.at++];
      value += (b & 127) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('varint is too large');
      if (b < 128) return value;
      scale *= 128;
    }
  }
}

/** Words n x u32 -> 4n bytes, all lowest bytes first: runs of one held key become runs of one byte, which deflate likes. */
export function toPlanes(words: Uint32Array): Uint8Array {
  const n = words.length;
  const out = new Uint8Array(4 * n);
  for (let i = 0; i < n; i++) {
    const w = words[i];
    out[i] = w;
    out[n + i] = w >>> 8;
    out[2 * n + i] = w >>> 16;
    out[3 * n + i] = w >>> 24;
  }
  return out;
}

export function fromPlanes(planes: Uint8Array): Uint32Array {
  if (planes.length % 4 !== 0) throw new RangeError('byte planes must come in fours');
  const n = planes.length / 4;
  const out = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    out[i] = (planes[i] | (planes[n + i] << 8) | (planes[2 * n + i] << 16) | (planes[3 * n + i] << 24)) >>> 0;
  }
  return out;
}
