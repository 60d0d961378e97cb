/** Frames, patches, pixels and the linear filters of the perceptual term. */
import type { Tensor } from '../graph.ts';
import { patchify, patchifyBytes, pyramidDown, pyramidUp, sobel, toPixels, unpatchify } from '../ops/images.ts';
import { imagesOf, patchesOf, pyramidReference, sobelReference } from '../reference/images.ts';
import { casesOf, type Given, type KernelEntry, random, single, type Trial, type Want } from './entry.ts';
import { pullBack } from './pull-back.ts';
import { TOLERANCE } from './tolerance.ts';

type Frames = { n: number; width: number; height: number; patch: number };
const FRAMES: Frames[] = [
  { n: 1, width: 2, height: 2, patch: 1 },
  { n: 3, width: 24, height: 16, patch: 4 },
  { n: 2, width: 64, height: 48, patch: 8 },
];
const FRAMES_BENCH: Frames = { n: 64, width: 64, height: 48, patch: 8 };

const noise = (size: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: size }, (_, i) => (i * 37 + (i >> 5) * 11) & 255);

interface Conversion {
  entryPoint: string;
  name: string;
  about: string;
  file: string;
  label: string;
  bindings: string;
  bytes: string;
  flops: string;
  input: (f: Frames) => Given;
  op: (x: Tensor, f: Frames) => Tensor;
  want: (x: Given, f: Frames) => Want;
}

const patchRows = (f: Frames): number[] => [f.n, (f.width / f.patch) * (f.height / f.patch), f.patch ** 2 * 3];
const pixelsOf = (f: Frames): number => f.n * f.width * f.height;

const CONVERSIONS: Conversion[] = [
  {
    entryPoint: 'patchify_bytes',
    name: 'patchify bytes',
    about: 'Packed RGB bytes to patch rows in 0..1.',
    file: 'ops/images.wgsl',
    label: 'patchify_bytes',
    bindings: 'source target_',
    flops: '6*n*width*height',
    bytes: '15*n*width*height',
    input: (f) => ({ shape: [(pixelsOf(f) * 3) / 4], data: noise(pixelsOf(f) * 3) }),
    op: (x, f) => patchifyBytes(x, f.n, f),
    want: (x, f) => ({
      values: patchesOf(
        Array.from(x.data, (v) => v / 255),
        f.n,
        f,
      ),
      share: TOLERANCE.f32.rounding,
    }),
  },
  {
    entryPoint: 'patchify',
    name: 'patchify',
    about: 'Images to patch rows.',
    file: 'ops/images.wgsl',
    label: 'patchify',
    bindings: 'source target_',
    flops: '6*n*width*height',
    bytes: '24*n*width*height',
    input: (f) => random([f.n, f.height, f.width, 3], 1),
    op: (x, f) => patchify(x, f),
    want: (x, f) => ({ values: patchesOf(x.data, f.n, f), share: 0 }),
  },
  {
    entryPoint: 'unpatchify',
    name: 'unpatchify',
    about: 'Patch rows to images.',
    file: 'ops/images.wgsl',
    label: 'unpatchify',
    bindings: 'source target_',
    flops: '6*n*width*height',
    bytes: '24*n*width*height',
    input: (f) => random(patchRows(f), 1),
    op: (x, f) => unpatchify(x, f),
    want: (x, f) => ({ values: imagesOf(x.data, f.n, f), share: 0 }),
  },
  {
    entryPoint: 'to_bytes',
    name: 'to pixels',
    about: 'Patch rows in 0..1 to RGBA bytes, rounded to nearest.',
    file: 'ops/pixels.wgsl',
    label: 'to pixels',
    bindings: 'patches pixels',
    flops: '2*n*width*height',
    bytes: '16*n*width*height',
    // Between two bytes by a quarter: no rounding of the product decides. Some lie outside of 0..1.
    input: (f) => ({
      shape: patchRows(f),
      data: Float32Array.from(noise(pixelsOf(f) * 3), (v, i) => (Math.round(v * 1.25 - 32) + ((i % 3) - 1) / 4) / 255),
    }),
    op: (x, f) => toPixels(x, f),
    want: (x, f) => {
      const rgb = imagesOf(
        Array.from(x.data, (v) => Math.floor(Math.min(1, Math.max(0, v)) * 255 + 0.5)),
        f.n,
        f,
      );
      const byte = (i: number, c: number): number => rgb[i * 3 + c] * 256 ** c;
      return {
        words: Array.from({ length: pixelsOf(f) }, (_, i) => 255 * 2 ** 24 + byte(i, 0) + byte(i, 1) + byte(i, 2)),
      };
    },
  },
];

