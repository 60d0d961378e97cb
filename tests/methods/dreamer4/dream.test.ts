// The playable dream and the token cache on an untrained network: what must hold whatever was learned.

import { beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../src/data/safetensors.ts';
import type { Gpu } from '../../../src/gpu/device.ts';
import { DynamicsTrainer } from '../../../src/methods/dreamer4/dynamics-trainer.ts';
import { encode, patchCount } from '../../../src/methods/dreamer4/model.ts';
import { createDream, type DreamModel, LatentDream } from '../../../src/methods/dreamer4/play.ts';
import { NO_ACTION } from '../../../src/methods/dreamer4/play-contract.ts';
import { Reconstructor } from '../../../src/methods/dreamer4/reconstruct.ts';
import { shipModel } from '../../../src/methods/dreamer4/session.ts';
import { TokenizerTrainer } from '../../../src/methods/dreamer4/tokenizer-trainer.ts';
import { dequantise, latentSize, latentStats, tokenise } from '../../../src/methods/dreamer4/tokens.ts';
import { fusedStack } from '../../../src/nn/fused-layers.ts';
import { Scope } from '../../../src/nn/layers.ts';
import { patchifyBytes } from '../../../src/tensor/ops/images.ts';
import { compile } from '../../../src/tensor/program.ts';
import { direct, meanSquare, moverFrames, shake, tiny } from '../../support/dreamer.ts';
import { testGpu } from '../../support/gpu.ts';
import { TOLERANCE } from '../../support/tolerance.ts';

const SIZE = 16 * 16 * 3;
const frames = moverFrames(16, 3, 12, 4);
const settings = { k: 4, contextCorruption: 0.1, seed: 5 };
let gpu: Gpu;
let model: DreamModel;

beforeAll(async () => {
  gpu = (await testGpu()).gpu;
  const tokenizer = new TokenizerTrainer(gpu, tiny, 3);
  const trainer = new DynamicsTrainer(gpu, tiny, 3);
  shake(trainer.store, 8);
  const tokens = await tokenise(gpu, tiny, tokenizer.store, 'value', frames, 3);
  const stats = latentStats(tokens, latentSize(tiny));
  model = { config: tiny, tokenizer: tokenizer.store, dynamics: trainer.store, slab: 'value', stats, title: 'test' };
});

/** Frames 0..n-1 of some episodes side by side. */
function context(episodes: number[], n: number): [Uint8Array, Uint32Array] {
  const rgb = new Uint8Array(n * episodes.length * SIZE);
  const actions = new Uint32Array(n * episodes.length);
  for (let i = 0; i < n; i++) {
    for (const [s, e] of episodes.entries()) {
      const { frames: f, actions: a } = frames.episodes[e];
      rgb.set(f.subarray(i * SIZE, (i + 1) * SIZE), (i * episodes.length + s) * SIZE);
      actions[i * episodes.length + s] = a[i];
    }
  }
  return [rgb, actions];
}

/** A few dreamed frames after six true ones. */
async function dreamed(
  dream: LatentDream,
  episodes: number[],
  actions: number[],
  n = 3,
  change = {},
): Promise<Uint8Array[]> {
  dream.reset();
  await dream.observe(...context(episodes, 6));
  const out: Uint8Array[] = [];
  for (let i = 0; i < n; i++) {
    const { rgb } = await dream.step(Uint32Array.from(actions), { ...settings, ...change }, { rgb: true });
    out.push(rgb);
  }
  return out;
}

describe('a dream', () => {
  let dream: LatentDream;
  beforeAll(() => {
    dream = new LatentDream(gpu, model, 1, { fused: fusedStack });
  });
  const left = (60 << 23) | 1;
  const right = (60 << 23) | 2;

  test('says what it is', () => {
    expect(dream.info).toMatchObject({ width: 16, height: 16, hz: 10, contextFrames: 5, kMax: 8, latent: [4, 16] });
    expect(dream.info.contextSeconds).toBe(0.5);
    expect(dream.info.parameters).toBe(model.tokenizer.count + model.dynamics.count);
  });

  test('repeats exactly with equal seed, context and actions; each of them matters', async () => {
    const first = await dreamed(dream, [0], [left]);
    expect(await dreamed(dream, [0], [left])).toEqual(first);
    expect(await dreamed(dream, [0], [right])).not.toEqual(first);
    expect(await dreamed(dream, [1], [left])).not.toEqual(first);
    expect(await dreamed(dream, [0], [left], 3, { seed: 6 })).not.toEqual(first);
    const drifted = await dreamed(dream, [0], [left], 3, { contextCorruption: 0.5 });
    // The first frame's context was already laid down; the corruption of dreamed frames comes after.
    expect(drifted.slice(1)).not.toEqual(first.slice(1));
  });

  test('the last picture of the film is the frame: the last Euler step returns the prediction', async () => {
    dream.reset();
    await dream.observe(...context([0], 6));
    for (const k of [1, 2, 8]) {
      const { rgb, film } = await dream.step(Uint32Array.of(left), { ...settings, k }, { rgb: true, film: true });
      expect(film.length).toBe(k * SIZE);
      const last = film.subarray((k - 1) * SIZE);
      let worst = 0;
      for (let i = 0; i < SIZE; i++) worst = Math.max(worst, Math.abs(last[i] - rgb[i]));
      // z + (xhat - z) * 1 may round differently by one unit of a byte.
      expect(worst).toBeLessThanOrEqual(1);
      if (k > 1) expect(film.subarray(0, SIZE)).not.toEqual(last);
    }
  });

  test('counts frames and fills its ring', async () => {
    dream.reset();
    const seen: [number, number][] = [];
    for (let i = 0; i < 7; i++) {
      const { index, ringFill, timing } = await dream.step(Uint32Array.of(NO_ACTION), settings);
      seen.push([index, ringFill]);
      expect(timing.dispatches).toBeGreaterThan(50);
      expect(timing.total).toBeGreaterThan(0);
    }
    expect(seen).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 4],
      [5, 4],
      [6, 4],
    ]);
  });

  test('streams do not mix', async () => {
    const three = new LatentDream(gpu, model, 3, { fused: fusedStack });
    const side = await dreamed(three, [0, 1, 2], [left, left, right]);
    const other = await dreamed(three, [0, 2, 2], [left, right, left]);
    const alone = await dreamed(dream, [0], [left]);
    for (let i = 0; i < 3; i++) {
      expect(other[i].slice(0, SIZE)).toEqual(side[i].slice(0, SIZE));
      // Another number of rows takes other matmul tiles: roundings, not another picture.
      expect(meanSquare(side[i].slice(0, SIZE), alone[i])).toBeLessThan(1e-6);
      expect(other[i].slice(SIZE, 2 * SIZE)).not.toEqual(side[i].slice(SIZE, 2 * SIZE));
    }
    three.dispose();
  });

  test('refuses what it cannot do', async () => {
    await expect(dream.step(Uint32Array.of(left), { ...settings, k: 3 })).rejects.toThrow('power of two from 1 to 8');
    await expect(dream.step(Uint32Array.of(left), { ...settings, k: 16 })).rejects.toThrow('it is 16');
    await expect(dream.step(Uint32Array.of(left, left), settings)).rejects.toThrow('1 actions are needed, 2');
    await expect(dream.observe(new Uint8Array(SIZE + 1), Uint32Array.of(left))).rejects.toThrow('16x16');
  });
});

