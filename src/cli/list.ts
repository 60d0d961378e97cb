// `lab list`: the ten methods, their papers, and which have begun.

import { METHODS } from '../methods/method-list.ts';
import { METHOD_PAPERS } from '../methods/method-papers.ts';
import { UsageError } from './args.ts';
import { defineCommand } from './command.ts';

export const list = defineCommand({
  usage: '[--json]',
  flags: { json: { kind: 'boolean', help: 'exactly one JSON object on standard output' } },
  async run({ positionals }, output) {
    if (positionals.length > 0) throw new UsageError(`list takes no argument, got '${positionals[0]}'`);
    const methods = METHODS.map(({ id, title, started }) => {
      const { paper, arxiv } = METHOD_PAPERS[id];
      return { id, title, paper, arxiv, started };
    });
    for (const { id, title, paper, arxiv, started } of methods) {
      const state = started ? 'in progress' : 'not started';
      output.line(`${id.padEnd(11)} ${state.padEnd(12)} ${title} (${paper}, arXiv ${arxiv})`);
    }
    output.result({ methods });
  },
});
