// A GPU device for the tests that run in Node (Dawn). One device per test file, on the adapter that
// scripts/find-adapter.mjs chooses; TENFOLD_ADAPTER=lavapipe|swiftshader|default overrides it.

import { adapterEnv } from '../../scripts/find-adapter.mjs';

export interface TestGpu {
  device: GPUDevice;
  /** A CPU adapter: kernels take their `software` variant. */
  software: boolean;
  name: string;
  features: ReadonlySet<string>;
}

const WANTED_FEATURES: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];

const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
] as const;

let opened: Promise<TestGpu> | undefined;
/** Dawn crashes when the object that `create` returned is collected. */
let instance: GPU | undefined;

/** The file's device; the same one for every call. Throws if this machine has no adapter. */
export function testGpu(): Promise<TestGpu> {
  opened ??= open();
  return opened;
}

async function open(): Promise<TestGpu> {
  const choice = adapterEnv();
  Object.assign(process.env, choice.env);
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  instance = create([]);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error(`no WebGPU adapter (${choice.name}): install Chromium or mesa-vulkan-drivers >= 23`);
  const requiredFeatures = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((limit) => [limit, adapter.limits[limit]]));
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  const { info } = adapter;
  return {
    device,
    software: info.isFallbackAdapter,
    name: info.description || info.device || info.vendor,
    features: new Set<string>(requiredFeatures),
  };
}