test('9.6 s of context are 96 frames in the ring: what happened 9.5 s ago changes the next frame, what is older does not', async () => {
  // One time layer, so nothing older comes in through what the frames between have seen.
  const c = { ...tiny, dynamics: { ...tiny.dynamics, context: 96 } };
  const dream = new LatentDream(gpu, { ...model, config: c }, 1, { fused: fusedStack });
  expect(dream.info.contextSeconds).toBe(9.6);
  const length = 106;
  const [episode] = moverFrames(16, 1, length, 4).episodes;
  /** The frame after all of these, if another key led to the one `ago` steps before it, or if that one looked otherwise. */
  const next = async (change: { action?: number; frame?: number } = {}): Promise<Uint8Array> => {
    const actions = episode.actions.slice();
    const pictures = episode.frames.slice();
    if (change.action !== undefined) actions[length - change.action] ^= 0x3fffff;
    if (change.frame !== undefined) {
      const at = (length - change.frame) * SIZE;
      for (let i = at; i < at + SIZE; i++) pictures[i] ^= 255;
    }
    dream.reset();
    await dream.observe(pictures, actions);
    const { rgb, ringFill } = await dream.step(Uint32Array.of(NO_ACTION), settings, { rgb: true });
    expect(ringFill).toBe(95);
    return rgb;
  };
  const usual = await next();
  expect(await next({ action: 95 })).not.toEqual(usual);
  expect(await next({ action: 96 })).toEqual(usual);
  expect(await next({ frame: 95 })).not.toEqual(usual);
  // The tokenizer lets a picture into the latents of the three after it.
  expect(await next({ frame: 96 + tiny.tokenizer.context - 1 })).toEqual(usual);
  dream.dispose();
}, 60_000);

test('how things were moving counts from the second frame on, and is forgotten by a reset', async () => {
  const trainer = new DynamicsTrainer(gpu, direct, 3);
  shake(trainer.store, 8);
  const dream = new LatentDream(gpu, { ...model, config: direct, dynamics: trainer.store }, 1, { fused: fusedStack });
  const names = ['dyn.motion.w', 'dyn.known.w'];
  const values = await trainer.store.read('value');
  const after = async (n: number, strength: number): Promise<Uint8Array> => {
    for (const name of names) {
      const scaled = (values.get(name) as Float32Array<ArrayBuffer>).map((w) => w * strength);
      trainer.store.write('value', name, scaled);
    }
    dream.reset();
    await dream.observe(...context([0], n));
    return (await dream.step(Uint32Array.of(NO_ACTION), settings, { rgb: true })).rgb;
  };
  expect(await after(1, 0)).toEqual(await after(1, 1));
  const moved = await after(2, 1);
  expect(await after(2, 0)).not.toEqual(moved);
  expect(await after(1, 0)).toEqual(await after(1, 1));
  expect(await after(2, 1)).toEqual(moved);
  dream.dispose();
  trainer.dispose();
});

