/**
 * The symbolic graph: tensors without data, nodes that know their kernels and their derivative, and reverse-mode
 * differentiation that extends the same graph. Nothing here touches a device; program.ts turns a graph into buffers
 * and dispatches.
 */
import type { Conditions } from '../gpu/device.ts';
import type { Dispatch } from './kernel.ts';

/** Memory of one tensor (and of its reshaped views). */
export interface Storage {
  id: number;
  /** 4-byte elements. */
  size: number;
  /** Fixed place outside the arena: parameters, gradients, states, inputs. */
  external: { buffer: () => GPUBuffer; offset: number } | null;
  /** Node that writes it; null for inputs and externals. */
  producer: Node | null;
}

export interface Tensor {
  readonly graph: Graph;
  readonly shape: readonly number[];
  readonly size: number;
  readonly storage: Storage;
  /** Which output of the producing node this is (views keep it). */
  readonly id: number;
  readonly name: string;
}

export interface Node {
  name: string;
  inputs: Tensor[];
  outputs: Tensor[];
  dispatch: () => Dispatch[];
  backward: ((grads: (Tensor | null)[]) => (Tensor | null)[]) | null;
  /** Writes external state: never removed. */
  effect: boolean;
}

export interface NodeSpec {
  name: string;
  inputs: Tensor[];
  outputs: readonly (readonly number[])[];
  /** Dispatches of the node, given its outputs. */
  dispatch: (outputs: Tensor[]) => Dispatch[];
  /** Gradients of the inputs (null = none), given those of the outputs (null = not used). Runs at differentiation. */
  backward?: (grads: (Tensor | null)[], outputs: Tensor[]) => (Tensor | null)[];
  effect?: boolean;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Tensor>();
  readonly outputs = new Map<string, Tensor>();
  /** Offered to inspectors; an output only where `compile` is asked for it. */
  readonly captures = new Map<string, Tensor>();
  /** Inputs whose content never changes: written once when the program is made. */
  readonly fixed = new Map<string, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>();
  readonly conditions: Conditions;
  /** Names of stretches of the program: [name, index of the first node]. */
  readonly marks: [name: string, node: number][] = [];
  private nextId = 0;
  private differentiable = true;

  constructor(conditions: Conditions) {
    this.conditions = conditions;
  }

  private make(shape: readonly number[], storage: Storage, name: string): Tensor {
    if (!(sizeOf(shape) > 0)) throw new Error(`graph: ${name} [${shape}] has no elements`);
    return { graph: this, shape, size: sizeOf(shape), storage, id: this.nextId++, name };
  }

  private storage(size: number, producer: Node | null, external: Storage['external']): Storage {
    return { id: this.nextId++, size, external, producer };
  }

  /** A tensor whose content the caller writes before each run. */
  input(name: string, shape: readonly number[]): Tensor {
    if (this.inputs.has(name)) throw new Error(`graph: input ${name} declared twice`);
    const t = this.make(shape, this.storage(sizeOf(shape), null, null), name);
    this.inputs.set(name, t);
    return t;
  }

  /** An input that is written once: masks, tables. Asked for again under one name, it is the same tensor. */
  table(
    name: string,
    shape: readonly number[],
    make: () => Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  ): Tensor {
    const known = this.inputs.get(name);
    if (known) return known;
    this.fixed.set(name, make());
    return this.input(name, shape);
  }

  /** A tensor that lives in a buffer of its own across runs (parameters, rings, counters). */
  external(name: string, shape: readonly number[], buffer: () => GPUBuffer, byteOffset = 0): Tensor {
    return this.make(shape, this.storage(sizeOf(shape), null, { buffer, offset: byteOffset }), name);
  }

  /** The same elements under another shape. */
  reshape(x: Tensor, shape: readonly number[]): Tensor {
    if (sizeOf(shape) !== x.size) throw new Error(`reshape: [${x.shape}] has ${x.size} elements, [${shape}] does not`);
    return this.make(shape, x.storage, x.name);
  }

  add(spec: NodeSpec): Tensor[] {
    const node: Node = {
      name: spec.name,
      inputs: spec.inputs,
      outputs: [],
      dispatch: () => spec.dispatch(node.outputs),
      backward: spec.backward && this.differentiable ? (grads) => spec.backward?.(grads, node.outputs) ?? [] : null,
      effect: spec.effect ?? false,
    };
    node.outputs = spec.outputs.map((shape, i) =>
      this.make(shape, this.storage(sizeOf(shape), node, null), `${spec.name}.${i}`),
    );
    this.nodes.push(node);
    return node.outputs;
  }

  /** Nodes from here on belong to the named stage, for timing. */
  mark(name: string): void {
    this.marks.push([name, this.nodes.length]);
  }

  /** Nodes made inside `body` are constants to differentiation (teacher passes, statistics). */
  constant<T>(body: () => T): T {
    const before = this.differentiable;
    this.differentiable = false;
    try {
      return body();
    } finally {
      this.differentiable = before;
    }
  }

  /** Names a tensor that can be read after a run. */
  output(name: string, t: Tensor): void {
    this.outputs.set(name, t);
  }

  /**
   * Offers an intermediate to inspectors: `compile(gpu, build, names)` makes it an output. Not asked for, it and what only it
   * needs cost no dispatch and no memory.
   */
  capture(name: string, t: Tensor): void {
    this.captures.set(name, t);
  }

  /**
   * Gradients of the scalar `loss` with respect to `wrt`, as new nodes of this graph. `sum` adds two gradients that
   * meet; `one` is the constant 1 of shape [1]. A tensor that the loss does not depend on gets null.
   */
  gradients(loss: Tensor, wrt: Tensor[], one: Tensor, sum: (a: Tensor, b: Tensor) => Tensor): (Tensor | null)[] {
    if (loss.size !== 1) throw new Error(`gradients: the loss must be one number, it is [${loss.shape}]`);
    const wanted = new Set(wrt.map((t) => t.storage.id));
    const active = new Set<number>(wanted);
    const path: Node[] = [];
    for (const node of this.nodes) {
      if (!node.inputs.some((t) => active.has(t.storage.id))) continue;
      if (!node.backward) continue;
      path.push(node);
      for (const out of node.outputs) active.add(out.storage.id);
    }
    // Keyed by storage: a view has the gradient of its base, in the base's element order.
    const grads = new Map<number, Tensor>([[loss.storage.id, one]]);
    for (const node of path.reverse()) {
      const outGrads = node.outputs.map((o) => {
        const g = grads.get(o.storage.id);
        return g ? this.reshape(g, o.shape) : null;
      });
      if (outGrads.every((g) => g === null)) continue;
      const inGrads = node.backward?.(outGrads) ?? [];
      node.inputs.forEach((input, i) => {
        const g = inGrads[i];
        if (!g || !active.has(input.storage.id)) return;
        if (g.size !== input.size) {
          throw new Error(`${node.name}: gradient ${i} has [${g.shape}], its input has [${input.shape}]`);
        }
        const old = grads.get(input.storage.id);
        grads.set(input.storage.id, old ? sum(old, this.reshape(g, old.shape)) : g);
      });
    }
    return wrt.map((t) => {
      const g = grads.get(t.storage.id);
      return g ? this.reshape(g, t.shape) : null;
    });
  }

  /** Lets the node that makes `t` write into a fixed place instead of the arena. */
  place(t: Tensor, buffer: () => GPUBuffer, byteOffset: number): boolean {
    if (t.storage.external || !t.storage.producer) return false;
    t.storage.external = { buffer, offset: byteOffset };
    t.storage.producer.effect = true;
    return true;
  }
}
