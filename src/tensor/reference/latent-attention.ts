/** Float64 reference of latent-attention.ts: one softmax per row and head over an explicit list of keys, and its derivative. */

export interface LatentSizes {
  heads: number;
  groups: number;
  key: number;
  value: number;
  offset: number;
  scale: number;
  /** Rows of a sequence, keys of a sequence. */
  per: number;
  length: number;
}

export interface LatentResult {
  out: Float64Array;
  lse: Float64Array;
  dq: Float64Array;
  dkv: Float64Array;
  /** Probability of every listed key, by row and head. */
  p: number[][];
}

/** `keys(row)` lists what a row sees; `dout` may be left out. */
export function latentReference(
  q: ArrayLike<number>,
  kv: ArrayLike<number>,
  keys: (row: number) => readonly number[],
  s: LatentSizes,
  dout: ArrayLike<number> = new Float64Array((q.length / s.key) * s.value),
): LatentResult {
  const { heads, groups, key, value, offset, scale, per, length } = s;
  const width = Math.max(key, offset + value);
  const rows = q.length / (heads * key);
  const out = new Float64Array(rows * heads * value);
  const lse = new Float64Array(rows * heads);
  const dq = new Float64Array(q.length);
  const dkv = new Float64Array(kv.length);
  const all: number[][] = [];
  for (let r = 0; r < rows; r++) {
    const listed = keys(r);
    for (let h = 0; h < heads; h++) {
      const place = r * heads + h;
      const at = listed.map(
        (k) => ((Math.floor(r / per) * length + k) * groups + Math.floor(h / (heads / groups))) * width,
      );
      const a = at.map((k) => {
        let dot = 0;
        for (let c = 0; c < key; c++) dot += q[place * key + c] * kv[k + c];
        return dot * scale;
      });
      const m = Math.max(...a);
      const sum = a.reduce((x, v) => x + Math.exp(v - m), 0);
      lse[place] = listed.length > 0 ? m + Math.log(sum) : -1e30;
      const p = a.map((v) => Math.exp(v - m) / sum);
      all.push(p);
      const dp = at.map((k, i) => {
        let dot = 0;
        for (let c = 0; c < value; c++) {
          out[place * value + c] += p[i] * kv[k + offset + c];
          dot += dout[place * value + c] * kv[k + offset + c];
        }
        return dot;
      });
      const delta = dp.reduce((x, v, i) => x + p[i] * v, 0);
      at.forEach((k, i) => {
        const ds = p[i] * (dp[i] - delta) * scale;
        for (let c = 0; c < key; c++) {
          dq[place * key + c] += ds * kv[k + c];
          dkv[k + c] += ds * q[place * key + c];
        }
        for (let c = 0; c < value; c++) dkv[k + offset + c] += p[i] * dout[place * value + c];
      });
    }
  }
  return { out, lse, dq, dkv, p: all };
}