function conversion(c: Conversion): KernelEntry {
  const make = (f: Frames): Trial => {
    const x = c.input(f);
    return { inputs: { x }, build: (t) => ({ y: c.op(t.x, f) }), want: () => ({ y: c.want(x, f) }) };
  };
  const sizes = c.entryPoint === 'patchify_bytes' ? FRAMES.slice(1) : FRAMES;
  return {
    name: c.name,
    family: 'images',
    about: c.about,
    label: c.label,
    bindings: c.bindings,
    uniform: 'frames u32, width u32, height u32, side u32',
    dispatch: 'One invocation per pixel.',
    flops: c.flops,
    bytes: c.bytes,
    variants: single(c.file, c.entryPoint),
    cases: casesOf(sizes, make),
    bench: casesOf([FRAMES_BENCH], make)[0],
  };
}

type Images = { n: number; h: number; w: number };
const EVEN: Images[] = [
  { n: 1, h: 2, w: 2 },
  { n: 2, h: 8, w: 12 },
  { n: 1, h: 6, w: 4 },
];
const IMAGES_BENCH: Images = { n: 64, h: 48, w: 64 };

const pyramidTrial =
  (kind: 'down' | 'up') =>
  ({ n, h, w }: Images): Trial => {
    const x = random(kind === 'down' ? [n, h, w, 3] : [n, h / 2, w / 2, 3], 1);
    return {
      inputs: { x },
      build: (t) => ({ y: kind === 'down' ? pyramidDown(t.x) : pyramidUp(t.x) }),
      want: () => ({ y: { values: pyramidReference(kind, x.data, [n, h, w]), share: TOLERANCE.f32.sum } }),
    };
  };

const pyramid = (kind: 'down' | 'up', about: string): KernelEntry => ({
  name: `pyramid ${kind}`,
  family: 'images',
  about,
  label: `pyramid ${kind}`,
  bindings: 'source target_',
  uniform: 'frames u32, width u32, height u32, scale f32',
  dispatch: 'One invocation per pixel written.',
  flops: kind === 'down' ? '50*3*n*h*w/4' : '13*3*n*h*w',
  bytes: '15*n*h*w',
  variants: single('ops/pyramid.wgsl', kind),
  cases: casesOf(EVEN, pyramidTrial(kind)),
  bench: casesOf([IMAGES_BENCH], pyramidTrial(kind))[0],
});

const sobelTrial = ({ n, h, w }: Images): Trial => {
  const [x, probe] = [random([n, h, w, 3], 1), random([n, h, w, 6], 2)];
  return {
    inputs: { x, probe },
    build: (t, graph) => {
      const y = sobel(t.x);
      return { y, dx: pullBack(graph, y, t.probe, [t.x])[0] };
    },
    want: () => ({
      y: { values: sobelReference(x.data, [n, h, w]), share: TOLERANCE.f32.sum },
      dx: { values: sobelReference(probe.data, [n, h, w], true), share: TOLERANCE.f32.sum },
    }),
  };
};

const SOBEL: Images[] = [
  { n: 1, h: 1, w: 1 },
  { n: 2, h: 5, w: 6 },
  { n: 1, h: 3, w: 1 },
];

const sobelEntry = (entryPoint: 'forward' | 'backward'): KernelEntry => ({
  name: entryPoint === 'forward' ? 'sobel' : 'sobel backward',
  family: 'images',
  about: entryPoint === 'forward' ? 'Sobel derivatives along x and y, zero padding.' : 'The transpose of sobel.',
  label: 'sobel',
  bindings: 'source target_',
  uniform: 'frames u32, width u32, height u32',
  dispatch: 'One invocation per pixel.',
  flops: entryPoint === 'forward' ? '18*6*n*h*w' : '18*3*n*h*w',
  bytes: '36*n*h*w',
  variants: single('ops/sobel.wgsl', entryPoint),
  cases: casesOf(SOBEL, sobelTrial),
  bench: casesOf([IMAGES_BENCH], sobelTrial)[0],
});

export const IMAGES: readonly KernelEntry[] = [
  ...CONVERSIONS.map(conversion),
  pyramid('down', 'Blurs with [1 4 6 4 1] / 16 and keeps every second pixel.'),
  pyramid('up', 'Four times the transpose of down.'),
  sobelEntry('forward'),
  sobelEntry('backward'),
];
