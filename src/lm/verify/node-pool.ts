/** Verifiers in threads of Node: what page-pool.ts is to the page. Never reached by a bundle for the page. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import entry from '../../../workers/verify-node.ts?thread';
import { type Seat, seatOf, VerifierPool } from './pool.ts';
import type { Answer, Verifier } from './verifier.ts';

/** More would only wait for each other: the process that decodes wants a processor too. */
export const nodeThreads = (): number => Math.max(1, Math.min(4, availableParallelism() - 1));

/** A thread that exposes a verifier; `url` as an import with `?thread` gives it. */
export function threadSeat<A>(url: string): Seat<A> {
  const worker = new Worker(new URL(url));
  const verifier = wrap<Verifier<A>>(nodeEndpoint(worker));
  const gone = new Promise<string>((resolve) => {
    worker.once('error', (error) => resolve(error.message));
    worker.once('exit', (code) => resolve(`its thread ended with code ${code}`));
  });
  return seatOf(verifier, gone, () => void worker.terminate());
}

/** `deadlineMs`: milliseconds that one answer may take. Threads keep the process alive until `dispose()`. */
export const nodeVerifiers = (size = nodeThreads(), deadlineMs?: number): VerifierPool<Answer> =>
  new VerifierPool(() => threadSeat<Answer>(entry), size, deadlineMs);
