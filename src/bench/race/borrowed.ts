/**
 * Puts a library that opens its own device on ours: while `open` runs, every adapter hands out our device. One device means
 * one queue, one driver state and one meaning of "done" for all entrants.
 */
import type { Gpu } from '../../gpu/device.ts';

export async function lendDevice<T>(gpu: Gpu, open: () => Promise<T>): Promise<T> {
  const entry = navigator.gpu;
  const original = entry.requestAdapter;
  const adapter = {
    features: gpu.device.features,
    limits: gpu.device.limits,
    info: gpu.device.adapterInfo,
    requestDevice: async () => gpu.device,
  };
  entry.requestAdapter = async () => adapter as unknown as GPUAdapter;
  try {
    return await open();
  } finally {
    entry.requestAdapter = original;
  }
}
