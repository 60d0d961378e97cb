// A pass of play in few launches gives the numbers of the same pass as single operations: with the method's direct paths and
// without, and with widths for which CPU adapters fuse whole layers.

import { beforeAll, describe, expect, test } from 'vitest';
import { fromHalf, toHalf } from '../../../src/data/safetensors.ts';
import type { DreamerConfig } from '../../../src/methods/dreamer4/config.ts';
import { ACTION_FEATURES, signalFeatures } from '../../../src/methods/dreamer4/features.ts';
import { dynamics, playConditions, playPass } from '../../../src/methods/dreamer4/model.ts';
import { euler } from '../../../src/methods/dreamer4/ops.ts';
import { RingSet } from '../../../src/methods/dreamer4/rings.ts';
import { fusedStack, keepExactHalves } from '../../../src/nn/fused-layers.ts';
import { Scope } from '../../../src/nn/layers.ts';
import { keepPairs } from '../../../src/nn/normed-layers.ts';
import { ParamStore } from '../../../src/nn/params.ts';
import { hasRowBlocks } from '../../../src/tensor/kernel.ts';
import { compile } from '../../../src/tensor/program.ts';
import { random } from '../../support/compute.ts';
import { direct, shake, tiny } from '../../support/dreamer.ts';
import { type TestGpu, testGpu } from '../../support/gpu.ts';
import { expectClose, TOLERANCE } from '../../support/tolerance.ts';

const STREAMS = 2;
const PASSES = 3;

let opened: TestGpu;
beforeAll(async () => {
  opened = await testGpu();
});

const wide: DreamerConfig = {
  ...direct,
  softCap: 0,
  // Two time layers: one within its block, and the last one.
  dynamics: { ...direct.dynamics, layers: 8, d: 32, heads: 4, kvHeads: 2, dim: 8, hidden: 48 },
};

/** Heads and rows of which quads take norms, gates and rotation into the products. */
const ofQuads: DreamerConfig = {
  ...wide,
  dynamics: { ...wide.dynamics, d: 64, tokens: 16, heads: 2, kvHeads: 1, dim: 16 },
};

/** Gives every parameter a value that 16 bits hold, and returns those bits. */
async function roundToHalves(store: ParamStore): Promise<Map<string, Uint16Array>> {
  const bits = new Map<string, Uint16Array>();
  for (const [name, values] of await store.read('value')) {
    const own = Uint16Array.from(values, toHalf);
    bits.set(name, own);
    store.write('value', name, Float32Array.from(own, fromHalf));
  }
  return bits;
}

