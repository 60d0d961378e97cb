// How fast the page dreams and answers: `node tests/bench/play-latency.mjs [--seconds 20] [--model micro|small] [--seed 25] [--gpu]`.
// Serves the built page, opens the playground in a headless Chromium (SwiftShader; with --gpu the machine's own card), walks with W held
// and presses A and D now and then at uneven times. Prints when a first visitor sees something move, counted from the start of the
// navigation with nothing cached: the first true picture that differs from the one before, and the first two dreamed frames; then dreamed
// frames a second, and the time from a keydown event to the first dreamed frame whose action holds the key. Shown means: the worker has
// painted it and the page's next animation frame has begun. Exit code 1: the second dreamed frame comes after 5 s, fewer than 5 frames a
// second, or the median or the 95th percentile is not below two frames. Figures of the model alone: `lab eval`, play-frame.mjs.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { preview } from 'vite';
import { buildPage } from '../../scripts/build-page.mjs';
import { CHROMIUM_FLAGS, LOCAL_HOST } from '../../scripts/chromium-flags.mjs';
import { findChromium } from '../../scripts/find-chromium.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    model: { type: 'string', default: '' },
    seed: { type: 'string', default: '25' },
    gpu: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
if (!(seconds >= 2)) throw new Error(`--seconds ${values.seconds}: at least 2`);
if (!buildPage()) throw new Error('the page could not be built');
const executablePath = findChromium();
if (!executablePath) throw new Error('no Chromium or Chrome found: set CHROMIUM to its path');
const server = await preview({ logLevel: 'warn', preview: { port: 0, host: LOCAL_HOST } });
const args = CHROMIUM_FLAGS[values.gpu ? 'gpu' : 'compute'];
const browser = await chromium.launch({ executablePath, headless: true, args });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });

