/**
 * Tokenizer over a closed list of tokens: characters, whole words, special tokens in angle brackets. Longest match from
 * left to right; decoding is plain concatenation, so text comes back exactly. Not a learned tokenizer.
 */
import { type Tokenizer, TokenizerError } from './tokenizer.ts';

/** In every vocabulary, at these ids. `<eot>` ends an answer and fills what is left of a row. */
export const SPECIALS = ['<eot>', '<mask>', '<bos>', '<sep>'] as const;
export const EOT = 0;
export const MASK = 1;

export class ClosedTokenizer implements Tokenizer {
  readonly tokens: readonly string[];
  private readonly ids = new Map<string, number>();
  /** Lengths of tokens by their first character, longest first. */
  private readonly lengths = new Map<string, number[]>();

  /** `size` pads the vocabulary with names that no text contains, e.g. to a multiple that kernels like. */
  constructor(tokens: Iterable<string>, size = 0) {
    const all = [...new Set([...SPECIALS, ...tokens])];
    if (all.includes('')) throw new TokenizerError('A vocabulary cannot hold an empty token.');
    if (size > 0 && all.length > size) {
      throw new TokenizerError(`The vocabulary has ${all.length} tokens, more than the ${size} that were asked for.`);
    }
    while (all.length < size) all.push(`<unused ${all.length}>`);
    this.tokens = all;
    all.forEach((text, id) => {
      this.ids.set(text, id);
      const known = this.lengths.get(text[0]) ?? [];
      if (!known.includes(text.length)) known.push(text.length);
      this.lengths.set(
        text[0],
        known.sort((a, b) => b - a),
      );
    });
  }

  get vocab(): number {
    return this.tokens.length;
  }

  encode(text: string): number[] {
    const out: number[] = [];
    for (let at = 0; at < text.length; ) {
      const length = (this.lengths.get(text[at]) ?? []).find((n) => this.ids.has(text.slice(at, at + n)));
      if (length === undefined) {
        throw new TokenizerError(`No token for '${text[at]}' (character ${at} of '${text.slice(0, 40)}').`);
      }
      out.push(this.id(text.slice(at, at + length)));
      at += length;
    }
    return out;
  }

  decode(ids: ArrayLike<number>): string {
    return Array.from(ids, (id) => this.token(id)).join('');
  }

  token(id: number): string {
    const text = this.tokens[id];
    if (text === undefined) throw new TokenizerError(`There is no token ${id}; the vocabulary has ${this.vocab}.`);
    return text;
  }

  id(token: string): number {
    const id = this.ids.get(token);
    if (id === undefined) throw new TokenizerError(`The vocabulary has no token '${token}'.`);
    return id;
  }
}
