// Entry of the worker of the page of learned parallel decoding. Logic: src/methods/learn2pd/panel/host.ts.

import { expose } from 'comlink';
import { opfsStorage } from '../src/data/storage.ts';
import { openWithTiles } from '../src/data/tile-cache.ts';
import { openGpu } from '../src/gpu/device.ts';
import { pageVerifiers } from '../src/lm/verify/page-pool.ts';
import { Learn2pdHost } from '../src/methods/learn2pd/panel/host.ts';
import type { Learn2pdApi } from '../src/methods/learn2pd/panel/protocol.ts';

/** A busy processor may take seconds to start the verifier; what takes longer hangs. */
const DEADLINE_MS = 20_000;

// Answers are judged in a worker of their own, started with the first verdict: what hangs there is ended.
const host = new Learn2pdHost(
  () => openWithTiles(openGpu, () => opfsStorage('adapters')),
  async () => pageVerifiers(1, DEADLINE_MS),
);
const api: Learn2pdApi = {
  listen: (port) => host.listen(port),
  open: (checkpoint, source) => host.open(checkpoint, source),
  problem: (task, index) => host.problem(task, index),
  decode: (request) => host.decode(request),
  judge: (problem, text) => host.judge(problem, text),
  similarity: (request) => host.similarity(request),
  cancel: (id) => host.cancel(id),
  measure: (request) => host.measure(request),
  train: (request, resume) => host.train(request, resume),
  advance: (ms) => host.advance(ms),
  saveTraining: () => host.saveTraining(),
  look: () => host.look(),
  accuracy: () => host.accuracy(),
  result: () => host.result(),
  refit: (request) => host.refit(request),
  advanceRefit: (ms) => host.advanceRefit(ms),
  adoptFilter: () => host.adoptFilter(),
  endRefit: () => host.endRefit(),
};

expose(api);
