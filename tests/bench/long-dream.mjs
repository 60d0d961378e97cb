// What becomes of a long dream: `node tests/bench/long-dream.mjs --checkpoint FILE [--worlds 4] [--frames 160] [--corruption 10,25]
// [--out strip.png]`. Fresh worlds with their own actions, and the same worlds with no key pressed. Prints mean and standard
// deviation of the pictures by stretches of 20 frames, and draws frames 1, 10, 40, 80, .. as rows: truth, dream, idle dream.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openBench } from './open.mjs';

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    worlds: { type: 'string', default: '4' },
    frames: { type: 'string', default: '160' },
    corruption: { type: 'string', default: '25' },
    seed: { type: 'string', default: '7' },
    out: { type: 'string', default: 'long-dream.png' },
  },
});
const { load, gpu } = await openBench();
const { buildFrames, evaluationSpecs } = await load('/src/methods/dreamer4/dataset.ts');
const { LatentDream, loadModel } = await load('/src/methods/dreamer4/play.ts');
const { NO_ACTION } = await load('/src/methods/dreamer4/play-contract.ts');
const { fusedStack } = await load('/src/nn/fused-layers.ts');
const { encodePng } = await load('/src/data/png.ts');
const { shipCheckpoint } = await load('/src/methods/dreamer4/ship.ts');
const { readSafetensors } = await load('/src/data/safetensors.ts');
let bytes = new Uint8Array(readFileSync(values.checkpoint));
if (readSafetensors(bytes).metadata.kind === 'training') bytes = shipCheckpoint(bytes, 'unfinished').bytes;
const model = loadModel(gpu, bytes);
const worlds = Number(values.worlds);
const frames = Number(values.frames);
const context = 32;
const { width, height } = model.config.frame;
const size = width * height * 3;
const set = await buildFrames(
  model.config,
  evaluationSpecs(model.config, Number(values.seed), worlds, context + frames + 1),
  null,
);
const dream = new LatentDream(gpu, model, worlds, { fused: fusedStack });
const shown = [0, 9, ...Array.from({ length: Math.floor(frames / 40) }, (_, i) => 40 * i + 39)];

async function run(corruption, actionOf) {
  dream.reset();
  const pictures = new Uint8Array(context * worlds * size);
  const actions = new Uint32Array(context * worlds);
  for (let i = 0; i < context; i++) {
    set.episodes.forEach((e, s) => {
      pictures.set(e.frames.subarray(i * size, (i + 1) * size), (i * worlds + s) * size);
      actions[i * worlds + s] = e.actions[i];
    });
  }
  await dream.observe(pictures, actions);
  const out = [];
  for (let i = 0; i < frames; i++) {
    const row = Uint32Array.from({ length: worlds }, (_, s) => actionOf(s, i));
    const { rgb } = await dream.step(row, { k: 4, contextCorruption: corruption, seed: 7 }, { rgb: true });
    out.push(rgb.slice());
  }
  return out;
}

const truth = Array.from({ length: frames }, (_, i) => {
  const row = new Uint8Array(worlds * size);
  for (const [s, e] of set.episodes.entries()) {
    row.set(e.frames.subarray((context + i) * size, (context + i + 1) * size), s * size);
  }
  return row;
});

function moments(rows) {
  let n = 0;
  let sum = 0;
  let squares = 0;
  for (const row of rows) {
    for (const v of row) {
      sum += v;
      squares += v * v;
    }
    n += row.length;
  }
  return [sum / n, Math.sqrt(squares / n - (sum / n) ** 2)];
}

function table(name, rows) {
  const parts = [];
  for (let i = 0; i + 20 <= frames; i += 20) {
    const [mean, std] = moments(rows.slice(i, i + 20));
    parts.push(`${mean.toFixed(0)}/${std.toFixed(1)}`);
  }
  console.log(`${name.padEnd(16)} ${parts.join('  ')}`);
}

table('truth', truth);
const sheets = [['truth', truth]];
for (const percent of values.corruption.split(',')) {
  const played = await run(Number(percent) / 100, (s, i) => set.episodes[s].actions[context + i]);
  table(`dream ${percent} %`, played);
  const idle = await run(Number(percent) / 100, () => NO_ACTION);
  table(`idle ${percent} %`, idle);
  sheets.push(['dream', played], ['idle', idle]);
}
const sheet = new Uint8Array(width * shown.length * height * sheets.length * worlds * 3);
for (let s = 0; s < worlds; s++) {
  sheets.forEach(([, rows], r) => {
    shown.forEach((i, c) => {
      for (let y = 0; y < height; y++) {
        const from = s * size + y * width * 3;
        const line = (s * sheets.length + r) * height + y;
        sheet.set(rows[i].subarray(from, from + width * 3), (line * shown.length + c) * width * 3);
      }
    });
  });
}
writeFileSync(values.out, encodePng(sheet, width * shown.length, height * sheets.length * worlds, 3));
process.exit(0);
