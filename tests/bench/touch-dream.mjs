// Does the dream break and place blocks, switch the hotbar and stop at walls?
// `node tests/bench/touch-dream.mjs --checkpoint FILE [--events 64] [--out strip.png]`. What is measured: touch.ts and walk.ts
// in src/methods/dreamer4. Draws four rows an event: truth, truth without the keys that make the event, dream, dream without
// them; then two a walk: truth, dream.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openBench } from './open.mjs';

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    events: { type: 'string', default: '64' },
    seed: { type: 'string', default: '7' },
    corruption: { type: 'string', default: '25' },
    out: { type: 'string', default: 'touch-dream.png' },
  },
});
const { load, gpu } = await openBench();
const { loadModel } = await load('/src/methods/dreamer4/play.ts');
const { measureTouch } = await load('/src/methods/dreamer4/touch.ts');
const { measureWalk } = await load('/src/methods/dreamer4/walk.ts');
const { TOUCH_STEPS } = await load('/src/methods/dreamer4/touch-data.ts');
const { WALK_STEPS } = await load('/src/methods/dreamer4/walk-data.ts');
const { encodePng } = await load('/src/data/png.ts');
const model = loadModel(gpu, new Uint8Array(readFileSync(values.checkpoint)));
const options = {
  seed: Number(values.seed),
  events: Number(values.events),
  context: 32,
  streams: 16,
  k: 4,
  corruption: Number(values.corruption) / 100,
};
const { events, dreamed, without, metrics, table } = await measureTouch(gpu, model, options);
const walks = await measureWalk(gpu, model, options);
for (const [name, n, effect, share, wrong] of table.rows) {
  console.log(
    `${name.padEnd(7)} ${n} events  effect ${effect.toFixed(3)}  nearer to what happened ${(100 * share).toFixed(0)} %, without the keys ${(100 * wrong).toFixed(0)} %`,
  );
}
for (const [ground, n, dream, truth] of walks.table.rows) {
  console.log(`${ground.padEnd(7)} ${n} walks  motion ${dream.toFixed(4)}, of the truth ${truth.toFixed(4)}`);
}
console.log(JSON.stringify({ ...metrics, ...walks.metrics }));
const { width, height } = model.config.frame;
const size = width * height * 3;
/** Eight of the events and four of the walks, every picture of a strip at its place. */
const strips = [];
const some = (list, n) => Array.from({ length: Math.min(n, list.length) }, (_, s) => Math.floor((s * list.length) / n));
for (const i of some(events, 8)) strips.push(events[i].touched, events[i].untouched, dreamed[i], without[i]);
for (const i of some(walks.events, 4)) strips.push(walks.events[i].truth, walks.dreamed[i]);
const columns = Math.max(TOUCH_STEPS, WALK_STEPS);
const sheet = new Uint8Array(size * columns * strips.length);
strips.forEach((frames, r) => {
  for (let i = 0; i < frames.length / size; i++) {
    for (let y = 0; y < height; y++) {
      const from = i * size + y * width * 3;
      sheet.set(frames.subarray(from, from + width * 3), ((r * height + y) * columns + i) * width * 3);
    }
  }
});
writeFileSync(values.out, encodePng(sheet, width * columns, height * strips.length, 3));
process.exit(0);
