/** A bfloat16 number from its 16 bits. */
export function fromBfloat(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0];
}
