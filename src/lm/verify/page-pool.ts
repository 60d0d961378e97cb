/** Verifiers in workers of the page. In Node, node-pool.ts does the same with threads. */
import { wrap } from 'comlink';
import { seatOf, VerifierPool } from './pool.ts';
import type { Verifier } from './verifier.ts';

/** `deadlineMs`: milliseconds that one answer may take; the first of a worker waits until it has started. */
export function pageVerifiers(size: number, deadlineMs?: number): VerifierPool {
  return new VerifierPool(
    () => {
      const worker = new Worker(new URL('../../../workers/verify.ts', import.meta.url), {
        type: 'module',
        name: 'verify',
      });
      const verifier = wrap<Verifier>(worker);
      const gone = new Promise<string>((resolve) => {
        worker.addEventListener('error', (event) => resolve(event.message || 'its worker failed'));
      });
      return seatOf(verifier, gone, () => worker.terminate());
    },
    size,
    deadlineMs,
  );
}
