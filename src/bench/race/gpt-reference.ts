/**
 * The GPT of src/nn/gpt.ts with its gradient and AdamW in float64: losses of the first updates, to check entrants of the
 * training race. Plain loops, every formula written out; not fast (5 M parameters and 256 tokens take some seconds).
 */
import { type GptWorkload, type InputSet, LEARNING_RATE, OPTIMISER } from './workloads.ts';

type F = Float64Array;

/** y [m, n] = x [m, k] w [k, n]. */
function times(x: F, w: F, m: number, k: number, n: number): F {
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const a = x[i * k + l];
      for (let j = 0; j < n; j++) y[i * n + j] += a * w[l * n + j];
    }
  }
  return y;
}

/** dx [m, k] = dy [m, n] w^T, and dw [k, n] += x^T dy. */
function timesBack(x: F, w: F, dy: F, dw: F, m: number, k: number, n: number): F {
  const dx = new Float64Array(m * k);
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const a = x[i * k + l];
      let s = 0;
      for (let j = 0; j < n; j++) {
        s += dy[i * n + j] * w[l * n + j];
        dw[l * n + j] += a * dy[i * n + j];
      }
      dx[i * k + l] = s;
    }
  }
  return dx;
}

/** Rows of width d: x / rms * gain. */
function norm(x: F, gain: F): F {
  const d = gain.length;
  const y = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += d) {
    const r = inverseRms(x, at, d);
    for (let c = 0; c < d; c++) y[at + c] = x[at + c] * r * gain[c];
  }
  return y;
}

function inverseRms(x: F, at: number, d: number): number {
  let s = 0;
  for (let c = 0; c < d; c++) s += x[at + c] ** 2;
  return 1 / Math.sqrt(s / d + 1e-6);
}

function normBack(x: F, gain: F, dy: F, dgain: F): F {
  const d = gain.length;
  const dx = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += d) {
    const r = inverseRms(x, at, d);
    let s = 0;
    for (let c = 0; c < d; c++) {
      dgain[c] += dy[at + c] * x[at + c] * r;
      s += dy[at + c] * gain[c] * x[at + c];
    }
    for (let c = 0; c < d; c++) dx[at + c] = r * (dy[at + c] * gain[c] - (x[at + c] * s * r * r) / d);
  }
  return dx;
}

/** Turns channel pairs of heads [rows, heads, dim] by the row's position, or back with sign -1. */
function rotate(x: F, heads: number, dim: number, time: number, sign: number): F {
  const y = new Float64Array(x.length);
  for (let i = 0; i < x.length; i += 2) {
    const position = Math.floor(i / (heads * dim)) % time;
    const angle = sign * position * 10000 ** (-(i % dim) / dim);
    y[i] = x[i] * Math.cos(angle) - x[i + 1] * Math.sin(angle);
    y[i + 1] = x[i] * Math.sin(angle) + x[i + 1] * Math.cos(angle);
  }
  return y;
}

/** Columns from..from+width-1 of rows of `whole`. */
function columns(x: F, whole: number, from: number, width: number): F {
  const y = new Float64Array((x.length / whole) * width);
  for (let i = 0; i < y.length; i++) y[i] = x[Math.floor(i / width) * whole + from + (i % width)];
  return y;
}

function putColumns(y: F, x: F, whole: number, from: number, width: number): void {
  for (let i = 0; i < x.length; i++) y[Math.floor(i / width) * whole + from + (i % width)] = x[i];
}

interface Mixed {
  out: F;
  back(dout: F): [dq: F, dk: F, dv: F];
}

