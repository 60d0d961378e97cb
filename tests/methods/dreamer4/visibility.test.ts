// Who sees whom in both networks (dreamer4 4.1, 5.3): modality masks by gradient, causality and image rows by equal bits.

import { beforeAll, describe, expect, test } from 'vitest';
import type { DreamerConfig } from '../../../src/methods/dreamer4/config.ts';
import { ACTION_FEATURES, signalFeatures } from '../../../src/methods/dreamer4/features.ts';
import { decode, dynamics, encode, patchCount } from '../../../src/methods/dreamer4/model.ts';
import { IMAGE_ROW } from '../../../src/methods/dreamer4/noise-levels.ts';
import { Scope } from '../../../src/nn/layers.ts';
import { ParamStore } from '../../../src/nn/params.ts';
import type { Graph, Tensor } from '../../../src/tensor/graph.ts';
import { compile, type InputData } from '../../../src/tensor/program.ts';
import { pullBack, random, sameBits } from '../../support/compute.ts';
import { direct, gathered, shake, tiny } from '../../support/dreamer.ts';
import { type TestGpu, testGpu } from '../../support/gpu.ts';

let opened: TestGpu;
beforeAll(async () => {
  opened = await testGpu();
});

/** The tokens behind the last space layer: what the last `take slots` of a trace reads. */
function lastTokens(graph: Graph): Tensor {
  const node = graph.nodes.filter((n) => n.name === 'take slots').at(-1);
  if (!node) throw new Error('this trace takes no slots');
  return node.inputs[0];
}

/** Is anything but zero in the gradient of some rows of `tokens` with respect to each tensor? */
async function reach(
  trace: (graph: Graph, scope: Scope) => { tokens: Tensor; latents: number; towards: Record<string, Tensor> },
  inputs: Record<string, InputData>,
): Promise<Record<string, boolean>> {
  const { gpu } = opened;
  const store = new ParamStore();
  const probes: Record<string, Float32Array<ArrayBuffer>> = {};
  const names: string[] = [];
  const program = compile(gpu, (graph) => {
    const scope = new Scope(graph, store);
    const { tokens, latents, towards } = trace(graph, scope);
    const [, slots, d] = tokens.shape;
    for (const rows of ['latents', 'patches'] as const) {
      const probe = random([...tokens.shape], 9).data;
      for (let i = 0; i < probe.length; i++) {
        const isLatent = Math.floor(i / d) % slots < latents;
        if (isLatent !== (rows === 'latents')) probe[i] = 0;
      }
      probes[`probe of ${rows}`] = probe;
      const grads = pullBack(graph, tokens, graph.input(`probe of ${rows}`, tokens.shape), Object.values(towards));
      Object.keys(towards).forEach((name, i) => {
        names.push(`${rows} see ${name}`);
        graph.output(`${rows} see ${name}`, grads[i]);
      });
    }
    store.allocate(gpu, 3);
  });
  program.run({ ...inputs, ...probes });
  const out: Record<string, boolean> = {};
  for (const name of names) out[name] = (await program.read(name)).some((v) => v !== 0);
  program.dispose();
  store.dispose();
  return out;
}

const starts = new Uint32Array(1);

test('encoder: latents see patches, patches never see latents', async () => {
  const c = gathered;
  const patch = c.frame.patch ** 2 * 3;
  const got = await reach(
    (graph, scope) => {
      const patches = graph.input('patches', [1, patchCount(c), patch]);
      encode(scope, c, patches, { kind: 'rows', batch: 1, time: 1, starts: graph.input('starts', [1]) });
      const own = scope.used().find(([name]) => name === 'enc.latents') as [string, Tensor];
      return { tokens: lastTokens(graph), latents: c.tokenizer.latents, towards: { patches, latents: own[1] } };
    },
    { patches: random([patchCount(c), patch], 1).data, starts },
  );
  expect(got).toEqual({
    'latents see patches': true,
    'latents see latents': true,
    'patches see patches': true,
    'patches see latents': false,
  });
});

test('decoder: patches see latents, latents never see patches', async () => {
  const c = gathered;
  const { latents, channels } = c.tokenizer;
  const got = await reach(
    (graph, scope) => {
      const z = graph.input('z', [1, latents, channels]);
      decode(scope, c, z, { kind: 'rows', batch: 1, time: 1, starts: graph.input('starts', [1]) });
      const own = scope.used().find(([name]) => name === 'dec.queries') as [string, Tensor];
      return { tokens: lastTokens(graph), latents, towards: { latents: z, patches: own[1] } };
    },
    { z: random([latents, channels], 1).data, starts },
  );
  expect(got).toEqual({
    'latents see latents': true,
    'latents see patches': false,
    'patches see latents': true,
    'patches see patches': true,
  });
});

const BATCH = 2;
const TIME = 7;

interface Net {
  inputs: Record<string, number>;
  trace: (graph: Graph, scope: Scope, t: Record<string, Tensor>) => Tensor;
}

