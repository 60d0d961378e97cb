/**
 * A program that the device itself switches on and off between its repetitions in one submission: its dispatches are
 * indirect, and a small kernel before them writes their sizes or zeros. Not a branch inside a program: all or nothing.
 */
import type { Gpu } from '../gpu/device.ts';
import { type GateRule, openGate } from './ops/gate.ts';
import { compile, type Program } from './program.ts';

export class Gated {
  readonly program: Program;
  private readonly gate: Program;
  private readonly args: GPUBuffer;
  private readonly table: GPUBuffer;

  /** `flags`: the buffer that the rule looks at before every recorded run. */
  constructor(gpu: Gpu, program: Program, flags: GPUBuffer, rule: GateRule) {
    this.program = program;
    const sizes = program.workgroups;
    const { device } = gpu;
    const make = (usage: number): GPUBuffer =>
      device.createBuffer({ size: Math.max(256, sizes.byteLength), usage: usage | GPUBufferUsage.STORAGE });
    this.args = make(GPUBufferUsage.INDIRECT);
    this.table = make(GPUBufferUsage.COPY_DST);
    device.queue.writeBuffer(this.table, 0, sizes);
    this.gate = compile(gpu, (graph) => {
      const words = rule.offset + (rule.count - 1) * rule.stride + 1;
      openGate(
        graph.external('flags', [words], () => flags),
        graph.external('table', [sizes.length], () => this.table),
        graph.external('arguments', [sizes.length], () => this.args),
        rule,
      );
    });
  }

  record(pass: GPUComputePassEncoder): void {
    this.gate.record(pass);
    this.program.recordIndirect(pass, this.args);
  }

  dispose(): void {
    this.gate.dispose();
    this.program.dispose();
    this.args.destroy();
    this.table.destroy();
  }
}
