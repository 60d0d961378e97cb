// `lab run dreamer4` and `lab eval dreamer4`: training with progress, checkpoints and resume; evaluation of a checkpoint.

import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { encodePng } from '../data/png.ts';
import { folderStorage } from '../data/storage-node.ts';
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
  gpuOrFail,
  type MethodCommands,
  type RunArguments,
  readCheckpoint,
} from './method-commands.ts';

const CHECKPOINT = 'dreamer4-training.safetensors';

/** Rendered frames are kept between runs; the folder may be deleted at any time. */
const frameCache = (): string => process.env.TENFOLD_CACHE ?? join(homedir(), '.cache', 'tenfold', 'frames');

export async function runDreamer4(args: RunArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  await mkdir(args.out, { recursive: true });
  const folder = await folderStorage(args.out);
  const old = args.resume ? await folder.read(CHECKPOINT) : null;
  if (args.resume && !old) throw new UsageError(`--resume ${args.out}: there is no ${CHECKPOINT} in this folder`);
  const kept = old ? checkpointRun(old) : null;
  const seed = kept?.seed ?? args.seed;
  const config = kept ? changeConfig(kept.config, args.set) : configure(args.preset, args.set);
  const gpu = await gpuOrFail();
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  const events: string[] = [];
  const last: Record<string, number> = {};
  const session = new DreamerSession(
    {
      gpu,
      seed,
      signal: abort.signal,
      cache: await folderStorage(frameCache()),
      emit: (event) => {
        events.push(JSON.stringify(event));
        if (event.kind === 'log') output.note(event.text);
        if (event.kind === 'metrics')
          for (const [k, v] of Object.entries(event.values)) last[`${event.phase}.${k}`] = v;
      },
    },
    config,
  );
  if (old) {
    await session.load({ name: CHECKPOINT, bytes: old });
    output.note(`resumed: tokenizer step ${session.tokenizer.step}`);
  }
  if (args.from !== undefined) {
    const taken = session.startFrom(await readCheckpoint('--from', args.from), basename(args.from));
    output.note(`starts from the ${taken} of ${args.from}`);
  }
  output.note(
    `${config.rung}: ${session.tokenizer.store.count} tokenizer parameters, one tokenizer step is ${session.tokenizer.program.stats.dispatches} dispatches, ${(session.tokenizer.program.stats.flops / 1e9).toFixed(2)} GFLOP, arena ${(session.tokenizer.program.stats.arenaBytes / 2 ** 20).toFixed(0)} MiB`,
  );
  const save = async (): Promise<void> => {
    const { name, bytes } = await session.save();
    await folder.write(name, new Uint8Array(bytes));
    await writeFile(join(args.out, 'events.jsonl'), `${events.join('\n')}\n`);
  };
  let phase = '';
  let phaseStart = performance.now();
  let phaseStep = 0;
  let saved = performance.now();
  let noted = 0;
  for (;;) {
    const state = await session.advance({ ms: 2000 });
    const now = session.state();
    if (now.phase !== phase) {
      phase = now.phase;
      phaseStart = performance.now();
      phaseStep = now.step;
      if (phase === 'tokens')
        output.note(`tokenizer on held-out worlds: ${(await session.tokenizerPsnr()).toFixed(2)} dB`);
    }
    if (performance.now() - noted > 15_000 || state === 'done') {
      noted = performance.now();
      const total = session.phases.find((p) => p.id === phase)?.steps ?? 0;
      const rate = (now.step - phaseStep) / ((performance.now() - phaseStart) / 1000);
      const left = rate > 0 ? `${((total - now.step) / rate / 60).toFixed(1)} min left in this phase` : '';
      const values = Object.entries(last)
        .filter(([k]) => k.startsWith(phase))
        .map(([k, v]) => `${k.split('.')[1]} ${v.toPrecision(4)}`);
      output.note(`${phase} ${now.step}/${total}  ${rate.toFixed(2)} steps/s  ${left}  ${values.join('  ')}`);
    }
    const trained = phase === 'tokenizer' || phase === 'dynamics';
    if (trained && performance.now() - saved > args.checkpointMinutes * 60_000) {
      saved = performance.now();
      await save();
      await writePictures(session, args.out);
    }
    if (state === 'done' || abort.signal.aborted) break;
  }
  await save();
  if (abort.signal.aborted) throw new Error(`stopped; continue with --resume ${args.out}`);
  await writePictures(session, args.out);
  const tokenizerPsnr = await session.tokenizerPsnr();
  const exported = await session.export(`${config.rung} seed ${seed}`);
  await folder.write(exported.name, new Uint8Array(exported.bytes));
  output.line(`checkpoint: ${join(args.out, exported.name)}`);
  const record: RunRecord = {
    method: 'dreamer4',
    preset: config.rung,
    seed,
    config,
    adapter: adapterName(gpu.report),
    engine,
    metrics: { tokenizerPsnr, ...last },
    tables: [],
    wallMs: performance.now() - started,
    flops: session.trainingFlops,
  };
  await writeFile(join(args.out, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
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

/** `corruption`: noise of finished frames in percent. */
const EVAL_SETTINGS = { windows: 64, streams: 16, context: 32, k: 4, corruption: 100 * PLAY_CORRUPTION, long: 1 };

export async function evalDreamer4(args: EvalArguments, output: Output): Promise<RunRecord> {
  const started = performance.now();
  const settings = { ...EVAL_SETTINGS };
  for (const [key, text] of Object.entries(args.set)) {
    if (!Object.hasOwn(settings, key))
      throw new UsageError(`--set ${key}: eval knows ${Object.keys(settings).join(', ')}`);
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0) throw new UsageError(`--set ${key}: '${text}' is not a whole number`);
    settings[key as keyof typeof settings] = value;
  }
  if (settings.windows % settings.streams !== 0) throw new UsageError('--set windows must be a multiple of streams');
  const bytes = await readCheckpoint('--checkpoint', args.checkpoint);
  const gpu = await gpuOrFail();
  const model = loadModel(gpu, bytes);
  const result = await evaluate(gpu, model, {
    ...settings,
    corruption: settings.corruption / 100,
    long: settings.long !== 0,
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
  };
}

export const dreamer4: MethodCommands = {
  // What a checkpoint's weights and data depend on.
  fixed: /^(rung|renderer|hz|frame|tokenizer|dynamics|data|paper_faithful)\b/,
  run: runDreamer4,
  evaluate: evalDreamer4,
};
