/**
 * A checked Qwen3 directory as something that writes: weights on the GPU, one sequence, its cache and the resident decoder.
 * The page and the command line stand on it. Not a conversation: every prompt begins anew.
 */
import type { Gpu } from '../../gpu/device.ts';
import { KvCache } from '../../nn/kv-cache.ts';
import { type LmConfig, layerShape } from '../config.ts';
import { Decoder, type Generated } from '../decoder.ts';
import { cachedModel } from '../language-model.ts';
import { GREEDY, type Sampling } from '../sampler.ts';
import { type Tokenizer, TokenizerError } from '../tokenizers/tokenizer.ts';
import { CHAT_TOKENS, chatPrompt } from './chat.ts';
import type { CheckedQwen } from './check.ts';
import { type UploadOptions, uploadQwen } from './load.ts';

export interface TextRequest extends Sampling {
  prompt: string;
  /** The prompt is what a user says, in Qwen3's chat format; else the text is continued as it stands. */
  chat: boolean;
  maxNew: number;
  seed: number;
}

/** What has been written so far. */
export interface Written {
  text: string;
  /** Tokens of the text, with the one that ended it. */
  tokens: number;
  /** Measured while it was written, without the reading of the prompt. */
  tokensPerSecond: number;
  /** `running`: more follows, or it was stopped. */
  end: Generated['end'];
}

/**
 * Milliseconds that tokens of one submission may take, as measured at the first positions: a page stays usable, and stopping
 * is quick. A prompt is read in passes of 32 tokens, each a submission however long it takes.
 */
const SUBMISSION_MS = 250;
const MOST_PER_SUBMISSION = 16;

/** Token ids of a prompt. Throws TokenizerError where there is nothing to continue or a token is lacking. */
export function promptIds(tokenizer: Tokenizer, { prompt, chat }: Pick<TextRequest, 'prompt' | 'chat'>): number[] {
  if (chat) for (const token of CHAT_TOKENS) tokenizer.id(token);
  const text = chat ? chatPrompt([{ role: 'user', content: prompt }]) : prompt;
  if (text === '') throw new TokenizerError('The prompt is empty.');
  const ids = tokenizer.encode(text);
  // Byte-level tokenizers of this family have a token for every byte; one that lacks some drops them without a word.
  if (tokenizer.decode(ids).length < text.normalize('NFC').length) {
    throw new TokenizerError('tokenizer.json has no tokens for a part of the prompt.');
  }
  return ids;
}

/** Bytes on the GPU for weights (matrices in bfloat16, vectors in f32) and for a cache of so many positions. */
export function memoryOf(gpu: Gpu, checked: CheckedQwen, positions: number): { weights: number; cache: number } {
  const vectors = checked.vectors.reduce((sum, { source }) => sum + source.shape[0], 0);
  const { layerBytes } = new KvCache(gpu, 1, positions, layerShape(checked.config));
  return { weights: checked.parameters * 2 + vectors * 2, cache: layerBytes * checked.config.layers };
}

/** Text of tokens of which more may follow: a character whose bytes are not all there yet is held back. */
export function openText(tokenizer: Tokenizer, tokens: ArrayLike<number>): string {
  return tokenizer.decode(tokens).replace(/\uFFFD+$/, '');
}

export class TextGenerator {
  /** Prompt and answer together. */
  readonly positions: number;
  private readonly tokenizer: Tokenizer;
  private readonly stop: readonly number[];
  private readonly decoder: Decoder;
  private readonly free: () => void;
  private perSubmission = 1;

  private constructor(checked: CheckedQwen, decoder: Decoder, positions: number, free: () => void) {
    this.positions = positions;
    this.tokenizer = checked.tokenizer;
    const spoken = checked.chat ? [checked.tokenizer.id(CHAT_TOKENS[1])] : [];
    this.stop = [...new Set([...checked.stop, ...spoken])];
    this.decoder = decoder;
    this.free = free;
  }

  /**
   * Loads the weights and writes two tokens that nobody sees: pipelines are built, and it is known how long one takes.
   * Throws one sentence where the memory does not suffice; nothing is left behind then.
   */
  static async open(
    gpu: Gpu,
    checked: CheckedQwen,
    positions: number,
    options: UploadOptions = {},
  ): Promise<TextGenerator> {
    const loaded = await uploadQwen(gpu, checked, options);
    const made: { dispose(): void }[] = [loaded];
    const free = (): void => {
      for (const part of [...made].reverse()) part.dispose();
    };
    try {
      const config: LmConfig = { ...loaded.config, context: positions };
      const model = cachedModel(gpu, config, loaded.scopeOf, { sequences: 1, capacity: positions });
      made.push(model);
      const decoder = new Decoder(gpu, model);
      made.push(decoder);
      await gpu.device.queue.onSubmittedWorkDone();
      if (gpu.error !== null) throw new Error(`The caches do not fit this GPU: ${gpu.error}`);
      const generator = new TextGenerator(checked, decoder, positions, free);
      await generator.warm(options.signal);
      options.signal?.throwIfAborted();
      return generator;
    } catch (error) {
      free();
      throw error;
    }
  }

  private async warm(signal: AbortSignal | undefined): Promise<void> {
    const marks: number[] = [];
    const onProgress = (): void => void marks.push(performance.now());
    const options = { ...GREEDY, maxNew: 2, stop: [], seed: 0, perSubmission: 1, signal, onProgress };
    await this.decoder.generate([[0]], options);
    const ms = (marks.at(-1) as number) - marks[0];
    this.perSubmission = Math.max(1, Math.min(MOST_PER_SUBMISSION, Math.floor(SUBMISSION_MS / Math.max(ms, 1))));
  }

  /** `onText` after every submission. Throws one sentence where the prompt has no room, and when the device is lost. */
  async write(
    request: TextRequest,
    { onText, signal }: { onText?: (written: Written) => void; signal?: AbortSignal } = {},
  ): Promise<Written & { promptTokens: number; wallMs: number }> {
    const ids = promptIds(this.tokenizer, request);
    if (ids.length >= this.positions) {
      throw new Error(`The prompt has ${ids.length} tokens; there is room for ${this.positions - 1}.`);
    }
    const { temperature, topK, topP, maxNew, seed } = request;
    let decodeMs = 0;
    const { rows, stats } = await this.decoder.generate([ids], {
      ...{ temperature, topK, topP, maxNew, seed, signal },
      stop: this.stop,
      perSubmission: this.perSubmission,
      onProgress: (progress) => {
        decodeMs = progress.decodeMs;
      },
      onRows: onText && (([row]) => onText(this.written(row, decodeMs, row.end === 'running'))),
    });
    return {
      ...this.written(rows[0], decodeMs, false),
      promptTokens: ids.length,
      wallMs: stats.wallMs,
    };
  }

  private written({ tokens, end }: Generated, decodeMs: number, open: boolean): Written {
    const said = end === 'stop' ? tokens.subarray(0, -1) : tokens;
    return {
      text: open ? openText(this.tokenizer, said) : this.tokenizer.decode(said),
      tokens: tokens.length,
      tokensPerSecond: decodeMs > 0 ? (1000 * tokens.length) / decodeMs : 0,
      end,
    };
  }

  /** Frees weights, cache and programs. */
  dispose(): void {
    this.free();
  }
}
