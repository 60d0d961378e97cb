// The language model in Chromium: a Qwen3 directory chosen as files generates what float64 does, answers are judged in
// workers, and a program that hangs costs only its own worker. The page: a folder is chosen, writes, stops, outlives its device.

import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { familyOf } from '../../src/lm/tasks/families.ts';
import { problemAt } from '../../src/lm/tasks/task.ts';
import { JsonTokenizer } from '../../src/lm/tokenizers/json.ts';
import { launchBrowser, openPage, openSources } from '../support/browser.ts';
import { BYTE_TOKENIZER, CHAT_IDS, qwenContinuation, qwenFiles, tinyQwen, writeQwen } from '../support/qwen.ts';

type Device = typeof import('../../src/gpu/device.ts');
type Files = typeof import('../../src/data/model-files.ts');
type Load = typeof import('../../src/lm/qwen/load.ts');
type Model = typeof import('../../src/lm/language-model.ts');
type Decode = typeof import('../../src/lm/decoder.ts');
type Pool = typeof import('../../src/lm/verify/page-pool.ts');

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser?.close());

test('a checkpoint chosen from the disk generates', async () => {
  const tiny = tinyQwen();
  const memory = qwenFiles(tiny, 2);
  const files: [string, number[]][] = [];
  for (const name of memory.list()) files.push([name, [...(await memory.read(name, 0, memory.size(name)))]]);
  const prompts = [[6], [0, 6, 3, 17, 39, 2, 2, 8, 30, 1, 12]];
  const { page, errors, close } = await openSources(browser);
  const { rows, submissions } = await page.evaluate(
    async ({ files, prompts }) => {
      const { openGpu } = await window.loadModule<Device>('/src/gpu/device.ts');
      const { chosenFiles } = await window.loadModule<Files>('/src/data/model-files.ts');
      const { loadQwen } = await window.loadModule<Load>('/src/lm/qwen/load.ts');
      const { cachedModel } = await window.loadModule<Model>('/src/lm/language-model.ts');
      const { Decoder } = await window.loadModule<Decode>('/src/lm/decoder.ts');
      const opened = await openGpu();
      if (!opened.ok) throw new Error(opened.reason);
      const picked = files.map(([name, bytes]) => new File([Uint8Array.from(bytes)], name));
      const loaded = await loadQwen(opened.gpu, chosenFiles(picked));
      const model = cachedModel(opened.gpu, loaded.config, loaded.scopeOf, { sequences: 2, capacity: 32 });
      const decoder = new Decoder(opened.gpu, model, { perSubmission: 8 });
      const result = await decoder.generate(prompts, {
        temperature: 0,
        topK: 0,
        topP: 1,
        maxNew: 8,
        stop: [],
        seed: 1,
      });
      return { rows: result.rows.map((r) => [...r.tokens]), submissions: result.stats.submissions };
    },
    { files, prompts },
  );
  await close();
  // Eight tokens of both rows took one submission.
  expect(submissions).toBe(1);
  expect(rows).toEqual(prompts.map((prompt) => qwenContinuation(tiny, prompt, 8)));
  expect(errors).toEqual([]);
});

test('answers are judged in workers; one that hangs is ended, and the page goes on', async () => {
  const problem = problemAt(familyOf('pipelines'), 'test', 1, 0);
  const texts = [problem.answer, 'xs', '(()=>{for(;;);})()', 'self.close()'];
  const { page, errors, close } = await openSources(browser);
  const { scores, reasons, again, hung, ticks } = await page.evaluate(
    async ({ problem, texts }) => {
      const { pageVerifiers } = await window.loadModule<Pool>('/src/lm/verify/page-pool.ts');
      const pool = pageVerifiers(2, 5000);
      const answers = texts.map((text) => ({ problem, text }));
      const verdicts = await pool.verify(answers);
      // One built-in call that never ends: no step is counted in it. Only the end of its worker helps.
      let ticks = 0;
      const clock = setInterval(() => ticks++, 100);
      const [hung] = await pool.verify([{ problem, text: '[[].indexOf.call({length:1e15},1)]' }]);
      clearInterval(clock);
      const again = (await pool.verify(answers.slice(0, 1)))[0].score;
      pool.dispose();
      return {
        scores: verdicts.map((v) => v.score),
        reasons: verdicts.map((v) => v.reasons.join()),
        again,
        hung,
        ticks,
      };
    },
    { problem, texts },
  );
  await close();
  expect(scores).toEqual([1, 0, 0, 0]);
  expect(reasons[2]).toContain('too many steps');
  expect(reasons[3]).toContain('ReferenceError');
  expect(hung).toEqual({ score: 0, reasons: ['the verifier did not answer in time'] });
  expect(ticks).toBeGreaterThan(10);
  expect(again).toBe(1);
  expect(errors).toEqual([]);
});

