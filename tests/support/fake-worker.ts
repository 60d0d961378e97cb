// A worker that is no thread: a page's half of an interface against answers that a test gives.

import { expose } from 'comlink';

export function fakeWorker(api: object): Worker {
  const { port1, port2 } = new MessageChannel();
  expose(api, port2);
  port1.start();
  const terminate = (): void => {
    port1.close();
    port2.close();
  };
  return Object.assign(port1, { terminate }) as unknown as Worker;
}
