// Entry of the worker that owns the GPU device. Logic: src/ui/playground/dream-session.ts.

import { expose, transfer } from 'comlink';
import { openGpu } from '../src/gpu/device.ts';
import { type DreamFactory, DreamSession } from '../src/ui/playground/dream-session.ts';
import type { GpuApi } from '../src/ui/playground/protocol.ts';

const model = import.meta.glob<{ createDream: DreamFactory }>('../src/methods/dreamer4/play.ts');

const session = new DreamSession({
  openGpu,
  factory: async () => {
    const load = Object.values(model)[0];
    return load ? (await load()).createDream : null;
  },
  fetch: (...request) => fetch(...request),
});

const api: GpuApi & { loseDevice(): void } = {
  open: (canvas, truth) => session.open(canvas, truth),
  report: () => session.report(),
  loadShipped: (base) => session.loadShipped(base),
  loadBytes: (bytes) => session.loadBytes(bytes),
  dreamFromTruth: () => session.dreamFromTruth(),
  rebuild: () => session.rebuild(),
  loseDevice: () => session.loseDevice(),
  async step(...request) {
    const result = await session.step(...request);
    return result.ok ? transfer(result, [result.value.rgb.buffer]) : result;
  },
};

expose(api);
