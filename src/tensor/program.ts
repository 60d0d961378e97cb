/**
 * A compiled graph: one arena, one uniform buffer, a flat list of dispatches that are recorded into one command buffer
 * per run. Nothing is allocated while it runs. What changes from run to run travels through inputs.
 */
import type { Gpu } from '../gpu/device.ts';
import { throttle } from '../gpu/pace.ts';
import { Graph, type Node, type Tensor } from './graph.ts';
import type { Dispatch } from './kernel.ts';
import { ALIGN, alignUp, plan } from './plan.ts';
import { StageTimer } from './stage-timer.ts';

interface Command {
  label: string;
  pipeline: GPUComputePipeline;
  bind: GPUBindGroup;
  workgroups: [number, number, number];
  flops: number;
  bytes: number;
}

/** Arenas are cut at 1 GiB: more than most adapters allocate at once, less than any training step of `base`. */
const ARENA_CHUNK = 2 ** 30;

const alignDown = (bytes: number): number => Math.floor(bytes / ALIGN) * ALIGN;
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

export type InputData = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Buffers of one arena, and the program whose constants lie in it. */
interface Arena {
  buffers: GPUBuffer[];
  bytes: number;
  user: Program | null;
}

const chunkOf = ({ device }: Gpu): number => Math.min(ARENA_CHUNK, alignDown(device.limits.maxBufferSize));

/** Throws before anything is allocated if the adapter cannot bind a tensor. */
function planOf(gpu: Gpu, graph: Graph): ReturnType<typeof plan> {
  const chunk = chunkOf(gpu);
  const planned = plan(graph, chunk);
  const limit = Math.min(chunk, gpu.device.limits.maxStorageBufferBindingSize);
  for (const t of planned.nodes.flatMap((n) => n.outputs)) {
    if (t.size * 4 > limit) {
      throw new Error(
        `compile: ${t.name} [${t.shape}] takes ${mib(t.size * 4)} MiB, this adapter binds at most ${mib(limit)} MiB at once. Use fewer rows per batch.`,
      );
    }
  }
  return planned;
}

function allocate({ device }: Gpu, bytes: number, chunk: number): Arena {
  const buffers = Array.from({ length: Math.max(1, Math.ceil(bytes / chunk)) }, (_, i) =>
    device.createBuffer({
      size: Math.max(ALIGN, Math.min(chunk, bytes - i * chunk)),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      label: `arena ${i}`,
    }),
  );
  return { buffers, bytes, user: null };
}

/**
 * One arena for programs of which one runs at a time and gets all of its inputs with every run: a trainer has a program for
 * every shape of its batch. What a program left is read before another runs. `reserve` what the largest will need: who needs
 * more than there is gets an arena beside it.
 */
export class SharedArena {
  private readonly arenas: Arena[] = [];
  private readonly gpu: Gpu;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** Room for any of these graphs; compiles nothing. */
  reserve(builds: readonly ((graph: Graph) => void)[]): void {
    const needs = builds.map((build) => {
      const graph = new Graph(this.gpu.conditions);
      build(graph);
      return planOf(this.gpu, graph).arenaBytes;
    });
    this.take(Math.max(...needs));
  }

  take(bytes: number): Arena {
    const fits = this.arenas.find((a) => a.bytes >= bytes);
    if (fits) return fits;
    const made = allocate(this.gpu, bytes, chunkOf(this.gpu));
    this.arenas.push(made);
    return made;
  }

  /** Of all arenas. */
  get bytes(): number {
    return this.arenas.reduce((sum, a) => sum + a.bytes, 0);
  }

  dispose(): void {
    for (const { buffers } of this.arenas) for (const b of buffers) b.destroy();
  }
}

export interface ProgramStats {
  dispatches: number;
  pipelines: number;
  arenaBytes: number;
  unsharedBytes: number;
  flops: number;
  bytes: number;
}

