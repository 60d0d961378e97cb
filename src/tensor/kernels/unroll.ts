/**
 * Writes out a WGSL template whose lines carry directives in their end-of-line comment: `// each row, if bias`.
 * `if A B` keeps the line when the flag 'A B' is set; `each x` repeats it for every member of the list x, numbers `name_0` as
 * `name_1`, `name_2`, ... and puts the member's own words (ROW, LANE, ...) in. It is not a WGSL linker: it exists because
 * compilers of CPU adapters neither unroll loops nor keep indexed arrays in registers.
 */
export interface Directives {
  /** Flags that hold; a line `if x` is dropped unless x is here. */
  flags: readonly string[];
  /** List name -> for each member the words to replace. */
  lists: Readonly<Record<string, readonly Readonly<Record<string, string | number>>[]>>;
}

const DIRECTIVE = /\s*\/\/ ((?:each|if) [^,]+(?:, (?:each|if) [^,]+)*)$/;

export function unroll(template: string, { flags, lists }: Directives): string {
  const out: string[] = [];
  for (const line of template.split('\n')) {
    const match = DIRECTIVE.exec(line);
    if (!match) {
      if (!line.trimStart().startsWith('//')) out.push(line);
      continue;
    }
    const text = line.slice(0, match.index);
    const directives = match[1].split(', ');
    if (directives.some((d) => d.startsWith('if ') && !flags.includes(d.slice(3)))) continue;
    const each = directives.find((d) => d.startsWith('each '))?.slice(5);
    if (each === undefined) {
      out.push(text);
      continue;
    }
    const members = lists[each];
    if (!members) throw new Error(`unroll: nothing is called '${each}' in: ${line.trim()}`);
    members.forEach((words, i) => {
      let copy = text.replace(/\b([a-z]\w*)_0\b/g, `$1_${i}`);
      for (const [word, value] of Object.entries(words))
        copy = copy.replace(new RegExp(`(\\b|_)${word}\\b`, 'g'), `$1${value}`);
      out.push(copy);
    });
  }
  return out.join('\n');
}
