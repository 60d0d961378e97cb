// Entry of the worker of the sparse attention page. Logic: src/methods/dsa/panel/host.ts.

import { expose, transfer } from 'comlink';
import { DsaHost } from '../src/methods/dsa/panel/host.ts';
import type { DsaApi } from '../src/methods/dsa/panel/protocol.ts';

const host = new DsaHost();
const api: DsaApi = {
  open: (checkpoint) => host.open(checkpoint),
  openRun: () => host.openRun(),
  probe: (request) => host.probe(request),
  select: (scores, k) => host.select(scores, k),
  codes: (values, quant) => host.codes(values, quant),
  arm: (name, seed, rows) => host.arm(name, seed, rows),
  cost: (position, phase, k) => host.cost(position, phase, k),
  saved: () => host.saved(),
  start: (request) => host.start(request),
  resume: () => host.resume(),
  forget: () => host.forget(),
  advance: (ms) => host.advance(ms),
  keep: () => host.keep(),
  isolation: () => host.isolation(),
  postTrain: (request, listen) => host.postTrain(request, listen),
  savedPost: () => host.savedPost(),
  forgetPost: () => host.forgetPost(),
  async exportWeights() {
    const answer = await host.exportWeights();
    return answer.ok ? transfer(answer, [answer.value.bytes.buffer]) : answer;
  },
};

expose(api);
