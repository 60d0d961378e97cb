/** Our engine in the race: one compiled program per input set, one submission per run. */

import { commit, version } from 'virtual:build';
import type { Gpu } from '../../gpu/device.ts';
import { ParamStore } from '../../nn/params.ts';
import type { Graph, Tensor } from '../../tensor/graph.ts';
import { attention, causalLayout } from '../../tensor/ops/attention.ts';
import { cacheAttention } from '../../tensor/ops/cache-attention.ts';
import { linear, linearTransposed, transposedLinear } from '../../tensor/ops/matmul.ts';
import { rmsNorm } from '../../tensor/ops/norm.ts';
import { tanh } from '../../tensor/ops/pointwise.ts';
import { softmax } from '../../tensor/ops/softmax.ts';
import { compile, type InputData, type Program } from '../../tensor/program.ts';
import { gptStep } from '../../train/gpt-step.ts';
import type { Contestant, Team } from './entrant.ts';
import {
  type Given,
  type GptWorkload,
  type InputSet,
  LEARNING_RATE,
  OPTIMISER,
  PARAMETER_SEED,
  type Workload,
} from './workloads.ts';

export const OUR_NAME = 'Tenfold';

export async function openOurs(gpu: Gpu): Promise<Team> {
  return {
    name: OUR_NAME,
    version: commit ? `${version} (${commit})` : version,
    prepare: async (w, sets) => (w.kind === 'gpt' ? train(gpu, w, sets) : replay(gpu, w, sets)),
    without: () => '',
    close: () => undefined,
  };
}

/** Rows [q heads | k heads | v heads] of attention; the three are given apart. */
function packed({ q, k, v }: InputSet): Given {
  const [rows] = k.shape;
  const parts = [q, k, v].map((g) => ({ data: g.data, width: g.data.length / g.shape[0], rows: g.shape[0] }));
  const width = parts.reduce((sum, p) => sum + p.width, 0);
  const data = new Float32Array(rows * width);
  let column = 0;
  for (const p of parts) {
    for (let r = 0; r < p.rows; r++) data.set(p.data.subarray(r * p.width, (r + 1) * p.width), r * width + column);
    column += p.width;
  }
  return { shape: [rows, width], data };
}

function build(graph: Graph, w: Exclude<Workload, GptWorkload>, set: InputSet): [Tensor, Record<string, InputData>] {
  const data: Record<string, InputData> = {};
  const give = (name: string, g: Given): Tensor => {
    data[name] = g.data;
    return graph.input(name, g.shape);
  };
  switch (w.kind) {
    case 'matmul': {
      const [a, b] = [give('a', set.a), give('b', set.b)];
      const form = { nn: linear, nt: linearTransposed, tn: transposedLinear }[w.form];
      return [form(a, b), data];
    }
    case 'softmax':
      return [softmax(give('x', set.x)), data];
    case 'rmsnorm':
      return [rmsNorm(give('x', set.x), give('gain', set.gain)), data];
    case 'attention': {
      const { time, heads, dim } = w;
      const starts = give('starts', { shape: [1], data: new Uint32Array(1) });
      const layout = causalLayout(1, time, time);
      return [attention(give('qkv', packed(set)), starts, layout, { heads, kvHeads: heads, dim }), data];
    }
    case 'decode': {
      const { entries, heads, kvHeads, dim } = w;
      // The newest entry comes with the query and is put into the cache before it is read.
      const one = kvHeads * dim;
      const last = (g: Given): Given => ({ shape: [1, kvHeads, dim], data: g.data.slice((entries - 1) * one) });
      const cache = new Float32Array(entries * 2 * one);
      for (let e = 0; e < entries; e++) {
        cache.set(set.k.data.subarray(e * one, (e + 1) * one), e * 2 * one);
        cache.set(set.v.data.subarray(e * one, (e + 1) * one), e * 2 * one + one);
      }
      const rows = {
        cache: give('cache', { shape: [1, entries, 2, kvHeads, dim], data: cache }),
        at: give('at', { shape: [1], data: Uint32Array.of(entries - 1) }),
        bounds: give('bounds', { shape: [1, 2], data: Uint32Array.of(0, entries) }),
      };
      const qkv = give('qkv', packed({ q: set.q, k: last(set.k), v: last(set.v) }));
      return [cacheAttention(qkv, rows, { heads, kvHeads, dim }), data];
    }
    case 'chain': {
      let x = give('x', set.x);
      const weight = give('w', set.w);
      for (let s = 0; s < w.steps; s++) x = tanh(linear(x, weight));
      return [x, data];
    }
  }
}

function replay(gpu: Gpu, w: Exclude<Workload, GptWorkload>, sets: readonly InputSet[]): Contestant {
  const programs: Program[] = sets.map((set) => {
    let data: Record<string, InputData> = {};
    const program = compile(gpu, (graph) => {
      const [y, inputs] = build(graph, w, set);
      data = inputs;
      graph.output('y', y);
    });
    for (const [name, values] of Object.entries(data)) program.write(name, values);
    // The first run of a program clears its memory, and a race may come to the last set in the middle of a sample.
    program.run();
    return program;
  });
  return {
    how: 'Traced once, replayed as one submission.',
    dispatches: programs[0].stats.dispatches,
    issue: (turn) => programs[turn % programs.length].run(),
    result: async () => {
      programs[0].run();
      return programs[0].read('y');
    },
    dispose: () => {
      for (const program of programs) program.dispose();
    },
  };
}

function train(gpu: Gpu, w: GptWorkload, sets: readonly InputSet[]): Contestant {
  const start = performance.now();
  const store = new ParamStore();
  const step = gptStep(gpu, store, w.shape, w, OPTIMISER, PARAMETER_SEED);
  let t = 0;
  const run = (set: InputSet): void => {
    t += 1;
    step.run(t, LEARNING_RATE, set.ids.data as Uint32Array<ArrayBuffer>, set.targets.data as Uint32Array<ArrayBuffer>);
  };
  const contestant: Contestant = {
    how: 'Forward, backward and AdamW traced once, replayed as one submission.',
    dispatches: step.program.stats.dispatches,
    issue: (turn) => run(sets[turn % sets.length]),
    result: async () => {
      const losses: number[] = [];
      for (const set of sets.slice(0, w.updates + 1)) {
        run(set);
        losses.push(await step.loss());
        contestant.firstStepMs ??= performance.now() - start;
      }
      return Float32Array.from(losses);
    },
    dispose: () => {
      step.program.dispose();
      store.dispose();
    },
  };
  return contestant;
}
