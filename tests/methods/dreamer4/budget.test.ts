// Dispatches and pipelines of every program of nano and micro on three kinds of adapter, and of small on a card, counted by compiling
// them for a device that does nothing. Budgets: design.md 5 (60 pipelines) and the ladder of dreamer4.md 12 (dispatches of a played frame).

import { beforeAll, expect, test } from 'vitest';
import { globals } from 'webgpu';
import type { Conditions, Gpu } from '../../../src/gpu/device.ts';
import { PipelineCache } from '../../../src/gpu/pipelines.ts';
import { presets } from '../../../src/methods/dreamer4/config.ts';
import { measureRung, RUNG_PROGRAMS } from '../../../src/methods/dreamer4/rungs.ts';

beforeAll(() => {
  Object.assign(globalThis, globals);
});

/** Makes nothing: buffers know their size, everything else is an empty object of its own. */
function hollowGpu(conditions: Conditions): Gpu {
  const made = () => ({});
  const device = {
    limits: {
      maxBufferSize: 2 ** 31,
      maxStorageBufferBindingSize: 2 ** 27,
      minUniformBufferOffsetAlignment: 256,
      maxComputeWorkgroupStorageSize: 32768,
      maxComputeInvocationsPerWorkgroup: 1024,
    },
    features: new Set<string>(),
    queue: { writeBuffer() {}, submit() {}, onSubmittedWorkDone: async () => {} },
    createBuffer: ({ size }: { size: number }) => ({ size, destroy() {} }),
    createBindGroupLayout: made,
    createPipelineLayout: made,
    createBindGroup: made,
    createShaderModule: made,
    createComputePipeline: made,
    createCommandEncoder: () => ({ clearBuffer() {}, copyBufferToBuffer() {}, finish() {} }),
  } as unknown as GPUDevice;
  const report = { software: conditions.software } as Gpu['report'];
  return { device, report, conditions, pipelines: new PipelineCache(device), error: null } as Gpu;
}

const ADAPTERS: Record<string, Conditions> = {
  lavapipe: { software: true, lavapipe: true, f16: true, subgroups: true, subgroupSize: 8 },
  SwiftShader: { software: true, lavapipe: false, f16: false, subgroups: true, subgroupSize: 4 },
  'a graphics card': { software: false, lavapipe: false, f16: true, subgroups: true, subgroupSize: 32 },
};

/** Most dispatches of every program, in their order. Long rows take the launches of short ones. */
const DISPATCHES = {
  nano: [240, 160, 260, 175, 275, 220],
  micro: [330, 510, 900, 510, 710, 390],
  small: [400, 660, 1190, 670, 1200, 580],
} as const;

test.each([
  ...(['nano', 'micro'] as const).flatMap((rung) => Object.keys(ADAPTERS).map((adapter) => [rung, adapter] as const)),
  // The rung for cards; on the others it takes seconds to link.
  ['small', 'a graphics card'] as const,
])('%s on %s stays within its dispatches and pipelines', async (rung, adapter) => {
  const gpu = hollowGpu(ADAPTERS[adapter]);
  const rows = await measureRung(gpu, presets[rung], { steps: 0, rows: 1 });
  expect(rows.map((r) => r.program)).toEqual(RUNG_PROGRAMS);
  rows.forEach((row, i) => {
    expect(row.dispatches, row.program).toBeLessThanOrEqual(DISPATCHES[rung][i]);
    expect(row.pipelines, row.program).toBeLessThanOrEqual(60);
  });
  // Whole layers in a launch.
  if (rung === 'micro' && adapter === 'lavapipe') expect(rows[5].dispatches).toBeLessThanOrEqual(70);
  // Norms, SwiGLU and rotation within the products.
  if (rung === 'micro' && adapter === 'SwiftShader') expect(rows[5].dispatches).toBeLessThanOrEqual(230);
  // All programs of a method: 60 on a card. CPU adapters have more variants of a product, and are above it (up to 92).
  expect(gpu.pipelines.size).toBeLessThanOrEqual(ADAPTERS[adapter].software ? 92 : 60);
});
