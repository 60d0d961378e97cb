/** The u32 action: quantiser bins, VPT grouping, joint button form. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  actionCamera,
  actionFromViews,
  actionKeys,
  actionViews,
  angleToBin,
  CAMERA_ANGLE,
  CAMERA_NULL,
  CAMERA_THRESHOLDS,
  cameraClass,
  canonicalise,
  encodeCamera,
  hotbarKey,
  hotbarOf,
  KEY,
  KEY_NAMES,
  keysOf,
  makeAction,
  NULL_ACTION,
} from '../../src/world/actions.ts';
import { fromVpt, toVpt, VPT_BUTTONS, VPT_INVENTORY } from '../../src/world/vpt-actions.ts';

const action = fc.integer({ min: 0, max: 0xffffffff });

describe('camera quantiser', () => {
  it('decodes to 11^(|k|/5) - 1 degrees and encodes every decoded angle back to its bin', () => {
    for (let k = -5; k <= 5; k++) {
      const degrees = (11 ** (Math.abs(k) / 5) - 1) * Math.sign(k);
      expect(CAMERA_ANGLE[k + 5]).toBe(Math.round((degrees * 65536) / 360));
      expect(angleToBin(CAMERA_ANGLE[k + 5])).toBe(k + 5);
    }
  });

  it('switches bins where mu-law rounding switches', () => {
    const muLaw = (deg: number) =>
      Math.round(((Math.sign(deg) * Math.log(1 + Math.abs(deg)) * 10) / Math.log(11) + 10) / 2);
    CAMERA_THRESHOLDS.forEach((t, k) => {
      expect(angleToBin(t)).toBe(6 + k);
      expect(angleToBin(t - 1)).toBe(5 + k);
      // The integer threshold lies within one unit of the real one.
      expect(muLaw(((t + 1) * 360) / 65536)).toBe(6 + k);
      expect(muLaw(((t - 1) * 360) / 65536)).toBe(5 + k);
    });
    expect(angleToBin(100000)).toBe(10);
    expect(angleToBin(-100000)).toBe(0);
  });

  it('packs pitch and yaw bins', () => {
    expect(encodeCamera(0, 0)).toBe(CAMERA_NULL);
    expect(encodeCamera(1820, -1820)).toBe(cameraClass(0, 10));
  });
});

describe('canonicalise', () => {
  it('is idempotent and leaves legal camera classes', () => {
    fc.assert(
      fc.property(action, (a) => {
        const c = canonicalise(a);
        expect(canonicalise(c)).toBe(c);
        expect(actionCamera(c)).toBeLessThan(121);
        expect(c >>> 30).toBe(0);
        const k = actionKeys(c);
        expect((k & KEY.forward) !== 0 && (k & KEY.back) !== 0).toBe(false);
        expect((k & KEY.sprint) !== 0 && (k & KEY.sneak) !== 0).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('follows the VPT grouping rules', () => {
    const keys = (a: number) => actionKeys(canonicalise(a));
    expect(keys(makeAction(KEY.forward | KEY.back | KEY.jump))).toBe(KEY.jump);
    expect(keys(makeAction(KEY.left | KEY.right))).toBe(0);
    expect(keys(makeAction(KEY.sprint | KEY.sneak))).toBe(KEY.sneak);
    expect(hotbarOf(canonicalise(makeAction(hotbarKey(2) | hotbarKey(7) | hotbarKey(4))))).toBe(7);
    expect(actionCamera(canonicalise((127 << 23) >>> 0))).toBe(CAMERA_NULL);
    expect(canonicalise(NULL_ACTION)).toBe(NULL_ACTION);
  });

  it('survives the two-head view, and key names match the masks', () => {
    fc.assert(
      fc.property(action, (a) => {
        const c = canonicalise(a);
        const v = actionViews(c);
        expect(actionFromViews(v.keys, v.camera)).toBe(c);
      }),
    );
    expect(keysOf('forward', 'use')).toBe(KEY.forward | KEY.use);
    expect(keysOf('hotbar.9')).toBe(hotbarKey(8));
    expect(KEY_NAMES.length).toBe(23);
    const lower = KEY_NAMES.slice(1).map((n) => n.toLowerCase());
    expect(lower).toEqual([...lower].sort());
  });
});

describe('VPT joint form', () => {
  it('maps all 8641 button classes back to themselves', () => {
    for (let b = 0; b < VPT_BUTTONS; b++) {
      const camera = b & 1 && b !== VPT_INVENTORY ? 17 : CAMERA_NULL;
      expect(toVpt(fromVpt(b, camera))).toEqual([b, camera]);
    }
  });

  it('loses only ESC, pickItem and swapHands', () => {
    fc.assert(
      fc.property(action, (a) => {
        const c = canonicalise(a & ~(KEY.esc | KEY.pickItem | KEY.swapHands | KEY.inventory));
        const [button, camera] = toVpt(c);
        expect(fromVpt(button, camera)).toBe(c);
      }),
    );
  });
});
