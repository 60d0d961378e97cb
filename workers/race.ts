// Entry of the worker that races engines: a device of its own. Logic: src/bench/race/session.ts.

import { expose } from 'comlink';
import { type RaceApi, RaceSession } from '../src/bench/race/session.ts';
import { opfsStorage } from '../src/data/storage.ts';
import { openWithTiles } from '../src/data/tile-cache.ts';
import { openGpu } from '../src/gpu/device.ts';

// Tiles that were measured on this adapter, as the lab uses them: they change no result.
const session = new RaceSession(() => openWithTiles(openGpu, () => opfsStorage('adapters')));

const api: RaceApi = {
  sound: async () => session.sound(),
  rows: () => session.rows(),
  start: (ids, onProgress, onRow) => session.start(ids, onProgress, onRow),
  stop: async () => session.stop(),
};

expose(api);
