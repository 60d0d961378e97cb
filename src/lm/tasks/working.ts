/** Lines of written working, `12+5=17`: shared by the families whose answers show their steps. */

/** Value of a sum of products of whole numbers without brackets (`4*6+4`), or null if the text is nothing of the kind. */
export function plainValue(text: string): number | null {
  if (!/^\d{1,9}([+*/-]\d{1,9})*$/.test(text)) return null;
  let total = 0;
  for (const [, sign, term] of `+${text}`.matchAll(/([+-])(\d+(?:[*/]\d+)*)/g)) {
    const [first, ...rest] = term.split(/(?=[*/])/);
    const product = rest.reduce(
      (v, part) => (part[0] === '*' ? v * Number(part.slice(1)) : v / Number(part.slice(1))),
      Number(first),
    );
    total += sign === '+' ? product : -product;
  }
  return Number.isFinite(total) ? total : null;
}

/** The line `a op b = c` holds. */
export function lineHolds(line: string): boolean {
  const [left, right, ...more] = line.split('=');
  if (right === undefined || more.length > 0 || !/^\d{1,9}$/.test(right)) return false;
  return plainValue(left) === Number(right);
}
