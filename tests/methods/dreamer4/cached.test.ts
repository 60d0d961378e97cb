// One frame at a time over rings equals whole rows: dynamics and tokenizer, also after the ring wrapped and far into a game.

import { beforeAll, describe, expect, test } from 'vitest';
import type { DreamerConfig } from '../../../src/methods/dreamer4/config.ts';
import { ACTION_FEATURES, signalFeatures } from '../../../src/methods/dreamer4/features.ts';
import {
  decode,
  dynamics,
  encode,
  patchCount,
  scaleFrames,
  type TimeMode,
} from '../../../src/methods/dreamer4/model.ts';
import { RingSet } from '../../../src/methods/dreamer4/rings.ts';
import { Scope } from '../../../src/nn/layers.ts';
import { ParamStore } from '../../../src/nn/params.ts';
import type { Graph, Tensor } from '../../../src/tensor/graph.ts';
import type { Half } from '../../../src/tensor/ops/attention.ts';
import { add } from '../../../src/tensor/ops/pointwise.ts';
import { compile, type Program } from '../../../src/tensor/program.ts';
import { random, sameBits } from '../../support/compute.ts';
import { direct, gathered, shake, tiny } from '../../support/dreamer.ts';
import { type TestGpu, testGpu } from '../../support/gpu.ts';
import { TOLERANCE } from '../../support/tolerance.ts';

const BATCH = 2;
const TIME = 14;

let opened: TestGpu;
beforeAll(async () => {
  opened = await testGpu();
});

/** A network under test: its inputs per frame, its output per frame, and its trace. */
interface Net {
  inputs: Record<string, number>;
  width: number;
  context: number;
  /** Frames behind which nothing is seen any more: (context - 1) per time layer. */
  memory: number;
  heads: { heads: number; kvHeads: number; dim: number };
  /** Whether it reads how things were moving. */
  motion: boolean;
  trace: (graph: Graph, store: ParamStore, t: Record<string, Tensor>, frames: number, mode: TimeMode) => Tensor;
}

/** `weight` where a frame has what it stands for. */
const weights = (name: string, weight: number, graph: Graph, frames: number, has: (frame: number) => boolean): Tensor =>
  graph.table(`${name} ${frames}`, [frames, 2], () =>
    Float32Array.from({ length: 2 * frames }, (_, i) => (i % 2 === 0 && has(i / 2) ? weight : 0)),
  );
/** The frame before counts 0.8 where there is one. */
const carry = weights.bind(null, 'carry', 0.8);

function dynamicsNet(c: DreamerConfig): Net {
  const d = c.dynamics;
  const { tokens, channels } = d;
  return {
    inputs: { z: tokens * channels, actions: ACTION_FEATURES, signal: signalFeatures(d.kMax) },
    width: tokens * channels,
    context: d.context,
    memory: d.context - 1,
    heads: d,
    motion: d.motionSkip,
    trace: (graph, store, t, frames, mode) => {
      const z = graph.reshape(t.z, [frames, tokens, channels]);
      const y = dynamics(new Scope(graph, store), c, z, t.actions, t.signal, mode);
      if (mode.kind === 'frame' && mode.previous?.storage.external && mode.motion?.storage.external) {
        const every = carry(graph, frames, () => true);
        if (d.motionSkip) {
          const change = add(scaleFrames(z, every), mode.previous, 1, -1);
          graph.place(scaleFrames(change, graph.input('moving', [frames, 2])), mode.motion.storage.external.buffer, 0);
        }
        graph.place(scaleFrames(z, every), mode.previous.storage.external.buffer, 0);
      }
      return y;
    },
  };
}

function tokenizerNet(c: DreamerConfig): Net {
  const t = c.tokenizer;
  const patch = c.frame.patch ** 2 * 3;
  return {
    inputs: { patches: patchCount(c) * patch },
    width: patchCount(c) * patch,
    context: t.context,
    memory: 2 * (t.context - 1),
    heads: { heads: t.heads, kvHeads: t.heads, dim: t.dim },
    motion: false,
    trace: (graph, store, { patches }, frames, mode) => {
      const scope = new Scope(graph, store);
      return decode(scope, c, encode(scope, c, graph.reshape(patches, [frames, patchCount(c), patch]), mode), mode);
    },
  };
}

function build(net: Net, store: ParamStore, frames: number, mode: (graph: Graph) => TimeMode): Program {
  return compile(opened.gpu, (graph) => {
    const t = Object.fromEntries(
      Object.entries(net.inputs).map(([name, width]) => [name, graph.input(name, [frames, width])]),
    );
    graph.output('y', net.trace(graph, store, t, frames, mode(graph)));
    store.allocate(opened.gpu, 3);
  });
}

type Data = Record<string, Float32Array<ArrayBuffer>>;

/** Inputs of all rows: [batch, time, width]. */
const rowData = (net: Net): Data =>
  Object.fromEntries(
    Object.entries(net.inputs).map(([name, width], i) => [name, random([BATCH, TIME, width], i + 1).data]),
  );

