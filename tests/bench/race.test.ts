// The race without its peers: our engine meets the float64 references, and whoever is wrong is left out and named.

import { describe, expect, test } from 'vitest';
import type { Contestant, Team } from '../../src/bench/race/entrant.ts';
import { formatReport } from '../../src/bench/race/format.ts';
import { onnxModel } from '../../src/bench/race/onnx-model.ts';
import { OUR_NAME, openOurs } from '../../src/bench/race/ours.ts';
import { firstError, referenceOf } from '../../src/bench/race/references.ts';
import { type RaceSettings, runRace } from '../../src/bench/race/run.ts';
import { missingOurs, rowOf, stepWords } from '../../src/bench/race/table.ts';
import { openField } from '../../src/bench/race/teams.ts';
import { flopsOf, idOf, inputsOf, parametersOf, type Workload, workloads } from '../../src/bench/race/workloads.ts';
import { summarise, type Timing } from '../../src/gpu/timing.ts';
import { REFERENCE_GPT } from '../../src/nn/gpt.ts';
import { testGpu } from '../support/gpu.ts';

const FAST: RaceSettings = { rounds: 1, batchMs: 0.1, entrantMs: 50 };

/** Every kind of row at a size that takes no time. */
const SMALL: Workload[] = [
  { kind: 'matmul', form: 'nn', size: 36 },
  { kind: 'matmul', form: 'nt', size: 36 },
  { kind: 'matmul', form: 'tn', size: 36 },
  { kind: 'softmax', rows: 9, width: 40 },
  { kind: 'rmsnorm', rows: 9, width: 40 },
  { kind: 'attention', time: 33, heads: 2, dim: 16 },
  { kind: 'decode', entries: 21, heads: 4, kvHeads: 2, dim: 16 },
  { kind: 'chain', steps: 4, width: 16 },
  { kind: 'gpt', name: 'tiny', shape: { ...REFERENCE_GPT, layers: 1 }, batch: 2, time: 8, updates: 3 },
];

test('our engine gives the float64 answer on every kind of row, and is timed', async () => {
  const { gpu } = await testGpu();
  const report = await runRace(gpu, [await openOurs(gpu)], SMALL, FAST);
  const { rows } = report.tables[0];
  expect(rows.map((r) => r.leftOut)).toEqual(SMALL.map(() => ({})));
  for (const row of rows) {
    expect(row.oursMs).toBeGreaterThan(0);
    expect(row.ratioBestPeer).toBeNull();
    expect(row.dispatches).toBeGreaterThan(0);
  }
  // The peak is measured for training steps, and they alone are compared with it.
  expect(report.peak?.by).toMatch(/^matmul (nn|nt|tn), \d+ x/);
  const [gpt] = rows.filter((r) => r.peakFraction !== undefined);
  expect(gpt.workload).toBe('tiny');
  expect(gpt.firstStepMs).toBeGreaterThan(gpt.oursMs ?? 0);
  expect(gpt.peakFraction).toBeCloseTo((gpt.gflops ?? 0) / (report.peak?.gflops ?? 0), 9);
  expect(rows.indexOf(gpt)).toBe(rows.length - 1);
});

