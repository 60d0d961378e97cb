/**
 * Two invented languages for thoughts: the same few connectives and number words in different words, digits and signs are
 * neutral. The prompt names the language that is wanted; how far a thought keeps to it is the consistency reward (the share of
 * target-language words in the chain of thought, DeepSeek-R1).
 */
import type { Draws } from '../../../lm/tasks/task.ts';

export const LANGUAGES = ['A', 'B'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What the words of both languages mean. */
export const MEANINGS = ['take', 'gives', 'then', 'look', 'so', 'one', 'two', 'three', 'four'] as const;
export type Meaning = (typeof MEANINGS)[number];

const WORDS: Record<Language, readonly string[]> = {
  A: ['tak ', 'giv ', 'den ', 'sek ', 'alt ', 'en ', 'tva ', 'tri ', 'fir '],
  B: ['olu ', 'emi ', 'ura ', 'ani ', 'osu ', 'ika ', 'ubi ', 'eto ', 'awe '],
};

export const ALL_WORDS: readonly string[] = LANGUAGES.flatMap((language) => WORDS[language]);

export const word = (language: Language, meaning: Meaning): string => WORDS[language][MEANINGS.indexOf(meaning)];

/** A careless writer changes languages in the middle of a thought. */
export function speaker(draws: Draws, language: Language, careless: number): (meaning: Meaning) => string {
  const mixes = draws.uniform() < careless;
  const other = language === 'A' ? 'B' : 'A';
  return (meaning) => word(mixes && draws.uniform() < 0.5 ? other : language, meaning);
}

/** Share of the words of a thought that are of this language; 0 if it has none at all. */
export function consistency(tokens: readonly string[], language: Language): number {
  const words = tokens.filter((t) => ALL_WORDS.includes(t));
  return words.length === 0 ? 0 : words.filter((t) => WORDS[language].includes(t)).length / words.length;
}
