/**
 * jax-js in the race. Every workload is one `jit` function, so that jax-js fuses what it can; inputs stay on the GPU.
 * A run ends with `gpuBufferSync()` on its result: jax-js is lazy, and that is its call which hands the pending kernels to
 * the queue without waiting or copying. The formulas are those of src/nn/gpt.ts.
 */

import { jaxVersion } from 'virtual:build';
import type * as Jax from '@jax-js/jax';
import type { Gpu } from '../../gpu/device.ts';
import { lendDevice } from './borrowed.ts';
import type { Contestant, Team } from './entrant.ts';
import {
  type Given,
  type GptWorkload,
  type InputSet,
  LEARNING_RATE,
  OPTIMISER,
  parametersOf,
  type Workload,
} from './workloads.ts';

type Array = Jax.Array;
type Tree = Record<string, Array>;

export async function openJax(gpu: Gpu): Promise<Team> {
  const jax = await import('@jax-js/jax');
  const started = await lendDevice(gpu, () => jax.init('webgpu'));
  if (!started.includes('webgpu')) throw new Error('jax-js has no WebGPU here');
  if (jax.getWebGPUDevice() !== gpu.device) throw new Error('jax-js opened a device of its own');
  jax.defaultDevice('webgpu');
  return {
    name: 'jax-js',
    version: jaxVersion,
    prepare: async (w, sets) => (w.kind === 'gpt' ? train(jax, w, sets) : evaluate(jax, w, sets)),
    without: () => '',
    close: () => undefined,
  };
}

function put({ numpy: np }: typeof Jax, { shape, data }: Given): Array {
  if (data instanceof Float32Array) return np.array(data).reshape([...shape]);
  return np.array(Int32Array.from(data), { dtype: np.int32 }).reshape([...shape]);
}

function formula(jax: typeof Jax, w: Exclude<Workload, GptWorkload>): [string[], (...x: Array[]) => Array] {
  const { numpy: np, nn } = jax;
  switch (w.kind) {
    case 'matmul':
      if (w.form === 'nt') return [['a', 'b'], (a, b) => np.matmul(a, b.transpose())];
      if (w.form === 'tn') return [['a', 'b'], (a, b) => np.matmul(a.transpose(), b)];
      return [['a', 'b'], (a, b) => np.matmul(a, b)];
    case 'softmax':
      return [['x'], (x) => nn.softmax(x, -1)];
    case 'rmsnorm':
      return [['x', 'gain'], (x, gain) => norm(jax, x, gain)];
    case 'attention':
      return [['q', 'k', 'v'], (q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true })];
    case 'decode':
      return [['q', 'k', 'v'], (q, k, v) => nn.dotProductAttention(q, k, v)];
    case 'chain':
      return [
        ['x', 'w'],
        (x, weight) => {
          for (let s = 0; s < w.steps; s++) x = np.tanh(np.matmul(x, weight.ref));
          weight.dispose();
          return x;
        },
      ];
  }
}

function evaluate(jax: typeof Jax, w: Exclude<Workload, GptWorkload>, sets: readonly InputSet[]): Contestant {
  const [names, body] = formula(jax, w);
  const run = jax.jit(body);
  const inputs = sets.map((set) => names.map((name) => put(jax, set[name])));
  const call = (turn: number): Array => run(...inputs[turn % inputs.length].map((x) => x.ref)) as Array;
  return {
    how: 'One jit function.',
    issue: (turn) => void call(turn).gpuBufferSync(),
    result: async () => (await call(0).data()) as Float32Array,
    dispose: () => {
      for (const x of inputs.flat()) x.dispose();
      run.dispose();
    },
  };
}

function norm({ numpy: np }: typeof Jax, x: Array, gain: Array): Array {
  const scale = np.reciprocal(np.sqrt(np.mean(np.square(x.ref), -1, { keepdims: true }).add(1e-6)));
  return x.mul(scale).mul(gain);
}

/**
 * Rotary embedding of x [B, T, H, D] with pairs (2i, 2i+1): x cos + swap(x) sin, where sin carries the signs.
 * `cos`, `sin` [T, 1, D].
 */
function rotate({ numpy: np }: typeof Jax, x: Array, cos: Array, sin: Array): Array {
  const [b, t, h, d] = x.shape;
  const swapped = np.flip(x.ref.reshape([b, t, h, d / 2, 2]), -1).reshape([b, t, h, d]);
  return x.mul(cos).add(swapped.mul(sin));
}

