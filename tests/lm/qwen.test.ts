// A Qwen3 directory of the real format, tiny and random, against the architecture in float64; and files that do not fit.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chosenFiles, type ModelFiles } from '../../src/data/model-files.ts';
import { folderFiles } from '../../src/data/model-files-node.ts';
import { Decoder } from '../../src/lm/decoder.ts';
import { cachedModel } from '../../src/lm/language-model.ts';
import { lmHidden, lmLogits, rowMixer } from '../../src/lm/model.ts';
import { CHAT_TOKENS, chatPrompt } from '../../src/lm/qwen/chat.ts';
import { parseQwenConfig } from '../../src/lm/qwen/config.ts';
import { loadQwen } from '../../src/lm/qwen/load.ts';
import { interleaveRows, matrixSources, vectorSources } from '../../src/lm/qwen/tensors.ts';
import { GREEDY } from '../../src/lm/sampler.ts';
import type { Mixer } from '../../src/nn/layers.ts';
import { compile } from '../../src/tensor/program.ts';
import { testGpu } from '../support/gpu.ts';
import { QWEN_CONFIG, qwenContinuation, qwenFiles, qwenReference, tinyQwen } from '../support/qwen.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const IDS = [0, 6, 3, 17, 39, 2, 2, 8, 30, 1, 12];

describe.each([
  ['tied head, one file', {}, 1],
  ['own head, three files', { tie_word_embeddings: false }, 3],
] as const)('%s', (_, changes, shards) => {
  test('every layer is that of the reference', async () => {
    const { gpu } = await testGpu();
    const tiny = tinyQwen(changes);
    const loaded = await loadQwen(gpu, qwenFiles(tiny, shards));
    const { config: c } = loaded;
    const n = IDS.length;
    const program = compile(gpu, (graph) => {
      const scope = loaded.scopeOf(graph);
      const rows = {
        ids: graph.input('ids', [n]),
        positions: graph.input('positions', [n]),
        previous: graph.input('p', [n]),
      };
      const at = { batch: 1, time: n, bounds: graph.input('bounds', [n, 2]), causal: true };
      const inner = rowMixer(scope, c, rows, at);
      let layer = 0;
      // The residual that a mixer receives is the stream before its layer.
      const mixer: Mixer = (s, name, normed, residual) => {
        graph.output(`stream ${layer++}`, residual);
        return inner(s, name, normed, residual);
      };
      graph.output('logits', lmLogits(scope, c, lmHidden(scope, c, rows, mixer)));
    });
    program.run({
      ids: Uint32Array.from(IDS),
      positions: Uint32Array.from(IDS, (_, i) => i),
      bounds: Uint32Array.from({ length: 2 * n }, (_, i) => (i % 2) * ((i + 1) / 2)),
    });
    const want = qwenReference(tiny, IDS);
    for (let layer = 0; layer < c.layers; layer++) {
      expectClose(await program.read(`stream ${layer}`), want.stream[layer].flat(), TOLERANCE.f32.network);
    }
    expectClose(await program.read('logits'), want.logits.flat(), TOLERANCE.f32.network);
    program.dispose();
    loaded.dispose();
  });
});

test('from a folder and from chosen files it generates what the reference does', async () => {
  const { gpu } = await testGpu();
  const tiny = tinyQwen();
  const memory = qwenFiles(tiny, 2);
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-qwen-'));
  const picked: File[] = [];
  for (const name of memory.list()) {
    const bytes = await memory.read(name, 0, memory.size(name));
    writeFileSync(join(folder, name), bytes);
    picked.push(new File([bytes], name));
  }
  for (const files of [await folderFiles(folder), chosenFiles(picked)]) {
    const seen: number[] = [];
    const loaded = await loadQwen(gpu, files, { context: 32, onProgress: (done, total) => seen.push(done / total) });
    expect(seen.at(-1)).toBe(1);
    expect(loaded.config.context).toBe(32);
    expect(loaded.stop).toEqual([5]);
    const prompt = loaded.tokenizer.encode('abc a');
    expect(prompt).toEqual([6, 7]);
    expect(loaded.tokenizer.decode(prompt)).toBe('abc a');
    const model = cachedModel(gpu, loaded.config, loaded.scopeOf, { sequences: 2, capacity: 24 });
    const decoder = new Decoder(gpu, model);
    const prompts = [prompt, IDS];
    const { rows } = await decoder.generate(prompts, { ...GREEDY, maxNew: 6, stop: [], seed: 1 });
    rows.forEach((row, i) => {
      expect([...row.tokens]).toEqual(qwenContinuation(tiny, prompts[i], 6));
    });
    decoder.dispose();
    model.dispose();
    loaded.dispose();
  }
  rmSync(folder, { recursive: true });
});

