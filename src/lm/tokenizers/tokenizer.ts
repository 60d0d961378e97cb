/** What the rest of src/lm needs of a tokenizer; ids are 0..vocab-1. */
export interface Tokenizer {
  readonly vocab: number;
  /** Throws TokenizerError naming the first piece that has no token. */
  encode(text: string): number[];
  decode(ids: ArrayLike<number>): string;
  /** The text of one token, special ones by their name. */
  token(id: number): string;
  /** Id of a token by its exact text. Throws TokenizerError if there is none. */
  id(token: string): number;
}

export class TokenizerError extends Error {}
