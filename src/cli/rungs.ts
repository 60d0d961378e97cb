// `lab rungs`: what each rung of Dreamer 4 costs on this adapter; with --step, real training steps and one played frame.

import { type DreamerConfig, presets } from '../methods/dreamer4/config.ts';
import { measureRung, type RungRow } from '../methods/dreamer4/rungs.ts';
import { adapterName } from '../runs/run-record.ts';
import { RUN_FLAGS, UsageError } from './args.ts';
import { defineCommand } from './command.ts';
import { gpuOrFail } from './open.ts';

export const rungs = defineCommand({
  usage: '[--only NAME,...] [--rows N] [--step] [--json]',
  flags: {
    only: { kind: 'list', help: 'rungs to measure (default: all)', value: 'NAME,...' },
    rows: { kind: 'integer', help: 'largest batch in rows (default: the recipe, halved until it fits)', value: 'N' },
    step: {
      kind: 'boolean',
      help: 'run one step of every training program that contains the others, and one played frame',
    },
    json: RUN_FLAGS.json,
  },
  async run({ positionals, flags }, output) {
    if (positionals.length > 0) throw new UsageError(`rungs takes no argument, got '${positionals[0]}'`);
    const names = flags.only.length > 0 ? flags.only : Object.keys(presets);
    for (const name of names) {
      if (!Object.hasOwn(presets, name))
        throw new UsageError(`no rung '${name}' (known: ${Object.keys(presets).join(', ')})`);
    }
    const gpu = await gpuOrFail();
    const rows: RungRow[] = [];
    for (const name of names) {
      const config: DreamerConfig = presets[name as DreamerConfig['rung']];
      const options = { steps: flags.step ? 1 : 0, rows: flags.rows ?? Number.POSITIVE_INFINITY };
      for (const r of await measureRung(gpu, config, options)) {
        rows.push(r);
        output.line(
          [
            r.rung.padEnd(6),
            r.program.padEnd(16),
            `rows ${r.rows}/${r.recipeRows}`.padEnd(12),
            (r.bootstrapRows > 0 ? `${r.bootstrapRows} bootstrap` : '').padEnd(13),
            `${(r.parameters / 1e6).toFixed(2)} M parameters`.padEnd(20),
            `${r.dispatches} dispatches`.padEnd(17),
            `${r.pipelines} pipelines`.padEnd(14),
            `${r.arenaMiB.toFixed(1)} MiB arena`.padEnd(18),
            `+ ${r.weightsMiB.toFixed(1)} weights + ${r.optimiserMiB.toFixed(1)} optimiser + ${r.ringsMiB.toFixed(1)} rings`.padEnd(
              52,
            ),
            `${r.gflop.toFixed(3)} GFLOP`.padEnd(15),
            r.ms === null ? '' : `${(r.ms / 1000).toFixed(2)} s`,
          ].join(' '),
        );
      }
    }
    output.result({ adapter: adapterName(gpu.report), rungs: rows });
  },
});
