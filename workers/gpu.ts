// Entry of the worker that owns the GPU device. Logic: src/ui/playground/dream-session.ts.

import { expose, transfer } from 'comlink';
import { opfsStorage } from '../src/data/storage.ts';
import { openWithTiles } from '../src/data/tile-cache.ts';
import { openGpu } from '../src/gpu/device.ts';
import { DreamSession } from '../src/ui/playground/dream-session.ts';
import type { GpuApi } from '../src/ui/playground/protocol.ts';

const session = new DreamSession({
  openGpu: () => openWithTiles(openGpu, () => opfsStorage('adapters')),
  // The model's code is fetched when there is a checkpoint to play.
  factory: async () => (await import('../src/methods/dreamer4/play.ts')).createDream,
  fetch: (...request) => fetch(...request),
});

const api: GpuApi = {
  open: (canvas, truth) => session.open(canvas, truth),
  loadShipped: (base, wanted) => session.loadShipped(base, wanted),
  loadBytes: (bytes) => session.loadBytes(bytes),
  dreamFromTruth: (episode, index) => session.dreamFromTruth(episode, index),
  rebuild: () => session.rebuild(),
  async step(...request) {
    const result = await session.step(...request);
    return result.ok ? transfer(result, [result.value.rgb.buffer]) : result;
  },
};

expose(api);
