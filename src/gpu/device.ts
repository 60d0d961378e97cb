/**
 * Opens the WebGPU device of this process (a worker, a page or Node on Dawn), says what it can do, and says why not
 * when there is none. In Node the adapter is the Vulkan driver that VK_ICD_FILENAMES names (scripts/find-adapter.mjs
 * sets it before the process starts).
 */
import { inNode, restBetweenPolls } from './pace.ts';
import { PipelineCache } from './pipelines.ts';

/** Tiles of matrix products by class of shape, as measured on an adapter (tensor/kernels/matmul.ts). */
export type TileTable = Readonly<Record<string, MatmulTile>>;

export interface MatmulTile {
  rows: number;
  /** Blocks of 16 columns; quads only. */
  blocks: number;
}

/** Facts that choose kernel variants; they select text in shaders/ through `@if`. */
export interface Conditions {
  software: boolean;
  /** Mesa's driver on LLVM: one compiler, for a text that leans on what it does with it. */
  lavapipe?: boolean;
  f16: boolean;
  /** Keys and values lie in bfloat16: a choice of text, not a fact of the adapter. */
  bf16?: boolean;
  subgroups: boolean;
  /** Invocations of a subgroup where the adapter has only one size, else 0. */
  subgroupSize: number;
  /** Measured choices; what is not in it follows the cost model. Never changes a result, only its time. */
  tiles?: TileTable;
  /** Asked for, never chosen by itself, because it changes results; see `halfProducts` and `halfCache`. */
  precision?: Precision;
}

/** Numbers narrower than f32 that someone asked for. */
export type Precision = 'f16';

/** Products of forward passes take f16 operands; sums, results and gradients stay f32. */
export const halfProducts = (c: Conditions): boolean => c.precision === 'f16' && c.f16;

/** Caches of keys and values hold f16, two to a word: WGSL packs them on every adapter, with or without `shader-f16`. */
export const halfCache = (c: Conditions): boolean => c.precision === 'f16';

export interface AdapterReport {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** Runs on the CPU (SwiftShader, lavapipe, WARP) or calls itself a fallback. */
  software: boolean;
  features: string[];
  limits: Record<string, number>;
  /** What was asked for when the device was opened, if not f32: results depend on it as they depend on the adapter. */
  precision?: Precision;
}

export interface Gpu {
  readonly device: GPUDevice;
  readonly report: AdapterReport;
  readonly conditions: Conditions;
  readonly pipelines: PipelineCache;
  /** Set once the device is lost; every later use fails with this reason. */
  lostReason: string | null;
  readonly lost: Promise<GPUDeviceLostInfo>;
  /** First uncaptured validation or memory error, if any; programs check it when they read back. */
  error: string | null;
  dispose(): void;
}

/** Both stay with a device for ever, an error such as a full memory too: the next work needs another device. */
export const isBroken = (gpu: Gpu): boolean => gpu.lostReason !== null || gpu.error !== null;

export type GpuResult = { ok: true; gpu: Gpu } | { ok: false; reason: string; advice: string };

/** Dawn's name for products of small matrices by a whole subgroup. No kernel uses it; asked for so that reports tell where it is. */
export const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix';

const WANTED_FEATURES = ['timestamp-query', 'shader-f16', 'subgroups', SUBGROUP_MATRIX] as GPUFeatureName[];
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

// Dawn's instance must outlive everything made from it: keep it here.
let nodeInstance: GPU | null = null;

async function entryPoint(): Promise<GPU | null> {
  if (typeof navigator !== 'undefined' && 'gpu' in navigator && navigator.gpu) return navigator.gpu;
  if (!inNode) return null;
  if (!nodeInstance) {
    const dawn = await import(/* @vite-ignore */ 'webgpu');
    Object.assign(globalThis, dawn.globals);
    nodeInstance = dawn.create((process.env.TENFOLD_DAWN ?? '').split(' ').filter(Boolean)) as GPU;
  }
  return nodeInstance;
}

export async function openGpu(precision?: Precision): Promise<GpuResult> {
  const gpu = await entryPoint();
  if (!gpu) {
    return {
      ok: false,
      reason: 'This browser has no WebGPU.',
      advice:
        'Use a current Chrome, Edge, Safari 26 or Firefox 141 or later; on Linux Chrome may need chrome://flags/#enable-unsafe-webgpu. The page must come from https or localhost.',
    };
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    // Words that a visitor with an adapter never fetches.
    const { adviceFor } = await import('./browser-advice.ts');
    return {
      ok: false,
      reason: 'WebGPU is there, but it offers no adapter.',
      advice: adviceFor('hardware'),
    };
  }
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
  const requiredFeatures = WANTED_FEATURES.filter((f) => adapter.features.has(f));
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  } catch (error) {
    return {
      ok: false,
      reason: `The adapter refused a device: ${error instanceof Error ? error.message : String(error)}`,
      advice: 'Close other tabs that use the GPU and reload.',
    };
  }
  return { ok: true, gpu: wrap(adapter, device, precision) };
}

function wrap(adapter: GPUAdapter, device: GPUDevice, precision: Precision | undefined): Gpu {
  const info = adapter.info;
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  const software =
    /swiftshader|llvmpipe|lavapipe|software|warp|basic render/.test(words) ||
    (info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true;
  // Browsers tell vendor and architecture only.
  const lavapipe = /llvmpipe|lavapipe|mesa software/.test(words);
  if (software) restBetweenPolls();
  const { subgroupMinSize, subgroupMaxSize } = info as { subgroupMinSize?: number; subgroupMaxSize?: number };
  const oneSize = device.features.has('subgroups') && subgroupMinSize === subgroupMaxSize;
  const limits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) limits[name] = device.limits[name];
  const gpu: Gpu = {
    device,
    report: {
      vendor: info.vendor,
      architecture: info.architecture,
      device: info.device,
      description: info.description,
      software,
      features: [...device.features].sort(),
      limits,
      precision,
    },
    conditions: {
      software,
      lavapipe,
      f16: device.features.has('shader-f16'),
      subgroups: device.features.has('subgroups'),
      subgroupSize: oneSize ? (subgroupMinSize ?? 0) : 0,
      precision,
    },
    pipelines: new PipelineCache(device),
    lostReason: null,
    lost: device.lost,
    error: null,
    dispose: () => device.destroy(),
  };
  device.lost.then((lost) => {
    gpu.lostReason = lost.message || lost.reason || 'unknown reason';
  });
  device.addEventListener('uncapturederror', (event) => {
    gpu.error ??= (event as GPUUncapturedErrorEvent).error.message;
  });
  return gpu;
}