describe('strangers', () => {
  const w: Workload = { kind: 'softmax', rows: 9, width: 40 };
  /** An entrant that computes on the host, with `spoil` done to its result. */
  const host = (name: string, spoil: (y: Float32Array, call: number) => void): Team => ({
    name,
    version: '1',
    prepare: async (_, sets): Promise<Contestant> => {
      const { at, values } = referenceOf(w, sets[0]);
      let calls = 0;
      return {
        how: 'on the host',
        issue: () => undefined,
        result: async () => {
          const y = new Float32Array(w.rows * w.width);
          at.forEach((place, i) => {
            y[place] = values[i];
          });
          spoil(y, calls++);
          return y;
        },
        dispose: () => undefined,
      };
    },
    without: () => '',
    close: () => undefined,
  });

  test('a wrong result, at once or only after the race, and an error keep an entrant out of the row', async () => {
    const { gpu } = await testGpu();
    const broken: Team = { ...host('broken', () => undefined), prepare: () => Promise.reject(new Error('no kernel')) };
    const absent: Team = { ...host('absent', () => undefined), prepare: async () => null, without: () => 'cannot' };
    const teams = [
      await openOurs(gpu),
      host('right', () => undefined),
      host('wrong', (y) => {
        y[y.length - 1] += 1e-3;
      }),
      host('fades', (y, call) => {
        if (call > 0) y[0] = Number.NaN;
      }),
      broken,
      absent,
    ];
    const { tables, notes } = await runRace(gpu, teams, [w], FAST, {}, { late: 'it does not start: no wasm' });
    const [row] = tables[0].rows;
    expect(row.leftOut.late).toBe('it does not start: no wasm');
    expect(Object.keys(row.peers)).toEqual(['right']);
    expect(row.bestPeer).toBe('right');
    expect(row.leftOut.wrong).toContain('wrong result: element 359');
    expect(row.leftOut.fades).toContain('after the race');
    expect(row.leftOut.broken).toBe('no kernel');
    expect(row.leftOut.absent).toBe('cannot');
    expect(notes.softmax.right).toBe('on the host');
    expect(row.timings[OUR_NAME].samples).toBe(1);
  });

  test('an engine that does not start is absent with its reason; the others are there', async () => {
    const { gpu } = await testGpu();
    const { teams, absent } = await openField(gpu, {
      broken: () => Promise.reject(new Error('no wasm')),
      right: async () => host('right', () => undefined),
    });
    expect(teams.map((t) => t.name)).toEqual([OUR_NAME, 'right']);
    expect(teams[0].version).toMatch(/^\d+\.\d+\.\d+/);
    expect(absent).toEqual({ broken: 'it does not start: no wasm' });
  });

  test('who was absent is asked again for the next race, who has started is not', async () => {
    const { gpu } = await testGpu();
    const asked = { late: 0, right: 0 };
    const peers = {
      late: async () => {
        asked.late += 1;
        if (asked.late === 1) throw new Error('not fetched');
        return host('late', () => undefined);
      },
      right: async () => {
        asked.right += 1;
        return host('right', () => undefined);
      },
    };
    const first = await openField(gpu, peers);
    expect(Object.keys(first.absent)).toEqual(['late']);
    const second = await openField(gpu, peers, first);
    expect(second.teams.map((t) => t.name)).toEqual([OUR_NAME, 'late', 'right']);
    expect([second.teams[0], second.teams[2]]).toEqual([first.teams[0], first.teams[1]]);
    expect(second.absent).toEqual({});
    await openField(gpu, peers, second);
    expect(asked).toEqual({ late: 2, right: 1 });
  });

  test('a wrong result of our own is named, so that the run fails', async () => {
    const { gpu } = await testGpu();
    const wrong = host(OUR_NAME, (y) => {
      y[0] += 1;
    });
    const failed = await runRace(gpu, [wrong], [w], FAST);
    expect(missingOurs(failed)).toEqual([expect.stringMatching(/^softmax: wrong result: element 0/)]);
    expect(missingOurs(await runRace(gpu, [host(OUR_NAME, () => undefined)], [w], FAST))).toEqual([]);
  });

  test('a race that is stopped keeps its finished rows', async () => {
    const { gpu } = await testGpu();
    let rows = 0;
    const events = { row: () => void rows++, stopped: () => rows === 2 };
    const report = await runRace(gpu, [await openOurs(gpu)], SMALL, FAST, events);
    expect(report.tables[0].rows).toHaveLength(2);
  });
});

test('the ratio is the best peer over ours', () => {
  const t = (median: number): Timing => ({
    median,
    q1: median,
    q3: median,
    min: median,
    samples: 1,
    repeats: 1,
    clock: 'completion',
    launchBound: false,
  });
  const base = { workload: 'w', shape: 's', id: 'i' };
  const work = { flops: 4e6, dispatches: 1, rotatedBytes: 64, tokens: 10 };
  const row = rowOf(base, 'us', { us: t(2), slow: t(9), fast: t(5) }, {}, work);
  expect(row).toMatchObject({ oursMs: 2, peers: { slow: 9, fast: 5 }, ratioBestPeer: 2.5, bestPeer: 'fast' });
  expect(row.gflops).toBeCloseTo(2);
  expect(row.tokensPerSecond).toBeCloseTo(5000);
  expect(rowOf(base, 'us', { slow: t(9) }, {}, work)).toMatchObject({
    oursMs: null,
    ratioBestPeer: null,
    gflops: null,
  });
});

