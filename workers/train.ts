// Entry of the worker that trains: it owns a device of its own. Logic: src/ui/training/train-host.ts.

import { expose, transfer } from 'comlink';
import { opfsStorage } from '../src/data/storage.ts';
import { openWithTiles } from '../src/data/tile-cache.ts';
import { openGpu } from '../src/gpu/device.ts';
import type { Method } from '../src/methods/contract.ts';
import { type DreamerSession, dreamer4 } from '../src/methods/dreamer4/session.ts';
import { claimRun } from '../src/ui/training/run-keeper.ts';
import { TrainHost } from '../src/ui/training/train-host.ts';
import type { TrainApi } from '../src/ui/training/train-protocol.ts';

const host = new TrainHost({
  openGpu: () => openWithTiles(openGpu, () => opfsStorage('adapters')),
  method: async () => dreamer4 as Method<unknown>,
  live: (session) => (session as DreamerSession).live(),
  storage: () => opfsStorage('dreamer4'),
  claim: claimRun,
  now: () => performance.now(),
});

const api: TrainApi = {
  describe: () => host.describe(),
  start: (request, identity, events) => host.start(request, identity, events),
  kept: () => host.kept(),
  reopen: (id, events) => host.reopen(id, events),
  forget: (id) => host.forget(id),
  pause: () => host.pause(),
  resume: () => host.resume(),
  step: () => host.step(),
  stop: () => host.stop(),
  save: () => host.save(),
  export: (title) => host.export(title),
  load: (bytes) => host.load(bytes),
  samples: () => host.samples(),
  openDream: (canvas, truth) => host.openDream(canvas, truth),
  dreamFromTruth: (episode, index) => host.dreamFromTruth(episode, index),
  async dream(...step) {
    const result = await host.dream(...step);
    return result.ok ? transfer(result, [result.value.rgb.buffer]) : result;
  },
  rebuild: () => host.rebuild(),
  closeDream: () => host.closeDream(),
};

expose(api);
