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
