// Passes a checkpoint from the training page to the playground within one visit: bytes stay in memory, the route changes.

let waiting: Uint8Array<ArrayBuffer> | null = null;

export function handOver(bytes: Uint8Array<ArrayBuffer>): void {
  waiting = bytes;
}

/** The checkpoint that waits, or null; it stays until another one replaces it or the page is left. */
export function handedOver(): Uint8Array<ArrayBuffer> | null {
  return waiting;
}