describe('a shipped model', () => {
  test('dreams as the trained one, within half precision', async () => {
    const bytes = await shipModel(model, { title: 'shipped' });
    const shipped = (await createDream(gpu, bytes, { streams: 1, k: 4 })) as LatentDream;
    expect(shipped.info.title).toBe('shipped');
    const mine = new LatentDream(gpu, model, 1, { fused: fusedStack });
    const a = await dreamed(shipped, [0], [1]);
    const b = await dreamed(mine, [0], [1]);
    for (let i = 0; i < 3; i++) expect(meanSquare(a[i], b[i])).toBeLessThan(1e-4);
    shipped.dispose();
    mine.dispose();
  });

  test.each([
    ['another file', async () => writeSafetensors(new Map()), 'not a Dreamer 4 checkpoint'],
    [
      'a configuration that is none',
      async () => writeSafetensors(new Map(), { method: 'dreamer4', config: '{"rung":"huge"}' }),
      'configuration',
    ],
    [
      'no weights',
      async () => writeSafetensors(new Map(), { method: 'dreamer4', config: JSON.stringify(tiny) }),
      'no tensor',
    ],
    ['half a file', async () => (await shipModel(model, {})).slice(0, 20_000), 'cut short'],
  ] as [string, () => Promise<Uint8Array<ArrayBuffer>>, string][])('%s', async (_, make, part) => {
    const error: Error = await createDream(gpu, await make(), { streams: 1 }).then(
      () => new Error('no error'),
      (e: Error) => e,
    );
    expect(error.message).toContain(part);
    expect(error.message).not.toContain('\n');
  });
});

describe('tokens', () => {
  test('the cache holds what the encoder gives for whole rows, in bytes', async () => {
    // Two streams for three episodes: the ring is reset between groups.
    const set = { ...frames, episodes: frames.episodes.map((e, i) => cut(e, 12 - 3 * i)) };
    const cached = await tokenise(gpu, tiny, model.tokenizer, 'value', set, 2);
    const width = latentSize(tiny);
    for (const [i, e] of set.episodes.entries()) {
      const n = e.actions.length;
      const program = compile(gpu, (graph) => {
        const patches = patchifyBytes(graph.input('frames', [(n * SIZE) / 4]), n, tiny.frame);
        const mode = { kind: 'rows' as const, batch: 1, time: n, starts: graph.input('starts', [1]) };
        graph.output('z', encode(new Scope(graph, model.tokenizer), tiny, patches, mode));
      });
      program.run({ frames: e.frames, starts: new Uint32Array(1) });
      const z = await program.read('z');
      expect(cached[i].tokens.length).toBe(n * width);
      let worst = 0;
      for (let k = 0; k < z.length; k++) worst = Math.max(worst, Math.abs(dequantise(cached[i].tokens[k]) - z[k]));
      expect(worst).toBeLessThan(TOLERANCE.u8.rounding + TOLERANCE.f32.network);
      expect(cached[i].actions).toEqual(e.actions);
      program.dispose();
    }
    expect(patchCount(tiny)).toBe(16);
  });

  test('frames that moved are marked', async () => {
    const shades = [10, 20, 20, 30, 30];
    const e = cut(frames.episodes[0], shades.length);
    for (const [i, shade] of shades.entries()) e.frames.fill(shade, i * SIZE, (i + 1) * SIZE);
    // One channel of the last pixel is enough.
    e.frames[5 * SIZE - 1] += 1;
    const [{ changed }] = await tokenise(gpu, tiny, model.tokenizer, 'value', { ...frames, episodes: [e] }, 1);
    expect([...changed]).toEqual([0, 1, 0, 1, 1]);
  });

  test('the reconstruction is the decoder of the encoder, frame after frame', async () => {
    const tool = new Reconstructor(gpu, model, 1);
    const out: Uint8Array[] = [];
    const [rgb] = context([0], 6);
    for (const round of [0, 1]) {
      tool.reset();
      for (let i = 0; i < 6; i++) {
        const got = await tool.frame(rgb.slice(i * SIZE, (i + 1) * SIZE));
        expect(got.length).toBe(SIZE);
        if (round === 0) out.push(got);
        else expect(got).toEqual(out[i]);
      }
    }
    expect(out[1]).not.toEqual(out[0]);
    tool.dispose();
  });
});

function cut(e: (typeof frames.episodes)[number], n: number): (typeof frames.episodes)[number] {
  return { frames: e.frames.slice(0, n * SIZE), actions: e.actions.slice(0, n) };
}
