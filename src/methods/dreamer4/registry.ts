/** The kernels that only this method needs: masking, change weights, shortcut forcing. */
import { mix32, uniform01 } from '../../gpu/rng.ts';
import { casesOf, floats, type KernelEntry, random, single, type Trial, words } from '../../tensor/registry/entry.ts';
import { pullBack } from '../../tensor/registry/pull-back.ts';
import { TOLERANCE } from '../../tensor/registry/tolerance.ts';
import { blendRows, bootstrapTarget, changeWeights, chooseMask, corrupt, euler } from './ops.ts';

const FAMILY = 'dreamer4';

type Rows = { rows: number; d: number };
const ROWS: Rows[] = [
  { rows: 1, d: 4 },
  { rows: 5, d: 8 },
  { rows: 33, d: 12 },
];
const ROWS_BENCH: Rows = { rows: 6144, d: 96 };

const blendTrial = ({ rows, d }: Rows): Trial => {
  const [x, v, probe] = [random([rows, d], 1), random([d], 2), random([rows, d], 3)];
  const kept = (r: number): boolean => r % 3 !== 1;
  const keep = floats(
    [rows],
    Array.from({ length: rows }, (_, r) => Number(kept(r))),
  );
  return {
    inputs: { x, keep, v, probe },
    build: (t, graph) => {
      const y = blendRows(t.x, t.keep, t.v);
      const [dx, dv] = pullBack(graph, y, t.probe, [t.x, t.v]);
      return { y, dx, dv };
    },
    want: () => {
      const rowOf = (i: number): number => Math.floor(i / d);
      const dv = new Float64Array(d);
      probe.data.forEach((p, i) => {
        if (!kept(rowOf(i))) dv[i % d] += p;
      });
      return {
        y: { values: x.data.map((value, i) => (kept(rowOf(i)) ? value : v.data[i % d])), share: 0 },
        dx: { values: probe.data.map((p, i) => (kept(rowOf(i)) ? p : 0)), share: 0 },
        dv: { values: dv, share: TOLERANCE.f32.sum, scale: Math.max(1, rows / 8) },
      };
    },
  };
};

type Mask = { frames: number; tokens: number };
const P_MAX = 0.9;
const maskTrial = ({ frames, tokens }: Mask): Trial => {
  const seed = [11, 4];
  return {
    inputs: { seed: words([2], seed) },
    build: (t) => ({ keep: chooseMask(t.seed, frames, tokens, P_MAX) }),
    want: () => {
      const values = Array.from({ length: frames * tokens }, (_, i) => {
        const u = uniform01(mix32(seed[0], seed[1], Math.floor(i / tokens), 11));
        return uniform01(mix32(seed[0], seed[1], i, 12)) >= Math.fround(u * Math.fround(P_MAX)) ? 1 : 0;
      });
      return { keep: { values, share: 0 } };
    },
  };
};

type Change = { rows: number; time: number; patches: number; c: number };
const EXTRA = 4;
const changeTrial = ({ rows, time, patches, c }: Change): Trial => {
  const frames = rows * time;
  const data = new Float32Array(frames * patches * c).fill(0.5);
  const moved = (f: number, p: number): boolean => f % time > 0 && mix32(f, p, 3, 3) % 3 === 0;
  for (let f = 1; f < frames; f++)
    for (let p = 0; p < patches; p++) {
      const at = (f * patches + p) * c;
      for (let i = 0; i < c; i++) data[at + i] = data[at + i - patches * c];
      // The last channel alone moves: a comparison that stops early would miss it.
      if (moved(f, p)) data[at + c - 1] += 0.125;
    }
  return {
    inputs: { frames: floats([frames, patches, c], data) },
    build: (t) => ({ w: changeWeights(t.frames, time, EXTRA) }),
    want: () => {
      const values: number[] = [];
      for (let f = 0; f < frames; f++) {
        const raw = Array.from({ length: patches }, (_, p) => (moved(f, p) ? 1 + EXTRA : 1));
        const total = raw.reduce((a, b) => a + b, 0);
        values.push(...raw.map((w) => (w * patches) / total));
      }
      return { w: { values, share: TOLERANCE.f32.rounding } };
    },
  };
};

