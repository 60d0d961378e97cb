// A run at toy size: resuming is bit-identical in every phase, what is exported is judged alike, and without a moving average and
// stop-gradient the features collapse where those of SALT do not.

import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/methods/config-values.ts';
import { clipOf, renderClip } from '../../../src/methods/salt/clips.ts';
import { configure, type SaltConfig } from '../../../src/methods/salt/config.ts';
import { evaluate } from '../../../src/methods/salt/eval.ts';
import { eigenvalues, encodeClips, featureStd } from '../../../src/methods/salt/features.ts';
import { hits } from '../../../src/methods/salt/probe.ts';
import { loadEncoders, runOf, SaltSession } from '../../../src/methods/salt/session.ts';
import { testGpu } from '../../support/gpu.ts';

const toy: SaltConfig = {
  ...configure('test'),
  size: 16,
  patch: 4,
  student: { d: 32, layers: 1, heads: 2 },
  teacher: { d: 24, layers: 1, heads: 2 },
  predictor: { d: 16, layers: 1, heads: 2 },
  batch: 4,
  steps: { teacher: 3, student: 4, untrained: 2, control: 2 },
  probe: { train: 24, dev: 8, test: 16, steps: 4, batch: 8 },
};

async function sessionOf(config: SaltConfig, seed = 5, events: Record<string, number[]> = {}): Promise<SaltSession> {
  const { gpu } = await testGpu();
  return new SaltSession(
    {
      gpu,
      seed,
      signal: new AbortController().signal,
      emit: (e) => {
        if (e.kind !== 'metrics') return;
        events[e.phase] ??= [];
        events[e.phase].push(e.values.loss);
      },
    },
    config,
  );
}

test('a run that is saved in every phase and resumed ends with the same bits', async () => {
  const { gpu } = await testGpu();
  const straight = await sessionOf(toy);
  expect(straight.phases.map((p) => p.id)).toEqual(['teacher', 'student', 'average', 'untrained', 'self', 'open']);
  expect(await straight.advance({})).toBe('done');
  const wanted = (await straight.save()).bytes;
  expect(runOf(wanted)).toEqual({ config: toy, seed: 5 });
  const phases = new Set<string>();
  let bytes: Uint8Array<ArrayBuffer> | null = null;
  for (let done = false; !done; ) {
    const session = await sessionOf(toy);
    if (bytes) await session.load({ name: 'x.safetensors', bytes });
    phases.add(session.state().phase);
    done = (await session.advance({ steps: 2 })) === 'done';
    ({ bytes } = await session.save());
    session.dispose();
  }
  expect(phases.size).toBe(6);
  expect(Buffer.compare(Buffer.from(bytes ?? []), Buffer.from(wanted))).toBe(0);
  const other = await sessionOf(toy, 6);
  await expect(other.load({ name: 'x.safetensors', bytes: wanted })).rejects.toThrow('another configuration or seed');
  other.dispose();

  const exported = (await straight.export('toy')).bytes;
  expect(() => loadEncoders(gpu, wanted)).toThrow("checkpoint of 'salt training'");
  expect(() => runOf(exported)).toThrow("checkpoint of 'salt'");
  const models = loadEncoders(gpu, exported);
  const { metrics, tables } = await evaluate(gpu, models.config, models.encoders, { seed: 2 });
  expect(tables.map((t) => t.name)).toEqual(['probes', 'differences', 'spread', 'paper']);
  for (const t of tables) for (const row of t.rows) expect(row.length, t.name).toBe(t.columns.length);
  const again = await evaluate(gpu, models.config, models.encoders, { seed: 2 });
  expect(again.metrics).toEqual(metrics);
  for (const [name, value] of Object.entries(metrics)) {
    expect(Number.isFinite(value), name).toBe(true);
    if (name.endsWith('.pair')) expect(value, name).toBeGreaterThanOrEqual(metrics[name.slice(0, -5)]);
  }
  models.dispose();
  straight.dispose();
});

test('both stages learn, and only the run without moving average and stop-gradient collapses', async () => {
  const { gpu } = await testGpu();
  const losses: Record<string, number[]> = {};
  const config: SaltConfig = {
    ...toy,
    lr: 6e-3,
    batch: 8,
    steps: { teacher: 60, student: 40, untrained: 0, control: 60 },
  };
  const session = await sessionOf(config, 1, losses);
  await session.advance({});
  const { student, controls } = session.encoders();
  expect(controls.map((e) => e.name)).toEqual(['no EMA', 'no EMA, no stop-gradient']);
  // Rows of deviation 1 have a mean absolute value of about 0.8, which is what predicting their mean gives.
  expect(losses.teacher.at(-1)).toBeLessThan(0.7);
  expect(losses.student.at(-1)).toBeLessThan(0.7 * losses.student[0]);
  const clips = Array.from({ length: 16 }, (_, i) => renderClip(clipOf(99, i).program, config.frames, config.size));
  const std = async (e: typeof student) => featureStd(await encodeClips(gpu, config, e, clips));
  const [kept, collapsed] = [await std(student), await std(controls[1])];
  expect(kept).toBeGreaterThan(0.4);
  expect(collapsed).toBeLessThan(0.1 * kept);
  expect(losses.open.at(-1)).toBeLessThan(0.1);
  session.dispose();
}, 120_000);

test('eigenvalues are those of a matrix that is known', () => {
  // Eigenvalues 1, 2, 4 turned about two axes.
  const values = eigenvalues([
    Float64Array.of(2.5, 0.5, 0),
    Float64Array.of(0.5, 2.5, 0),
    Float64Array.of(0, 0, 7),
  ]).sort((a, b) => a - b);
  for (const [i, want] of [2, 3, 7].entries()) expect(values[i]).toBeCloseTo(want, 10);
});

test('a class wins by its logit, among all or in its pair; a tie is no hit', () => {
  const logits = Float32Array.of(1, 0, 5, 4, 0, 0, 3, 3);
  expect(hits(logits, 4, [0, 2])).toEqual([false, false]);
  expect(hits(logits, 4, [0, 2], 2)).toEqual([true, false]);
  expect(hits(logits, 4, [2, 3])).toEqual([true, false]);
});

test('a configuration that makes no sense is refused with its path', () => {
  expect(() => configure('huge')).toThrow(ConfigError);
  expect(() => configure('test', { size: '40' })).toThrow('no even number of patches');
  expect(() => configure('test', { 'student.heads': '5' })).toThrow('configuration student');
  expect(() => configure('test', { mask: 'cube' })).toThrow('configuration mask');
  expect(() => configure('test', { frames: '7' })).toThrow('configuration frames');
});
