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

/** `load`: the number that the page gave with the command. Events may come after the page has asked for the next load. */
export type LmEvent =
  | { kind: 'facts'; load: number; facts: ModelFacts }
  | { kind: 'progress'; load: number; done: number; total: number }
  | { kind: 'text'; load: number; written: Written }
  | { kind: 'lost'; reason: string };

export interface LmApi {
  /** Events come over this port from now on. */
  listen(port: MessagePort): Promise<void>;
  /** Checks the files of a model, then loads it in the place of the one before. */
  load(files: File[], load: number): Promise<Answer<ModelFacts>>;
  write(request: TextRequest, load: number): Promise<Answer<Written>>;
  /** Ends what is being loaded or written. */
  stop(): Promise<void>;
}
