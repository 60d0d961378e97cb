/**
 * TensorFlow.js (WebGPU) in the race. It runs operation by operation; inputs stay on the GPU, intermediates are freed by
 * `tidy`, and what it holds back of its command list is submitted at the end of a batch, not before.
 */
import type * as Tf from '@tensorflow/tfjs-core';
import type { Gpu } from '../../gpu/device.ts';
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

type Tensor = Tf.Tensor;
type Tree = Record<string, Tensor>;

export async function openTensorflow(gpu: Gpu): Promise<Team> {
  const tf = await import('@tensorflow/tfjs-core');
  // Core alone knows no derivatives.
  await import('@tensorflow/tfjs-core/dist/register_all_gradients');
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  const backend = new WebGPUBackend(gpu.device, gpu.device.adapterInfo);
  // The package registers its kernels for 'webgpu'; a backend of that name on our device takes its place.
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => backend as unknown as Tf.KernelBackend);
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js has no WebGPU here');
  // Its own way before every readback: close the pass, then submit; nothing where nothing is held back.
  const held = backend as unknown as { commandEncoder: GPUCommandEncoder | null };
  const flush = (): void => {
    if (!held.commandEncoder) return;
    backend.endComputePassEncoder();
    backend.submitQueue();
  };
  // On SwiftShader it was not through the large GPT's few steps in two minutes; on a GPU it takes part.
  const tooLong = (w: Workload): boolean => gpu.report.software && w.kind === 'gpt' && w.shape.d > 128;
  return {
    name: 'TensorFlow.js',
    version: tf.version_core,
    prepare: async (w, sets) => {
      if (tooLong(w)) return null;
      return w.kind === 'gpt' ? train(tf, w, sets, flush) : evaluate(tf, w, sets, flush);
    },
    without: () => 'not asked on a processor, where it needs minutes for this row',
    close: () => tf.removeBackend('webgpu'),
  };
}

function put(tf: typeof Tf, { shape, data }: Given): Tensor {
  if (data instanceof Float32Array) return tf.tensor(data, [...shape], 'float32');
  return tf.tensor(Int32Array.from(data), [...shape], 'int32');
}

/** Causal mask to add to scores [.., time, time]. */
function causalBias(tf: typeof Tf, time: number): Tensor {
  const data = Float32Array.from({ length: time * time }, (_, i) => (i % time <= Math.floor(i / time) ? 0 : -1e30));
  return tf.tensor(data, [time, time], 'float32');
}

interface Formula {
  /** Made once per input set: the inputs in the layout that the engine works best on. */
  inputs: (set: InputSet) => Tensor[];
  body: (x: Tensor[]) => Tensor;
}

function formula(tf: typeof Tf, w: Exclude<Workload, GptWorkload>, constants: Tensor[]): Formula {
  const named =
    (...names: string[]) =>
    (set: InputSet): Tensor[] =>
      names.map((name) => put(tf, set[name]));
  switch (w.kind) {
    case 'matmul':
      return {
        inputs: named('a', 'b'),
        body: ([a, b]) => tf.matMul(a as Tf.Tensor2D, b as Tf.Tensor2D, w.form === 'tn', w.form === 'nt'),
      };
    case 'softmax':
      return { inputs: named('x'), body: ([x]) => tf.softmax(x) };
    case 'rmsnorm':
      return { inputs: named('x', 'gain'), body: ([x, gain]) => norm(tf, x, gain) };
    case 'attention': {
      const bias = causalBias(tf, w.time);
      constants.push(bias);
      return {
        // Heads first: [H, T, D].
        inputs: (set) => named('q', 'k', 'v')(set).map((x) => tf.tidy(() => tf.transpose(x, [1, 0, 2]))),
        body: ([q, k, v]) => tf.transpose(attend(tf, q, k, v, bias), [1, 0, 2]),
      };
    }
    case 'decode':
      return {
        // The query heads of one kv head are the rows of one product: [G, H/G, D] and [G, entries, D].
        inputs: (set) => {
          const [q, k, v] = named('q', 'k', 'v')(set);
          return tf.tidy(() => [
            tf.reshape(q, [w.kvHeads, w.heads / w.kvHeads, w.dim]),
            tf.transpose(k, [1, 0, 2]),
            tf.transpose(v, [1, 0, 2]),
          ]);
        },
        body: ([q, k, v]) => attend(tf, q, k, v, null),
      };
    case 'chain':
      return {
        inputs: named('x', 'w'),
        body: ([x, weight]) => {
          for (let s = 0; s < w.steps; s++) x = tf.tanh(tf.matMul(x as Tf.Tensor2D, weight as Tf.Tensor2D));
          return x;
        },
      };
  }
}