function lossOf(jax: typeof Jax, w: GptWorkload) {
  const { numpy: np, nn } = jax;
  const { layers, d, heads, kvHeads, hidden, vocab } = w.shape;
  const dim = d / heads;
  const rows = w.batch * w.time;
  const angle = (i: number): number => Math.floor(i / dim) * 10000 ** (-(2 * Math.floor((i % dim) / 2)) / dim);
  const table = (f: (i: number) => number): Array =>
    np.array(Float32Array.from({ length: w.time * dim }, (_, i) => f(i))).reshape([w.time, 1, dim]);
  return (p: Tree, ids: Array, targets: Array): Array => {
    const cos = table((i) => Math.cos(angle(i)));
    const sin = table((i) => Math.sin(angle(i)) * (i % 2 === 0 ? -1 : 1));
    const used = new Set<string>();
    const get = (name: string): Array => {
      used.add(name);
      return p[name];
    };
    // Embedding as a product with one-hot rows: its derivative is a product too, where a gather's would be a scatter.
    let x = np.matmul(nn.oneHot(ids.reshape([rows]), vocab), get('embed'));
    for (let l = 0; l < layers; l++) {
      const n = `layer.${l}`;
      const qkv = np.matmul(norm(jax, x.ref, get(`${n}.norm1.g`)), get(`${n}.qkv.w`));
      const [q, k, v] = np.split(qkv, [d, d + kvHeads * dim], -1);
      const headsOf = (y: Array, count: number): Array => y.reshape([w.batch, w.time, count, dim]);
      const mixed = nn.dotProductAttention(
        rotate(jax, norm(jax, headsOf(q, heads), get(`${n}.q.g`)), cos.ref, sin.ref),
        rotate(jax, norm(jax, headsOf(k, kvHeads), get(`${n}.k.g`)), cos.ref, sin.ref),
        headsOf(v, kvHeads),
        { isCausal: true },
      );
      x = x.add(np.matmul(mixed.reshape([rows, d]), get(`${n}.out.w`)));
      const gu = np.matmul(norm(jax, x.ref, get(`${n}.norm2.g`)), get(`${n}.gu.w`));
      const [gate, up] = np.split(gu, [hidden], -1);
      x = x.add(np.matmul(nn.silu(gate).mul(up), get(`${n}.down.w`)));
    }
    cos.dispose();
    sin.dispose();
    const logits = np.matmul(norm(jax, x, get('norm.g')), get('head.w'));
    // Not nn.oneHot: inside jit it takes an id beyond the vocabulary (no target) for the last one.
    const hit = np.equal(targets.reshape([rows, 1]), np.arange(vocab)).astype(np.float32);
    const chosen = nn.logSoftmax(logits, -1).mul(hit);
    return np.sum(chosen).mul(-1 / rows);
  };
}

function train(jax: typeof Jax, w: GptWorkload, sets: readonly InputSet[]): Contestant {
  const { numpy: np, tree } = jax;
  const { beta1, beta2, eps, weightDecay } = OPTIMISER;
  const initial = parametersOf(w);
  const names = Object.keys(initial);
  const gradient = jax.valueAndGrad(lossOf(jax, w));
  // `bias` [2]: 1 - beta1^t and 1 - beta2^t, the only numbers that change from step to step.
  const step = jax.jit((p: Tree, m: Tree, v: Tree, bias: Array, ids: Array, targets: Array) => {
    const [loss, g] = gradient(tree.ref(p), ids, targets) as [Array, Tree];
    const [b1, b2] = np.split(bias, 2);
    const [p1, m1, v1]: [Tree, Tree, Tree] = [{}, {}, {}];
    for (const name of names) {
      m1[name] = m[name].mul(beta1).add(g[name].ref.mul(1 - beta1));
      v1[name] = v[name].mul(beta2).add(np.square(g[name]).mul(1 - beta2));
      const move = m1[name].ref.div(b1.ref).div(np.sqrt(v1[name].ref.div(b2.ref)).add(eps));
      const decay = initial[name].shape.length > 1 ? LEARNING_RATE * weightDecay : 0;
      p1[name] = p[name].mul(1 - decay).sub(move.mul(LEARNING_RATE));
    }
    b1.dispose();
    b2.dispose();
    return [loss, p1, m1, v1] as [Array, Tree, Tree, Tree];
  });
  const zero = (name: string): Array => np.zeros([...initial[name].shape]);
  const make = (f: (name: string) => Array): Tree => Object.fromEntries(names.map((name) => [name, f(name)]));
  let p = make((name) => put(jax, initial[name]));
  let m = make(zero);
  let v = make(zero);
  const data = sets.map((set) => [put(jax, set.ids), put(jax, set.targets)]);
  let t = 0;
  const run = (turn: number): Array => {
    t += 1;
    const bias = np.array(Float32Array.of(1 - beta1 ** t, 1 - beta2 ** t));
    const [ids, targets] = data[turn % data.length];
    const [loss, ...state] = step(p, m, v, bias, ids.ref, targets.ref) as [Array, Tree, Tree, Tree];
    [p, m, v] = state;
    return loss;
  };
  return {
    how: 'Loss, gradient and AdamW in one jit function.',
    issue: (turn) => void run(turn).gpuBufferSync(),
    result: async () => {
      const losses: number[] = [];
      for (let i = 0; i <= w.updates; i++) losses.push((await run(i).data())[0]);
      return Float32Array.from(losses);
    },
    dispose: () => {
      tree.dispose([p, m, v]);
      for (const x of data.flat()) x.dispose();
      step.dispose();
    },
  };
}
