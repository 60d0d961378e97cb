// Packs encoded video chunks into a WebM file: one video track, one cluster per key frame. Not a general muxer.
// Element ids and the EBML number format: RFC 8794 and the Matroska element list (RFC 9559).

export interface VideoChunk {
  bytes: Uint8Array;
  key: boolean;
  /** From the start of the clip. */
  milliseconds: number;
}

export interface WebmTrack {
  codec: 'V_VP8' | 'V_VP9';
  width: number;
  height: number;
  milliseconds: number;
}

export function writeWebm(track: WebmTrack, chunks: readonly VideoChunk[]): Uint8Array<ArrayBuffer> {
  const clusters: Uint8Array[] = [];
  for (let from = 0; from < chunks.length; ) {
    let to = from + 1;
    // A block's time is a signed 16-bit offset from its cluster.
    while (to < chunks.length && !chunks[to].key && chunks[to].milliseconds - chunks[from].milliseconds < 30_000) to++;
    clusters.push(cluster(chunks.slice(from, to)));
    from = to;
  }
  return concat([
    element(0x1a45dfa3, [
      uint(0x4286, 1), // EBMLVersion
      uint(0x42f7, 1), // EBMLReadVersion
      uint(0x42f2, 4), // EBMLMaxIDLength
      uint(0x42f3, 8), // EBMLMaxSizeLength
      text(0x4282, 'webm'),
      uint(0x4287, 4), // DocTypeVersion
      uint(0x4285, 2), // DocTypeReadVersion
    ]),
    element(0x18538067, [
      element(0x1549a966, [
        uint(0x2ad7b1, 1_000_000), // TimestampScale: one unit is a millisecond
        float(0x4489, track.milliseconds),
        text(0x4d80, 'tenfold'),
        text(0x5741, 'tenfold'),
      ]),
      element(0x1654ae6b, [
        element(0xae, [
          uint(0xd7, 1), // TrackNumber
          uint(0x73c5, 1), // TrackUID
          uint(0x9c, 0), // FlagLacing
          uint(0x83, 1), // TrackType: video
          text(0x86, track.codec),
          element(0xe0, [uint(0xb0, track.width), uint(0xba, track.height)]),
        ]),
      ]),
      ...clusters,
    ]),
  ]);
}

function cluster(chunks: readonly VideoChunk[]): Uint8Array {
  const start = Math.round(chunks[0].milliseconds);
  return element(0x1f43b675, [
    uint(0xe7, start),
    ...chunks.map((chunk) => {
      const offset = Math.round(chunk.milliseconds) - start;
      return element(0xa3, [Uint8Array.of(0x81, offset >> 8, offset & 255, chunk.key ? 0x80 : 0), chunk.bytes]);
    }),
  ]);
}

function element(id: number, children: Uint8Array[]): Uint8Array {
  const size = children.reduce((sum, child) => sum + child.length, 0);
  return concat([bigEndian(id), sizeField(size), ...children]);
}

const uint = (id: number, value: number) => element(id, [value === 0 ? Uint8Array.of(0) : bigEndian(value)]);
const text = (id: number, value: string) => element(id, [new TextEncoder().encode(value)]);

function float(id: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return element(id, [bytes]);
}

/** Shortest big-endian form of a positive integer below 2^53. */
function bigEndian(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes);
}

/** Eight-byte length: marker 0x01, then 56 bits. */
function sizeField(size: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x01000000 + Math.floor(size / 2 ** 32));
  view.setUint32(4, size >>> 0);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
