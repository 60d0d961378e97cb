// The arithmetic behind the lab's figures: fits, roofs, units, axes, counts, gathered results, coloured WGSL. No GPU.

import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitExponent } from '../../src/bench/growth.ts';
import { byLack, countProof, type ProofRow } from '../../src/bench/proof-rows.ts';
import { benchReport, gather, noFindings } from '../../src/bench/report.ts';
import { attainableSeconds } from '../../src/bench/roofline.ts';
import { byteRate, bytes, flopRate, ms, percent, times, work } from '../../src/bench/units.ts';
import type { Timing } from '../../src/gpu/timing.ts';
import { decades, decadeTicks, scaleOf } from '../../src/ui/charts/axis.ts';
import { tokenise } from '../../src/ui/gpu/wgsl-tokens.ts';

describe('fitted exponents', () => {
  test('of exact power laws are exact', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (e, c) => {
          const points = [1, 2, 5, 30].map((x) => [x, c * x ** e] as const);
          expect(fitExponent(points)).toBeCloseTo(e, 6);
        },
      ),
    );
  });

  test('lie between the slopes of the pieces, and need two points', () => {
    const bent = [
      [1, 1],
      [2, 2],
      [4, 8],
    ] as const;
    expect(fitExponent(bent)).toBeCloseTo(1.5, 10);
    expect(fitExponent([[1, 1]])).toBeNaN();
    expect(fitExponent([])).toBeNaN();
  });
});

test('a kernel is bound by whichever takes longer, its FLOPs or its bytes', () => {
  const roof = { peak: 1e9, peakBy: '', bandwidth: 1e8, dispatchMs: 0, submitMs: 0 };
  expect(attainableSeconds(roof, 2e9, 1)).toBe(2);
  expect(attainableSeconds(roof, 1, 5e8)).toBe(5);
  // On the ridge, at ten FLOPs per byte, both take as long.
  expect(attainableSeconds(roof, 1e9, 1e8)).toBe(1);
});

test('numbers are written with three digits and the unit that keeps them short', () => {
  expect([0.0000123, 0.0456, 12.34, 4567].map(ms)).toEqual(['12.3 ns', '45.6 µs', '12.3 ms', '4.57 s']);
  expect([2.3e9, 18.04e12, 5e3].map(flopRate)).toEqual(['2.30 GFLOP/s', '18.0 TFLOP/s', '0.00500 MFLOP/s']);
  expect([888e6, 2e12].map(byteRate)).toEqual(['888 MB/s', '2000 GB/s']);
  expect([0, 512, 2.6e8].map(work)).toEqual(['none', '512 FLOP', '260 MFLOP']);
  expect([512, 1536, 3 * 2 ** 30].map(bytes)).toEqual(['512 B', '1.50 KiB', '3.00 GiB']);
  expect([1.144, 0.9, 0.0312, 0.0004, Number.NaN].map(percent)).toEqual(['114 %', '90 %', '3.1 %', '0.040 %', '–']);
  expect([1, 0.0569, Number.NaN].map(times)).toEqual(['1.00 x', '0.0569 x', '–']);
  expect(ms(Number.POSITIVE_INFINITY)).toBe('–');
});

describe('log axes', () => {
  test('equal factors are equal distances', () => {
    const scale = scaleOf({ log: true }, [1, 1000], [0, 300]);
    expect([1, 10, 100, 1000].map(scale)).toEqual([0, 100, 200, 300].map((v) => expect.closeTo(v, 9)));
    expect(Number.isFinite(scale(0))).toBe(true);
  });

  test('decades enclose every value', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-9, max: 1e15, noNaN: true }), { minLength: 1 }), (values) => {
        const [low, high] = decades(values);
        expect(low).toBeLessThanOrEqual(Math.min(...values) * (1 + 1e-9));
        expect(high).toBeGreaterThanOrEqual(Math.max(...values) * (1 - 1e-9));
        expect(high).toBeGreaterThan(low);
        expect(decadeTicks([low, high]).length).toBeGreaterThan(1);
      }),
    );
    expect(decades([0, Number.NaN, -1])).toEqual([0.1, 10]);
    expect(decadeTicks([1, 1000])).toEqual([1, 10, 100, 1000]);
  });
});

