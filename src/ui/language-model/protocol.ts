// What crosses the thread between the language model page and its worker. Types only.

import type { TextRequest, Written } from '../../lm/qwen/generator.ts';

export interface ModelFacts {
  adapter: string;
  /** Runs on the processor. */
  software: boolean;
  parameters: number;
  layers: number;
  /** Tokens that the tokenizer knows. */
  tokens: number;
  /** Prompt and answer together. */
  positions: number;
  /** Bytes on the GPU. */
  weights: number;
  cache: number;
  /** The tokenizer knows the marks of the chat format. */
  chat: boolean;
}

/**
 * `files`: the folder or the prompt does not fit, a model that was there before still is. `device`: there is no device, or not
 * enough memory. `lost`: the device and the weights on it are gone. `stopped`: on request.
 */
export type FaultKind = 'files' | 'device' | 'lost' | 'stopped';
export type Answer<T> = { ok: true; value: T } | { ok: false; kind: FaultKind; reason: string };

export type LmEvent =
  | { kind: 'facts'; facts: ModelFacts }
  | { kind: 'progress'; done: number; total: number }
  | { kind: 'text'; written: Written }
  | { kind: 'lost'; reason: string };

export interface LmApi {
  /** Events come over this port from now on. */
  listen(port: MessagePort): Promise<void>;
  /** Checks the files of a model, then loads it in the place of the one before. */
  load(files: File[]): Promise<Answer<ModelFacts>>;
  write(request: TextRequest): Promise<Answer<Written>>;
  /** Ends what is being loaded or written. */
  stop(): Promise<void>;
}
