/**
 * The negative control (dsa.md section 4.1): the answer depends on more tokens than are selected. Of one class, a row of two
 * symbols: at places towards its end the symbol in the majority so far is asked for and never shown, so that a row cannot be
 * read off an earlier answer. Of more classes, every token has a class and a symbol, and only the end of the row says which
 * class is counted: deep models keep the first kind with few keys, because every layer may count what its keys have counted.
 */
import { type Draw, KEY, type Row, SYMBOLS, TAGS, VALUE } from './alphabet.ts';

/**
 * Places of a row that are asked about: the last eight odd ones, of long rows one token in eight of the second half. With
 * eight at the end of 1024 tokens, which nearly always have one answer, 120 rows did not teach a dense model to count.
 */
function askedPlaces(time: number): Set<number> {
  const asked = Math.max(8, time / 16);
  const apart = asked > 8 ? 8 : 2;
  return new Set(Array.from({ length: asked }, (_, i) => time - 1 - apart * i - (time % 2)));
}

function majorityOfAll(time: number, draw: Draw): Row {
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

/** Questions of a row in which classes are counted, all at its end. */
const questionsOf = (time: number): number => Math.max(8, time / 32);

function majorityOfClass(time: number, classes: number, draw: Draw): Row {
  const ids: number[] = [TAGS.control];
  const wanted = new Map<number, number>();
  const leans = Array.from({ length: classes }, () => 35 + draw(31));
  const balance = new Array<number>(classes).fill(0);
  while (ids.length < time - questionsOf(time)) {
    const kind = draw(classes);
    const symbol = draw(100) < leans[kind] ? 0 : 1;
    balance[kind] += symbol === 0 ? 1 : -1;
    ids.push(KEY + 2 * kind + symbol);
  }
  while (ids.length < time) {
    const kind = draw(classes);
    wanted.set(ids.length, SYMBOLS[balance[kind] > 0 ? 0 : 1]);
    ids.push(VALUE + kind);
  }
  return { ids, wanted };
}

export const controlRow = (time: number, classes: number, draw: Draw): Row =>
  classes === 1 ? majorityOfAll(time, draw) : majorityOfClass(time, classes, draw);
