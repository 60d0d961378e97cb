/** PNG writer for RGB frames (command line and tests; Node only, its zlib does the deflate). Not a reader, no palettes. */
import { crc32, deflateSync } from 'node:zlib';

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)) >>> 0);
  return out;
}

/** `rgb`: height x width x 3 bytes; `scale` repeats every pixel, so that small frames can be looked at. */
export function encodePng(rgb: Uint8Array, width: number, height: number, scale = 1): Uint8Array {
  if (rgb.length < width * height * 3) throw new Error(`png: ${rgb.length} bytes for ${width}x${height}x3`);
  const w = width * scale;
  const h = height * scale;
  const raw = new Uint8Array(h * (1 + w * 3));
  for (let y = 0; y < h; y++) {
    let o = y * (1 + w * 3) + 1;
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < w; x++) {
      const i = (row + Math.floor(x / scale)) * 3;
      raw[o++] = rgb[i];
      raw[o++] = rgb[i + 1];
      raw[o++] = rgb[i + 2];
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, w);
  view.setUint32(4, h);
  header.set([8, 2, 0, 0, 0], 8);
  const parts = [
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', new Uint8Array(0)),
  ];
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
