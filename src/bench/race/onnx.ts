/**
 * onnxruntime-web (WebGPU) in the race: inference only. Inputs and outputs are GPU buffers of our own that are bound once,
 * so that a run copies nothing.
 */
import type * as Ort from 'onnxruntime-web/webgpu';
import type { Gpu } from '../../gpu/device.ts';
import type { Contestant, Team } from './entrant.ts';
import { type OnnxNode, type OnnxValue, onnxModel } from './onnx-model.ts';
import type { Given, GptWorkload, InputSet, Workload } from './workloads.ts';

/** `wasmAt`: where the package's wasm files are served, with a slash at the end. */
export async function openOnnx(gpu: Gpu, wasmAt: string): Promise<Team> {
  const ort = await import('onnxruntime-web/webgpu');
  ort.env.wasm.wasmPaths = wasmAt;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  return {
    name: 'onnxruntime-web',
    version: ort.env.versions.web ?? '',
    prepare: async (w, sets) => (w.kind === 'gpt' ? null : evaluate(ort, gpu.device, w, sets)),
    without: () => 'it does not train',
    close: () => undefined,
  };
}

interface Model {
  nodes: OnnxNode[];
  output: OnnxValue;
  inputs(set: InputSet): Record<string, Given>;
  /** Inputs that the runtime wants on the host. */
  host?: string[];
  /** Further outputs, and the inputs over which they are written. */
  extra?: OnnxValue[];
  inPlace?: Record<string, string>;
}

const flat = (g: Given, shape: readonly number[]): Given => ({ shape, data: g.data });

/** [T, G, D] -> [1, G, T, D]. */
function headsFirst({ shape: [time, heads, dim], data }: Given): Given {
  const out = new Float32Array(data.length);
  for (let t = 0; t < time; t++) {
    for (let h = 0; h < heads; h++) {
      out.set(data.subarray((t * heads + h) * dim, (t * heads + h + 1) * dim), (h * time + t) * dim);
    }
  }
  return { shape: [1, heads, time, dim], data: out };
}

const scalar = (value: number): Given => ({ shape: [1], data: Uint32Array.of(value) });

function modelOf(w: Exclude<Workload, GptWorkload>): Model {
  const y = (shape: readonly number[]): OnnxValue => ({ name: 'y', shape });
  switch (w.kind) {
    case 'matmul': {
      const attributes = { transA: Number(w.form === 'tn'), transB: Number(w.form === 'nt') };
      const op = w.form === 'nn' ? { op: 'MatMul' } : { op: 'Gemm', attributes };
      return {
        nodes: [{ ...op, inputs: ['a', 'b'], outputs: ['y'] }],
        output: y([w.size, w.size]),
        inputs: ({ a, b }) => ({ a, b }),
      };
    }
    case 'softmax':
      return {
        nodes: [{ op: 'Softmax', inputs: ['x'], outputs: ['y'], attributes: { axis: 1 } }],
        output: y([w.rows, w.width]),
        inputs: ({ x }) => ({ x }),
      };
    case 'rmsnorm':
      return {
        nodes: [
          {
            op: 'SimplifiedLayerNormalization',
            inputs: ['x', 'gain'],
            outputs: ['y'],
            attributes: { axis: 1, epsilon: { f: 1e-6 } },
          },
        ],
        output: y([w.rows, w.width]),
        inputs: ({ x, gain }) => ({ x, gain }),
      };
    case 'attention': {
      const { time, heads, dim } = w;
      const packed = [1, time, heads * dim];
      // As a prompt without a past. MultiHeadAttention knows no causal mask on WebGPU: it ignores `unidirectional`
      // (microsoft/onnxruntime, pull request 26071).
      const present = (name: string): OnnxValue => ({ name, shape: [1, heads, time, dim] });
      return {
        nodes: [
          {
            op: 'GroupQueryAttention',
            domain: 'com.microsoft',
            inputs: ['q', 'k', 'v', '', '', 'lengths', 'total'],
            outputs: ['y', 'present_k', 'present_v'],
            attributes: { num_heads: heads, kv_num_heads: heads },
          },
        ],
        output: y(packed),
        inputs: ({ q, k, v }) => ({
          q: flat(q, packed),
          k: flat(k, packed),
          v: flat(v, packed),
          lengths: scalar(time - 1),
          total: scalar(time),
        }),
        host: ['total'],
        extra: [present('present_k'), present('present_v')],
      };
    }
    case 'decode': {
      const { entries, heads, kvHeads, dim } = w;
      const newest = (g: Given): Given => ({
        shape: [1, 1, kvHeads * dim],
        data: g.data.slice((entries - 1) * kvHeads * dim),
      });
      const present = (name: string): OnnxValue => ({ name, shape: [1, kvHeads, entries, dim] });
      return {
        nodes: [
          {
            op: 'GroupQueryAttention',
            domain: 'com.microsoft',
            inputs: ['q', 'k', 'v', 'past_k', 'past_v', 'lengths', 'total'],
            outputs: ['y', 'present_k', 'present_v'],
            attributes: { num_heads: heads, kv_num_heads: kvHeads },
          },
        ],
        output: y([1, 1, heads * dim]),
        inputs: (set) => ({
          q: flat(set.q, [1, 1, heads * dim]),
          k: newest(set.k),
          v: newest(set.v),
          past_k: headsFirst(set.k),
          past_v: headsFirst(set.v),
          lengths: scalar(entries - 1),
          total: scalar(entries),
        }),
        host: ['total'],
        extra: [present('present_k'), present('present_v')],
        inPlace: { present_k: 'past_k', present_v: 'past_v' },
      };
    }
    case 'chain': {
      const nodes: OnnxNode[] = [];
      for (let s = 0; s < w.steps; s++) {
        nodes.push({ op: 'MatMul', inputs: [s === 0 ? 'x' : `h${s - 1}`, 'w'], outputs: [`p${s}`] });
        nodes.push({ op: 'Tanh', inputs: [`p${s}`], outputs: [s === w.steps - 1 ? 'y' : `h${s}`] });
      }
      return { nodes, output: y([w.width, w.width]), inputs: (set) => ({ x: set.x, w: set.w }) };
    }
  }
}

