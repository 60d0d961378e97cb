/**
 * Reader and writer of the safetensors format: u64 header length, JSON header, raw little-endian data. Every field of a
 * foreign file is checked before it is used; each fault gives one sentence.
 */

export type Dtype = 'F32' | 'F16' | 'BF16' | 'U8' | 'U32' | 'I32' | 'I64';

const WIDTH: Record<Dtype, number> = { F32: 4, F16: 2, BF16: 2, U8: 1, U32: 4, I32: 4, I64: 8 };
const MAX_HEADER = 100 << 20;

export interface StoredTensor {
  dtype: Dtype;
  shape: number[];
  /** Raw bytes, a view into the file. */
  bytes: Uint8Array<ArrayBuffer>;
}

export interface SafetensorsFile {
  metadata: Record<string, string>;
  tensors: Map<string, StoredTensor>;
}

export class SafetensorsError extends Error {}

const fail = (message: string): never => {
  throw new SafetensorsError(`Not a usable safetensors file: ${message}`);
};

const isCount = (v: unknown): v is number => typeof v === 'number' && Number.isSafeInteger(v) && v >= 0;

/** Where a tensor lies in a file that is not read as a whole. */
export interface TensorPlace {
  dtype: Dtype;
  shape: number[];
  /** Bytes from..to-1 of the file. */
  from: number;
  to: number;
}

/** Bytes of the JSON header, given the first 8 bytes of a file of `size` bytes. */
function headerBytes(start: Uint8Array, size: number): number {
  if (size < 8 || start.byteLength < 8) fail(`it has ${size} bytes, too few for a header`);
  const length = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  if (length > MAX_HEADER || length > size - 8) fail(`its header claims ${length} bytes, the file has ${size}`);
  return length;
}

function parseHeader(
  text: Uint8Array,
  size: number,
): { metadata: Record<string, string>; places: Map<string, TensorPlace> } {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch {
    fail('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('its header is not an object');
  const start = 8 + text.byteLength;
  const length = size - start;
  const metadata: Record<string, string> = {};
  const places = new Map<string, TensorPlace>();
  for (const [name, entry] of Object.entries(header as Record<string, unknown>)) {
    if (typeof entry !== 'object' || entry === null) fail(`entry ${name} is not an object`);
    if (name === '__metadata__') {
      for (const [k, v] of Object.entries(entry as Record<string, unknown>)) metadata[k] = String(v);
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
    if (typeof dtype !== 'string' || !Object.hasOwn(WIDTH, dtype))
      fail(`tensor ${name} has the type ${String(dtype)}, which is not read here`);
    if (!Array.isArray(shape) || !shape.every(isCount)) fail(`tensor ${name} has no valid shape`);
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
      fail(`tensor ${name} has no valid offsets`);
    const [from, to] = offsets as [number, number];
    const expected = (shape as number[]).reduce((a, b) => a * b, 1) * WIDTH[dtype as Dtype];
    if (to - from !== expected)
      fail(`tensor ${name} [${shape}] needs ${expected} bytes, its offsets give ${to - from}`);
    if (to > length) fail(`it is cut short: tensor ${name} ends at byte ${to} of ${length}`);
    places.set(name, { dtype: dtype as Dtype, shape: shape as number[], from: start + from, to: start + to });
  }
  return { metadata, places };
}

/** Parses a whole file. Throws SafetensorsError with one sentence on any fault. */
export function readSafetensors(file: Uint8Array<ArrayBuffer>): SafetensorsFile {
  const length = headerBytes(file.subarray(0, 8), file.byteLength);
  const { metadata, places } = parseHeader(file.subarray(8, 8 + length), file.byteLength);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, from, to }] of places) {
    tensors.set(name, { dtype, shape, bytes: file.subarray(from, to) });
  }
  return { metadata, tensors };
}

/** Reads the header only, of a file of `size` bytes of which `read` gives bytes from..to-1. */
export async function locateSafetensors(
  size: number,
  read: (from: number, to: number) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Map<string, TensorPlace>> {
  const length = headerBytes(await read(0, Math.min(8, size)), size);
  return parseHeader(await read(8, 8 + length), size).places;
}

/** Decodes to f32; F16 and BF16 are widened. */
export function toFloat32(t: StoredTensor): Float32Array<ArrayBuffer> {
  const copy = t.bytes.slice();
  if (t.dtype === 'F32') return new Float32Array(copy.buffer);
  const halves = new Uint16Array(copy.buffer);
  const out = new Float32Array(halves.length);
  if (t.dtype === 'BF16') {
    const words = new Uint32Array(out.buffer);
    for (let i = 0; i < halves.length; i++) words[i] = halves[i] << 16;
    return out;
  }
  if (t.dtype !== 'F16') throw new SafetensorsError(`A tensor of type ${t.dtype} cannot be read as numbers`);
  for (let i = 0; i < halves.length; i++) out[i] = fromHalf(halves[i]);
  return out;
}

export function fromHalf(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** Nearest half-precision number, ties to even; overflow becomes infinity. */
export function toHalf(x: number): number {
  f32[0] = x;
  const bits = u32[0];
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent >= 31) return sign | (((bits >>> 23) & 255) === 255 && fraction ? 0x7e00 : 0x7c00);
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    const full = fraction | 0x800000;
    const shift = 14 - exponent;
    const half = full >>> shift;
    const rest = full & ((1 << shift) - 1);
    const middle = 1 << (shift - 1);
    return sign | (half + (rest > middle || (rest === middle && half & 1) ? 1 : 0));
  }
  const half = (exponent << 10) | (fraction >>> 13);
  const rest = fraction & 0x1fff;
  // A carry out of the fraction moves into the exponent, which is the right rounding.
  return sign | (half + (rest > 0x1000 || (rest === 0x1000 && half & 1) ? 1 : 0));
}

/** Nearest bfloat16 number, ties to even. */
export function toBfloat(x: number): number {
  f32[0] = x;
  const bits = u32[0];
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 64;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export interface TensorToWrite {
  shape: readonly number[];
  values: Float32Array;
  dtype?: 'F32' | 'F16' | 'BF16';
}

/** Builds a file; tensors are laid out in the given order, the data starts at a multiple of 8 bytes. */
export function writeSafetensors(
  tensors: Map<string, TensorToWrite>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, t] of tensors) {
    const dtype = t.dtype ?? 'F32';
    const bytes = t.values.length * WIDTH[dtype];
    header[name] = { dtype, shape: t.shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + offset).fill(32, 8, 8 + headerLength);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(headerLength), true);
  file.set(text, 8);
  let at = 8 + headerLength;
  for (const t of tensors.values()) {
    if (t.dtype === 'F16' || t.dtype === 'BF16') {
      const round = t.dtype === 'F16' ? toHalf : toBfloat;
      for (let i = 0; i < t.values.length; i++) view.setUint16(at + 2 * i, round(t.values[i]), true);
      at += t.values.length * 2;
    } else {
      for (let i = 0; i < t.values.length; i++) view.setFloat32(at + 4 * i, t.values[i], true);
      at += t.values.length * 4;
    }
  }
  return file;
}