/** Causal attention of q [batch*time, heads*dim] over k, v [batch*time, kvHeads*dim]. */
function attention(q: F, k: F, v: F, w: GptWorkload): Mixed {
  const { heads, kvHeads, d } = w.shape;
  const dim = d / heads;
  const scale = 1 / Math.sqrt(dim);
  const out = new Float64Array(q.length);
  const weights: F[] = [];
  const each = (visit: (query: number, at: number, keys: number[], index: number) => void): void => {
    let index = 0;
    for (let b = 0; b < w.batch; b++) {
      for (let t = 0; t < w.time; t++) {
        for (let h = 0; h < heads; h++) {
          const g = Math.floor((h * kvHeads) / heads);
          const keys = Array.from({ length: t + 1 }, (_, j) => ((b * w.time + j) * kvHeads + g) * dim);
          visit((b * w.time + t) * heads * dim + h * dim, b, keys, index++);
        }
      }
    }
  };
  const dot = (x: F, i: number, y: F, j: number): number => {
    let s = 0;
    for (let c = 0; c < dim; c++) s += x[i + c] * y[j + c];
    return s;
  };
  each((at, _, keys, index) => {
    const s = Float64Array.from(keys, (key) => dot(q, at, k, key) * scale);
    const top = s.reduce((m, x) => Math.max(m, x), Number.NEGATIVE_INFINITY);
    const e = s.map((x) => Math.exp(x - top));
    const sum = e.reduce((a, x) => a + x, 0);
    weights[index] = e.map((x) => x / sum);
    keys.forEach((key, j) => {
      for (let c = 0; c < dim; c++) out[at + c] += weights[index][j] * v[key + c];
    });
  });
  const back = (dout: F): [F, F, F] => {
    const [dq, dk, dv] = [q, k, v].map((x) => new Float64Array(x.length));
    each((at, _, keys, index) => {
      const p = weights[index];
      const dp = Float64Array.from(keys, (key) => dot(dout, at, v, key));
      const mean = dp.reduce((s, x, j) => s + p[j] * x, 0);
      keys.forEach((key, j) => {
        const ds = p[j] * (dp[j] - mean) * scale;
        for (let c = 0; c < dim; c++) {
          dq[at + c] += ds * k[key + c];
          dk[key + c] += ds * q[at + c];
          dv[key + c] += p[j] * dout[at + c];
        }
      });
    });
    return [dq, dk, dv];
  };
  return { out, back };
}