/** Both forms of the last pass in one program, on rings that hold three frames. */
async function both(c: DreamerConfig) {
  const d = c.dynamics;
  const { gpu, device } = opened;
  const store = new ParamStore();
  const rings = new RingSet(gpu, STREAMS, d.context, d);
  const latents = STREAMS * d.tokens * d.channels;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const previous = device.createBuffer({ size: latents * 4, usage });
  const motion = device.createBuffer({ size: latents * 4, usage });
  const features = signalFeatures(d.kMax);
  let mixed = 0;
  let narrow = 0;
  let normed = 0;
  let paired = 0;
  const build = (fused: boolean) =>
    compile(gpu, (graph) => {
      const z = graph.input('z', [STREAMS, d.tokens, d.channels]);
      const actions = graph.input('actions', [STREAMS, ACTION_FEATURES]);
      const signals = graph.input('signals', [PASSES * STREAMS, features]);
      const signal = graph.input('signal', [STREAMS, features]);
      const levels = graph.input('levels', [STREAMS, 2]);
      const mode = {
        kind: 'frame' as const,
        streams: STREAMS,
        write: true,
        ring: (layer: string, slots: number) => rings.ring(graph, layer, slots),
        previous: graph.external('previous', [STREAMS, d.tokens, d.channels], () => previous),
        motion: graph.external('motion', [STREAMS, d.tokens, d.channels], () => motion),
        known: graph.table('known', [STREAMS, 4], () => Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0)),
      };
      const scope = new Scope(graph, store, 'value', fused ? fusedStack : null);
      if (fused) {
        const shared = playConditions(scope, c, actions, signals, mode);
        const { xhat, next } = playPass(scope, c, z, shared, PASSES - 1, levels, mode);
        graph.output('xhat', xhat);
        graph.output('next', next);
        const whole = graph.nodes.filter((n) => n.name === 'row block');
        mixed = whole.length;
        normed = graph.nodes.filter((n) => n.name.startsWith('normed ')).length;
        paired = graph.nodes.filter((n) => n.inputs.some((t) => t.name.endsWith(' pairs'))).length;
        narrow = whole.filter((n) => n.inputs[1].name === 'parameters halves').length;
        // Each binds the stretch of the parameters that it reads: all of them may be more than an adapter binds at once.
        for (const node of whole) expect(node.inputs[0].size).toBeLessThan(store.byteLength / 4 / 2);
      } else {
        const xhat = dynamics(scope, c, z, actions, signal, mode);
        graph.output('xhat', xhat);
        graph.output('next', euler(z, xhat, levels));
        if (!store.allocated) store.allocate(gpu, 3);
      }
    });
  const single = build(false);
  shake(store, 4);
  const bits = await roundToHalves(store);
  // One matrix that is not exact in 16 bits, and none is kept.
  keepExactHalves(store, (name) => (name === 'dyn.out.w' ? null : (bits.get(name) ?? null)));
  const few = build(true);
  expect(narrow).toBe(0);
  keepExactHalves(store, (name) => bits.get(name) ?? null);
  const halves = build(true);
  const values = await store.read('value');
  keepPairs(store, d.dim, (name) => values.get(name) ?? null);
  const pairs = build(true);
  device.queue.writeBuffer(previous, 0, random([latents], 5).data);
  device.queue.writeBuffer(motion, 0, random([latents], 6).data);
  const levels = new Float32Array([0.5, 0.25, 0.25, 0.125]);
  for (let frame = 0; frame < 3; frame++) {
    single.run(inputs(frame));
    rings.advance();
  }
  function inputs(salt: number) {
    const signals = random([PASSES * STREAMS, features], 20 + salt).data;
    return {
      z: random([latents], 30 + salt).data,
      actions: random([STREAMS, ACTION_FEATURES], 40 + salt).data,
      signal: signals.slice((PASSES - 1) * STREAMS * features),
      levels,
    };
  }
  const now = inputs(9);
  single.run(now);
  const { signal, ...rest } = now;
  const signals = random([PASSES * STREAMS, features], 29).data;
  expect(signals.slice(-signal.length)).toEqual(signal);
  few.run({ ...rest, signals });
  halves.run({ ...rest, signals });
  pairs.run({ ...rest, signals });
  const out = {
    want: [await single.read('xhat'), await single.read('next')],
    got: [await few.read('xhat'), await few.read('next')],
    halves: [await halves.read('xhat'), await halves.read('next')],
    pairs: [await pairs.read('xhat'), await pairs.read('next')],
    dispatches: [single.stats.dispatches, few.stats.dispatches],
    blocks: mixed,
    narrow,
    normed,
    paired,
  };
  for (const p of [single, few, halves, pairs]) p.dispose();
  store.dispose();
  rings.dispose();
  previous.destroy();
  motion.destroy();
  return out;
}

describe.each([
  ['plain', tiny],
  ['direct paths', direct],
  ['widths of whole blocks', wide],
  ['heads that quads turn', ofQuads],
])('%s', (_, config) => {
  test('few launches, the same prediction and step; bit for bit with f16 matrices, nearly with columns in pairs', async ({
    skip,
  }) => {
    const { software, subgroupSize } = opened.gpu.conditions;
    skip(config === ofQuads && !(software && subgroupSize === 4), 'no quads');
    const { want, got, halves, pairs, dispatches, blocks, narrow, normed, paired } = await both(config);
    expectClose(got[0], want[0], TOLERANCE.f32.network);
    expectClose(got[1], want[1], TOLERANCE.f32.network);
    expect(dispatches[1]).toBeLessThan(dispatches[0]);
    expect(halves).toEqual(got);
    const whole = config === wide && hasRowBlocks(opened.gpu.conditions);
    expect(narrow).toBe(blocks);
    // One more than layers, less the two around a ring that are one.
    expect(blocks).toBe(whole ? config.dynamics.layers : 0);
    expect(normed).toBe(config === ofQuads ? 2 * config.dynamics.layers : 0);
    // All four matrices of a layer, rounded; other configurations read none in pairs.
    expect(paired).toBe(config === ofQuads ? 4 * config.dynamics.layers : 0);
    if (paired === 0) return expect(pairs).toEqual(got);
    expectClose(pairs[0], want[0], TOLERANCE.f16.network);
    expect(pairs).not.toEqual(got);
  });
});