function evaluate(
  tf: typeof Tf,
  w: Exclude<Workload, GptWorkload>,
  sets: readonly InputSet[],
  flush: () => void,
): Contestant {
  const constants: Tensor[] = [];
  const { inputs, body } = formula(tf, w, constants);
  const data = sets.map(inputs);
  const call = (turn: number): Tensor => tf.tidy(() => body(data[turn % data.length]));
  return {
    how: w.kind === 'attention' || w.kind === 'decode' ? 'matMul, softmax, matMul.' : 'Its own operation.',
    issue: (turn) => call(turn).dispose(),
    flush,
    result: async () => {
      const y = call(0);
      const values = (await y.data()) as Float32Array;
      y.dispose();
      return values;
    },
    dispose: () => {
      for (const x of [...data.flat(), ...constants]) x.dispose();
    },
  };
}

function norm(tf: typeof Tf, x: Tensor, gain: Tensor): Tensor {
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-6));
  return tf.mul(tf.mul(x, scale), gain);
}

/** softmax(q k^T / sqrt(D) + bias) v over the last two axes. */
function attend(tf: typeof Tf, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | null): Tensor {
  const dim = q.shape[q.shape.length - 1];
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(dim));
  return tf.matMul(tf.softmax(bias ? tf.add(scores, bias) : scores), v);
}

/** The loss of src/nn/gpt.ts; see jax.ts for the embedding and the rotation. Heads and kv heads are equal in number here. */
function lossOf(tf: typeof Tf, w: GptWorkload, constants: Tensor[]) {
  const { layers, d, heads, hidden, vocab } = w.shape;
  const dim = d / heads;
  const rows = w.batch * w.time;
  const angle = (i: number): number => Math.floor(i / dim) * 10000 ** (-(2 * Math.floor((i % dim) / 2)) / dim);
  const table = (f: (i: number) => number): Tensor => {
    const t = tf.tensor(
      Float32Array.from({ length: w.time * dim }, (_, i) => f(i)),
      [w.time, 1, dim],
    );
    constants.push(t);
    return t;
  };
  const cos = table((i) => Math.cos(angle(i)));
  const sin = table((i) => Math.sin(angle(i)) * (i % 2 === 0 ? -1 : 1));
  const bias = causalBias(tf, w.time);
  // Exchanges the two channels of each pair, as a product.
  const swap = tf.tensor(
    Float32Array.from({ length: dim * dim }, (_, i) => (Math.floor(i / dim) === ((i % dim) ^ 1) ? 1 : 0)),
    [dim, dim],
  );
  constants.push(bias, swap);
  const rotate = (x: Tensor): Tensor => {
    const swapped = tf.reshape(tf.matMul(tf.reshape(x, [-1, dim]), swap as Tf.Tensor2D), x.shape);
    return tf.add(tf.mul(x, cos), tf.mul(swapped, sin));
  };
  return (p: Tree, ids: Tensor, targets: Tensor): Tf.Scalar => {
    const dense = (x: Tensor, name: string): Tensor => tf.matMul(x as Tf.Tensor2D, p[name] as Tf.Tensor2D);
    let x: Tensor = tf.matMul(tf.oneHot(tf.reshape(ids, [rows]) as Tf.Tensor1D, vocab) as Tf.Tensor2D, p.embed);
    for (let l = 0; l < layers; l++) {
      const n = `layer.${l}`;
      const qkv = dense(norm(tf, x, p[`${n}.norm1.g`]), `${n}.qkv.w`);
      const [q, k, v] = tf.split(qkv, 3, -1).map((y) => tf.reshape(y, [w.batch, w.time, heads, dim]));
      const first = (y: Tensor): Tensor => tf.transpose(y, [0, 2, 1, 3]);
      const mixed = attend(
        tf,
        first(rotate(norm(tf, q, p[`${n}.q.g`]))),
        first(rotate(norm(tf, k, p[`${n}.k.g`]))),
        first(v),
        bias,
      );
      x = tf.add(x, dense(tf.reshape(first(mixed), [rows, d]), `${n}.out.w`));
      const gu = dense(norm(tf, x, p[`${n}.norm2.g`]), `${n}.gu.w`);
      const [gate, up] = tf.split(gu, [hidden, hidden], -1);
      x = tf.add(x, dense(tf.mul(tf.mul(gate, tf.sigmoid(gate)), up), `${n}.down.w`));
    }
    const logits = dense(norm(tf, x, p['norm.g']), 'head.w');
    const chosen = tf.mul(tf.logSoftmax(logits), tf.oneHot(tf.reshape(targets, [rows]) as Tf.Tensor1D, vocab));
    return tf.mul(tf.sum(chosen), -1 / rows) as Tf.Scalar;
  };
}

