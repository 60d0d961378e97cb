// SHOTS='[["#/path",w,h,"light|dark",waitSec,"/tmp/zz/x.png",full]]'

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { chromium } from 'playwright';
import { preview } from 'vite';
import { CHROMIUM_FLAGS, LOCAL_HOST } from '../../scripts/chromium-flags.mjs';
import { findChromium } from '../../scripts/find-chromium.mjs';

const server = await preview({ preview: { port: 0, host: LOCAL_HOST } });
const url = `http://${LOCAL_HOST}:${server.httpServer.address().port}/`;
const browser = await chromium.launch({
  executablePath: findChromium(),
  headless: true,
  args: CHROMIUM_FLAGS.pictures ?? CHROMIUM_FLAGS.compute,
});
for (const [route, width, height, scheme, wait, file, full, click] of JSON.parse(process.env.SHOTS)) {
  const ctx = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await ctx.newPage();
  page.on('console', (m) => {
    if (m.type() === 'error' || m.type() === 'warning') console.log(route, m.type(), m.text());
  });
  page.on('pageerror', (e) => console.log(route, 'uncaught', e.message));
  await page.goto(url + route);
  if (click) {
    await page.waitForTimeout(3000);
    await page.getByText(click, { exact: false }).first().click();
  }
  await page.waitForTimeout(wait * 1000);
  mkdirSync(dirname(file), { recursive: true });
  await page.screenshot({ path: file, fullPage: !!full });
  const over = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  console.log(file, over ? 'WIDER THAN SCREEN' : 'ok');
  await ctx.close();
}
await browser.close();
await server.close();
process.exit(0);
