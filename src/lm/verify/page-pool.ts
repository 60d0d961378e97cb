/** Verifiers in workers of the page. In Node, localVerifier() does the same in process. */
import { wrap } from 'comlink';
import { VerifierPool } from './pool.ts';
import type { Verifier } from './verifier.ts';

export function pageVerifiers(size: number, deadlineMs?: number): VerifierPool {
  return new VerifierPool(
    () => {
      const worker = new Worker(new URL('../../../workers/verify.ts', import.meta.url), {
        type: 'module',
        name: 'verify',
      });
      return { verifier: wrap<Verifier>(worker), end: () => worker.terminate() };
    },
    size,
    deadlineMs,
  );
}
