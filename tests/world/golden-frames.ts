/**
 * Hashes of 64 frames of the ray caster's twin at each of three sizes: every block state, drops, hotbar, screens, all hours. The scene is
 * built on bare ground, so the hashes survive changes of terrain. No test framework here: golden-run.ts bundles this file.
 */
import { STATE_COUNT } from '../../src/world/blocks.ts';
import { worldConfig } from '../../src/world/config.ts';
import { closeGui, openGui } from '../../src/world/gui.ts';
import { digest64, hex64 } from '../../src/world/hash.ts';
import { I, packSlot } from '../../src/world/items.ts';
import { FrameRendererCpu } from '../../src/world/render/frame-renderer-cpu.ts';
import { frameSpec } from '../../src/world/render/frame-spec.ts';
import { addDrop } from '../../src/world/render/sample-states.ts';
import { GUI, H, INV, P, PLAYER } from '../../src/world/state-layout.ts';
import { arena, fill, GROUND, stand } from './render-arena.ts';

const SIZES = {
  '64x48': frameSpec(worldConfig('mini').frame),
  '96x64': frameSpec({ width: 96, height: 64, ssaa: 1, viewDistance: 32 }),
  '160x96': frameSpec({ width: 160, height: 96, ssaa: 1, viewDistance: 48 }),
};
const VIEWS = 64;

function scene() {
  const s = arena({ dayCycle: true });
  for (let i = 0; i < STATE_COUNT; i++) {
    const cell = [56 + (i % 16), GROUND + (i % 3), 68 + Math.floor(i / 16) * 2];
    fill(s, cell, cell, i, 0xa5);
  }
  for (let i = 0; i < 8; i++) s.u32[INV + i] = packSlot(1 + i * 7, 1 + i * 8);
  for (let i = 0; i < 5; i++) addDrop(s, i, 62 + i, GROUND, 66.5, I.coal + i);
  return s;
}

/** "64x48 k hash" for every view k of every size. */
export function goldenFrames(): string[] {
  const s = scene();
  return Object.entries(SIZES).flatMap(([name, spec]) => {
    const renderer = new FrameRendererCpu(spec);
    return Array.from({ length: VIEWS }, (_, k) => {
      s.i32[H.time] = (6000 + k * 2700) % 24000;
      s.i32[PLAYER + P.selected] = k % 8;
      // Rows of the scene from before, among and behind them, up and down.
      stand(s, 57.5 + (k % 13), GROUND + (k % 5), 62.5 + (k % 23), k * 4700 - 2000, ((k * 3700) % 22000) - 7000);
      if (k % 16 === 5) openGui(s, k % 32 === 5 ? GUI.inventory : GUI.table, 64, GROUND, 70);
      const words = Uint32Array.from(renderer.frame(s));
      closeGui(s);
      return `${name} ${k} ${hex64(digest64(words, 0, words.length))}`;
    });
  });
}