function train(tf: typeof Tf, w: GptWorkload, sets: readonly InputSet[], flush: () => void): Contestant {
  const { beta1, beta2, eps, weightDecay } = OPTIMISER;
  const constants: Tensor[] = [];
  const initial = parametersOf(w);
  const names = Object.keys(initial);
  const loss = lossOf(tf, w, constants);
  const make = (f: (name: string) => Tensor): Tree => Object.fromEntries(names.map((name) => [name, f(name)]));
  let state = [
    make((name) => put(tf, initial[name])),
    make((name) => tf.zeros([...initial[name].shape])),
    make((name) => tf.zeros([...initial[name].shape])),
  ];
  const data = sets.map((set) => [put(tf, set.ids), put(tf, set.targets)]);
  let t = 0;
  const run = (turn: number): Tf.Scalar => {
    t += 1;
    const [ids, targets] = data[turn % data.length];
    const [p, m, v] = state;
    const next = tf.tidy(() => {
      const differentiate = tf.valueAndGrads((...xs: Tensor[]) =>
        loss(Object.fromEntries(names.map((name, i) => [name, xs[i]])), ids, targets),
      );
      const { value, grads } = differentiate(names.map((name) => p[name]));
      const [p1, m1, v1]: Tree[] = [{}, {}, {}];
      names.forEach((name, i) => {
        m1[name] = tf.add(tf.mul(m[name], beta1), tf.mul(grads[i], 1 - beta1));
        v1[name] = tf.add(tf.mul(v[name], beta2), tf.mul(tf.square(grads[i]), 1 - beta2));
        const scaled = tf.sqrt(tf.mul(v1[name], 1 / (1 - beta2 ** t)));
        const move = tf.div(tf.mul(m1[name], LEARNING_RATE / (1 - beta1 ** t)), tf.add(scaled, eps));
        const decay = initial[name].shape.length > 1 ? LEARNING_RATE * weightDecay : 0;
        p1[name] = tf.sub(decay > 0 ? tf.mul(p[name], 1 - decay) : p[name], move);
      });
      return { value: value as Tf.Scalar, p: p1, m: m1, v: v1 };
    });
    tf.dispose(state);
    state = [next.p, next.m, next.v];
    return next.value;
  };
  return {
    how: 'Eager operations, gradients by valueAndGrads, AdamW by hand.',
    issue: (turn) => run(turn).dispose(),
    flush,
    result: async () => {
      const losses: number[] = [];
      for (let i = 0; i <= w.updates; i++) {
        const value = run(i);
        losses.push((await value.data())[0]);
        value.dispose();
      }
      return Float32Array.from(losses);
    },
    dispose: () => {
      tf.dispose([state, data, constants]);
    },
  };
}