const K_MAX = 32;
/** Every (tau, d) of the grid with d > 1/kMax: what bootstrap rows draw from. */
const LEVELS: [tau: number, d: number][] = [];
for (let e = 0; e < Math.log2(K_MAX); e++) for (let j = 0; j < 2 ** e; j++) LEVELS.push([j * 2 ** -e, 2 ** -e]);

type Latents = { rows: number; c: number };
const LATENTS: Latents[] = [
  { rows: LEVELS.length, c: 6 },
  { rows: 1, c: 1 },
];
const LATENTS_BENCH: Latents = { rows: 3072, c: 128 };

const levelOf = (row: number): [tau: number, d: number] => LEVELS[row % LEVELS.length];
const signalOf = (rows: number) => floats([rows, 2], Array.from({ length: rows }, (_, r) => levelOf(r)).flat());

const corruptTrial = ({ rows, c }: Latents): Trial => {
  const [clean, noise] = [random([rows, c], 1), random([rows, c], 2)];
  return {
    inputs: { clean, noise, signal: signalOf(rows) },
    build: (t) => ({ y: corrupt(t.clean, t.noise, t.signal) }),
    want: () => ({
      y: {
        values: Float64Array.from(clean.data, (v, i) => {
          const [tau] = levelOf(Math.floor(i / c));
          return (1 - tau) * noise.data[i] + tau * v;
        }),
        share: TOLERANCE.f32.rounding,
      },
    }),
  };
};

const eulerTrial = ({ rows, c }: Latents): Trial => {
  const [z, x] = [random([rows, c], 1), random([rows, c], 2)];
  return {
    inputs: { z, x, signal: signalOf(rows) },
    build: (t) => ({ y: euler(t.z, t.x, t.signal, 0.5) }),
    want: () => ({
      y: {
        values: Float64Array.from(z.data, (v, i) => {
          const [tau, d] = levelOf(Math.floor(i / c));
          return v + ((x.data[i] - v) / (1 - tau)) * d * 0.5;
        }),
        share: TOLERANCE.f32.map,
      },
    }),
  };
};

const bootstrapTrial = ({ rows, c }: Latents): Trial => {
  const [z, half, x1, x2] = [1, 2, 3, 4].map((salt) => random([rows, c], salt));
  return {
    inputs: { z, half, x1, x2, signal: signalOf(rows) },
    build: (t) => ({ goal: bootstrapTarget(t.z, t.half, t.x1, t.x2, t.signal) }),
    want: () => ({
      goal: {
        values: Float64Array.from(z.data, (v, i) => {
          const [tau, d] = levelOf(Math.floor(i / c));
          const b1 = (x1.data[i] - v) / (1 - tau);
          const b2 = (x2.data[i] - half.data[i]) / (1 - tau - d / 2);
          return v + (1 - tau) * 0.5 * (b1 + b2);
        }),
        share: TOLERANCE.f32.sum,
      },
    }),
  };
};

const blend = (entryPoint: 'blend' | 'split', about: string): KernelEntry => ({
  name: entryPoint === 'blend' ? 'blend rows' : 'blend rows backward',
  family: FAMILY,
  about,
  label: 'blend rows',
  bindings: 'x keep vector y',
  uniform: 'rows u32, d4 u32',
  dispatch: 'One invocation per four channels of a row.',
  flops: entryPoint === 'blend' ? '2*rows*d' : '4*rows*d',
  bytes: entryPoint === 'blend' ? '4*(2*rows*d + rows + d)' : '4*(3*rows*d + rows)',
  variants: single('methods/dreamer4/blend_rows.wgsl', entryPoint),
  cases: casesOf(ROWS, blendTrial),
  bench: casesOf([ROWS_BENCH], blendTrial)[0],
});

