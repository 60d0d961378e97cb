// A playable checkpoint from the training checkpoint of a run that goes on: `node tests/bench/export-training.mjs TRAINING OUT`.
import { readFileSync, writeFileSync } from 'node:fs';
import { openBench } from './open.mjs';

const [from, to] = process.argv.slice(2);
const { load, gpu } = await openBench();
const { DreamerSession } = await load('/src/methods/dreamer4/session.ts');
const { readSafetensors } = await load('/src/data/safetensors.ts');
const { parseConfig } = await load('/src/methods/dreamer4/config-file.ts');
const bytes = new Uint8Array(readFileSync(from));
const { metadata } = readSafetensors(bytes);
const session = new DreamerSession({ gpu, seed: Number(metadata.seed), cache: null }, parseConfig(metadata.config));
await session.load({ name: from, bytes });
const done = `tokenizer step ${metadata.tokenizerStep}, dynamics step ${metadata.dynamicsStep}`;
writeFileSync(to, (await session.export(`training checkpoint, ${done}`)).bytes);
console.log(done);
process.exit(0);
