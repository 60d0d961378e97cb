// The mean of two shipped checkpoints of one shape, one fine-tuned from the other: (1 - share) A + share B, tensor by tensor. Such means
// often keep what both can do (Wortsman et al. 2022, "Model soups"). `node tests/bench/mix-checkpoints.mjs A B SHARE OUT`.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { openBench } from './open.mjs';

const [pathA, pathB, share, out] = process.argv.slice(2);
const { load } = await openBench();
const { readSafetensors, writeSafetensors } = await load('/src/data/safetensors.ts');
const { blend } = await load('/src/methods/dreamer4/ship.ts');
const [a, b] = [pathA, pathB].map((path) => readSafetensors(new Uint8Array(readFileSync(path))));
const p = Number(share);
if (!(p >= 0 && p <= 1)) throw new Error(`share ${share} does not lie between 0 and 1`);
writeFileSync(
  out,
  writeSafetensors(blend(a, b, p), { ...b.metadata, mixed: `${1 - p} ${basename(pathA)} + ${p} ${basename(pathB)}` }),
);
process.exit(0);