function without(files: ModelFiles, name: string): ModelFiles {
  return { ...files, list: () => files.list().filter((n) => n !== name) };
}

test.each<[string, () => ModelFiles, string]>([
  ['no config', () => without(qwenFiles(tinyQwen()), 'config.json'), 'There is no config.json'],
  ['no tokenizer', () => without(qwenFiles(tinyQwen()), 'tokenizer.json'), 'There is no tokenizer.json'],
  ['no weights', () => without(qwenFiles(tinyQwen()), 'model.safetensors'), 'no .safetensors file'],
  [
    'a missing shard',
    () => without(qwenFiles(tinyQwen(), 2), 'model-00002-of-00002.safetensors'),
    'no tensor model.layers.0.self_attn.k_proj.weight [32,32]',
  ],
  [
    'another width',
    () => qwenFiles({ ...tinyQwen(), config: { ...tinyQwen().config, intermediate_size: 64 } }),
    'model.layers.0.mlp.gate_proj.weight is [48,32] in model.safetensors, config.json asks for [64,32]',
  ],
  ['another architecture', () => qwenFiles(tinyQwen({ model_type: 'llama' })), "type 'llama'"],
  ['scaled rotation', () => qwenFiles(tinyQwen({ rope_scaling: { type: 'yarn' } })), 'rope_scaling is {"type":"yarn"}'],
  ['another epsilon', () => qwenFiles(tinyQwen({ rms_norm_eps: 1e-5 })), 'rms_norm_eps'],
  ['a size that is no number', () => qwenFiles(tinyQwen({ num_hidden_layers: 'many' })), 'num_hidden_layers is "many"'],
  ['config that is not JSON', () => qwenFiles(tinyQwen(), 1, { 'config.json': '{' }), 'config.json is not JSON'],
  [
    'a tokenizer that is none',
    () => qwenFiles(tinyQwen(), 1, { 'tokenizer.json': '{}' }),
    'tokenizer.json has no model',
  ],
  ['too many tokens', () => qwenFiles(tinyQwen({ vocab_size: 4 })), 'tokenizer.json has 8 tokens, config.json only 4'],
  ['a cut file', () => qwenFiles(tinyQwen(), 1, { 'model.safetensors': 'short' }), 'too few for a header'],
])('%s is refused', async (_, files, message) => {
  const { gpu } = await testGpu();
  await expect(loadQwen(gpu, files())).rejects.toThrow(message);
});

test('weights of another type are refused by name; loading can be stopped', async () => {
  const { gpu } = await testGpu();
  const files = qwenFiles(tinyQwen());
  const stop = new AbortController();
  stop.abort();
  await expect(loadQwen(gpu, files, { signal: stop.signal })).rejects.toThrow('abort');
  const renamed: ModelFiles = {
    ...files,
    async read(name, from, to) {
      const bytes = await files.read(name, from, to);
      if (name !== 'model.safetensors' || from !== 8) return bytes;
      const text = new TextDecoder().decode(bytes).replace('"dtype":"BF16"', '"dtype":"F16" ');
      return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
    },
  };
  await expect(loadQwen(gpu, renamed)).rejects.toThrow('model.embed_tokens.weight is of type F16');
});

test('rotation order: channel 2i is theirs i, channel 2i+1 theirs i + dim/2, in every head', () => {
  const rows = Uint8Array.from({ length: 12 }, (_, i) => i);
  expect([...interleaveRows(rows, 1, 6)]).toEqual([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
  expect([...interleaveRows(rows, 2, 4)].slice(0, 8)).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
});

test('the sizes of Qwen3-0.6B: 596,049,920 numbers, all of which have a place', () => {
  const { config: c } = parseQwenConfig(
    JSON.stringify({
      ...QWEN_CONFIG,
      head_dim: 128,
      hidden_size: 1024,
      intermediate_size: 3072,
      max_position_embeddings: 40960,
      num_attention_heads: 16,
      num_hidden_layers: 28,
      num_key_value_heads: 8,
      vocab_size: 151936,
    }),
    4096,
  );
  const sources = [...matrixSources(c).values()].flat().concat([...vectorSources(c).values()]);
  expect(sources.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(596_049_920);
  expect(new Set(sources.map((s) => s.name)).size).toBe(sources.length);
  expect(c.context).toBe(4096);
});

test('the chat format, as the tokenizer’s own template writes it', () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
  ] as const;
  const start = '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n';
  expect(chatPrompt(messages, true)).toBe(start);
  expect(chatPrompt(messages)).toBe(`${start}<think>\n\n</think>\n\n`);
  for (const token of CHAT_TOKENS) expect(start).toContain(token);
});
