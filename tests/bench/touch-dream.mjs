// Does the dream break and place blocks? `node tests/bench/touch-dream.mjs --checkpoint FILE [--events 32] [--out strip.png]`.
// Fresh worlds; the dream starts three steps before a block falls or is placed, and gets the true actions, or the same without the
// keys for breaking and placing. Only events during which the player stands still count. Where the truth has changed (pixels around
// the crosshair that differ from the frame before the event by more than 24 of 255), it compares the error after the event: with the
// keys, without them, and of the frame before the event repeated. Draws rows: truth, dream, dream without keys.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openBench } from './open.mjs';

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    events: { type: 'string', default: '32' },
    seed: { type: 'string', default: '7' },
    corruption: { type: 'string', default: '25' },
    out: { type: 'string', default: 'touch-dream.png' },
  },
});
const { load, gpu } = await openBench();
const { renderEpisode, evaluationSpecs, frameSource } = await load('/src/methods/dreamer4/dataset.ts');
const { LatentDream, loadModel } = await load('/src/methods/dreamer4/play.ts');
const { fusedStack } = await load('/src/nn/fused-layers.ts');
const { recordEpisode } = await load('/src/world/episodes/record.ts');
const { EVENT } = await load('/src/world/events.ts');
const { CAMERA_NULL, KEY } = await load('/src/world/actions.ts');
const { encodePng } = await load('/src/data/png.ts');
const model = loadModel(gpu, new Uint8Array(readFileSync(values.checkpoint)));
const wanted = Number(values.events);
const { width, height } = model.config.frame;
const size = width * height * 3;
const CONTEXT = 32;
/** Steps before the event at which the dream begins, and steps that it dreams. */
const BEFORE = 3;
const LENGTH = 8;
const draw = frameSource(model.config);

const WALK = KEY.forward | KEY.back | KEY.left | KEY.right | KEY.jump;
/** The player neither turns nor walks. */
const still = (action) => action >>> 23 === CAMERA_NULL && (action & WALK) === 0;

/** Windows (frames, actions) around events during which the player stands still. */
const windows = [];
const counts = { mined: 0, placed: 0 };
for (const [n, spec] of evaluationSpecs(model.config, Number(values.seed), 400, 240).entries()) {
  if (windows.length >= wanted) break;
  if (spec.player !== 'builder' && spec.player !== 'miner') continue;
  const episode = recordEpisode({ ...spec, episodeSeed: spec.episodeSeed + n });
  const { ticksPerStep } = episode.config;
  let e = null;
  for (const event of episode.events) {
    if (event.type !== EVENT.mined && event.type !== EVENT.placed) continue;
    const kind = event.type === EVENT.mined ? 'mined' : 'placed';
    if (counts[kind] >= wanted / 2) continue;
    // Frame i shows the world after step i; the event's tick lies in step `at`.
    const at = Math.floor(event.tick / ticksPerStep);
    const first = at - BEFORE;
    if (first < CONTEXT || first + LENGTH + 1 >= episode.actions.length) continue;
    if (!episode.actions.slice(first - 1, first + LENGTH - 1).every(still)) continue;
    e ??= renderEpisode(model.config, episode, draw);
    const last = (i) => e.frames.subarray(i * size, (i + 1) * size);
    // The crosshair's surroundings: 24 x 24 pixels in the middle, above the hotbar.
    const [x0, y0] = [width / 2 - 12, height / 2 - 14];
    const changed = [];
    for (let y = y0; y < y0 + 24; y++) {
      for (let x = x0; x < x0 + 24; x++) {
        const k = (y * width + x) * 3;
        let most = 0;
        for (let c = 0; c < 3; c++) most = Math.max(most, Math.abs(last(at + 2)[k + c] - last(at - 1)[k + c]));
        if (most > 24) changed.push(k, k + 1, k + 2);
      }
    }
    if (changed.length < 90) continue;
    counts[kind] += 1;
    windows.push({ kind, e, first, at, changed });
    if (windows.length >= wanted) break;
  }
}
if (windows.length === 0) throw new Error('no event with a still camera was found');
const dream = new LatentDream(gpu, model, windows.length, { fused: fusedStack });
async function run(mask) {
  dream.reset();
  const n = windows.length;
  const pictures = new Uint8Array(CONTEXT * n * size);
  const actions = new Uint32Array(CONTEXT * n);
  for (let i = 0; i < CONTEXT; i++) {
    windows.forEach(({ e, first }, s) => {
      const from = first - CONTEXT + i;
      pictures.set(e.frames.subarray(from * size, (from + 1) * size), (i * n + s) * size);
      actions[i * n + s] = e.actions[from];
    });
  }
  await dream.observe(pictures, actions);
  const out = [];
  for (let i = 0; i < LENGTH; i++) {
    const row = Uint32Array.from(windows, ({ e, first }) => (e.actions[first + i] & mask) >>> 0);
    const { rgb } = await dream.step(
      row,
      { k: 4, contextCorruption: Number(values.corruption) / 100, seed: 7 },
      { rgb: true },
    );
    out.push(rgb.slice());
  }
  return out;
}
const played = await run(0xffffffff);
const untouched = await run(~(KEY.attack | KEY.use) >>> 0);
for (const kind of ['mined', 'placed', 'all']) {
  let [withKeys, without, copy, n, better] = [0, 0, 0, 0, 0];
  windows.forEach((w, s) => {
    if (kind !== 'all' && w.kind !== kind) return;
    n += 1;
    let [a, b, c] = [0, 0, 0];
    // Two to four steps after the event.
    for (let i = BEFORE + 2; i < BEFORE + 5; i++) {
      const truth = (w.first + i) * size;
      for (const k of w.changed) {
        a += (played[i][s * size + k] - w.e.frames[truth + k]) ** 2;
        b += (untouched[i][s * size + k] - w.e.frames[truth + k]) ** 2;
        c += (w.e.frames[(w.at - 1) * size + k] - w.e.frames[truth + k]) ** 2;
      }
    }
    const area = w.changed.length * 3;
    withKeys += a / area;
    without += b / area;
    copy += c / area;
    if (a < b) better += 1;
  });
  console.log(
    `${kind.padEnd(7)} ${n} events  error with the keys ${(withKeys / n).toFixed(0)}, without ${(without / n).toFixed(0)} (ratio ${(without / withKeys).toFixed(2)}), last frame ${(copy / n).toFixed(0)} (ratio ${(copy / withKeys).toFixed(2)}); better with the keys in ${better}`,
  );
}
const shown = Math.min(8, windows.length);
const sheet = new Uint8Array(width * LENGTH * height * 3 * shown * 3);
for (let s = 0; s < shown; s++) {
  const w = windows[Math.floor((s * windows.length) / shown)];
  const index = windows.indexOf(w);
  for (let i = 0; i < LENGTH; i++) {
    const rows = [
      w.e.frames.subarray((w.first + i) * size, (w.first + i + 1) * size),
      played[i].subarray(index * size, (index + 1) * size),
      untouched[i].subarray(index * size, (index + 1) * size),
    ];
    rows.forEach((picture, r) => {
      for (let y = 0; y < height; y++) {
        sheet.set(
          picture.subarray(y * width * 3, (y + 1) * width * 3),
          (((s * 3 + r) * height + y) * LENGTH + i) * width * 3,
        );
      }
    });
  }
}
writeFileSync(values.out, encodePng(sheet, width * LENGTH, height * 3 * shown, 3));
process.exit(0);