/** Frame t of every row. */
function frameAt(data: Data, net: Net, t: number): Data {
  return Object.fromEntries(
    Object.entries(net.inputs).map(([name, width]) => {
      const out = new Float32Array(BATCH * width);
      for (let b = 0; b < BATCH; b++) {
        const at = (b * TIME + t) * width;
        out.set(data[name].subarray(at, at + width), b * width);
      }
      return [name, out];
    }),
  );
}

async function inRows(net: Net, store: ParamStore, data: Data): Promise<Float32Array> {
  const program = build(net, store, BATCH * TIME, (graph) => ({
    kind: 'rows',
    batch: BATCH,
    time: TIME,
    starts: graph.input('starts', [BATCH]),
    carry: carry(graph, BATCH * TIME, (i) => i % TIME > 0),
    moving: weights('moving', 1, graph, BATCH * TIME, (i) => i % TIME > 1),
    known: graph.table('known', [BATCH * TIME, 4], () =>
      Float32Array.from({ length: 4 * BATCH * TIME }, (_, i) => Number(i % 4 === 0 && (i / 4) % TIME > 1)),
    ),
  }));
  shake(store, 8);
  program.run({ ...data, starts: new Uint32Array(BATCH) });
  const y = await program.read('y');
  program.dispose();
  return y;
}

/** Outputs per frame; the counter starts at `from`. */
async function overRings(net: Net, store: ParamStore, data: Data, from: number, half?: Half): Promise<Float32Array[]> {
  const rings = new RingSet(opened.gpu, BATCH, net.context, net.heads, half);
  const [previous, motion] = [0, 1].map(() =>
    opened.device.createBuffer({ size: BATCH * net.width * 4, usage: GPUBufferUsage.STORAGE }),
  );
  const program = build(net, store, BATCH, (graph) => ({
    kind: 'frame',
    previous: graph.external('previous', [BATCH, net.width / 16, 16], () => previous),
    motion: graph.external('motion', [BATCH, net.width / 16, 16], () => motion),
    ...(net.motion && { known: graph.input('known', [BATCH, 4]) }),
    streams: BATCH,
    write: true,
    ring: (layer, slots) => rings.ring(graph, layer, slots),
  }));
  if (from > 0) rings.seek(from);
  const out: Float32Array[] = [];
  for (let t = 0; t < TIME; t++) {
    const moving = Float32Array.from({ length: 2 * BATCH }, (_, i) => Number(i % 2 === 0 && t > 0));
    const known = Float32Array.from({ length: 4 * BATCH }, (_, i) => Number(i % 4 === 0 && t > 1));
    program.run({ ...frameAt(data, net, t), ...(net.motion && { moving, known }) });
    rings.advance();
    out.push(await program.read('y'));
  }
  program.dispose();
  rings.dispose();
  previous.destroy();
  motion.destroy();
  return out;
}

const NETS: [string, Net][] = [
  ['dynamics', dynamicsNet(tiny)],
  ['dynamics with direct paths', dynamicsNet(direct)],
  ['tokenizer with aligned latents', tokenizerNet(tiny)],
  ['tokenizer with gathered latents', tokenizerNet(gathered)],
];

describe.each(NETS)('%s', (_, net) => {
  const store = new ParamStore();
  const data = rowData(net);
  let rows: Float32Array;
  let frames: Float32Array[];

  beforeAll(async () => {
    rows = await inRows(net, store, data);
    frames = await overRings(net, store, data, 0);
  });

  test('rows equal frames over rings, through almost three turns of the ring', () => {
    const { worst, change } = apart(frames);
    expect(worst).toBeLessThan(TOLERANCE.f32.network);
    expect(change).toBeGreaterThan(0.1);
  });

  // Eleven bits of every past key and value, as a dream keeps them on lavapipe; eight on SwiftShader.
  test.each(['f16', 'bf16'] as const)('and nearly so over rings that keep %s', async (half) => {
    const { worst } = apart(await overRings(net, store, data, 0, half));
    expect(worst).toBeGreaterThan(2 * apart(frames).worst);
    expect(worst).toBeLessThan((half === 'f16' ? 1 : 8) * TOLERANCE.f16.network);
  });

  /** The largest difference from the rows, and how much these change. */
  function apart(frames: Float32Array[]): { worst: number; change: number } {
    const at = (b: number, t: number): Float32Array =>
      rows.subarray((b * TIME + t) * net.width, (b * TIME + t + 1) * net.width);
    let worst = 0;
    let change = 0;
    for (let t = 0; t < TIME; t++) {
      for (let b = 0; b < BATCH; b++) {
        const want = at(b, t);
        const got = frames[t].subarray(b * net.width, (b + 1) * net.width);
        for (let i = 0; i < net.width; i++) {
          const error = Math.abs(got[i] - want[i]);
          worst = error <= worst ? worst : error;
          change = Math.max(change, Math.abs(want[i] - at(0, 0)[i]));
        }
      }
    }
    return { worst, change };
  }

  // A ring whose counter was set holds frames that were never written; they leave the window one by one.
  test.each([100_000, 100_003, 4_294_967_000])('a counter at %i changes nothing', async (from) => {
    const far = await overRings(net, store, data, from);
    for (let t = net.memory; t < TIME; t++) expect(sameBits(far[t], frames[t]), `frame ${t}`).toBe(true);
    expect(sameBits(far[0], frames[0])).toBe(false);
  });
});
