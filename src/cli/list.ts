// `lab list`: the ten methods, their papers, and which have begun.

import { METHODS } from '../methods/method-list.ts';
import { UsageError } from './args.ts';
import { defineCommand } from './command.ts';

export const list = defineCommand({
  usage: '[--json]',
  flags: { json: { kind: 'boolean', help: 'exactly one JSON object on standard output' } },
  async run({ positionals }, output) {
    if (positionals.length > 0) throw new UsageError(`list takes no argument, got '${positionals[0]}'`);
    for (const { id, title, paper, arxiv, started } of METHODS) {
      const state = started ? 'in progress' : 'not started';
      output.line(`${id.padEnd(11)} ${state.padEnd(12)} ${title} (${paper}, arXiv ${arxiv})`);
    }
    output.result({
      methods: METHODS.map(({ id, title, paper, arxiv, started }) => ({ id, title, paper, arxiv, started })),
    });
  },
});