/**
 * Traces `build` once and makes its buffers, pipelines and bind groups. `captures` names the intermediates (Graph.capture)
 * that can be read after a run as outputs can; throws on a name that `build` does not offer. `shared`: instead of an arena of
 * its own.
 */
export function compile(
  gpu: Gpu,
  build: (graph: Graph) => void,
  captures: readonly string[] = [],
  shared: SharedArena | null = null,
): Program {
  const graph = new Graph(gpu.conditions);
  build(graph);
  for (const name of captures) {
    const t = graph.captures.get(name);
    if (!t) throw new Error(`compile: no capture named ${name}; there are ${[...graph.captures.keys()].join(', ')}`);
    graph.output(name, t);
  }
  return new Program(gpu, graph, shared);
}

export class Program {
  readonly stats: ProgramStats;
  private readonly gpu: Gpu;
  private readonly arena: Arena;
  private readonly shared: boolean;
  /** Constants, written once, and again when another program had the arena. */
  private readonly fixed: Graph['fixed'];
  private readonly uniforms: GPUBuffer;
  private readonly commands: Command[] = [];
  private readonly places = new Map<string, { buffer: GPUBuffer; offset: number; size: number }>();
  private readonly staging = new Map<string, GPUBuffer>();
  /** Stretches of commands by name, in order. */
  private readonly stages: { name: string; from: number; to: number }[] = [];
  private timer: StageTimer | null = null;
  /** Submitted since the last `settle`. */
  private pending = false;

  constructor(gpu: Gpu, graph: Graph, shared: SharedArena | null = null) {
    this.gpu = gpu;
    const device = gpu.device;
    const chunk = chunkOf(gpu);
    const { nodes, offsets, arenaBytes, unsharedBytes } = planOf(gpu, graph);
    this.arena = shared ? shared.take(arenaBytes) : allocate(gpu, arenaBytes, chunk);
    this.shared = shared !== null;
    this.fixed = graph.fixed;
    const place = (t: Tensor): { buffer: GPUBuffer; offset: number; size: number } => {
      const s = t.storage;
      if (s.external) return { buffer: s.external.buffer(), offset: s.external.offset, size: s.size };
      const offset = offsets.get(s.id) ?? 0;
      return { buffer: this.arena.buffers[Math.floor(offset / chunk)], offset: offset % chunk, size: s.size };
    };
    const dispatches: Dispatch[] = [];
    const firstOf = new Map<Node, number>();
    for (const node of nodes) {
      firstOf.set(node, dispatches.length);
      dispatches.push(...node.dispatch());
    }
    graph.marks.forEach(([name, index], i) => {
      const start = (at: number): number => {
        const next = nodes.find((n) => graph.nodes.indexOf(n) >= at);
        return next ? (firstOf.get(next) ?? 0) : dispatches.length;
      };
      this.stages.push({ name, from: start(index), to: start(graph.marks[i + 1]?.[1] ?? graph.nodes.length) });
    });
    const uniformAlign = Math.max(ALIGN, device.limits.minUniformBufferOffsetAlignment);
    let uniformBytes = 0;
    for (const d of dispatches) uniformBytes += Math.ceil(d.uniforms.byteLength / uniformAlign) * uniformAlign;
    this.uniforms = device.createBuffer({
      size: Math.max(ALIGN, uniformBytes),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      label: 'uniforms',
    });
    const words = new Uint32Array(Math.max(ALIGN, uniformBytes) / 4);
    const pipelines = new Set<GPUComputePipeline>();
    let at = 0;
    for (const d of dispatches) {
      if (new Set(d.bindings.map((t) => t.storage.id)).size !== d.bindings.length) {
        throw new Error(`${d.label}: the same tensor is bound twice in one dispatch`);
      }
      words.set(d.uniforms, at / 4);
      const pipeline = gpu.pipelines.get({
        code: d.code,
        entryPoint: d.entryPoint,
        storage: d.bindings.length,
        constants: d.constants,
        label: d.label,
      });
      pipelines.add(pipeline);
      const entries: GPUBindGroupEntry[] = d.bindings.map((t, binding) => {
        const { buffer, offset, size } = place(t);
        // Rounded up so that vec4 kernels may touch the padding behind a ragged tensor.
        const bytes = Math.min(alignUp(size * 4), buffer.size - offset);
        return { binding, resource: { buffer, offset, size: bytes } };
      });
      entries.push({
        binding: d.bindings.length,
        resource: { buffer: this.uniforms, offset: at, size: d.uniforms.byteLength },
      });
      this.commands.push({
        label: d.label,
        pipeline,
        bind: device.createBindGroup({ layout: gpu.pipelines.layout(d.bindings.length).bind, entries }),
        workgroups: d.workgroups,
        flops: d.flops,
        bytes: d.bytes,
      });
      at += Math.ceil(d.uniforms.byteLength / uniformAlign) * uniformAlign;
    }
    device.queue.writeBuffer(this.uniforms, 0, words);
    for (const [name, t] of [...graph.inputs, ...graph.outputs]) this.places.set(name, place(t));
    this.occupy();
    this.stats = {
      dispatches: this.commands.length,
      pipelines: pipelines.size,
      arenaBytes,
      unsharedBytes,
      flops: this.commands.reduce((sum, c) => sum + c.flops, 0),
      bytes: this.commands.reduce((sum, c) => sum + c.bytes, 0),
    };
  }

