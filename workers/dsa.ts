// Entry of the worker of the sparse attention page. Logic: src/methods/dsa/panel/host.ts.

import { expose } from 'comlink';
import { DsaHost } from '../src/methods/dsa/panel/host.ts';
import type { DsaApi } from '../src/methods/dsa/panel/protocol.ts';

const host = new DsaHost();
const api: DsaApi = {
  open: (checkpoint) => host.open(checkpoint),
  probe: (request) => host.probe(request),
  select: (scores, k) => host.select(scores, k),
  cost: (position, phase, k) => host.cost(position, phase, k),
  start: (preset, seed) => host.start(preset, seed),
  advance: (ms) => host.advance(ms),
};

expose(api);
