/** The replays of golden.ts in a worker: answers any message with the lines. */
import { goldenReplay } from './golden.ts';

self.onmessage = () => self.postMessage(goldenReplay());
