// Entry of the worker that races engines: a device of its own. Logic: src/bench/race/session.ts.

import { expose } from 'comlink';
import { type RaceApi, RaceSession } from '../src/bench/race/session.ts';
import { openGpu } from '../src/gpu/device.ts';

const session = new RaceSession(openGpu);

const api: RaceApi = {
  sound: async () => session.sound(),
  rows: () => session.rows(),
  start: (ids, onProgress, onRow) => session.start(ids, onProgress, onRow),
  stop: async () => session.stop(),
};

expose(api);
