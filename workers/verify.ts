// Entry of a worker that judges answers of task families; programs run in its own sandbox. Logic: src/lm/verify/.

import { expose } from 'comlink';
import { localVerifier, type Verifier } from '../src/lm/verify/verifier.ts';

const verifier = localVerifier();
const api: Verifier = { verify: (answers) => verifier.verify(answers) };

expose(api);
