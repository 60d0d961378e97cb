/** Test grounds: a flat world of stone up to y 31 with air above, and the blocks of a state as a volume. */
import { type KeyName, keysOf, makeAction } from '../../src/world/actions.ts';
import { B } from '../../src/world/blocks.ts';
import { type ProfileName, type WorldConfig, worldConfig } from '../../src/world/config.ts';
import { itemId, packSlot } from '../../src/world/items.ts';
import { fillLight } from '../../src/world/light-fill.ts';
import { blockAt, type State, setPlayer, setSlot, writeBlock, writeLight } from '../../src/world/state.ts';
import { P } from '../../src/world/state-layout.ts';
import { step } from '../../src/world/step.ts';
import { HEIGHT, newVolume, type Volume, vIndex } from '../../src/world/volume.ts';
import { createWorld, fork } from '../../src/world/world.ts';

export const FLOOR = 31;

/** The blocks of the overworld as a volume with light computed from scratch. */
export function volumeOf(s: State): Volume {
  const v = newVolume(s.sizeX, s.sizeZ, 0);
  for (let y = 0; y < HEIGHT; y++)
    for (let z = 0; z < s.sizeZ; z++)
      for (let x = 0; x < s.sizeX; x++) v.blocks[vIndex(v, x, y, z)] = blockAt(s, x, y, z);
  fillLight(v);
  return v;
}

/** Flat stone world; the player stands at the centre of (x, 32, z), looking south, with nothing. */
export function flat(profile: ProfileName = 'ci', change: Partial<WorldConfig> = {}, x = 32, z = 32): State {
  const key = JSON.stringify([profile, change]);
  let base = bases.get(key);
  if (!base) {
    base = buildFlat(profile, change);
    bases.set(key, base);
  }
  const s = fork(base);
  standAt(s, x + 0.5, FLOOR + 1, z + 0.5);
  setPlayer(s, P.vy, -5138);
  hold(s, 1);
  return s;
}

const bases = new Map<string, State>();

function buildFlat(profile: ProfileName, change: Partial<WorldConfig>): State {
  const cfg = worldConfig(profile, {
    ladder: false,
    startKit: [],
    treeDensity: 0,
    outcrops: 0,
    caves: false,
    ...change,
  });
  const s = createWorld(cfg, 5, { at: [32, FLOOR + 1, 32], yaw: 0, pitch: 0 });
  for (let y = 0; y < HEIGHT; y++)
    for (let cz = 0; cz < s.sizeZ; cz++)
      for (let cx = 0; cx < s.sizeX; cx++) writeBlock(s, cx, y, cz, y <= FLOOR ? B.stone : B.air);
  relightAll(s);
  return s;
}

export function relightAll(s: State): void {
  const v = volumeOf(s);
  for (let y = 0; y < HEIGHT; y++)
    for (let z = 0; z < s.sizeZ; z++)
      for (let x = 0; x < s.sizeX; x++) writeLight(s, x, y, z, v.light[vIndex(v, x, y, z)]);
}

/** Holds the named keys for a number of ticks. */
export function hold(s: State, ticks: number, ...names: KeyName[]): void {
  const a = makeAction(keysOf(...names));
  for (let i = 0; i < ticks; i++) step(s, a);
}

/** One tick of the keys, one tick of nothing: a click. */
export function tap(s: State, ...names: KeyName[]): void {
  hold(s, 1, ...names);
  hold(s, 1);
}

export function give(s: State, slot: number, name: string, n = 1, damage = 0): void {
  setSlot(s, slot, packSlot(itemId(name), n, damage));
}

/** Turns the player at once; degrees, pitch > 0 looks down. */
export function face(s: State, yawDegrees: number, pitchDegrees: number): void {
  setPlayer(s, P.yaw, Math.round((yawDegrees * 65536) / 360) & 65535);
  setPlayer(s, P.pitch, Math.round((pitchDegrees * 65536) / 360));
}

/** Puts the player at a point in blocks, at rest. */
export function standAt(s: State, x: number, y: number, z: number): void {
  setPlayer(s, P.x, Math.round(x * 65536));
  setPlayer(s, P.y, Math.round(y * 65536));
  setPlayer(s, P.z, Math.round(z * 65536));
  for (const f of [P.vx, P.vy, P.vz]) setPlayer(s, f, 0);
}
