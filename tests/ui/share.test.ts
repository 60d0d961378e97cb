// A link reproduces the settings; a link from anywhere cannot break them.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DEFAULTS,
  K_VALUES,
  type PlaySettings,
  parseSeed,
  SPEEDS,
  settingsFromQuery,
  settingsToQuery,
} from '../../src/ui/playground/share.ts';
import { formatHash, parseHash } from '../../src/ui/shell/hash-location.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const anySettings: fc.Arbitrary<PlaySettings> = fc.record({
  seed: u32,
  dream: fc.record({
    k: fc.constantFrom(...K_VALUES),
    contextCorruption: fc.integer({ min: 0, max: 50 }).map((percent) => percent / 100),
    seed: u32,
  }),
  speed: fc.constantFrom(...SPEEDS),
  overlay: fc.boolean(),
  film: fc.boolean(),
  view: fc.constantFrom('eye', 'smooth'),
  renew: fc.boolean(),
  model: fc.constantFrom('', 'micro', 'small'),
});

test('settings survive the way into a link and back', () => {
  fc.assert(
    fc.property(anySettings, (settings) => {
      const link = formatHash('/', settingsToQuery(settings));
      const { path, query } = parseHash(link);
      expect(path).toBe('/');
      expect(settingsFromQuery(query)).toEqual(settings);
    }),
  );
});

test('the defaults make a short link', () => {
  expect(settingsToQuery(DEFAULTS)).toBe(`seed=${DEFAULTS.seed}`);
});

test('what does not parse falls back to the default', () => {
  const nonsense = 'seed=-1&k=3&corrupt=9&noise=1e3&speed=7&overlay=yes&view=%F0%9F%90%84&model=..%2Fx';
  expect(settingsFromQuery(nonsense)).toEqual(DEFAULTS);
});

test('any text at all gives settings within their bounds', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const settings = settingsFromQuery(`seed=${a}&corrupt=${b}&k=${a}&noise=${b}&${a}`);
      expect(settings.seed).toBeGreaterThanOrEqual(0);
      expect(settings.seed).toBeLessThanOrEqual(0xffffffff);
      expect(settings.dream.contextCorruption).toBeGreaterThanOrEqual(0);
      expect(settings.dream.contextCorruption).toBeLessThanOrEqual(0.5);
      expect(K_VALUES).toContain(settings.dream.k);
    }),
  );
});

test('seeds are whole numbers of 32 bits', () => {
  expect(parseSeed('4294967295')).toBe(0xffffffff);
  for (const bad of ['4294967296', '', '-0', '1.5', '0x10', ' 7', null]) expect(parseSeed(bad)).toBeNull();
});

test('a hash that is no route is the playground', () => {
  expect(parseHash('')).toEqual({ path: '/', query: '' });
  expect(parseHash('#top')).toEqual({ path: '/', query: '' });
  expect(parseHash('#/dsa?seed=3')).toEqual({ path: '/dsa', query: 'seed=3' });
});
