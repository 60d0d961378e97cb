// Does the dream break and place blocks? `node tests/bench/touch-dream.mjs --checkpoint FILE [--events 64] [--out strip.png]`.
// What is measured: src/methods/dreamer4/touch.ts. Draws four rows an event: truth, truth without the keys for breaking and
// placing, dream, dream without them.
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
const { TOUCH_STEPS } = await load('/src/methods/dreamer4/touch-data.ts');
const { encodePng } = await load('/src/data/png.ts');
const model = loadModel(gpu, new Uint8Array(readFileSync(values.checkpoint)));
const { events, dreamed, without, metrics, table } = await measureTouch(gpu, model, {
  seed: Number(values.seed),
  events: Number(values.events),
  context: 32,
  streams: 16,
  k: 4,
  corruption: Number(values.corruption) / 100,
});
for (const [name, n, effect, share, wrong] of table.rows) {
  console.log(
    `${name.padEnd(7)} ${n} events  effect ${effect.toFixed(3)}  nearer to what happened ${(100 * share).toFixed(0)} %, without the keys ${(100 * wrong).toFixed(0)} %`,
  );
}
console.log(JSON.stringify(metrics));
const { width, height } = model.config.frame;
const size = width * height * 3;
const shown = Math.min(8, events.length);
const sheet = new Uint8Array(size * TOUCH_STEPS * shown * 4);
for (let s = 0; s < shown; s++) {
  const index = Math.floor((s * events.length) / shown);
  const rows = [events[index].touched, events[index].untouched, dreamed[index], without[index]];
  rows.forEach((frames, r) => {
    for (let i = 0; i < TOUCH_STEPS; i++) {
      for (let y = 0; y < height; y++) {
        const from = i * size + y * width * 3;
        sheet.set(frames.subarray(from, from + width * 3), (((s * 4 + r) * height + y) * TOUCH_STEPS + i) * width * 3);
      }
    }
  });
}
writeFileSync(values.out, encodePng(sheet, width * TOUCH_STEPS, height * 4 * shown, 3));
process.exit(0);
