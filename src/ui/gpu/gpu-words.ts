// Names of WebGPU features and limits in plain words.

export const FEATURE_WORDS: readonly [feature: string, title: string, meaning: string][] = [
  ['shader-f16', 'Half precision', '16-bit floats in kernels: half the memory traffic. From the command line only.'],
  ['subgroups', 'Subgroups', 'Neighbouring threads exchange values without memory.'],
  [
    'chromium-experimental-subgroup-matrix',
    'Matrix units',
    'A subgroup multiplies small matrices at once. No kernel uses it yet.',
  ],
  ['timestamp-query', 'Timestamps', 'Stages are timed on the GPU itself.'],
];

export const LIMIT_WORDS: readonly [limit: string, title: string, meaning: string][] = [
  ['maxBufferSize', 'Largest buffer', 'Bounds the memory plan of one model.'],
  ['maxStorageBufferBindingSize', 'Largest binding', 'Bounds what one kernel sees of a buffer.'],
  ['maxStorageBuffersPerShaderStage', 'Buffers per kernel', 'Eight are guaranteed.'],
  ['maxComputeWorkgroupStorageSize', 'Shared memory', 'Fast memory of one work group.'],
  ['maxComputeInvocationsPerWorkgroup', 'Threads per group', '256 are guaranteed.'],
  ['maxComputeWorkgroupSizeX', 'Threads per group, one axis', '256 are guaranteed.'],
];

function bytesOf(count: number): string {
  if (count >= 2 ** 30) return `${(count / 2 ** 30).toFixed(count % 2 ** 30 ? 1 : 0)} GiB`;
  if (count >= 2 ** 20) return `${Math.round(count / 2 ** 20)} MiB`;
  return `${Math.round(count / 1024)} KiB`;
}

/** A limit with its unit: those that are sizes of memory in bytes, the rest as they are. */
export const limitText = (name: string, value: number): string =>
  name.endsWith('Size') && !name.includes('SizeX') ? bytesOf(value) : String(value);