async function axe(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  expect(serious).toEqual([]);
}

const LOSE = `
  const orders = new BroadcastChannel('lose');
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...a) {
    const device = await request.apply(this, a);
    orders.onmessage = () => device.destroy();
    return device;
  };`;

test('the page: a folder that does not fit, one that does, a text, a stop, a lost device', async () => {
  const tiny = tinyQwen({ vocab_size: 264, eos_token_id: CHAT_IDS.end, max_position_embeddings: 4096 });
  const more = { 'tokenizer.json': BYTE_TOKENIZER };
  const folder = await writeQwen(tiny, more);
  const foreign = await writeQwen({ ...tiny, config: { ...tiny.config, intermediate_size: 64 } }, more);
  const tokenizer = new JsonTokenizer(BYTE_TOKENIZER);
  const { page, errors, close } = await openPage(browser, '#/gpu');
  // The worker's own script, which also listens for the order to lose its device.
  await page.context().route('**/assets/language-model-*.js', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: LOSE + (await answer.text()) });
  });
  await page.getByRole('button', { name: 'Methods' }).click();
  await page.getByRole('link', { name: /Language model/ }).click();
  await page.getByTestId('empty').waitFor();
  // Text that is dragged stays the browser's; the page takes files.
  const taken = await page.getByTestId('empty').evaluate((element) => {
    const withText = new DataTransfer();
    withText.setData('text/plain', 'some text');
    const withFile = new DataTransfer();
    withFile.items.add(new File(['{}'], 'a.json'));
    return [withText, withFile].map((dataTransfer) => {
      const event = new DragEvent('dragover', { dataTransfer, bubbles: true, cancelable: true });
      return !element.dispatchEvent(event);
    });
  });
  expect(taken).toEqual([false, true]);

  await page.getByTestId('folder').setInputFiles(foreign);
  const sentence = 'model.layers.0.mlp.gate_proj.weight is [48,32] in model.safetensors, config.json asks for [64,32].';
  await page.getByText(`${basename(foreign)}: ${sentence}`).waitFor();
  await page.getByTestId('folder').setInputFiles(folder);
  await page.getByTestId('prompt').waitFor();
  expect(await page.getByTestId('fault').count()).toBe(0);
  const facts = (await page.getByTestId('facts').textContent()) ?? '';
  for (const part of [basename(folder), '258', '2,048']) expect(facts).toContain(part);

  await page.getByText('Sampling').click();
  await page.getByTestId('temperature').fill('0');
  await page.getByTestId('length').fill('8');
  await page.getByRole('button', { name: 'Plain text' }).click();
  await page.getByTestId('prompt').fill('Once');
  await page.getByTestId('write').click();
  await page.getByText('8 tokens, ').and(page.getByText('as long as allowed')).waitFor();
  const want = tokenizer.decode(qwenContinuation(tiny, tokenizer.encode('Once'), 8));
  const text = () => page.getByTestId('text').textContent();
  expect(await text()).toBe(want);

  // Greedy it goes on to the limit (`lab lm` says so): what ends it is the button.
  await page.getByTestId('length').fill('1024');
  await page.getByTestId('prompt').press('Control+Enter');
  await page.getByTestId('stop').waitFor();
  await page.waitForFunction(() =>
    Number(document.querySelector<HTMLElement>('[data-testid="reading"]')?.dataset.tokens),
  );
  await page.getByTestId('stop').click();
  await page.getByText(/tokens\/s, stopped/).waitFor();
  expect(Number(await page.getByTestId('reading').getAttribute('data-tokens'))).toBeLessThan(1024);
  await axe(page);

  await page.evaluate(() => new BroadcastChannel('lose').postMessage('now'));
  await page.getByText(/^The GPU device was lost/).waitFor();
  expect(await page.getByRole('button', { name: 'Another model' }).count()).toBe(1);
  await page.getByTestId('reload').click();
  await page.getByTestId('facts').waitFor();
  await page.getByTestId('write').click();
  await page.getByTestId('stop').click();
  await page.getByText(/tokens\/s, stopped/).waitFor();
  expect(errors).toEqual([]);
  await close();
  for (const path of [folder, foreign]) rmSync(path, { recursive: true });
});
