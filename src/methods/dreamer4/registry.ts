/** The kernels that only this method needs: masking, change weights, shortcut forcing. */
import { mix32, uniform01 } from '../../gpu/rng.ts';
import { normRow } from '../../tensor/reference/attention.ts';
import {
  casesOf,
  eachSerialOrTree,
  floats,
  type KernelEntry,
  random,
  single,
  type Trial,
  words,
} from '../../tensor/registry/entry.ts';
import { slower } from '../../tensor/registry/kept.ts';
import { pullBack } from '../../tensor/registry/pull-back.ts';
import { TOLERANCE } from '../../tensor/registry/tolerance.ts';
import {
  blendRows,
  bootstrapTarget,
  changeWeights,
  chooseMask,
  corrupt,
  enterFrame,
  euler,
  leaveFrame,
} from './ops.ts';

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

type Frame = {
  frames: number;
  tokens: number;
  registers: number;
  channels: number;
  d: number;
  passes: number;
  before: number;
  slots: number;
};
/** The micro rung's frame, and one with all parts and several streams. */
const FRAMES: Frame[] = [
  { frames: 2, tokens: 3, registers: 2, channels: 8, d: 12, passes: 3, before: 1, slots: 1 },
  { frames: 1, tokens: 5, registers: 1, channels: 4, d: 8, passes: 1, before: 0, slots: 0 },
];
const FRAME_BENCH: Frame = { frames: 1, tokens: 48, registers: 2, channels: 8, d: 64, passes: 5, before: 1, slots: 1 };

const enterTrial = (f: Frame): Trial => {
  const { frames, tokens, registers, channels, d, passes } = f;
  const slots = 2 + tokens + registers;
  const pass = passes - 1;
  const weights = random([(channels + registers + slots) * d], 1);
  const at = { input: 0, registers: channels * d, slots: (channels + registers) * d };
  const [z, action] = [random([frames, tokens, channels], 2), random([frames, d], 3)];
  const [levels, conditions] = [random([passes * frames, d], 4), random([passes * frames, d], 5)];
  const before = random([frames, tokens, d], 6);
  return {
    inputs: { weights, z, action, levels, conditions, before },
    build: (t) => {
      const shared = {
        action: t.action,
        levels: t.levels,
        slots: f.slots === 1 ? t.conditions : null,
        before: f.before === 1 ? t.before : null,
      };
      return { x: enterFrame(t.weights, t.z, shared, pass, f, at) };
    },
    want: () => {
      const w = weights.data;
      const values: number[] = [];
      for (let frame = 0; frame < frames; frame++)
        for (let slot = 0; slot < slots; slot++)
          for (let c = 0; c < d; c++) {
            const own = (pass * frames + frame) * d + c;
            const token = frame * tokens + slot - 2;
            let sum = w[at.slots + slot * d + c];
            if (slot === 0) sum += action.data[frame * d + c];
            else if (slot === 1) sum += levels.data[own];
            else if (slot < 2 + tokens) {
              for (let k = 0; k < channels; k++) sum += z.data[token * channels + k] * w[k * d + c];
              if (f.before === 1) sum += before.data[token * d + c];
              if (f.slots === 1) sum += conditions.data[own];
            } else sum += w[at.registers + (slot - 2 - tokens) * d + c];
            values.push(sum);
          }
      return { x: { values, share: TOLERANCE.f32.sum } };
    },
  };
};

const leaveTrial = (f: Frame): Trial => {
  const { frames, tokens, registers, channels, d } = f;
  const slots = 2 + tokens + registers;
  const weights = random([d + d * channels], 1);
  const [x, z] = [random([frames, slots, d], 2), random([frames, tokens, channels], 3)];
  const previous = random([frames, tokens, channels], 4);
  const signal = signalOf(frames);
  return {
    inputs: { weights, x, z, previous, signal },
    build: (t) => leaveFrame(t.weights, t.x, t.z, f.before === 1 ? t.previous : null, t.signal, f, { norm: 0, out: d }),
    want: () => {
      const w = weights.data;
      const xhat: number[] = [];
      for (let token = 0; token < frames * tokens; token++) {
        const row = Math.floor(token / tokens) * slots + 2 + (token % tokens);
        const normed = normRow(x.data.subarray(row * d, (row + 1) * d), w.subarray(0, d));
        for (let c = 0; c < channels; c++) {
          const base = f.before === 1 ? previous.data[token * channels + c] : 0;
          xhat.push(normed.reduce((sum, v, k) => sum + v * w[d + k * channels + c], base));
        }
      }
      const next = xhat.map((v, i) => {
        const [tau, step] = levelOf(Math.floor(i / tokens / channels));
        return z.data[i] + ((v - z.data[i]) / (1 - tau)) * step;
      });
      return { xhat: { values: xhat, share: TOLERANCE.f32.sum }, next: { values: next, share: TOLERANCE.f32.sum } };
    },
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
    dispatch: 'CPU adapters: one invocation per frame; GPUs: one workgroup of 64.',
    flops: '2*rows*time*patches',
    bytes: '4*rows*time*patches*(1 + c)',
    variants: eachSerialOrTree(
      'methods/dreamer4/change_weight.wgsl',
      'change_weight',
      'tree',
      'frame',
      slower(1.3, 1.5, '128 frames of 48 patches'),
    ),
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
  {
    name: 'enter frame',
    family: FAMILY,
    about: 'The tokens of a played frame: action, signal, latents with what conditions them, registers.',
    label: 'enter frame',
    bindings: 'weights z action levels conditions before x',
    uniform:
      'frames u32, tokens u32, registers u32, channels u32, d4 u32, pass_index u32, parts u32, at_in u32, at_registers u32, at_slots u32',
    dispatch: 'One invocation per four channels of a slot.',
    flops: 'frames*d*(tokens*(2*channels + before + slots) + 2 + tokens + registers)',
    bytes:
      '4*((channels + registers + 2 + tokens + registers)*d + frames*tokens*channels + frames*d + passes*frames*d*(1 + slots) + 4*(1 - slots) + before*frames*tokens*d + 4*(1 - before) + frames*(2 + tokens + registers)*d)',
    variants: single('methods/dreamer4/enter.wgsl', 'enter'),
    cases: casesOf(FRAMES, enterTrial),
    bench: casesOf([FRAME_BENCH], enterTrial)[0],
  },
  {
    name: 'leave frame',
    family: FAMILY,
    about: 'The prediction of a pass from the last layer, and the Euler step towards it.',
    label: 'leave frame',
    bindings: 'weights x previous z signal xhat next',
    uniform: 'frames u32, tokens u32, slots u32, c4 u32, d4 u32, skip u32, eps f32, at_norm u32, at_out u32',
    dispatch: 'One invocation per four channels of a token.',
    flops: 'frames*tokens*(2*d*channels + 4*d + channels*(4 + before))',
    bytes:
      '4*(d + d*channels + frames*(2 + tokens + registers)*d + frames*tokens*channels*(3 + before) + 4*(1 - before) + 2*frames)',
    variants: single('methods/dreamer4/leave.wgsl', 'leave'),
    cases: casesOf(FRAMES, leaveTrial),
    bench: casesOf([FRAME_BENCH], leaveTrial)[0],
  },
];
