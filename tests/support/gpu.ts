// A GPU device for the tests that run in Node (Dawn). One device per test file, on the adapter that
// scripts/find-adapter.mjs chooses; TENFOLD_ADAPTER=lavapipe|swiftshader|default overrides it.

import { adapterEnv } from '../../scripts/find-adapter.mjs';
import { type Gpu, openGpu } from '../../src/gpu/device.ts';

export interface TestGpu {
  /** The engine's view of the device: pipelines, conditions, report. */
  gpu: Gpu;
  device: GPUDevice;
  /** A CPU adapter: kernels take their `software` variant. */
  software: boolean;
  name: string;
  features: ReadonlySet<string>;
}

let opened: Promise<TestGpu> | undefined;

/** The file's device; the same one for every call. Throws if this machine has no adapter. */
export function testGpu(): Promise<TestGpu> {
  opened ??= open();
  return opened;
}

async function open(): Promise<TestGpu> {
  const choice = adapterEnv();
  // Before Dawn loads: the Vulkan loader reads it when the first instance is made.
  Object.assign(process.env, choice.env);
  const result = await openGpu();
  if (!result.ok) throw new Error(`${result.reason} (${choice.name}) Install Chromium, or mesa-vulkan-drivers >= 23.`);
  const { gpu } = result;
  const { software, description, device, vendor, features } = gpu.report;
  return { gpu, device: gpu.device, software, name: description || device || vendor, features: new Set(features) };
}
