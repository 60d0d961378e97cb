// What the language model page shows. Written by LmSession alone.

import { create } from 'zustand';
import type { TextRequest, Written } from '../../lm/qwen/generator.ts';
import type { ModelFacts } from './protocol.ts';

export interface LmState {
  /** `lost`: the device is gone and with it the weights; the files are still known. */
  status: 'empty' | 'loading' | 'ready' | 'writing' | 'lost';
  /** One sentence; '' if nothing is wrong. */
  fault: string;
  name: string;
  facts: ModelFacts | null;
  progress: { done: number; total: number } | null;
  request: TextRequest;
  /** The request that the text answers. */
  asked: TextRequest | null;
  written: Written | null;
}

export const initialLm = (): LmState => ({
  status: 'empty',
  fault: '',
  name: '',
  facts: null,
  progress: null,
  request: { prompt: '', chat: true, maxNew: 256, seed: 1, temperature: 0.7, topP: 0.95, topK: 20 },
  asked: null,
  written: null,
});

export const useLm = create<LmState>()(initialLm);
