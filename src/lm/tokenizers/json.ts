/**
 * A tokenizer from the user's own `tokenizer.json` (and `tokenizer_config.json`), through @huggingface/tokenizers. The
 * file is foreign: faults come back as one sentence.
 */
import { Tokenizer as Loaded } from '@huggingface/tokenizers';
import { type Tokenizer, TokenizerError } from './tokenizer.ts';

function parse(text: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TokenizerError(`${name} is not JSON.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TokenizerError(`${name} is not an object.`);
  }
  return value as Record<string, unknown>;
}

export class JsonTokenizer implements Tokenizer {
  readonly vocab: number;
  private readonly inner: Loaded;

  /** Contents of the two files; the second may be missing. `needs`: tokens that the caller cannot do without. */
  constructor(tokenizerJson: string, configJson = '{}', needs: readonly string[] = []) {
    const tokenizer = parse(tokenizerJson, 'tokenizer.json');
    const config = parse(configJson, 'tokenizer_config.json');
    if (typeof tokenizer.model !== 'object' || tokenizer.model === null) {
      throw new TokenizerError('tokenizer.json has no model: it is not a tokenizer of Hugging Face Tokenizers.');
    }
    try {
      this.inner = new Loaded(tokenizer, config);
    } catch (error) {
      throw new TokenizerError(
        `tokenizer.json cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    let top = -1;
    for (const id of this.inner.get_vocab().values()) top = Math.max(top, id);
    this.vocab = top + 1;
    const missing = needs.filter((t) => !this.has(t));
    if (missing.length > 0) throw new TokenizerError(`tokenizer.json lacks the tokens ${missing.join(', ')}.`);
  }

  encode(text: string): number[] {
    return this.inner.encode(text, { add_special_tokens: false }).ids;
  }

  /** Exactly what the tokens stand for. Ids that only pad the model's vocabulary stand for nothing. */
  decode(ids: ArrayLike<number>): string {
    const known = Array.from(ids).filter((id) => this.inner.id_to_token(id) !== undefined);
    if (known.length === 0) return '';
    return this.inner.decode(known, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  }

  has(token: string): boolean {
    return this.inner.token_to_id(token) !== undefined;
  }

  token(id: number): string {
    const text = this.inner.id_to_token(id);
    if (text === undefined) throw new TokenizerError(`There is no token ${id}; the vocabulary has ${this.vocab}.`);
    return text;
  }

  id(token: string): number {
    const id = this.inner.token_to_id(token);
    if (id === undefined) throw new TokenizerError(`tokenizer.json has no token '${token}'.`);
    return id;
  }
}
