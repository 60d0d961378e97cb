/** Data of trials for caches and rings that hold 16 bits a number. */

/** Numbers of f16 nearest to the given ones, of magnitude 2^-14 to 65504 or zero: they pass through a cache unharmed. */
export function roundToHalf(data: Float32Array<ArrayBuffer>): void {
  const bits = new Uint32Array(data.buffer);
  for (let i = 0; i < bits.length; i++) bits[i] = Math.abs(data[i]) < 2 ** -14 ? 0 : (bits[i] + 0x1000) & ~0x1fff;
}

/** Such numbers as a cache holds them, two to a word. */
export function packHalves(data: Float32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(data.buffer);
  const half = (x: number): number =>
    ((x >>> 16) & 0x8000) | (x << 1 === 0 ? 0 : ((x & 0x7fffffff) >>> 13) - (112 << 10));
  return Uint32Array.from({ length: bits.length / 2 }, (_, i) => half(bits[2 * i]) | (half(bits[2 * i + 1]) << 16));
}

const bits = new Uint32Array(1);
const number = new Float32Array(bits.buffer);

/** The bfloat16 words of these numbers, and the numbers as they are read from them: shaders/attention/kept.wgsl. */
export function packBfloats(data: Float32Array): { words: Uint32Array<ArrayBuffer>; read: Float32Array<ArrayBuffer> } {
  const own = new Uint32Array(data.slice().buffer);
  const words = new Uint32Array(data.length / 2);
  const read = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 2) {
    const low = (own[i] + 0x8000) >>> 16;
    const size = own[i + 1] & 0x7fffffff;
    bits[0] = ((Math.max(size, low) - low + 0x8000) & 0x7fff0000) | low | (own[i + 1] & 0x80000000);
    words[i / 2] = bits[0];
    read[i + 1] = number[0];
    bits[0] = low << 16;
    read[i] = number[0];
  }
  return { words, read };
}