const SHORTCUT_UNIFORM = 'rows u32, c u32, fraction f32';

export const DREAMER4: readonly KernelEntry[] = [
  blend('blend', 'Rows of x where keep is 1, one learned vector elsewhere.'),
  blend('split', 'The derivative of blend rows.'),
  {
    name: 'choose mask',
    family: FAMILY,
    about: 'Which tokens of a frame stay, each frame with its own probability.',
    label: 'choose mask',
    bindings: 'seed keep',
    uniform: 'frames u32, tokens u32, p_max f32',
    dispatch: 'One invocation per token.',
    flops: '2*frames*tokens',
    bytes: '4*(frames*tokens + 2)',
    variants: single('methods/dreamer4/mask_tokens.wgsl', 'choose'),
    cases: casesOf(
      [
        { frames: 1, tokens: 1 },
        { frames: 20, tokens: 47 },
      ],
      maskTrial,
    ),
    bench: casesOf([{ frames: 2048, tokens: 48 }], maskTrial)[0],
  },
  {
    name: 'change weight',
    family: FAMILY,
    about: 'Patches that differ from the frame before weigh more; the mean of a frame is one.',
    label: 'change weight',
    bindings: 'patches weight',
    uniform: 'frames u32, time u32, patches u32, c u32, extra f32',
    dispatch: 'One invocation per frame.',
    flops: '2*rows*time*patches',
    bytes: '4*rows*time*patches*(1 + c)',
    variants: single('methods/dreamer4/change_weight.wgsl', 'change_weight'),
    cases: casesOf(
      [
        { rows: 1, time: 1, patches: 1, c: 1 },
        { rows: 2, time: 5, patches: 7, c: 5 },
      ],
      changeTrial,
    ),
    bench: casesOf([{ rows: 8, time: 16, patches: 48, c: 192 }], changeTrial)[0],
  },
  {
    name: 'corrupt',
    family: FAMILY,
    about: '(1 - tau) noise + tau clean.',
    label: 'corrupt',
    bindings: 'a b signal y',
    uniform: SHORTCUT_UNIFORM,
    dispatch: 'One invocation per element.',
    flops: '4*rows*c',
    bytes: '4*(3*rows*c + 2*rows)',
    variants: single('methods/dreamer4/shortcut.wgsl', 'corrupt'),
    cases: casesOf(LATENTS, corruptTrial),
    bench: casesOf([LATENTS_BENCH], corruptTrial)[0],
  },
  {
    name: 'euler',
    family: FAMILY,
    about: 'One Euler step towards a prediction.',
    label: 'euler',
    bindings: 'a b signal y',
    uniform: SHORTCUT_UNIFORM,
    dispatch: 'One invocation per element.',
    flops: '4*rows*c',
    bytes: '4*(3*rows*c + 2*rows)',
    variants: single('methods/dreamer4/shortcut.wgsl', 'euler'),
    cases: casesOf(LATENTS, eulerTrial),
    bench: casesOf([LATENTS_BENCH], eulerTrial)[0],
  },
  {
    name: 'bootstrap target',
    family: FAMILY,
    about: 'x-space target of a bootstrap row from two half steps of the teacher.',
    label: 'bootstrap target',
    bindings: 'z z_half x1 x2 signal goal',
    uniform: 'rows u32, c u32',
    dispatch: 'One invocation per element.',
    flops: '8*rows*c',
    bytes: '4*(5*rows*c + 2*rows)',
    variants: single('methods/dreamer4/bootstrap.wgsl', 'bootstrap'),
    cases: casesOf(LATENTS, bootstrapTrial),
    bench: casesOf([LATENTS_BENCH], bootstrapTrial)[0],
  },
];
