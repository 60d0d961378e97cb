// `lab run`: what a command line asks for and a run cannot do is refused before anything begins.

import { expect, test } from 'vitest';
import { parseArgs, UsageError } from '../../src/cli/args.ts';
import { run } from '../../src/cli/run.ts';

const silent = { line: () => undefined, text: () => undefined, note: () => undefined, result: () => undefined };

// The last of each is wrong too: a check that is missing says so instead of training.
test.each([
  ['dsa --from x.safetensors --preset nosuch', '--from: runs of this method always begin with fresh weights'],
  ['dsa --from x.safetensors --preset post-quick --set nosuch=1', '--from: runs of this method always begin'],
  ['learn2pd --from x.safetensors --preset nosuch', '--from: runs of this method always begin with fresh weights'],
  ['dsa --out B --resume /nosuch', '--resume continues a run in its own folder: leave --out out'],
  ['dsa --seed 9 --resume /nosuch', '--resume continues a run with its own seed: leave --seed out'],
])('run %s', async (line, message) => {
  const refused = run.run(parseArgs(line.split(' '), run.flags), silent);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(message);
});
