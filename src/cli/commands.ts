// The commands by name. A command is loaded only when it is called: `list` does not pay for the engine.

import type { Command } from './command.ts';

export interface CommandEntry {
  summary: string;
  /** The module's command; its flags' exact types matter only inside that module. */
  load(): Promise<Command>;
}

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  list: {
    summary: 'the ten methods and what works of them',
    load: async () => (await import('./list.ts')).list as Command,
  },
  run: {
    summary: 'train a method; progress on standard error, checkpoints in a folder',
    load: async () => (await import('./run.ts')).run as unknown as Command,
  },
  eval: {
    summary: 'measure a checkpoint on worlds that no training episode used',
    load: async () => (await import('./run.ts')).evaluation as unknown as Command,
  },
  ship: {
    summary: 'turn a run into the checkpoint that ships, with a measured card',
    load: async () => (await import('./ship.ts')).ship as unknown as Command,
  },
  rungs: {
    summary: 'parameters, dispatches, memory and work of every rung of Dreamer 4',
    load: async () => (await import('./rungs.ts')).rungs as unknown as Command,
  },
  bench: {
    summary: 'prove every kernel on this adapter and measure it: roofline, versions, growth, methods',
    load: async () => (await import('./bench.ts')).bench as unknown as Command,
  },
  lm: {
    summary: 'text from a Qwen3 directory on the disk',
    load: async () => (await import('./lm.ts')).lm as unknown as Command,
  },
  world: {
    summary: 'record, replay, render and check episodes of scripted players',
    load: async () => (await import('./world.ts')).world as unknown as Command,
  },
};
