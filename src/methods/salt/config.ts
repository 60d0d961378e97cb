/** Presets of the method: clips, networks, steps of every stage, and the frozen probe. Tiers: salt.md section 7. */
import * as v from 'valibot';
import { ConfigError, checkAgainst, presetNamed, withValues } from '../config-values.ts';
import { type Grid, RECIPES } from './masks.ts';

const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const real = v.pipe(v.number(), v.finite(), v.minValue(0));
const share = v.pipe(real, v.maxValue(1));
const recipe = v.picklist(Object.keys(RECIPES) as (keyof typeof RECIPES)[]);

const network = v.strictObject({ d: v.pipe(positive, v.multipleOf(4)), layers: positive, heads: positive });

const schema = v.strictObject({
  rung: v.string(),
  /** Frames of a clip, a multiple of the tubelet's 2; side of a frame and of a patch in pixels. */
  frames: v.pipe(positive, v.multipleOf(2)),
  size: positive,
  patch: v.pipe(positive, v.multipleOf(2)),
  /** Encoder of the student and of the moving-average baseline; of the teacher; predictor (and pixel decoder) of all. */
  student: network,
  teacher: network,
  predictor: network,
  /** Clips of a step. */
  batch: positive,
  lr: real,
  /** Share of the steps in which the rate rises. */
  warmup: share,
  /** Weight decay at the first and at the last step. */
  decay: real,
  decayEnd: real,
  clip: real,
  /**
   * Steps of stage 1, of stage 2, of stage 2 on an untrained teacher, and of each control without moving average (0 leaves these out).
   * The baseline gets as much compute as stages 1 and 2.
   */
  steps: v.strictObject({ teacher: positive, student: positive, untrained: count, control: count }),
  /** Momentum of the baseline's moving average. */
  momentum: share,
  /** Masks of stage 2 and of the baseline; of stage 1. */
  mask: recipe,
  teacherMask: recipe,
  /** Stage 2 regresses targets normalised over channels; stage 1 pixels normalised over their patch. */
  targetNorm: v.boolean(),
  pixelNorm: v.boolean(),
  /** Clips that the probes learn from, are chosen on and are judged on; their steps, and clips of a step. */
  probe: v.strictObject({ train: positive, dev: positive, test: positive, steps: positive, batch: positive }),
});

export type SaltConfig = v.InferOutput<typeof schema>;
export type Network = SaltConfig['student'];

/** Frames that a token covers. */
export const TUBELET = 2;

export const gridOf = (c: SaltConfig): Grid => ({
  time: c.frames / TUBELET,
  height: c.size / c.patch,
  width: c.size / c.patch,
});

export const tokensOf = ({ time, height, width }: Grid): number => time * height * width;

/** Numbers of one tubelet patch. */
export const patchWidth = (c: SaltConfig): number => TUBELET * c.patch * c.patch * 3;

const TEST: SaltConfig = {
  rung: 'test',
  frames: 8,
  size: 36,
  patch: 6,
  student: { d: 48, layers: 2, heads: 3 },
  teacher: { d: 48, layers: 2, heads: 3 },
  predictor: { d: 32, layers: 1, heads: 2 },
  batch: 8,
  lr: 2e-3,
  warmup: 0.05,
  decay: 0.04,
  decayEnd: 0.4,
  clip: 1,
  steps: { teacher: 20, student: 60, untrained: 60, control: 20 },
  momentum: 0.99,
  mask: 'multi',
  teacherMask: 'multi',
  targetNorm: true,
  pixelNorm: true,
  probe: { train: 256, dev: 64, test: 192, steps: 60, batch: 32 },
};

const S = { d: 128, layers: 6, heads: 4 };

export const presets: Readonly<Record<string, SaltConfig>> = {
  /** Everything runs, nothing is learned well: under a minute of two CPU cores. */
  test: TEST,
  /** The same networks with enough steps to learn something: about ten minutes of two CPU cores. */
  nano: {
    ...TEST,
    rung: 'nano',
    batch: 16,
    steps: { teacher: 200, student: 1000, untrained: 1000, control: 60 },
    probe: { train: 2048, dev: 512, test: 1024, steps: 300, batch: 64 },
  },
  /** The specification's demo run: student and teacher of 1.2 M parameters, the paper's 1:5 split. For a GPU; not run yet. */
  small: {
    ...TEST,
    rung: 'small',
    frames: 16,
    size: 48,
    patch: 8,
    student: S,
    teacher: S,
    predictor: { d: 64, layers: 4, heads: 4 },
    batch: 64,
    lr: 1e-3,
    steps: { teacher: 400, student: 2000, untrained: 2000, control: 100 },
    momentum: 0.996,
    probe: { train: 4096, dev: 1024, test: 2048, steps: 1000, batch: 128 },
  },
};

/** Throws ConfigError with one sentence. */
export function checkConfig(value: unknown): SaltConfig {
  const c = checkAgainst(schema, value);
  if (c.size % (2 * c.patch) !== 0) {
    throw new ConfigError(`configuration size: ${c.size} pixels are no even number of patches of ${c.patch}`);
  }
  for (const name of ['student', 'teacher', 'predictor'] as const) {
    const { d, heads } = c[name];
    // A third of a head's channels turns with each axis, in pairs.
    if (d % heads !== 0 || (d / heads) % 4 !== 0 || d / heads < 8) {
      throw new ConfigError(
        `configuration ${name}: ${heads} heads do not share ${d} channels in multiples of 4 from 8 on`,
      );
    }
  }
  return c;
}

export const configure = (preset: string, set: Record<string, string> = {}): SaltConfig =>
  checkConfig(withValues(presetNamed(presets, preset), set));
