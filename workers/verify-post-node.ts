// Entry of a thread of Node that judges answers of post-training. Logic: src/methods/dsa/posttrain/verifier.ts.

import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { localPostVerifier } from '../src/methods/dsa/posttrain/verifier.ts';

if (!parentPort) throw new Error('verify-post-node.ts is the entry of a worker thread');

expose(localPostVerifier(), nodeEndpoint(parentPort));
