/** DeepSeek Sparse Attention as the page and the command line know it. */
import type { Method } from '../contract.ts';
import { type DsaConfig, PRESETS } from './config.ts';
import { DsaSession } from './session.ts';

export const dsa: Method<DsaConfig> = {
  id: 'dsa',
  title: 'Sparse attention',
  presets: PRESETS,
  fields: [
    { key: 'k', label: 'Selected keys', hint: 'Past tokens that a query attends to', min: 1, max: 1024, step: 1 },
    {
      key: 'base.steps',
      label: 'Dense steps',
      hint: 'Training before there is any selection',
      min: 1,
      max: 20000,
      step: 50,
    },
    {
      key: 'warmup.steps',
      label: 'Warm-up steps',
      hint: 'The indexer alone learns from dense attention',
      min: 1,
      max: 20000,
      step: 50,
    },
    {
      key: 'sparse.steps',
      label: 'Sparse steps',
      hint: 'All weights, attention over the selected keys',
      min: 1,
      max: 20000,
      step: 50,
    },
  ],
  create: async (context, config) => new DsaSession(context, config),
};
