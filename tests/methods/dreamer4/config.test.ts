// Configurations: every preset is valid, single values change, and each fault gives one sentence that names it.

import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/methods/config-values.ts';
import { presets } from '../../../src/methods/dreamer4/config.ts';
import { checkConfig, configure, parseConfig } from '../../../src/methods/dreamer4/config-file.ts';

test.each(Object.keys(presets))('preset %s is valid and survives text', (name) => {
  const preset = presets[name as keyof typeof presets];
  expect(preset.rung).toBe(name);
  expect(parseConfig(JSON.stringify(preset))).toEqual(preset);
  expect(configure(name, {})).toEqual(preset);
});

test('every rung that ships remembers 9.6 seconds', () => {
  for (const name of ['micro', 'small', 'base'] as const) {
    const { dynamics, hz, phases } = presets[name];
    expect(dynamics.context / hz).toBe(9.6);
    expect(phases.dynamics.longTime).toBeGreaterThan(dynamics.context);
  }
});

test('single values change, the preset does not', () => {
  const before = structuredClone(presets.nano);
  const c = configure('nano', {
    'phases.dynamics.steps': '200',
    'tokenizer.aligned': 'false',
    renderer: 'first-person',
    'phases.tokenizer.lr': '1e-3',
  });
  expect(c.phases.dynamics.steps).toBe(200);
  expect(c.tokenizer.aligned).toBe(false);
  expect(c.renderer).toBe('first-person');
  expect(c.phases.tokenizer.lr).toBe(0.001);
  expect(presets.nano).toEqual(before);
});

/** Written out from methods/dreamer4.md 3, 4.2-4.4, 5, 6 and its `paper_faithful` notes; nothing here comes from the source. */
const PAPER = {
  maskMax: 0.9,
  perceptual: 0.2,
  normaliseLosses: true,
  changeWeight: 0,
  frameChangeWeight: 0,
  imageShare: 0.3,
  cleanContextShare: 0,
  solidContextShare: 0,
  lossFloor: 0.1,
  noiseShare: 0,
  bootstrapShare: 0.25,
  bootstrapStart: 0.2,
  bootstrapRamp: 0.05,
  longShare: 0.1,
  longOnly: 0.1,
  contextCorruption: 0.1,
  contextCorruptionMax: 0.1,
  selfContextShare: 0,
  handsShare: 0,
  handsWeight: 0,
  softCap: 50,
  optimiser: 'adamw',
  weightDecay: 0.1,
  clip: 1,
  warmup: 0.05,
  decay: 0.1,
};
const PAPER_DYNAMICS = {
  timeFirst: false,
  slotConditions: false,
  frameSkip: false,
  motionSkip: false,
  spaceRotation: false,
};

test.each(['nano', 'micro', 'small', 'base'] as const)(
  'paper_faithful sets every switch of %s, and no shape',
  (name) => {
    const preset = presets[name];
    const c = configure(name, { paper_faithful: 'true' });
    expect(c).toEqual({
      ...PAPER,
      emaDecay: name === 'nano' ? 0.995 : 0.999,
      // Without selfContextShare it says nothing.
      selfContextDepth: preset.selfContextDepth,
      rung: preset.rung,
      world: preset.world,
      renderer: preset.renderer,
      frame: preset.frame,
      hz: preset.hz,
      data: preset.data,
      phases: preset.phases,
      tokenizer: { ...preset.tokenizer, aligned: false },
      dynamics: { ...preset.dynamics, ...PAPER_DYNAMICS },
    });
    expect(configure(name, { paper_faithful: 'false' })).toEqual(preset);
  },
);

test('a value that is named wins over paper_faithful', () => {
  expect(configure('micro', { maskMax: '0.4', paper_faithful: 'true' })).toMatchObject({ maskMax: 0.4, softCap: 50 });
});

describe('faults', () => {
  const fault = (changes: Record<string, string>, preset = 'nano'): string => {
    try {
      configure(preset, changes);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as Error).message;
    }
    return 'no error';
  };

  test.each([
    [{ 'phases.dynamics.stepz': '1' }, '--set phases.dynamics.stepz'],
    [{ 'phases.nothing.steps': '1' }, '--set phases.nothing.steps'],
    [{ 'hz.deep.down': '1' }, '--set hz.deep.down'],
    [{ __proto__x: '1' }, '--set __proto__x'],
    [{ 'constructor.name': '1' }, '--set constructor.name'],
    [{ 'phases.dynamics': '1' }, 'longTime'],
    [{ 'phases.dynamics.steps': 'many' }, "'many' is not a number"],
    [{ 'phases.dynamics.steps': 'Infinity' }, "'Infinity' is not a number"],
    [{ 'phases.dynamics.steps': '0' }, 'phases.dynamics.steps'],
    [{ 'phases.dynamics.steps': '1.5' }, 'phases.dynamics.steps'],
    [{ 'tokenizer.aligned': 'yes' }, 'true or false'],
    [{ normaliseLosses: '1' }, 'true or false'],
    [{ paper_faithful: 'maybe' }, 'true or false'],
    [{ 'dynamics.kMax': '12' }, 'power of two'],
    [{ renderer: 'sideways' }, 'renderer'],
    [{ 'tokenizer.d': '30' }, 'tokenizer.d'],
    [{ 'frame.width': '40' }, 'two patches'],
    [{ 'tokenizer.latents': '8' }, 'latents'],
    [{ 'dynamics.heads': '4', 'dynamics.kvHeads': '3' }, 'multiple of dynamics.kvHeads'],
    [{ 'phases.dynamics.longTime': '16' }, 'longTime must exceed'],
    [{ contextCorruption: '0.7' }, 'contextCorruption'],
    [{ maskMax: '-0.1' }, 'maskMax'],
    [{ hz: '20' }, 'configuration hz: must be 10, the simulator plays ten steps a second'],
    [{ 'data.steps': '30' }, 'data.steps=30 makes episodes of 31 frames, 32 in a row are needed'],
    [{ 'data.steps': '38', 'phases.tokenizer.time': '40' }, '39 frames, 40 in a row'],
    [{ 'data.steps': '38', 'phases.dynamics.time': '40' }, '39 frames, 40 in a row'],
    [{ 'data.steps': '38', 'phases.dynamics.longTime': '40' }, '39 frames, 40 in a row'],
  ] as [Record<string, string>, string][])('%j', (changes, part) => {
    const message = fault(changes);
    expect(message).toContain(part);
    expect(message).not.toContain('\n');
  });

  test('an episode may be as short as its longest row', () => {
    const long = 'phases.dynamics.longRows';
    expect(fault({ 'data.steps': '102' }, 'micro')).toContain('103 frames, 104 in a row');
    expect(fault({ 'data.steps': '103' }, 'micro')).toBe('no error');
    expect(fault({ 'data.steps': '31', [long]: '0' }, 'micro')).toBe('no error');
  });

  test('an unknown preset names the known ones', () => {
    expect(fault({}, 'giant')).toBe("no preset 'giant' (known: nano, micro, small, base)");
    expect(fault({}, 'toString')).toContain("no preset 'toString'");
  });

  test.each(['', '{', 'null', '[]', '3', '"nano"', '{}'])('the text %j', (text) => {
    expect(() => parseConfig(text)).toThrow(ConfigError);
    expect(() => parseConfig(text)).toThrow(/^configuration/);
  });

  test('an extra or missing field', () => {
    expect(() => checkConfig({ ...presets.nano, extra: 1 })).toThrow('extra');
    const { clip: _, ...rest } = presets.nano;
    expect(() => checkConfig(rest)).toThrow('clip');
  });
});