/** The loss of one batch, and the gradient of every parameter (not computed without `gradient`). */
function lossAndGradient(
  w: GptWorkload,
  p: Map<string, F>,
  { ids, targets }: InputSet,
  gradient: boolean,
): { loss: number; grads: Map<string, F> } {
  const { vocab, layers, d, heads, kvHeads, hidden } = w.shape;
  const rows = w.batch * w.time;
  const dim = d / heads;
  const kv = kvHeads * dim;
  const width = d + 2 * kv;
  const get = (name: string): F => p.get(name) as F;
  const grads = new Map([...p].map(([name, value]) => [name, new Float64Array(value.length)]));
  const grad = (name: string): F => grads.get(name) as F;
  const add = (a: F, b: F): F => a.map((v, i) => v + b[i]);
  // Backward steps, last first.
  const tape: ((dx: F) => F)[] = [];

  let x: F = new Float64Array(rows * d);
  for (let i = 0; i < x.length; i++) x[i] = get('embed')[ids.data[Math.floor(i / d)] * d + (i % d)];
  for (let l = 0; l < layers; l++) {
    const n = `layer.${l}`;
    const x0 = x;
    const h = norm(x0, get(`${n}.norm1.g`));
    const qkv = times(h, get(`${n}.qkv.w`), rows, d, width);
    const [q, k, v] = [columns(qkv, width, 0, d), columns(qkv, width, d, kv), columns(qkv, width, d + kv, kv)];
    const turn = (y: F, count: number, sign: number): F => rotate(y, count, dim, w.time, sign);
    const mixed = attention(turn(norm(q, get(`${n}.q.g`)), heads, 1), turn(norm(k, get(`${n}.k.g`)), kvHeads, 1), v, w);
    x = add(x0, times(mixed.out, get(`${n}.out.w`), rows, d, d));
    tape.push((dx) => {
      const dmixed = timesBack(mixed.out, get(`${n}.out.w`), dx, grad(`${n}.out.w`), rows, d, d);
      const [dq, dk, dv] = mixed.back(dmixed);
      const dqkv = new Float64Array(qkv.length);
      putColumns(dqkv, normBack(q, get(`${n}.q.g`), turn(dq, heads, -1), grad(`${n}.q.g`)), width, 0, d);
      putColumns(dqkv, normBack(k, get(`${n}.k.g`), turn(dk, kvHeads, -1), grad(`${n}.k.g`)), width, d, kv);
      putColumns(dqkv, dv, width, d + kv, kv);
      const dh = timesBack(h, get(`${n}.qkv.w`), dqkv, grad(`${n}.qkv.w`), rows, d, width);
      return add(dx, normBack(x0, get(`${n}.norm1.g`), dh, grad(`${n}.norm1.g`)));
    });

    const x1 = x;
    const h2 = norm(x1, get(`${n}.norm2.g`));
    const gu = times(h2, get(`${n}.gu.w`), rows, d, 2 * hidden);
    const [gate, up] = [columns(gu, 2 * hidden, 0, hidden), columns(gu, 2 * hidden, hidden, hidden)];
    const swish = gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]);
    x = add(x1, times(swish, get(`${n}.down.w`), rows, hidden, d));
    tape.push((dx) => {
      const ds = timesBack(swish, get(`${n}.down.w`), dx, grad(`${n}.down.w`), rows, hidden, d);
      const dgu = new Float64Array(gu.length);
      const sigmoid = gate.map((g) => 1 / (1 + Math.exp(-g)));
      const dgate = ds.map((g, i) => g * up[i] * sigmoid[i] * (1 + gate[i] * (1 - sigmoid[i])));
      putColumns(dgu, dgate, 2 * hidden, 0, hidden);
      putColumns(
        dgu,
        ds.map((g, i) => g * gate[i] * sigmoid[i]),
        2 * hidden,
        hidden,
        hidden,
      );
      const dh = timesBack(h2, get(`${n}.gu.w`), dgu, grad(`${n}.gu.w`), rows, d, 2 * hidden);
      return add(dx, normBack(x1, get(`${n}.norm2.g`), dh, grad(`${n}.norm2.g`)));
    });
  }
  const last = norm(x, get('norm.g'));
  const logits = times(last, get('head.w'), rows, d, vocab);
  const dlogits = new Float64Array(logits.length);
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const target = targets.data[r];
    if (target >= vocab) continue;
    const row = logits.subarray(r * vocab, (r + 1) * vocab);
    const top = row.reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((s, v) => s + Math.exp(v - top), 0);
    loss += (top + Math.log(sum) - row[target]) / rows;
    for (let c = 0; c < vocab; c++) {
      dlogits[r * vocab + c] = (Math.exp(row[c] - top) / sum - (c === target ? 1 : 0)) / rows;
    }
  }
  if (gradient) {
    const dlast = timesBack(last, get('head.w'), dlogits, grad('head.w'), rows, d, vocab);
    let dx = normBack(x, get('norm.g'), dlast, grad('norm.g'));
    for (const step of tape.reverse()) dx = step(dx);
    for (let i = 0; i < dx.length; i++) grad('embed')[ids.data[Math.floor(i / d)] * d + (i % d)] += dx[i];
  }
  return { loss, grads };
}

/** Losses of consecutive batches, each but the last followed by an update. */
export function gptLosses(w: GptWorkload, parameters: InputSet, batches: InputSet[]): Float64Array {
  const { beta1, beta2, eps, weightDecay } = OPTIMISER;
  const p = new Map(Object.entries(parameters).map(([name, g]) => [name, Float64Array.from(g.data)]));
  const moments = new Map([...p].map(([name, v]) => [name, [new Float64Array(v.length), new Float64Array(v.length)]]));
  const losses = new Float64Array(batches.length);
  batches.forEach((batch, i) => {
    const { loss, grads } = lossAndGradient(w, p, batch, i < batches.length - 1);
    losses[i] = loss;
    if (i === batches.length - 1) return;
    for (const [name, value] of p) {
      const g = grads.get(name) as F;
      const [m, v] = moments.get(name) as F[];
      const decay = parameters[name].shape.length > 1 ? weightDecay : 0;
      for (let j = 0; j < value.length; j++) {
        m[j] = beta1 * m[j] + (1 - beta1) * g[j];
        v[j] = beta2 * v[j] + (1 - beta2) * g[j] ** 2;
        const step = m[j] / (1 - beta1 ** (i + 1)) / (Math.sqrt(v[j] / (1 - beta2 ** (i + 1))) + eps);
        value[j] -= LEARNING_RATE * (step + decay * value[j]);
      }
    }
  });
  return losses;
}
