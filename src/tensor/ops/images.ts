/** Frames, patches and the linear filters of the perceptual stand-in (dreamer4 4.3, level A). */
import imagesLink from '../../../shaders/ops/images.wgsl?link';
import pixelsLink from '../../../shaders/ops/pixels.wgsl?link';
import pyramidLink from '../../../shaders/ops/pyramid.wgsl?link';
import sobelLink from '../../../shaders/ops/sobel.wgsl?link';
import type { Tensor } from '../graph.ts';
import { launch } from './launch.ts';

export interface FrameShape {
  width: number;
  height: number;
  patch: number;
}

const patchShape = (n: number, f: FrameShape): number[] => [
  n,
  (f.width / f.patch) * (f.height / f.patch),
  f.patch * f.patch * 3,
];

/** Column and row of patch `index`: blocks of 2x2, blocks row by row (twin of shaders/lib/patches.wgsl). */
export function patchCell(index: number, columns: number): [x: number, y: number] {
  const block = index >> 2;
  const across = columns / 2;
  return [(block % across) * 2 + (index & 1), Math.floor(block / across) * 2 + ((index >> 1) & 1)];
}

function convert(entryPoint: string, x: Tensor, n: number, f: FrameShape, shape: number[], back?: string): Tensor {
  return launch(x.graph, {
    label: entryPoint,
    link: imagesLink,
    entryPoint,
    inputs: [x],
    outputs: [shape],
    uniforms: [n, f.width, f.height, f.patch],
    threads: n * f.width * f.height,
    backward: back ? ([dy]) => [dy && convert(back, dy, n, f, [...x.shape], entryPoint)] : undefined,
  })[0];
}

/** Packed RGB bytes (u32 words) of n frames to patch rows in 0..1: [n, patches, p*p*3]. */
export function patchifyBytes(words: Tensor, n: number, f: FrameShape): Tensor {
  return convert('patchify_bytes', words, n, f, patchShape(n, f));
}

/** Images [n, H, W, 3] to patch rows. */
export function patchify(images: Tensor, f: FrameShape): Tensor {
  const n = images.shape[0];
  return convert('patchify', images, n, f, patchShape(n, f), 'unpatchify');
}

/** Patch rows [n, patches, p*p*3] to images [n, H, W, 3]. */
export function unpatchify(patches: Tensor, f: FrameShape): Tensor {
  const n = patches.size / (f.width * f.height * 3);
  return convert('unpatchify', patches, n, f, [n, f.height, f.width, 3], 'patchify');
}

/** Patch rows in 0..1 to RGBA bytes: u32 [n, H, W]. */
export function toPixels(patches: Tensor, f: FrameShape): Tensor {
  const n = patches.size / (f.width * f.height * 3);
  return launch(patches.graph, {
    label: 'to pixels',
    link: pixelsLink,
    entryPoint: 'to_bytes',
    inputs: [patches],
    outputs: [[n, f.height, f.width]],
    uniforms: [n, f.width, f.height, f.patch],
    threads: n * f.width * f.height,
  })[0];
}

function resample(entryPoint: 'down' | 'up', x: Tensor, scale: number): Tensor {
  const [n, h, w] = x.shape;
  const [large, out] =
    entryPoint === 'down'
      ? [
          [h, w],
          [n, h / 2, w / 2, 3],
        ]
      : [
          [h * 2, w * 2],
          [n, h * 2, w * 2, 3],
        ];
  if (large[0] % 2 || large[1] % 2) throw new Error(`pyramid: [${x.shape}] has an odd side`);
  return launch(x.graph, {
    label: `pyramid ${entryPoint}`,
    link: pyramidLink,
    entryPoint,
    inputs: [x],
    outputs: [out],
    uniforms: [n, large[1], large[0], { f: scale }],
    threads: out.reduce((a, b) => a * b, 1) / 3,
    flopsEach: entryPoint === 'down' ? 50 : 13,
    backward: ([dy]) => [
      dy && (entryPoint === 'down' ? resample('up', dy, scale * 0.25) : resample('down', dy, scale * 4)),
    ],
  })[0];
}

/** Blur and halve images [n, H, W, 3]. */
export const pyramidDown = (x: Tensor): Tensor => resample('down', x, 1);
/** Double images, smoothly: 4 times the transpose of `pyramidDown`. */
export const pyramidUp = (x: Tensor): Tensor => resample('up', x, 1);

/** Sobel derivatives: [n, H, W, 3] -> [n, H, W, 6]. */
export function sobel(x: Tensor): Tensor {
  const [n, h, w] = x.shape;
  const spec = { label: 'sobel', link: sobelLink, uniforms: [n, w, h], threads: x.size / 3, flopsEach: 18 };
  return launch(x.graph, {
    ...spec,
    entryPoint: 'forward',
    inputs: [x],
    outputs: [[n, h, w, 6]],
    backward: ([dy]) => [
      dy && launch(x.graph, { ...spec, entryPoint: 'backward', inputs: [dy], outputs: [x.shape] })[0],
    ],
  })[0];
}