/** Runs in the page before its own scripts: listens to what the workers answer, to keys and to animation frames. */
function watch() {
  const KEY_BITS = 0x7fffff;
  const seen = { actions: new Map(), dreams: [], keys: [], frames: [], work: [], moved: null };
  window.seen = seen;
  let last = null;
  const differs = (a, b) => a.some((value, i) => value !== b[i]);
  window.Worker = class extends Worker {
    constructor(url, options) {
      super(url, options);
      this.addEventListener('message', ({ data }) => {
        const answer = data?.value;
        // A true step, from the sim worker.
        if (typeof answer?.action === 'number') {
          seen.actions.set(answer.index, answer.action & KEY_BITS);
          if (seen.moved === null && answer.index > 0 && differs(answer.rgb, last)) {
            seen.moved = Number.POSITIVE_INFINITY;
            requestAnimationFrame(() => {
              seen.moved = performance.now();
            });
          }
          last = answer.rgb;
        }
        // A dreamed step, from the gpu worker.
        const report = answer?.ok ? answer.value : undefined;
        if (typeof report?.ringFill !== 'number') return;
        seen.work.push(report.timing.total);
        requestAnimationFrame(() => seen.dreams.push({ index: report.index, at: performance.now() }));
      });
    }
  };
  const press = (down) => (event) => {
    if (!event.repeat)
      seen.keys.push({ code: event.code, down, at: event.timeStamp, delay: performance.now() - event.timeStamp });
  };
  addEventListener('keydown', press(true), true);
  addEventListener('keyup', press(false), true);
  const tick = (at) => {
    seen.frames.push(at);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

const FIRST = 'KeyD';

const quantile = (list, q) => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
};

try {
  await page.addInitScript(watch);
  const query = new URLSearchParams({ seed: values.seed, ...(values.model ? { model: values.model } : {}) });
  await page.goto(`http://${LOCAL_HOST}:${server.httpServer.address().port}/#/?${query}`);
  const dreamed = (n) => page.waitForFunction((least) => window.seen.dreams.length >= least, n, { timeout: 120_000 });
  // Programs are compiled and first frames shown before anything counts.
  await dreamed(10);
  await page.locator('[aria-label^="Dream and truth"]').focus();
  await page.keyboard.down('KeyW');
  await dreamed(30);
  const from = await page.evaluate(() => performance.now());
  for (let i = 0; (await page.evaluate(() => performance.now())) < from + seconds * 1000; i++) {
    const key = i % 2 ? 'KeyA' : FIRST;
    await page.keyboard.down(key);
    await page.waitForTimeout(400);
    await page.keyboard.up(key);
    // Uneven, so that keys meet every moment of a step.
    await page.waitForTimeout(300 + ((i * 137) % 200));
  }
  await page.waitForTimeout(1000);
  const { seen, to, model } = await page.evaluate(() => ({
    seen: { ...window.seen, actions: [...window.seen.actions] },
    to: performance.now() - 1000,
    model: document.querySelector('[data-testid="model"]')?.value ?? '',
  }));
  await page.keyboard.up('KeyW');
  const actions = new Map(seen.actions);
  const dreams = seen.dreams.filter((d) => d.at >= from && d.at <= to);
  const perSecond = ((dreams.length - 1) * 1000) / (dreams[dreams.length - 1].at - dreams[0].at);
  const frame = 1000 / perSecond;
  // Walking alone comes before; what the keys add to it are two bits, that of the first key pressed and the other.
  const walking = actions.get(seen.dreams.filter((d) => d.at < from).at(-1).index);
  const added = (d) => (actions.get(d.index) ?? 0) & ~walking;
  const first = seen.dreams.map(added).find((bits, i) => seen.dreams[i].at >= from && bits !== 0);
  const shows = (d, code) => added(d) !== 0 && (added(d) === first) === (code === FIRST);
  const latencies = [];
  for (const key of seen.keys) {
    if (!key.down || key.code === 'KeyW' || key.at < from || key.at > to) continue;
    const shown = seen.dreams.find((d) => d.at > key.at && shows(d, key.code));
    if (shown) latencies.push(shown.at - key.at);
  }
  const gaps = seen.frames.filter((at) => at >= from && at <= to).map((at, i, all) => (i > 0 ? at - all[i - 1] : 0));
  const delays = seen.keys.filter((k) => k.at >= from).map((k) => k.delay);
  const [median, p95] = [quantile(latencies, 0.5), quantile(latencies, 0.95)];
  const work = seen.work.slice(-dreams.length);
  const [firstDream, secondDream] = seen.dreams.map(({ at }) => at / 1000);
  const ms = (value) => `${value.toFixed(0)} ms`;
  console.log(
    `# Chromium ${browser.version()}, ${values.gpu ? 'its GPU' : 'SwiftShader'}, ${model || 'shipped model'}; load ${loadavg()[0].toFixed(1)}`,
  );
  console.log(
    `first movement     truth after ${(seen.moved / 1000).toFixed(1)} s, dreamed frames after ${firstDream.toFixed(1)} and ${secondDream.toFixed(1)} s`,
  );
  console.log(
    `dreamed frames     ${perSecond.toFixed(1)} a second (${dreams.length}; dream alone ${ms(quantile(work, 0.5))}, p95 ${ms(quantile(work, 0.95))})`,
  );
  console.log(
    `keydown to frame   median ${ms(median)}, p95 ${ms(p95)} = ${(median / frame).toFixed(2)} and ${(p95 / frame).toFixed(2)} frames (${latencies.length} keys)`,
  );
  console.log(
    `page               keydown handled after ${ms(quantile(delays, 0.5))}, p95 ${ms(quantile(delays, 0.95))}; longest animation frame ${ms(Math.max(...gaps))}`,
  );
  const good = secondDream <= 5 && latencies.length > 0 && perSecond >= 5 && p95 < 2 * frame;
  const bars = '(movement within 5 s, 5 frames a second, 2 frames)';
  console.log(good ? `bars hold ${bars}` : `BARS FAIL ${bars}`);
  process.exitCode = good ? 0 : 1;
} finally {
  await browser.close();
  await server.close();
}
