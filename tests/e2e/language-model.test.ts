// The language model in Chromium: a Qwen3 directory chosen as files generates what float64 does, answers are judged in
// workers, and a program that hangs costs only its own worker.

import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { familyOf } from '../../src/lm/tasks/families.ts';
import { problemAt } from '../../src/lm/tasks/task.ts';
import { launchBrowser, openSources } from '../support/browser.ts';
import { qwenContinuation, qwenFiles, tinyQwen } from '../support/qwen.ts';

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

test('answers are judged in workers', async () => {
  const problem = problemAt(familyOf('pipelines'), 'test', 1, 0);
  const texts = [problem.answer, 'xs', '(()=>{for(;;);})()', 'self.close()'];
  const { page, errors, close } = await openSources(browser);
  const { scores, reasons, again } = await page.evaluate(
    async ({ problem, texts }) => {
      const { pageVerifiers } = await window.loadModule<Pool>('/src/lm/verify/page-pool.ts');
      const pool = pageVerifiers(2, 20_000);
      const answers = texts.map((text) => ({ problem, text }));
      const verdicts = await pool.verify(answers);
      const again = (await pool.verify(answers.slice(0, 1)))[0].score;
      pool.dispose();
      return { scores: verdicts.map((v) => v.score), reasons: verdicts.map((v) => v.reasons.join()), again };
    },
    { problem, texts },
  );
  await close();
  expect(scores).toEqual([1, 0, 0, 0]);
  expect(reasons[2]).toContain('too many steps');
  expect(reasons[3]).toContain('ReferenceError');
  expect(again).toBe(1);
  expect(errors).toEqual([]);
});
