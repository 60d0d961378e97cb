/**
 * The token cache: every training frame as u8 latents, and the per-element statistics that normalise them (4.5). Frames
 * are encoded as play encodes them, one at a time over a ring, so that training sees the latents that play will see.
 */
import type { Gpu } from '../../gpu/device.ts';
import { Scope } from '../../nn/layers.ts';
import type { ParamStore, Slab } from '../../nn/params.ts';
import { patchifyBytes } from '../../tensor/ops/images.ts';
import { compile } from '../../tensor/program.ts';
import type { DreamerConfig } from './config.ts';
import type { FrameSet } from './frames.ts';
import { encode } from './model.ts';
import { RingSet } from './rings.ts';

export interface TokenEpisode {
  /** u8 of the tanh value, [n, N_b * D_b]. */
  tokens: Uint8Array<ArrayBuffer>;
  actions: Uint32Array<ArrayBuffer>;
  /** 1 where the frame's pixels differ from the frame before. */
  changed: Uint8Array<ArrayBuffer>;
  /** As in FrameEpisode. */
  touched?: Uint8Array<ArrayBuffer>;
}

export interface LatentStats {
  mean: Float32Array<ArrayBuffer>;
  std: Float32Array<ArrayBuffer>;
}

export const latentSize = (c: DreamerConfig): number => c.tokenizer.latents * c.tokenizer.channels;

export const quantise = (z: number): number => Math.round((Math.min(1, Math.max(-1, z)) + 1) * 127.5);
export const dequantise = (q: number): number => q / 127.5 - 1;

function changes(frames: Uint8Array, n: number): Uint8Array<ArrayBuffer> {
  const size = frames.length / n;
  const out = new Uint8Array(n);
  for (let i = 1; i < n; i++) {
    const a = i * size;
    for (let k = 0; k < size; k++) {
      if (frames[a + k] !== frames[a + k - size]) {
        out[i] = 1;
        break;
      }
    }
  }
  return out;
}

/** Encodes all episodes, `streams` at a time; `onFrames` reports progress. */
export async function tokenise(
  gpu: Gpu,
  c: DreamerConfig,
  store: ParamStore,
  slab: Slab,
  set: FrameSet,
  streams: number,
  onFrames: (done: number, total: number) => void | Promise<void> = () => undefined,
): Promise<TokenEpisode[]> {
  const size = c.frame.width * c.frame.height * 3;
  const width = latentSize(c);
  const t = c.tokenizer;
  const rings = new RingSet(gpu, streams, t.context, { heads: t.heads, kvHeads: t.heads, dim: t.dim });
  const program = compile(gpu, (graph) => {
    const patches = patchifyBytes(graph.input('frames', [(streams * size) / 4]), streams, c.frame);
    const mode = {
      kind: 'frame' as const,
      streams,
      write: true,
      ring: (layer: string, slots: number) => rings.ring(graph, layer, slots),
    };
    graph.output('z', encode(new Scope(graph, store, slab), c, patches, mode));
  });
  const out: TokenEpisode[] = set.episodes.map((e) => ({
    tokens: new Uint8Array(e.actions.length * width),
    actions: e.actions,
    changed: changes(e.frames, e.actions.length),
    ...(e.touched ? { touched: e.touched } : {}),
  }));
  const total = set.episodes.reduce((sum, e) => sum + e.actions.length, 0);
  let done = 0;
  for (let first = 0; first < set.episodes.length; first += streams) {
    const group = set.episodes.slice(first, first + streams);
    const longest = Math.max(...group.map((e) => e.actions.length));
    rings.reset();
    const frames = new Uint8Array(streams * size);
    for (let i = 0; i < longest; i++) {
      group.forEach((e, s) => {
        if (i < e.actions.length) frames.set(e.frames.subarray(i * size, (i + 1) * size), s * size);
      });
      program.run({ frames });
      rings.advance();
      const z = await program.read('z');
      group.forEach((e, s) => {
        if (i >= e.actions.length) return;
        const row = out[first + s].tokens;
        for (let k = 0; k < width; k++) row[i * width + k] = quantise(z[s * width + k]);
        done += 1;
      });
      if (i % 20 === 0) await onFrames(done, total);
    }
  }
  program.dispose();
  rings.dispose();
  return out;
}

/** Mean and standard deviation of every latent element over all frames. */
export function latentStats(episodes: TokenEpisode[], width: number): LatentStats {
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  let n = 0;
  for (const e of episodes) {
    for (let i = 0; i < e.tokens.length; i += width) {
      for (let k = 0; k < width; k++) {
        const v = dequantise(e.tokens[i + k]);
        sum[k] += v;
        squares[k] += v * v;
      }
      n += 1;
    }
  }
  const mean = Float32Array.from(sum, (s) => s / n);
  // A latent that never changes must not be divided by zero.
  const std = Float32Array.from(squares, (s, k) => Math.sqrt(Math.max(1e-4, s / n - (sum[k] / n) ** 2)));
  return { mean, std };
}

/** Name of a token cache file: the tokenizer's weights and the frames it encoded, as a hash. */
export async function tokenCacheName(store: ParamStore, slab: Slab, set: FrameSet): Promise<string> {
  let h = 2166136261;
  const mixIn = (words: Uint32Array): void => {
    for (const w of words) h = Math.imul(h ^ w, 16777619) ^ (h >>> 15);
  };
  for (const values of (await store.read(slab)).values()) mixIn(new Uint32Array(values.buffer));
  for (const e of set.episodes) {
    mixIn(e.actions);
    mixIn(new Uint32Array(e.frames.slice(0, e.frames.length - (e.frames.length % 4)).buffer));
  }
  return `tokens-${(h >>> 0).toString(16)}.bin`;
}

export function packTokens(episodes: TokenEpisode[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(episodes.reduce((sum, e) => sum + e.tokens.length + e.changed.length, 0));
  let at = 0;
  for (const e of episodes) {
    out.set(e.tokens, at);
    out.set(e.changed, at + e.tokens.length);
    at += e.tokens.length + e.changed.length;
  }
  return out;
}

/** The token episodes of `set` from a cache file, or null if its size does not fit. */
export function unpackTokens(bytes: Uint8Array<ArrayBuffer>, set: FrameSet, width: number): TokenEpisode[] | null {
  const frames = set.episodes.reduce((sum, e) => sum + e.actions.length, 0);
  if (bytes.length !== frames * (width + 1)) return null;
  let at = 0;
  return set.episodes.map((e) => {
    const n = e.actions.length;
    const tokens = bytes.slice(at, at + n * width);
    const changed = bytes.slice(at + n * width, at + n * (width + 1));
    at += n * (width + 1);
    return { tokens, changed, actions: e.actions, ...(e.touched ? { touched: e.touched } : {}) };
  });
}
