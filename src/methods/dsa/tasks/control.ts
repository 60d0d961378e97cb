/**
 * The negative control (dsa.md section 4.1): a row of two symbols, at the last odd places the symbol in the majority so far is
 * asked for and never shown, so that a row cannot be read off an earlier answer. The answer depends on all tokens.
 */
import { type Draw, type Row, SYMBOLS, TAGS } from './alphabet.ts';

/** Places of a row that are asked about. */
const ASKED = 8;

export function controlRow(time: number, draw: Draw): Row {
  const ids: number[] = [TAGS.control];
  const wanted = new Map<number, number>();
  // Rows lean to one side by chance, so that majorities are not all a matter of one token.
  const lean = 35 + draw(31);
  let balance = 0;
  while (ids.length < time) {
    const symbol = draw(100) < lean ? 0 : 1;
    balance += symbol === 0 ? 1 : -1;
    ids.push(SYMBOLS[symbol]);
    const place = ids.length - 1;
    if (place % 2 === 1 && place >= time - 2 * ASKED) wanted.set(place, SYMBOLS[balance > 0 ? 0 : 1]);
  }
  return { ids, wanted };
}
