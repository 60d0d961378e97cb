/** Gradients of a graph against central finite differences of its own loss, or of the function that its derivative is meant for. */
import '../tensor/ops/attention-backward.ts';
import type { Gpu } from '../gpu/device.ts';
import { normals } from '../nn/params.ts';
import { type Graph, sizeOf, type Tensor } from '../tensor/graph.ts';
import { add } from '../tensor/ops/pointwise.ts';
import { meanOf } from '../tensor/ops/reduce.ts';
import { compile, type InputData } from '../tensor/program.ts';

export interface GradientCheck {
  /** Name -> shape of the differentiable inputs. */
  inputs: Record<string, number[]>;
  /** Inputs that are given and constant. */
  constants?: Record<string, InputData>;
  build: (graph: Graph, inputs: Record<string, Tensor>, constants: Record<string, Tensor>) => Tensor;
  /** The function whose differences the derivative is, where that is not `build`: of a straight-through estimate. */
  through?: GradientCheck['build'];
  /** Spread of the random inputs (default 1). */
  scale?: number;
  eps?: number;
  /** Elements checked per input (default 24, spread evenly). */
  samples?: number;
}

/** Largest |analytic - numeric| / (|numeric| + floor) over the checked elements, floor = 5 % of the largest gradient. */
export async function gradientError(gpu: Gpu, c: GradientCheck): Promise<number> {
  const data: Record<string, Float32Array<ArrayBuffer>> = {};
  Object.entries(c.inputs).forEach(([name, shape], i) => {
    data[name] = normals(7, i + 1, sizeOf(shape)).map((v) => v * (c.scale ?? 1));
  });
  let probe: Float32Array<ArrayBuffer> = new Float32Array(0);
  const program = compile(gpu, (graph) => {
    const tensors: Record<string, Tensor> = {};
    for (const [name, shape] of Object.entries(c.inputs)) tensors[name] = graph.input(name, shape);
    const constants: Record<string, Tensor> = {};
    for (const [name, value] of Object.entries(c.constants ?? {}))
      constants[name] = graph.input(name, [value.byteLength / 4]);
    const y = c.build(graph, tensors, constants);
    graph.output('y', c.through?.(graph, tensors, constants) ?? y);
    probe = normals(99, 5, y.size);
    const probeInput = graph.input('probe', [y.size]);
    // The gradient of sum(y * probe) with respect to y is probe itself.
    const loss = meanOf(y, [y], () => [probeInput]);
    const one = graph.input('one', [1]);
    const wrt = Object.keys(c.inputs).map((name) => tensors[name]);
    const grads = graph.gradients(loss, wrt, one, (a, b) => add(a, b));
    grads.forEach((g, i) => {
      if (!g) throw new Error(`no gradient for ${Object.keys(c.inputs)[i]}`);
      graph.output(`d ${Object.keys(c.inputs)[i]}`, g);
    });
    graph.output('loss', loss);
  });
  const value = async (): Promise<number> => {
    program.run({ ...data, ...c.constants, probe, one: new Float32Array([1]) });
    const y = await program.read('y');
    let sum = 0;
    for (let i = 0; i < y.length; i++) sum += y[i] * probe[i];
    return sum;
  };
  await value();
  const analytic: Record<string, Float32Array> = {};
  for (const name of Object.keys(c.inputs)) analytic[name] = await program.read(`d ${name}`);
  const eps = c.eps ?? 1e-2;
  let worst = 0;
  for (const name of Object.keys(c.inputs)) {
    const x = data[name];
    const largest = analytic[name].reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    if (!(largest > 0)) throw new Error(`gradient of ${name} is zero or not a number`);
    const step = Math.max(1, Math.floor(x.length / (c.samples ?? 24)));
    for (let i = 0; i < x.length; i += step) {
      const before = x[i];
      x[i] = before + eps;
      const up = await value();
      x[i] = before - eps;
      const down = await value();
      x[i] = before;
      const numeric = (up - down) / (2 * eps);
      worst = Math.max(worst, Math.abs(analytic[name][i] - numeric) / (Math.abs(numeric) + 0.05 * largest));
    }
  }
  program.dispose();
  return worst;
}
