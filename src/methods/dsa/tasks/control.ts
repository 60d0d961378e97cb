/**
 * The negative control (dsa.md section 4.1): a row of two symbols, at odd places towards its end the symbol in the majority so
 * far is asked for and never shown, so that a row cannot be read off an earlier answer. The answer depends on all tokens.
 */
import { type Draw, type Row, SYMBOLS, TAGS } from './alphabet.ts';

/**
 * Places of a row that are asked about: the last eight odd ones, of long rows one token in eight of the second half. With
 * eight at the end of 1024 tokens, which nearly always have one answer, 120 rows did not teach a dense model to count.
 */
function askedPlaces(time: number): Set<number> {
  const asked = Math.max(8, time / 16);
  const apart = asked > 8 ? 8 : 2;
  return new Set(Array.from({ length: asked }, (_, i) => time - 1 - apart * i - (time % 2)));
}

export function controlRow(time: number, draw: Draw): Row {
  const ids: number[] = [TAGS.control];
  const wanted = new Map<number, number>();
  const asked = askedPlaces(time);
  // Rows lean to one side by chance, so that majorities are not all a matter of one token.
  const lean = 35 + draw(31);
  let balance = 0;
  while (ids.length < time) {
    const symbol = draw(100) < lean ? 0 : 1;
    balance += symbol === 0 ? 1 : -1;
    ids.push(SYMBOLS[symbol]);
    const place = ids.length - 1;
    if (asked.has(place)) wanted.set(place, SYMBOLS[balance > 0 ? 0 : 1]);
  }
  return { ids, wanted };
}