/**
 * Its flash attention takes eight keys a step by shuffles within a subgroup, also where a subgroup has four lanes (SwiftShader): every
 * row from the fifth on is then wrong. On a device that names no subgroups it takes its path through workgroup memory, which is
 * right; it asks for the device's features when its first session is made.
 */
async function withoutSmallSubgroups<T>(device: GPUDevice, open: () => Promise<T>): Promise<T> {
  const { subgroupMinSize } = device.adapterInfo as { subgroupMinSize?: number };
  if (!device.features.has('subgroups') || (subgroupMinSize ?? 0) >= 8) return open();
  const features = new Set([...device.features].filter((name) => name !== 'subgroups'));
  Object.defineProperty(device, 'features', { value: features, configurable: true });
  try {
    return await open();
  } finally {
    // The property of the prototype shows again.
    Reflect.deleteProperty(device, 'features');
  }
}

async function evaluate(
  ort: typeof Ort,
  device: GPUDevice,
  w: Exclude<Workload, GptWorkload>,
  sets: readonly InputSet[],
): Promise<Contestant> {
  const model = modelOf(w);
  const typeOf = (g: Given): 'float' | 'int32' => (g.data instanceof Float32Array ? 'float' : 'int32');
  const declared = Object.entries(model.inputs(sets[0])).map(([name, g]) => ({
    name,
    shape: g.shape,
    type: typeOf(g),
  }));
  const extra = model.extra ?? [];
  const session = await withoutSmallSubgroups(device, () =>
    ort.InferenceSession.create(onnxModel(model.nodes, declared, [model.output, ...extra]), {
      executionProviders: [{ name: 'webgpu', device }],
      preferredOutputLocation: 'gpu-buffer',
      graphOptimizationLevel: 'all',
    }),
  );
  const buffers: GPUBuffer[] = [];
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const onGpu = ({ shape, data }: { shape: readonly number[]; data?: Given['data'] }): [Ort.Tensor, GPUBuffer] => {
    const size = shape.reduce((a, b) => a * b, 1) * 4;
    const buffer = device.createBuffer({ size: Math.ceil(size / 16) * 16, usage });
    if (data) device.queue.writeBuffer(buffer, 0, data);
    buffers.push(buffer);
    const dataType = data && !(data instanceof Float32Array) ? 'int32' : 'float32';
    return [ort.Tensor.fromGpuBuffer(buffer as never, { dataType, dims: [...shape] }) as Ort.Tensor, buffer];
  };
  const calls = sets.map((set) => {
    const feeds: Record<string, Ort.Tensor> = {};
    const fetches: Record<string, Ort.Tensor> = {};
    for (const [name, g] of Object.entries(model.inputs(set))) {
      if (model.host?.includes(name)) feeds[name] = new ort.Tensor('int32', Int32Array.from(g.data), [...g.shape]);
      else [feeds[name]] = onGpu(g);
    }
    const [y, buffer] = onGpu(model.output);
    fetches.y = y;
    for (const value of extra) {
      const over = model.inPlace?.[value.name];
      fetches[value.name] = over ? feeds[over] : onGpu(value)[0];
    }
    return { feeds, fetches, buffer };
  });
  const run = (turn: number): Promise<unknown> => {
    const { feeds, fetches } = calls[turn % calls.length];
    return session.run(feeds, fetches);
  };
  return {
    how: 'One session, GPU buffers bound as inputs and outputs.',
    issue: async (turn) => {
      await run(turn);
    },
    result: async () => {
      await run(0);
      return readBuffer(
        device,
        calls[0].buffer,
        model.output.shape.reduce((a, b) => a * b, 1),
      );
    },
    dispose: () => {
      void session.release();
      for (const buffer of buffers) buffer.destroy();
    },
  };
}

async function readBuffer(device: GPUDevice, buffer: GPUBuffer, count: number): Promise<Float32Array> {
  const staging = device.createBuffer({ size: count * 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, count * 4);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return values;
}