function tokenizer(c: DreamerConfig): Net {
  const patch = c.frame.patch ** 2 * 3;
  return {
    inputs: { x: patchCount(c) * patch },
    trace: (graph, scope, { x, starts: s }) => {
      const mode = { kind: 'rows' as const, batch: BATCH, time: TIME, starts: s };
      return decode(scope, c, encode(scope, c, graph.reshape(x, [BATCH * TIME, patchCount(c), patch]), mode), mode);
    },
  };
}

function world(c: DreamerConfig): Net {
  const { tokens, channels, kMax } = c.dynamics;
  return {
    inputs: { x: tokens * channels, actions: ACTION_FEATURES, signal: signalFeatures(kMax) },
    trace: (graph, scope, t) => {
      // The second row has a frame before from its second frame on, the first row never: it may be an image row here.
      const carry = graph.table('carry', [BATCH * TIME, 2], () =>
        Float32Array.from({ length: 2 * BATCH * TIME }, (_, i) => (i % 2 === 0 && i / 2 > TIME ? 0.8 : 0)),
      );
      const moving = graph.table('moving', [BATCH * TIME, 2], () =>
        Float32Array.from({ length: 2 * BATCH * TIME }, (_, i) => Number(i % 2 === 0 && i / 2 > TIME + 1)),
      );
      const known = graph.table('known', [BATCH * TIME, 4], () =>
        Float32Array.from({ length: 4 * BATCH * TIME }, (_, i) => Number(i % 4 === 0 && i / 4 > TIME + 1)),
      );
      const mode = { kind: 'rows' as const, batch: BATCH, time: TIME, starts: t.starts, carry, moving, known };
      return dynamics(scope, c, graph.reshape(t.x, [BATCH * TIME, tokens, channels]), t.actions, t.signal, mode);
    },
  };
}

describe.each([
  ['tokenizer, aligned', tokenizer(tiny)],
  ['tokenizer, gathered', tokenizer(gathered)],
  ['dynamics', world(tiny)],
  ['dynamics with direct paths', world(direct)],
] as [string, Net][])('%s', (_, net) => {
  let run: (data: Record<string, Float32Array<ArrayBuffer>>, starts: number[]) => Promise<Float32Array<ArrayBuffer>[]>;
  const data = Object.fromEntries(
    Object.entries(net.inputs).map(([name, width], i) => [name, random([BATCH * TIME, width], i + 1).data]),
  );
  /** The same data with frame t of row b replaced, in one of the inputs. */
  const changed = (name: string, b: number, t: number): typeof data => {
    const copy = data[name].slice();
    const width = net.inputs[name];
    copy.set(random([width], 77).data, (b * TIME + t) * width);
    return { ...data, [name]: copy };
  };

  beforeAll(() => {
    const { gpu } = opened;
    const store = new ParamStore();
    const program = compile(gpu, (graph) => {
      const t = Object.fromEntries(
        Object.entries(net.inputs).map(([name, width]) => [name, graph.input(name, [BATCH * TIME, width])]),
      );
      graph.output('y', net.trace(graph, new Scope(graph, store), { ...t, starts: graph.input('starts', [BATCH]) }));
      store.allocate(gpu, 3);
    });
    shake(store, 8);
    run = async (inputs, from) => {
      program.run({ ...inputs, starts: Uint32Array.from(from) });
      const y = await program.read('y');
      const width = y.length / BATCH / TIME;
      return Array.from({ length: BATCH * TIME }, (_, i) => y.slice(i * width, (i + 1) * width));
    };
  });

  /** Frames of row b that differ between two runs; the other row must never differ. */
  const differing = (a: Float32Array[], b: Float32Array[], row: number): number[] => {
    const all = a.flatMap((x, i) => (sameBits(x, b[i]) ? [] : [i]));
    expect(all.every((i) => Math.floor(i / TIME) === row)).toBe(true);
    return all.map((i) => i % TIME);
  };

  test('a frame changes itself and later frames within the window, nothing before it', async () => {
    const base = await run(data, [0, 0]);
    for (const name of Object.keys(net.inputs)) {
      for (const t of [0, 2, TIME - 1]) {
        const frames = differing(base, await run(changed(name, 1, t), [0, 0]), 1);
        expect(frames[0]).toBe(t);
        // The next frame sees it through a time layer.
        if (t < TIME - 1) expect(frames).toContain(t + 1);
      }
    }
  });

  test('frames before the start of an episode are not seen from inside it', async () => {
    const base = await run(data, [3, 0]);
    for (const t of [0, 2]) {
      const frames = differing(base, await run(changed('x', 0, t), [3, 0]), 0);
      expect(frames.filter((f) => f >= 3)).toEqual([]);
      expect(frames).toContain(t);
    }
  });

  test('frames of an image row see only themselves', async () => {
    const base = await run(data, [IMAGE_ROW, 0]);
    for (const t of [0, 3]) expect(differing(base, await run(changed('x', 0, t), [IMAGE_ROW, 0]), 0)).toEqual([t]);
    const normal = await run(data, [0, 0]);
    expect(differing(base, normal, 0)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
