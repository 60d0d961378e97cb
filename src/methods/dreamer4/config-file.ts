/** Configurations as text: reading one from a checkpoint, changing single fields from the command line or a link. */
import * as v from 'valibot';
import { ConfigError, checkAgainst, presetNamed, withValues } from '../config-values.ts';
import { type DreamerConfig, paperFaithful, presets } from './config.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e9));
const positive = v.pipe(count, v.minValue(1));
const real = v.pipe(v.number(), v.finite(), v.minValue(0));
const share = v.pipe(real, v.maxValue(1));
const powerOfTwo = v.pipe(
  positive,
  v.check((n) => Number.isInteger(Math.log2(n)), 'must be a power of two'),
);
const multipleOf4 = v.pipe(positive, v.multipleOf(4));

const phase = v.strictObject({
  steps: positive,
  lr: real,
  rows: positive,
  time: positive,
  longRows: count,
  longTime: count,
});

/** Frames of an episode that a run's samples need: true ones and those that are dreamed after them (DreamerSession.inspect). */
const SAMPLE_FRAMES = 32;

/** Frames in a row that training and samples take from one episode. */
function framesNeeded({ phases }: Pick<DreamerConfig, 'phases'>): number {
  const { time, longRows, longTime } = phases.dynamics;
  return Math.max(phases.tokenizer.time, time, longRows > 0 ? longTime : 0, SAMPLE_FRAMES);
}

const schema = v.pipe(
  v.strictObject({
    rung: v.picklist(['nano', 'micro', 'small', 'base']),
    // Models from before it existed know the meadow.
    world: v.optional(v.picklist(['meadow', 'park']), 'meadow'),
    renderer: v.picklist(['topdown', 'first-person']),
    frame: v.strictObject({ width: positive, height: positive, patch: multipleOf4 }),
    // Worlds play two game ticks a step, whatever this says.
    hz: v.literal(10, 'must be 10, the simulator plays ten steps a second'),
    tokenizer: v.strictObject({
      d: multipleOf4,
      layers: v.pipe(positive, v.minValue(2)),
      heads: positive,
      dim: multipleOf4,
      hidden: multipleOf4,
      aligned: v.boolean(),
      latents: positive,
      channels: positive,
      context: positive,
    }),
    dynamics: v.strictObject({
      d: multipleOf4,
      layers: positive,
      heads: positive,
      kvHeads: positive,
      dim: multipleOf4,
      hidden: multipleOf4,
      tokens: positive,
      channels: multipleOf4,
      registers: positive,
      context: positive,
      kMax: powerOfTwo,
      timeFirst: v.boolean(),
      slotConditions: v.boolean(),
      frameSkip: v.boolean(),
      // Models from before it existed do without.
      motionSkip: v.optional(v.boolean(), false),
      spaceRotation: v.boolean(),
    }),
    data: v.strictObject({ episodes: positive, steps: positive, walks: v.optional(count, 0) }),
    // Without steps a tokenizer that comes with --from stays as it is.
    phases: v.strictObject({ tokenizer: v.strictObject({ ...phase.entries, steps: count }), dynamics: phase }),
    maskMax: share,
    perceptual: real,
    normaliseLosses: v.boolean(),
    changeWeight: real,
    frameChangeWeight: real,
    imageShare: share,
    cleanContextShare: share,
    // Runs from before it existed had a noised frame between any two.
    solidContextShare: v.optional(v.pipe(share, v.maxValue(0.9)), 0),
    // Checkpoints from before these two existed were trained with the paper's values.
    lossFloor: v.optional(share, 0.1),
    noiseShare: v.optional(share, 0),
    bootstrapShare: share,
    bootstrapStart: share,
    // Runs from before it existed had all of them at once.
    bootstrapRamp: v.optional(share, 0),
    longShare: share,
    longOnly: share,
    contextCorruption: v.pipe(real, v.maxValue(0.5)),
    // Runs from before it existed had one level.
    contextCorruptionMax: v.optional(v.pipe(real, v.maxValue(0.9)), 0),
    // Runs from before they existed had true context only.
    selfContextShare: v.optional(share, 0),
    selfContextDepth: v.optional(v.pipe(positive, v.maxValue(8)), 2),
    // Runs from before they existed drew all frames alike.
    handsShare: v.optional(share, 0),
    handsWeight: v.optional(real, 0),
    softCap: real,
    optimiser: v.optional(v.picklist(['adamw', 'muon']), 'adamw'),
    emaDecay: share,
    weightDecay: real,
    clip: real,
    warmup: share,
    decay: share,
  }),
  v.check(
    (c) => c.frame.width % (2 * c.frame.patch) === 0 && c.frame.height % (2 * c.frame.patch) === 0,
    'frame: sides must be multiples of two patches',
  ),
  v.check(
    (c) => c.tokenizer.latents * c.tokenizer.channels === c.dynamics.tokens * c.dynamics.channels,
    'tokenizer latents x channels must equal dynamics tokens x channels',
  ),
  v.check(
    (c) => !c.tokenizer.aligned || c.tokenizer.latents === (c.frame.width * c.frame.height) / c.frame.patch ** 2,
    'aligned latents: there must be one per patch',
  ),
  v.check(
    (c) =>
      !c.dynamics.spaceRotation || (c.tokenizer.aligned && [1, 4].includes(c.tokenizer.latents / c.dynamics.tokens)),
    'dynamics.spaceRotation: there must be one spatial token for every aligned latent or for every 2x2 of them',
  ),
  v.check(
    (c) => c.handsWeight === 0 || (c.tokenizer.aligned && c.tokenizer.latents === c.dynamics.tokens),
    'handsWeight: there must be one spatial token for every patch',
  ),
  v.check((c) => !c.dynamics.motionSkip || c.dynamics.frameSkip, 'dynamics.motionSkip needs dynamics.frameSkip'),
  v.check((c) => c.dynamics.heads % c.dynamics.kvHeads === 0, 'dynamics.heads must be a multiple of dynamics.kvHeads'),
  v.check(
    (c) => c.phases.dynamics.longRows === 0 || c.phases.dynamics.longTime > c.dynamics.context,
    'phases.dynamics.longTime must exceed dynamics.context, or the model never sees a full context without its start',
  ),
  v.check(
    (c) => c.data.steps + 1 >= framesNeeded(c),
    ({ input: c }) =>
      `data.steps=${c.data.steps} makes episodes of ${c.data.steps + 1} frames, ${framesNeeded(c)} in a row are needed`,
  ),
);

/** A validated configuration, or one sentence about the first fault. */
export const checkConfig = (value: unknown): DreamerConfig => checkAgainst(schema, value);

export function parseConfig(text: string): DreamerConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ConfigError('configuration: not JSON');
  }
  return checkConfig(value);
}

/** A preset with changes such as `phases.dynamics.steps=200`. `paper_faithful=true` sets every switch to the paper's, no shape. */
export function configure(preset: string, changes: Record<string, string>): DreamerConfig {
  return changeConfig(presetNamed<DreamerConfig>(presets, preset), changes);
}

/** A configuration with changed values, validated as a whole; the switch for the paper's values comes first. */
export function changeConfig(base: DreamerConfig, changes: Record<string, string>): DreamerConfig {
  const { paper_faithful: faithful, ...others } = changes;
  if (faithful !== undefined && faithful !== 'true' && faithful !== 'false')
    throw new ConfigError('paper_faithful takes true or false');
  return checkConfig(withValues(faithful === 'true' ? paperFaithful(base) : base, others));
}
