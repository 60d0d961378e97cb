// What the doctor advises, in the words of the browser that it speaks to.

import { expect, test } from 'vitest';
import { examine } from '../../src/bench/doctor.ts';
import { adviceFor, type Browser, runtimeOf } from '../../src/gpu/browser-advice.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { testGpu } from '../support/gpu.ts';

const AGENTS: [agent: string, browser: Browser, linux: boolean][] = [
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/150.0.0.0 Safari/537.36',
    'chrome',
    true,
  ],
  [
    'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36',
    'chrome',
    false,
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0',
    'edge',
    false,
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 'firefox', true],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
    'safari',
    false,
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/150.0.0.0 Mobile/15E148 Safari/604.1',
    'safari',
    false,
  ],
  ['Node.js/22', 'node', false],
  ['', 'other', false],
];

test.each(AGENTS)('%s', (agent, browser, linux) => {
  expect(runtimeOf(agent)).toEqual({ browser, linux });
});

test('nobody is sent to settings of another browser, and Linux has its own switches', () => {
  const schemes: [Browser, RegExp][] = [
    ['chrome', /(?:edge|about):/],
    ['edge', /(?:chrome:\/|about:)/],
    ['firefox', /(?:chrome|edge):/],
    ['safari', /(?:chrome|edge|about):/],
    ['node', /(?:chrome|edge|about):/],
  ];
  for (const [browser, foreign] of schemes) {
    for (const lack of ['hardware', 'timestamp-query', 'subgroups', 'shader-f16', 'subgroup-matrix'] as const) {
      for (const linux of [false, true]) expect(adviceFor(lack, { browser, linux }), lack).not.toMatch(foreign);
    }
    expect(adviceFor('hardware', { browser, linux: false })).not.toBe('');
  }
  expect(adviceFor('hardware', { browser: 'chrome', linux: true })).toContain('#enable-unsafe-webgpu');
  expect(adviceFor('hardware', { browser: 'firefox', linux: true })).toContain('about:config');
  expect(adviceFor('hardware', { browser: 'firefox', linux: false })).not.toContain('about:config');
});

test('the doctor gives the advice of the browser for what this adapter lacks', async () => {
  const { gpu } = await testGpu();
  const poor: Gpu = { ...gpu, report: { ...gpu.report, features: [] } };
  const runtime = runtimeOf(AGENTS[3][0]);
  const findings = await examine(poor, runtime);
  const advice = (what: string) => findings.find((f) => f.what === what)?.advice;
  expect(advice('Timestamps')).toBe(adviceFor('timestamp-query', runtime));
  expect(advice('Subgroups')).toBe(adviceFor('subgroups', runtime));
  expect(advice('Half precision')).toBe(adviceFor('shader-f16', runtime));
  expect(advice('Matrix units')).toBe(adviceFor('subgroup-matrix', runtime));
  // What is there needs no advice.
  const rich: Gpu = { ...gpu, report: { ...gpu.report, features: ['timestamp-query', 'subgroups'] } };
  const other = await examine(rich, runtime);
  expect(other.find((f) => f.what === 'Timestamps')).toMatchObject({ state: 'good', advice: '' });
  expect(other.find((f) => f.what === 'Half precision')).toMatchObject({ state: 'missing' });
});
