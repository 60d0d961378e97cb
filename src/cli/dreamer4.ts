// `lab run dreamer4` and `lab eval dreamer4`: training with progress, checkpoints and resume; evaluation of a checkpoint.

import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { encodePng } from '../data/png.ts';
import { tokenizerGate } from '../methods/dreamer4/card.ts';
import { changeConfig, configure } from '../methods/dreamer4/config-file.ts';
import { evaluate } from '../methods/dreamer4/eval.ts';
import { loadModel } from '../methods/dreamer4/play.ts';
import { PLAY_CORRUPTION } from '../methods/dreamer4/play-contract.ts';
import { checkpointRun, DreamerSession } from '../methods/dreamer4/session.ts';
import { adapterName, type RunRecord } from '../runs/run-record.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import {
  type EvalArguments,
  engine,
  type MethodCommands,
  type RunArguments,
  readCheckpoint,
  sha256,
} from './method-commands.ts';
import { gpuOrFail, optionalFrameCache } from './open.ts';
import { recordFile, runSession } from './session-run.ts';

const CHECKPOINT = 'dreamer4-training.safetensors';

export async function runDreamer4(args: RunArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  const run = await runSession(args, output, {
    file: CHECKPOINT,
    runOf: checkpointRun,
    configure: (kept) => (kept ? changeConfig(kept, args.set) : configure(args.preset, args.set)),
    create: async (context, c) => new DreamerSession({ ...context, cache: await optionalFrameCache(output.note) }, c),
    async begin(s) {
      if (args.resume) output.note(`resumed: tokenizer step ${s.tokenizer.step}`);
      if (args.from !== undefined) {
        const taken = s.startFrom(await readCheckpoint('--from', args.from), basename(args.from));
        output.note(`starts from the ${taken} of ${args.from}`);
      }
      const { dispatches, flops, arenaBytes } = s.tokenizer.program.stats;
      return `${s.config.rung}: ${s.tokenizer.store.count} tokenizer parameters, one tokenizer step is ${dispatches} dispatches, ${(flops / 1e9).toFixed(2)} GFLOP, arena ${(arenaBytes / 2 ** 20).toFixed(0)} MiB`;
    },
    async onPhase(s, phase) {
      if (phase !== 'tokens') return;
      const psnr = await s.tokenizerPsnr();
      const gate = tokenizerGate(s.config);
      output.note(`tokenizer on held-out worlds: ${psnr.toFixed(2)} dB`);
      if (psnr < gate) output.note(`warning: that is below ${gate} dB, a dynamics that learns on it will not be sharp`);
    },
    async onSave(s) {
      // While frames become tokens there is nothing new to see.
      if (s.state().phase !== 'tokens') await writePictures(s, args.out);
    },
  });
  const { gpu, session, config, seed, last, earlierMs, write } = run;
  const tokenizerPsnr = await session.tokenizerPsnr();
  output.line(`checkpoint: ${await write(await session.export(`${config.rung} seed ${seed}`))}`);
  const record: RunRecord = {
    method: 'dreamer4',
    preset: config.rung,
    seed,
    config,
    adapter: adapterName(gpu.report),
    engine,
    metrics: { tokenizerPsnr, ...last },
    tables: [],
    wallMs: earlierMs + performance.now() - started,
    flops: session.trainingFlops,
  };
  await write(recordFile(record));
  return record;
}

async function writePictures(session: DreamerSession, out: string): Promise<void> {
  const { width, height, columns, rows } = await session.inspect({ kind: 'samples' });
  const sheet = new Uint8Array(width * columns * height * rows.length * 3);
  rows.forEach(({ rgb }, r) => {
    for (let c = 0; c < columns; c++) {
      for (let y = 0; y < height; y++) {
        const from = (c * height + y) * width * 3;
        sheet.set(rgb.subarray(from, from + width * 3), ((r * height + y) * columns + c) * width * 3);
      }
    }
  });
  await writeFile(join(out, 'samples.png'), encodePng(sheet, width * columns, height * rows.length, 3));
}

/**
 * `corruption`: noise of finished frames in percent; `touch`: events of breaking and placing; `walk`: walks, half of them
 * against walls.
 */
const EVAL_SETTINGS = {
  windows: 64,
  streams: 16,
  context: 32,
  k: 4,
  corruption: 100 * PLAY_CORRUPTION,
  long: 1,
  touch: 64,
  walk: 64,
};

/** Also what a card is written from on another machine: which file was measured, and how. */
export interface DreamerEvaluation extends RunRecord {
  checkpointSha256: string;
  set: Record<string, string>;
}

export async function evalDreamer4(args: EvalArguments, output: Output): Promise<DreamerEvaluation> {
  const started = performance.now();
  const settings = { ...EVAL_SETTINGS };
  for (const [key, text] of Object.entries(args.set)) {
    if (!Object.hasOwn(settings, key))
      throw new UsageError(`--set ${key}: eval knows ${Object.keys(settings).join(', ')}`);
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0) throw new UsageError(`--set ${key}: '${text}' is not a whole number`);
    settings[key as keyof typeof settings] = value;
  }
  if (settings.streams < 2) {
    throw new UsageError(
      '--set streams: at least 2, since every window is dreamed with the actions of another one too',
    );
  }
  if (settings.windows % settings.streams !== 0) throw new UsageError('--set windows must be a multiple of streams');
  const bytes = await readCheckpoint('--checkpoint', args.checkpoint);
  const gpu = await gpuOrFail();
  const model = loadModel(gpu, bytes);
  const result = await evaluate(gpu, model, {
    ...settings,
    corruption: settings.corruption / 100,
    long: settings.long !== 0,
    cache: await optionalFrameCache(output.note),
    seed: args.seed,
    progress: (text) => output.note(text),
  });
  for (const [name, value] of Object.entries(result.metrics)) output.line(`${name.padEnd(20)} ${value.toPrecision(5)}`);
  return {
    method: 'dreamer4',
    preset: model.config.rung,
    seed: args.seed,
    config: model.config,
    adapter: adapterName(gpu.report),
    engine,
    metrics: result.metrics,
    tables: result.tables,
    wallMs: performance.now() - started,
    flops: 0,
    checkpointSha256: sha256(bytes),
    set: args.set,
  };
}

export const dreamer4: MethodCommands = {
  // What a checkpoint's weights and data depend on. Tokenizer steps may rise until the dynamics begins (DreamerSession.load).
  fixed: /^(rung|world|renderer|hz|frame|tokenizer|dynamics|data|paper_faithful)\b/,
  run: runDreamer4,
  evaluate: evalDreamer4,
};
