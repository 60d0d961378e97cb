// Entry of the worker of the page of learned parallel decoding. Logic: src/methods/learn2pd/panel/host.ts.

import { expose } from 'comlink';
import { Learn2pdHost } from '../src/methods/learn2pd/panel/host.ts';
import type { Learn2pdApi } from '../src/methods/learn2pd/panel/protocol.ts';

const host = new Learn2pdHost();
const api: Learn2pdApi = {
  listen: (port) => host.listen(port),
  open: (checkpoint, source) => host.open(checkpoint, source),
  problem: (task, index) => host.problem(task, index),
  decode: (request) => host.decode(request),
  similarity: (request) => host.similarity(request),
  cancel: (id) => host.cancel(id),
  measure: (request) => host.measure(request),
  train: (preset, seed, resume) => host.train(preset, seed, resume),
  advance: (ms) => host.advance(ms),
  saveTraining: () => host.saveTraining(),
  look: () => host.look(),
  accuracy: () => host.accuracy(),
  result: () => host.result(),
};

expose(api);
