// Entry of the worker of the language model page: it owns a device of its own. Logic: src/ui/language-model/host.ts.

import { expose } from 'comlink';
import { opfsStorage } from '../src/data/storage.ts';
import { openWithTiles } from '../src/data/tile-cache.ts';
import { openGpu } from '../src/gpu/device.ts';
import { LmHost } from '../src/ui/language-model/host.ts';
import type { LmApi } from '../src/ui/language-model/protocol.ts';

const host = new LmHost(() => openWithTiles(openGpu, () => opfsStorage('adapters')));

const api: LmApi = {
  listen: (port) => host.listen(port),
  load: (files, load) => host.load(files, load),
  write: (request, load) => host.write(request, load),
  stop: () => host.stop(),
};

expose(api);
