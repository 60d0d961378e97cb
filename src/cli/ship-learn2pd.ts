// `lab ship learn2pd --resume DIR --out public/models/learn2pd`: the exported checkpoint of a complete run with a measured card.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors } from '../data/safetensors.ts';
import { type Learn2pdConfig, settingsOf } from '../methods/learn2pd/config.ts';
import type { RunRecord } from '../runs/run-record.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import { evalLearn2pd } from './learn2pd.ts';
import { readCheckpoint } from './method-commands.ts';
import { placeTogether, setFlags } from './ship-files.ts';
import { listShipped } from './shipped-index.ts';

/** Tables that are long and that the page measures itself. */
const LEFT_OUT = new Set(['paper']);

async function recordOf(folder: string): Promise<RunRecord> {
  try {
    return JSON.parse(await readFile(join(folder, 'run.json'), 'utf8'));
  } catch {
    throw new UsageError(`--resume ${folder}: there is no run.json of a complete run in this folder`);
  }
}

export async function shipLearn2pd(
  args: { resume: string; out: string; seed: number; set: Record<string, string> },
  output: Output,
): Promise<unknown> {
  const run = await recordOf(args.resume);
  const file = `learn2pd-${run.preset}.safetensors`;
  const bytes = await readCheckpoint('--resume', join(args.resume, file));
  const { metadata } = readSafetensors(bytes);
  const own = settingsOf(run.config as Learn2pdConfig)
    .map((text) => ` --set ${text}`)
    .join('');
  const title = `Learn2PD, ${run.preset}`;
  const named = `learn2pd-${run.preset}.card.json`;
  const card = await placeTogether(args.out, { file, bytes, card: named }, async (checkpoint) => {
    const record = await evalLearn2pd({ checkpoint, seed: args.seed, set: args.set }, output);
    return {
      title,
      file,
      bytes: bytes.byteLength,
      config: run.config,
      training: {
        command: `npm run lab -- run learn2pd --preset ${run.preset} --seed ${run.seed}${own} --out runs/learn2pd-${run.preset}`,
        dataSeed: run.seed,
        flops: run.flops,
        adapter: run.adapter,
        changes: JSON.parse(metadata.changes ?? '[]'),
        filter: JSON.parse(metadata.filter),
      },
      evaluation: {
        command: `npm run lab -- eval learn2pd --checkpoint public/models/learn2pd/${file} --seed ${args.seed}${setFlags(args.set)} --json`,
        adapter: record.adapter,
        metrics: record.metrics,
        tables: record.tables.filter((t) => !LEFT_OUT.has(t.name)),
      },
    };
  });
  await listShipped(args.out, { rung: run.preset, file, card: named });
  output.line(`${join(args.out, file)}: ${(bytes.byteLength / 1e6).toFixed(2)} MB`);
  return card;
}
