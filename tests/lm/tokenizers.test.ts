// Closed vocabularies and the user's tokenizer.json: exact round trips, and one sentence for everything that is wrong.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FAMILIES, taskTokenizer } from '../../src/lm/tasks/families.ts';
import { ClosedTokenizer, EOT, MASK, SPECIALS } from '../../src/lm/tokenizers/closed.ts';
import { JsonTokenizer } from '../../src/lm/tokenizers/json.ts';
import { TINY_TOKENIZER } from '../support/qwen.ts';

test('longest match, exact decoding, special tokens at fixed ids', () => {
  const t = new ClosedTokenizer(['a', 'ab', 'abc', ' ', 'c'], 12);
  expect(t.vocab).toBe(12);
  expect([t.token(EOT), t.token(MASK)]).toEqual(['<eot>', '<mask>']);
  expect(t.encode('abcab a').map((id) => t.token(id))).toEqual(['abc', 'ab', ' ', 'a']);
  expect(t.encode('<mask>a<eot>')).toEqual([MASK, t.id('a'), EOT]);
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c', ' ')), (letters) => {
      const text = letters.join('').replaceAll('b', 'ab');
      expect(t.decode(t.encode(text))).toBe(text);
    }),
  );
});

test('what has no token is named', () => {
  const t = new ClosedTokenizer(['a']);
  expect(() => t.encode('aaxa')).toThrow("No token for 'x' (character 2 of 'aaxa')");
  expect(() => t.id('b')).toThrow("no token 'b'");
  expect(() => t.token(99)).toThrow('no token 99');
  expect(() => new ClosedTokenizer(['a', 'b'], 5)).toThrow('6 tokens, more than the 5');
  expect(() => new ClosedTokenizer([''])).toThrow('empty token');
});

test('all families share one vocabulary of modest size, the same in any order of asking', () => {
  const all = taskTokenizer(FAMILIES);
  expect(all.vocab).toBeLessThanOrEqual(256);
  expect(taskTokenizer(FAMILIES).tokens).toEqual(all.tokens);
  expect(all.tokens.slice(0, SPECIALS.length)).toEqual([...SPECIALS]);
  expect(taskTokenizer([FAMILIES[0]], 64, ['<think>']).id('<think>')).toBeLessThan(64);
});

test('a tokenizer.json of the real format', () => {
  const t = new JsonTokenizer(TINY_TOKENIZER, '{}', ['<|im_end|>']);
  expect(t.vocab).toBe(8);
  expect(t.encode('abc ab<|im_end|>')).toEqual([6, 3, 4, 5]);
  expect(t.decode([6, 3, 4, 5])).toBe('abc ab<|im_end|>');
  expect(t.id('<|im_end|>')).toBe(5);
  expect(t.token(4)).toBe('ab');
});

test.each([
  ['{', 'tokenizer.json is not JSON'],
  ['[]', 'tokenizer.json is not an object'],
  ['{"a":1}', 'tokenizer.json has no model'],
  ['{"model":{"type":"BPE"}}', 'tokenizer.json cannot be used'],
])('%s', (json, message) => {
  expect(() => new JsonTokenizer(json)).toThrow(message);
});

test('missing tokens are listed', () => {
  expect(() => new JsonTokenizer(TINY_TOKENIZER, '{}', ['<a>', '<|im_end|>', '<b>'])).toThrow(
    'lacks the tokens <a>, <b>',
  );
  expect(() => new JsonTokenizer(TINY_TOKENIZER, 'no')).toThrow('tokenizer_config.json is not JSON');
  expect(() => new JsonTokenizer(TINY_TOKENIZER).id('zz')).toThrow("no token 'zz'");
});