  private occupy(): void {
    if (this.arena.user === this) return;
    this.arena.user = this;
    for (const [name, data] of this.fixed) this.write(name, data);
  }

  private find(name: string): { buffer: GPUBuffer; offset: number; size: number } {
    const place = this.places.get(name);
    if (!place)
      throw new Error(`program: no input or output named ${name}; there are ${[...this.places.keys()].join(', ')}`);
    return place;
  }

  /** Where a named tensor lives, for callers that copy on the GPU. */
  locate(name: string): { buffer: GPUBuffer; offset: number; bytes: number } {
    const { buffer, offset, size } = this.find(name);
    return { buffer, offset, bytes: size * 4 };
  }

  write(name: string, data: InputData): void {
    const { buffer, offset, size } = this.find(name);
    if (data.byteLength !== size * 4) {
      throw new Error(`program: input ${name} takes ${size * 4} bytes, ${data.byteLength} were given`);
    }
    this.gpu.device.queue.writeBuffer(buffer, offset, data);
  }

  /**
   * Writes the inputs and submits one command buffer. Returns at once. With `times` the program is recorded that often in
   * a row: for loops whose state stays on the GPU.
   */
  run(inputs: Record<string, InputData> = {}, times = 1): void {
    if (this.gpu.lostReason !== null) throw new Error(`The GPU device was lost: ${this.gpu.lostReason}`);
    this.occupy();
    for (const [name, data] of Object.entries(inputs)) this.write(name, data);
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < times; i++) this.record(pass);
    pass.end();
    this.gpu.device.queue.submit([encoder.finish()]);
    this.pending = true;
  }

  /** Resolves when the last run is done (src/gpu/pace.ts). */
  async settle(): Promise<void> {
    if (!this.pending) return;
    this.pending = false;
    await this.gpu.device.queue.onSubmittedWorkDone();
  }

  /**
   * Between the steps of a training loop: a real GPU gets some runs ahead; a CPU adapter is these very cores, where
   * waiting for the last run is fastest.
   */
  async throttle(): Promise<void> {
    if (this.gpu.conditions.software) return this.settle();
    if (this.pending) await throttle(this.gpu.device);
  }

  /** As `run`, with one pass per marked stage and its time measured on the GPU; null where the adapter cannot. */
  async runTimed(inputs: Record<string, InputData> = {}): Promise<Record<string, number> | null> {
    const device = this.gpu.device;
    if (this.stages.length === 0 || !device.features.has('timestamp-query')) {
      this.run(inputs);
      return null;
    }
    if (this.gpu.lostReason !== null) throw new Error(`The GPU device was lost: ${this.gpu.lostReason}`);
    this.occupy();
    for (const [name, data] of Object.entries(inputs)) this.write(name, data);
    this.timer ??= new StageTimer(device, this.stages.length);
    const encoder = device.createCommandEncoder();
    if (this.stages[0].from > 0) {
      const pass = encoder.beginComputePass();
      this.record(pass, 0, this.stages[0].from);
      pass.end();
    }
    this.stages.forEach(({ from, to }, i) => {
      const pass = encoder.beginComputePass({ timestampWrites: this.timer?.writes(i) });
      this.record(pass, from, to);
      pass.end();
    });
    this.timer.resolve(encoder);
    device.queue.submit([encoder.finish()]);
    const ms = await this.timer.read();
    return Object.fromEntries(this.stages.map((s, i) => [s.name, ms[i]]));
  }

  record(pass: GPUComputePassEncoder, from = 0, to = this.commands.length): void {
    let pipeline: GPUComputePipeline | null = null;
    for (let i = from; i < to; i++) {
      const c = this.commands[i];
      if (c.pipeline !== pipeline) pass.setPipeline(c.pipeline);
      pipeline = c.pipeline;
      pass.setBindGroup(0, c.bind);
      pass.dispatchWorkgroups(...c.workgroups);
    }
  }

  /** Workgroups of every dispatch, three words each, in order: the content of an indirect buffer. */
  get workgroups(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.commands.flatMap((c) => c.workgroups));
  }

  /** As `record`, with the sizes taken from `args` (laid out as `workgroups`) when the device comes to them. */
  recordIndirect(pass: GPUComputePassEncoder, args: GPUBuffer): void {
    let pipeline: GPUComputePipeline | null = null;
    for (const [i, c] of this.commands.entries()) {
      if (c.pipeline !== pipeline) pass.setPipeline(c.pipeline);
      pipeline = c.pipeline;
      pass.setBindGroup(0, c.bind);
      pass.dispatchWorkgroupsIndirect(args, 12 * i);
    }
  }

  /** Milliseconds of each dispatch, run one submission at a time: slow, for profiles only. */
  async profile(): Promise<{ label: string; ms: number; flops: number; bytes: number }[]> {
    const rows: { label: string; ms: number; flops: number; bytes: number }[] = [];
    for (let i = 0; i < this.commands.length; i++) {
      const encoder = this.gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      this.record(pass, i, i + 1);
      pass.end();
      const start = performance.now();
      this.gpu.device.queue.submit([encoder.finish()]);
      await this.gpu.device.queue.onSubmittedWorkDone();
      const { label, flops, bytes } = this.commands[i];
      rows.push({ label, ms: performance.now() - start, flops, bytes });
    }
    return rows;
  }

  /** Waits for the GPU and returns a copy of a named tensor. */
  async read(name: string): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(await this.readBytes(name));
  }

  async readBytes(name: string): Promise<ArrayBuffer> {
    const { buffer, offset, size } = this.find(name);
    const device = this.gpu.device;
    let staging = this.staging.get(name);
    if (staging?.mapState !== 'unmapped') {
      staging = device.createBuffer({ size: size * 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      this.staging.set(name, staging);
    }
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, size * 4);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const copy = staging.getMappedRange().slice(0);
    staging.unmap();
    if (this.gpu.error !== null) throw new Error(`WebGPU: ${this.gpu.error}`);
    return copy;
  }

  dispose(): void {
    if (!this.shared) for (const b of this.arena.buffers) b.destroy();
    this.uniforms.destroy();
    for (const b of this.staging.values()) b.destroy();
    this.timer?.dispose();
  }
}
