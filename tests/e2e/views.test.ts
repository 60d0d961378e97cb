// The smooth view against the ray caster (methods/world.md 5.3): the same places drawn by both, at noon, view distance 48.
// `TENFOLD_VIEWS=200 npx vitest run --project e2e tests/e2e/views.test.ts` looks at as many as the specification asks for.

import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openSources } from '../support/browser.ts';

const STATES = Number(process.env.TENFOLD_VIEWS ?? 6);
/** Of the world view; the ray caster's frame has the hotbar below it. */
const [WIDTH, HEIGHT] = [512, 320];
/** Of 255, in every channel: further apart are pixels of different things, or of one thing's edge. */
const CLOSE = 20;

declare global {
  interface Window {
    show(k: number): Promise<string>;
  }
}

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('pictures');
});

afterAll(() => browser?.close());

test('the smooth view and the ray caster draw the same world', { timeout: 60_000 + 5_000 * STATES }, async () => {
  const canvas = `<canvas style="position: fixed; left: 0; top: 0; width: ${WIDTH}px; height: ${HEIGHT}px"></canvas>`;
  const { page, errors, close } = await openSources(browser, canvas);
  await page.evaluate(
    async ([width, height]) => {
      const load = window.loadModule;
      const { SmoothScene } = await load<typeof import('../../src/ui/playground/smooth-scene.ts')>(
        '/src/ui/playground/smooth-scene.ts',
      );
      const { meshSection } = await load<typeof import('../../src/ui/playground/section-mesh.ts')>(
        '/src/ui/playground/section-mesh.ts',
      );
      const { FrameRendererCpu } = await load<typeof import('../../src/world/render/frame-renderer-cpu.ts')>(
        '/src/world/render/frame-renderer-cpu.ts',
      );
      const { frameSpec } = await load<typeof import('../../src/world/render/frame-spec.ts')>(
        '/src/world/render/frame-spec.ts',
      );
      const { viewState } = await load<typeof import('../world/view-states.ts')>('/tests/world/view-states.ts');
      const { release } = await load<typeof import('../../src/world/world.ts')>('/src/world/world.ts');
      const caster = new FrameRendererCpu(frameSpec({ width, height: (height * 6) / 5, ssaa: 2, viewDistance: 48 }));
      let meshes: NonNullable<ReturnType<typeof meshSection>>[] = [];
      const stage = document.querySelector('canvas') as HTMLCanvasElement;
      const scene = new SmoothScene(stage, async (_, fresh) => (fresh ? meshes : []));
      window.show = async (k) => {
        const { state, camera } = viewState(k);
        meshes = [];
        for (let x = 0; x < state.sizeX >> 4; x++)
          for (let z = 0; z < state.sizeZ >> 4; z++)
            for (let y = 0; y < 4; y++) {
              const mesh = meshSection(state, x, y, z, 0);
              if (mesh) meshes.push(mesh);
            }
        scene.follow({ camera } as Parameters<typeof scene.follow>[0], true);
        const rgb = caster.frame(state);
        release(state);
        // The camera stands after a step's time, and the next frames are drawn from there.
        await new Promise((done) => setTimeout(done, 150));
        for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
        return btoa(Array.from(rgb, (byte) => String.fromCharCode(byte)).join(''));
      };
    },
    [WIDTH, HEIGHT] as const,
  );
  const differences: number[] = [];
  const shares: number[] = [];
  for (let k = 0; k < STATES; k++) {
    const cast = Buffer.from(await page.evaluate((k) => window.show(k), k), 'base64');
    const shot = await page.screenshot({ clip: { x: 0, y: 0, width: WIDTH, height: HEIGHT } });
    const pixels = await page.evaluate(async (base64) => {
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      const copy = new OffscreenCanvas(image.width, image.height).getContext('2d');
      copy?.drawImage(image, 0, 0);
      const data = copy?.getImageData(0, 0, image.width, image.height).data ?? [];
      return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(''));
    }, shot.toString('base64'));
    const drawn = Buffer.from(pixels, 'base64');
    let sum = 0;
    let close = 0;
    for (let p = 0; p < WIDTH * HEIGHT; p++) {
      const apart = [0, 1, 2].map((c) => Math.abs(drawn[4 * p + c] - cast[3 * p + c]));
      sum += apart[0] + apart[1] + apart[2];
      close += Number(Math.max(...apart) <= CLOSE);
    }
    differences.push(sum / (3 * WIDTH * HEIGHT));
    shares.push(close / (WIDTH * HEIGHT));
  }
  const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
  console.log(
    `${STATES} places: ${mean(differences).toFixed(2)} of 255 apart (worst ${Math.max(...differences).toFixed(2)}), ` +
      `${(100 * mean(shares)).toFixed(1)} % of the pixels within ${CLOSE} (worst ${(100 * Math.min(...shares)).toFixed(1)})`,
  );
  expect(mean(differences)).toBeLessThanOrEqual(6);
  expect(mean(shares)).toBeGreaterThanOrEqual(0.97);
  expect(errors).toEqual([]);
  await close();
});