const row = (
  kernel: string,
  variant: string,
  name: string,
  ok = true,
  kind: ProofRow['kind'] = 'kernel',
): ProofRow => ({
  kind,
  kernel,
  family: 'f',
  variant,
  case: name,
  ok,
  share: 0,
  tolerance: 0,
  reason: '',
  ms: 1,
});

const timing: Timing = {
  median: 2,
  q1: 1,
  q3: 3,
  min: 1,
  samples: 3,
  repeats: 1,
  clock: 'completion',
  launchBound: false,
};

test('proofs are counted by kernel, variant and case; gradients apart', () => {
  const rows = [
    row('a', 'x', '1'),
    row('a', 'y', '1'),
    row('a', 'y', '2', false),
    row('b', 'x', '1'),
    row('g', '', '', true, 'gradient'),
  ];
  expect(countProof(rows)).toEqual({ kernels: 2, variants: 3, cases: 4, gradients: 1, failed: 1 });
});

test('variants that were left out are listed by what is lacking', () => {
  const skipped = [
    { kernel: 'a', variant: 'x', lacks: 'f16' },
    { kernel: 'a', variant: 'y', lacks: 'subgroups' },
    { kernel: 'b', variant: 'x', lacks: 'f16' },
  ];
  const f = gather(noFindings(), { kind: 'skipped', variants: skipped });
  expect(byLack(f.skipped)).toEqual([
    ['f16', ['a (x)', 'b (x)']],
    ['subgroups', ['a (y)']],
  ]);
});

test('a second run of the same thing replaces the first; the report holds everything', () => {
  let f = noFindings();
  f = gather(f, { kind: 'proof', row: row('a', 'x', '1', false) });
  f = gather(f, { kind: 'proof', row: row('a', 'x', '2') });
  f = gather(f, { kind: 'proof', row: row('a', 'x', '1') });
  f = gather(f, { kind: 'progress', done: 0, total: 1, what: 'a' });
  const point = { kernel: 'a', family: 'f', variant: 'x', case: '1', flops: 1, bytes: 1, cached: true, fraction: 1 };
  f = gather(f, { kind: 'point', point: { ...point, timing } });
  f = gather(f, { kind: 'point', point: { ...point, timing: { ...timing, median: 5 } } });
  expect(f.proof.map((r) => [r.case, r.ok])).toEqual([
    ['2', true],
    ['1', true],
  ]);
  expect(f.points.map((p) => p.timing.median)).toEqual([5]);
  const adapter = {
    vendor: '',
    architecture: '',
    device: '',
    description: 'd',
    software: true,
    features: [],
    limits: {},
  };
  const report = benchReport(f, { date: new Date(0), wallMs: 7, runtime: 'r', adapter, doctor: [] });
  expect(report).toMatchObject({
    kind: 'tenfold bench',
    date: '1970-01-01T00:00:00.000Z',
    wallMs: 7,
    counts: { cases: 2, failed: 0 },
  });
  expect(JSON.parse(JSON.stringify(report)).points).toHaveLength(1);
  // This checkout is a build as well.
  expect(report.build.version).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
  if (existsSync('.git')) expect(report.build.commit).toMatch(/^[0-9a-f]{7,40}(-dirty)?$/);
});

describe('coloured WGSL', () => {
  test('loses no character', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(
          tokenise(text)
            .map((t) => t.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });

  test('knows comments, attributes, keywords, types, numbers and built-in functions', () => {
    const kinds = (text: string) =>
      tokenise(text)
        .filter((t) => t.text.trim())
        .map((t) => [t.kind, t.text]);
    expect(kinds('@compute fn f() { let x = max(0x1fu, 2.5f); } // max 1')).toEqual([
      ['attribute', '@compute'],
      ['keyword', 'fn'],
      ['plain', ' f() { '],
      ['keyword', 'let'],
      ['plain', ' x = '],
      ['builtin', 'max'],
      ['plain', '('],
      ['number', '0x1fu'],
      ['plain', ', '],
      ['number', '2.5f'],
      ['plain', '); } '],
      ['comment', '// max 1'],
    ]);
    expect(kinds('vec4f array<u32, 4>')).toEqual([
      ['type', 'vec4f'],
      ['type', 'array'],
      ['plain', '<'],
      ['type', 'u32'],
      ['plain', ', '],
      ['number', '4'],
      ['plain', '>'],
    ]);
    // A name that only begins like a keyword stays plain.
    expect(kinds('format lettered')).toEqual([['plain', 'format lettered']]);
  });
});