test('a training step is told in tokens, rate and share of the measured peak', () => {
  const base = { workload: 'w', shape: 's', id: 'gpt-5m' };
  const timings = { us: summarise([2000], 1, 'completion', 0), slow: summarise([9000], 1, 'completion', 0) };
  const work = { flops: 5e9, dispatches: 71, rotatedBytes: 64 << 20, tokens: 256, peak: 10e9, firstStepMs: 4321 };
  const row = rowOf(base, 'us', timings, {}, work);
  expect(row.peakFraction).toBeCloseTo(0.25);
  const words = '128 tokens/s, 2.50 GFLOP/s, 25 % of the matmul peak, 71 dispatches, first step after 4.3 s';
  expect(stepWords(row)).toBe(words);
  const plain = rowOf(base, 'us', timings, {}, { flops: 5e9, dispatches: 71, rotatedBytes: 1 << 20 });
  expect(stepWords(plain)).toBe('');
  expect(plain).not.toHaveProperty('peakFraction');
  const lost = rowOf(base, 'us', { slow: timings.slow }, { us: 'wrong' }, work);
  expect(stepWords(lost)).toBe('');
  const report = {
    adapter: { vendor: 'v', architecture: '', device: '', description: '', software: true, features: [], limits: {} },
    engine: 'us',
    versions: { us: '1', slow: '2' },
    notes: {},
    date: 'today',
    wallMs: 1,
    peak: { gflops: 10, by: 'matmul nn, 512 x 512 x 512' },
    tables: [{ title: 'race', rows: [row] }],
  };
  const text = formatReport(report, '150');
  expect(text).toContain(`gpt-5m: ${words}\n`);
  expect(text).toContain('matmul peak: 10.0 GFLOP/s (matmul nn, 512 x 512 x 512)');
  expect(text).toMatch(/w +s +2000 \(2000\.\.2000\) +9000 \(9000\.\.9000\) +4\.50x +2\.50/);
  expect(text).not.toMatch(/may stay in a cache/);
  const spread = {
    ...report,
    tables: [
      {
        title: 'race',
        rows: [
          rowOf(
            base,
            'us',
            { us: summarise([1, 2, 4, 8, 16], 1, 'completion', 0) },
            {},
            { ...work, rotatedBytes: 4 << 20 },
          ),
        ],
      },
    ],
  };
  expect(formatReport(spread, '150')).toContain(' 4.00 (2.00..8.00) ');
  expect(formatReport(spread, '150')).toContain('gpt-5m: inputs of 4.0 MiB in all may stay in a cache');
});

test('rows have names of their own, inputs rotate, and large sizes are for real GPUs', () => {
  const list = workloads(true);
  expect(new Set(list.map(idOf)).size).toBe(list.length);
  expect(workloads(false).some((w) => w.kind === 'matmul' && w.size > 1024)).toBe(false);
  expect(inputsOf(SMALL[0], 0).a.data).not.toEqual(inputsOf(SMALL[0], 1).a.data);
  expect(inputsOf(SMALL[0], 0).a.data).not.toEqual(inputsOf(SMALL[0], 0).b.data);
  expect(flopsOf(SMALL[0])).toBe(2 * 36 ** 3);
  const small = list.find((w) => w.kind === 'gpt' && w.shape.d === 256);
  if (small?.kind !== 'gpt') throw new Error('no 5 M row');
  const count = Object.values(parametersOf(small)).reduce((sum, g) => sum + g.data.length, 0);
  expect(count).toBeGreaterThan(4.5e6);
  expect(count).toBeLessThan(5.5e6);
});

test('a result that is not a number is an error', () => {
  const reference = { at: Uint32Array.of(1), values: Float64Array.of(2), tolerance: 0.1 };
  expect(firstError([0, 2.1], reference)).toBeNull();
  expect(firstError([0, 2.3], reference)).toContain('element 1');
  expect(firstError([0, Number.NaN], reference)).toContain('NaN');
});

test('ONNX models are written as the format says', () => {
  const bytes = onnxModel(
    [{ op: 'Gemm', inputs: ['a'], outputs: ['y'], attributes: { transA: 1 } }],
    [{ name: 'a', shape: [300] }],
    [],
  );
  // ir_version 8; graph; one node: input a, output y, op Gemm, attribute transA = 1 of type INT.
  const node = [
    10, 1, 97, 18, 1, 121, 34, 4, 71, 101, 109, 109, 42, 13, 10, 6, 116, 114, 97, 110, 115, 65, 24, 1, 160, 1, 2,
  ];
  expect([...bytes.slice(0, 2)]).toEqual([8, 8]);
  expect(Buffer.from(bytes).indexOf(Buffer.from(node))).toBeGreaterThan(0);
  // The dimension 300 as a varint.
  expect(Buffer.from(bytes).indexOf(Buffer.from([10, 3, 8, 0xac, 2]))).toBeGreaterThan(0);
});
