/** Features of a frozen encoder for a set of clips, and what they say about collapse: spread and effective rank. */
import type { Gpu } from '../../gpu/device.ts';
import { Scope } from '../../nn/layers.ts';
import type { ParamStore, Slab } from '../../nn/params.ts';
import { compile } from '../../tensor/program.ts';
import { gridOf, type Network, patchWidth, type SaltConfig, tokensOf } from './config.ts';
import { encode } from './model.ts';
import { patchBatch } from './patches.ts';

/** Tokens of clips after pooling, [clips, tokens, width]. */
export interface Features {
  values: Float32Array<ArrayBuffer>;
  clips: number;
  tokens: number;
  width: number;
}

/** Seed of weights that nothing has trained. */
const UNTRAINED = 0x72616e64;

/** Neighbours in space that one stored token is the mean of, along each side. */
const POOL = 2;

/** Means over 2 x 2 places: rows [tokens, width] of one clip, from `from`, into `out` at `to`. */
function pool(c: SaltConfig, rows: Float32Array, from: number, width: number, out: Float32Array, to: number): void {
  const grid = gridOf(c);
  const [height, across] = [grid.height / POOL, grid.width / POOL];
  for (let token = 0; token < tokensOf(grid); token++) {
    const t = Math.floor(token / (grid.height * grid.width));
    const y = Math.floor(Math.floor((token / grid.width) % grid.height) / POOL);
    const x = Math.floor((token % grid.width) / POOL);
    const at = to + ((t * height + y) * across + x) * width;
    for (let i = 0; i < width; i++) out[at + i] += rows[from + token * width + i] / POOL ** 2;
  }
}

const pooledTokens = (c: SaltConfig): number => tokensOf(gridOf(c)) / POOL ** 2;

/** Pooled pixels: features that nothing has learned. */
export function pixelFeatures(c: SaltConfig, clips: readonly Uint8Array[]): Features {
  const [tokens, width] = [pooledTokens(c), patchWidth(c)];
  const values = new Float32Array(clips.length * tokens * width);
  const whole = tokensOf(gridOf(c)) * width;
  for (const [n, pixels] of clips.entries()) {
    const rows = patchBatch(c, [pixels]);
    if (rows.length !== whole) throw new Error(`pixels: a clip has ${rows.length} numbers instead of ${whole}`);
    pool(c, rows, 0, width, values, n * tokens * width);
  }
  return { values, clips: clips.length, tokens, width };
}

/** Features of all clips by the weights of `slab`. */
export async function encodeClips(
  gpu: Gpu,
  c: SaltConfig,
  encoder: { store: ParamStore; network: Network; slab: Slab },
  clips: readonly Uint8Array[],
): Promise<Features> {
  const grid = gridOf(c);
  const all = tokensOf(grid);
  const [tokens, width] = [pooledTokens(c), encoder.network.d];
  const values = new Float32Array(clips.length * tokens * width);
  const batch = Math.min(c.probe.batch, clips.length);
  const program = compile(gpu, (graph) => {
    const patches = graph.input('patches', [batch * all, patchWidth(c)]);
    const scope = new Scope(graph, encoder.store, encoder.slab);
    const features = encode(scope, encoder.network, grid, patches, { batch, count: all, rows: null });
    encoder.store.allocate(gpu, UNTRAINED);
    graph.output('features', features);
  });
  try {
    for (let first = 0; first < clips.length; first += batch) {
      const some = clips.slice(first, first + batch);
      // The last batch is filled up with its first clip.
      const full = Array.from({ length: batch }, (_, i) => some[i] ?? some[0]);
      program.run({ patches: patchBatch(c, full) });
      const rows = await program.read('features');
      for (const i of some.keys()) pool(c, rows, i * all * width, width, values, (first + i) * tokens * width);
    }
  } finally {
    program.dispose();
  }
  return { values, clips: clips.length, tokens, width };
}

/** Mean over tokens: [clips, width]. */
export function meanTokens({ values, clips, tokens, width }: Features): Float32Array<ArrayBuffer> {
  const out = new Float32Array(clips * width);
  for (let n = 0; n < clips; n++) {
    for (let t = 0; t < tokens; t++) {
      for (let i = 0; i < width; i++) out[n * width + i] += values[(n * tokens + t) * width + i] / tokens;
    }
  }
  return out;
}

/** Deviation of a channel over all tokens of all clips, mean over channels: 0 where all tokens are one vector. */
export function featureStd({ values, width }: Features): number {
  const rows = values.length / width;
  let total = 0;
  for (let i = 0; i < width; i++) {
    let [sum, squares] = [0, 0];
    for (let r = 0; r < rows; r++) {
      const v = values[r * width + i];
      sum += v;
      squares += v * v;
    }
    total += Math.sqrt(Math.max(0, squares / rows - (sum / rows) ** 2));
  }
  return total / width;
}

/** RankMe (Garrido et al. 2023): exponential of the entropy of the singular values of the mean-pooled features. */
export function rankMe(features: Features): number {
  const { width, clips } = features;
  const means = meanTokens(features);
  const gram = Array.from({ length: width }, () => new Float64Array(width));
  for (let n = 0; n < clips; n++) {
    for (let i = 0; i < width; i++) {
      const a = means[n * width + i];
      for (let j = 0; j < width; j++) gram[i][j] += a * means[n * width + j];
    }
  }
  const singular = eigenvalues(gram).map((v) => Math.sqrt(Math.max(0, v)));
  const sum = singular.reduce((a, b) => a + b, 0);
  const shares = singular.map((s) => s / sum + 1e-7);
  return Math.exp(-shares.reduce((total, p) => total + p * Math.log(p), 0));
}

const SWEEPS = 12;

/** Eigenvalues of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan); overwrites it. */
export function eigenvalues(m: Float64Array[]): number[] {
  const n = m.length;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (m[p][q] === 0) continue;
        const theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [a, b] = [m[k][p], m[k][q]];
          m[k][p] = c * a - s * b;
          m[k][q] = s * a + c * b;
        }
        for (let k = 0; k < n; k++) {
          const [a, b] = [m[p][k], m[q][k]];
          m[p][k] = c * a - s * b;
          m[q][k] = s * a + c * b;
        }
      }
    }
  }
  return m.map((row, i) => row[i]);
}
