// `lab lm`: a Qwen3 directory from the disk writes text. Inference only; nothing is kept.

import { freemem } from 'node:os';
import { folderFiles } from '../data/model-files-node.ts';
import { SafetensorsError } from '../data/safetensors.ts';
import { LmConfigError } from '../lm/config.ts';
import { type CheckedQwen, checkQwen } from '../lm/qwen/check.ts';
import { ModelFileError } from '../lm/qwen/config.ts';
import { memoryOf, promptIds, TextGenerator, type TextRequest } from '../lm/qwen/generator.ts';
import { packSampling } from '../lm/sampler.ts';
import { TokenizerError } from '../lm/tokenizers/tokenizer.ts';
import { adapterName } from '../runs/run-record.ts';
import { type Parsed, RUN_FLAGS, UsageError } from './args.ts';
import { defineCommand } from './command.ts';
import { gpuOrFail } from './open.ts';

const FLAGS = {
  model: { kind: 'string', help: 'folder with config.json, tokenizer.json and safetensors (bfloat16)', value: 'DIR' },
  prompt: { kind: 'string', help: 'text that is continued', value: 'TEXT' },
  chat: { kind: 'boolean', help: "the prompt is a user's message in Qwen3's chat format, without a thought before it" },
  tokens: { kind: 'integer', help: 'most tokens that are written (64)', value: 'N' },
  temperature: { kind: 'number', help: '0 takes the likeliest token (0.7)', value: 'X' },
  'top-p': { kind: 'number', help: 'smallest set of tokens with this share (0.95); 1 keeps all', value: 'X' },
  'top-k': { kind: 'integer', help: 'likeliest tokens that are kept (20); 0 keeps all', value: 'N' },
  seed: { ...RUN_FLAGS.seed, help: 'seed of the draws (1)' },
  json: RUN_FLAGS.json,
} as const;

const GIB = 2 ** 30;

/** Throws one sentence if a model on the processor would take more than this machine has left. */
export function checkMemory(needed: number, left: number): void {
  if (needed <= left) return;
  const gib = (bytes: number): string => (bytes / GIB).toFixed(1);
  throw new Error(`Not enough memory: the model takes ${gib(needed)} GiB, this machine has ${gib(left)} GiB left.`);
}

function requestOf({ positionals, flags }: Parsed<typeof FLAGS>): TextRequest & { folder: string } {
  if (positionals.length > 0) throw new UsageError(`lm takes flags only, got '${positionals[0]}'`);
  const { model, prompt, chat, tokens = 64, temperature = 0.7, seed = 1 } = flags;
  if (model === undefined) throw new UsageError('lm needs --model DIR');
  if (prompt === undefined) throw new UsageError('lm needs --prompt TEXT');
  if (tokens < 1) throw new UsageError('--tokens 0: at least 1 is needed');
  const sampling = { temperature, topP: flags['top-p'] ?? 0.95, topK: flags['top-k'] ?? 20 };
  try {
    packSampling(sampling, []);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return { folder: model, prompt, chat, maxNew: tokens, seed, ...sampling };
}

/** The directory and the prompt's length; a fault of either is a wrong argument. */
async function open(request: TextRequest & { folder: string }): Promise<{ checked: CheckedQwen; ids: number[] }> {
  const { folder } = request;
  try {
    const files = await folderFiles(folder);
    const checked = await checkQwen(files, Number.POSITIVE_INFINITY);
    return { checked, ids: promptIds(checked.tokenizer, request) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new UsageError(`--model ${folder}: no such folder`);
    for (const kind of [ModelFileError, SafetensorsError, TokenizerError, LmConfigError]) {
      if (error instanceof kind) throw new UsageError(`--model ${folder}: ${error.message}`);
    }
    throw error;
  }
}

export const lm = defineCommand({
  usage:
    '--model DIR --prompt TEXT [--chat] [--tokens 64] [--temperature 0.7] [--top-p 0.95] [--top-k 20] [--seed 1] [--json]',
  flags: FLAGS,
  async run(args, output) {
    const request = requestOf(args);
    const { checked, ids } = await open(request);
    const positions = ids.length + request.maxNew;
    if (positions > checked.config.context) {
      throw new UsageError(
        `--tokens ${request.maxNew}: with the ${ids.length} tokens of the prompt that is more than the ${checked.config.context} positions of the model`,
      );
    }
    const gpu = await gpuOrFail();
    const { weights, cache } = memoryOf(gpu, checked, positions);
    if (gpu.report.software) checkMemory(weights + cache, process.availableMemory?.() ?? freemem());
    output.note(
      `${Math.round(checked.parameters / 1e6)} M parameters, ${((weights + cache) / GIB).toFixed(2)} GiB with the cache`,
    );
    let shown = 0;
    const onProgress = (done: number, total: number): void => {
      const tenth = Math.floor((10 * done) / total);
      if (tenth > shown) output.note(`${10 * tenth} % of the weights are loaded`);
      shown = Math.max(shown, tenth);
    };
    const generator = await TextGenerator.open(gpu, checked, positions, { onProgress });
    let out = '';
    const write = (text: string): void => {
      output.text(text.slice(out.length));
      out = text;
    };
    const { text, tokens, tokensPerSecond, end, promptTokens, wallMs } = await generator.write(request, {
      onText: (written) => write(written.text),
    });
    write(text);
    output.text('\n');
    output.note(`${tokens} tokens, ${tokensPerSecond.toPrecision(3)} tokens/s`);
    const adapter = adapterName(gpu.report);
    const { folder: model, prompt, chat, maxNew, seed, temperature, topP, topK } = request;
    output.result({
      ...{ model, prompt, chat, seed, temperature, topP, topK, maxNew },
      ...{ text, tokens, promptTokens, end, tokensPerSecond, wallMs },
      ...{ parameters: checked.parameters, bytes: weights + cache, adapter },
    });
  },
});
