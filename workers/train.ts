// Entry of the worker that trains: it owns a device of its own. Logic: src/ui/training/train-host.ts.

import { expose } from 'comlink';
import { openGpu } from '../src/gpu/device.ts';
import type { Method } from '../src/methods/contract.ts';
import { TrainHost } from '../src/ui/training/train-host.ts';
import type { TrainApi } from '../src/ui/training/train-protocol.ts';

const sessions = import.meta.glob<{ dreamer4: Method<unknown> }>('../src/methods/dreamer4/session.ts');

const host = new TrainHost({
  openGpu,
  method: async () => {
    const load = Object.values(sessions)[0];
    return load ? (await load()).dreamer4 : null;
  },
  now: () => performance.now(),
});

const api: TrainApi = {
  describe: () => host.describe(),
  start: (request, events) => host.start(request, events),
  pause: () => host.pause(),
  resume: () => host.resume(),
  step: () => host.step(),
  stop: () => host.stop(),
  save: () => host.save(),
  load: (bytes) => host.load(bytes),
  samples: () => host.samples(),
};

expose(api);
