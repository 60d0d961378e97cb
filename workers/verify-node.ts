// Entry of a thread of Node that judges answers of task families, as workers/verify.ts does for the page. Logic: src/lm/verify/.

import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { localVerifier, type Verifier } from '../src/lm/verify/verifier.ts';

if (!parentPort) throw new Error('verify-node.ts is the entry of a worker thread');
const verifier = localVerifier();
const api: Verifier = { verify: (answers) => verifier.verify(answers) };

expose(api, nodeEndpoint(parentPort));
