// Entry of the worker that runs the true simulator. Logic: src/ui/playground/sim-session.ts.

import { expose, transfer } from 'comlink';
import type { SimApi } from '../src/ui/playground/protocol.ts';
import { SimSession } from '../src/ui/playground/sim-session.ts';

const session = new SimSession();

const api: SimApi = {
  open: (truth, toGpu) => session.open(truth, toGpu),
  suit: (model) => session.suit(model),
  async start(start) {
    const tick = await session.start(start);
    return transfer(tick, [tick.rgb.buffer]);
  },
  async step(action) {
    const tick = await session.step(action);
    return transfer(tick, [tick.rgb.buffer]);
  },
  async preview(seed) {
    const rgb = await session.preview(seed);
    return transfer(rgb, [rgb.buffer]);
  },
  async mesh(limit, fresh) {
    const meshes = await session.mesh(limit, fresh);
    return transfer(
      meshes,
      meshes.flatMap((mesh) => [mesh.vertices.buffer, mesh.opaque.buffer, mesh.translucent.buffer]),
    );
  },
};

expose(api);
