/** The voxel ray caster and its output kernels; the reference of the caster is its TypeScript twin, byte for byte. */

import naiveLink from '../../../shaders/versions/frame_naive.wgsl?link';
import linkFrame from '../../../shaders/world/frame.wgsl?link';
import linkOutput from '../../../shaders/world/frame-output.wgsl?link';
import type { Tensor } from '../../tensor/graph.ts';
import { type KernelCase, type KernelEntry, single, type Trial, words } from '../../tensor/registry/entry.ts';
import { keptVersion, slower } from '../../tensor/registry/kept.ts';
import { TOLERANCE } from '../../tensor/registry/tolerance.ts';
import { worldConfig } from '../config.ts';
import { REC_WORDS } from './frame-rec.ts';
import { frameLaunch, outputLaunch, visualTables } from './frame-renderer.ts';
import { FrameRendererCpu } from './frame-renderer-cpu.ts';
import { type FrameSpec, frameSpec } from './frame-spec.ts';
import { observeRec } from './observe.ts';
import { PageStore } from './page-store.ts';
import { sampleState } from './sample-states.ts';

const PAGES = 512;

/** RGB bytes to the words that the kernels work on: r | g<<8 | b<<16 | 255<<24. */
function pixelWords(rgb: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(
    { length: rgb.length / 3 },
    (_, i) => (rgb[3 * i] | (rgb[3 * i + 1] << 8) | (rgb[3 * i + 2] << 16) | (255 << 24)) >>> 0,
  );
}

function frameTrial(spec: FrameSpec, count: number, from: number): Trial {
  const pages = new PageStore(PAGES);
  const cpu = new FrameRendererCpu(spec, pages);
  const recs = new Uint32Array(count * REC_WORDS);
  for (let i = 0; i < count; i++) observeRec(sampleState(from + i), recs, i * REC_WORDS, spec, pages);
  const tables = visualTables();
  const { uniforms, workgroups } = frameLaunch(spec, count);
  const cells = new Uint32Array(pages.cells.buffer as ArrayBuffer, pages.cells.byteOffset, pages.cells.byteLength / 4);
  const names = ['recs', 'cells', 'tables', 'depth1'];
  return {
    inputs: {
      recs: words([recs.length], recs),
      cells: { shape: [cells.length], data: cells },
      tables: words([tables.words.length], tables.words),
      depth1: words([spec.depth1.length], spec.depth1),
    },
    build: (t, graph) => {
      const inputs = names.map((name) => t[name]);
      const [pixels] = graph.add({
        name: 'world frame',
        inputs,
        outputs: [[count, spec.height, spec.width]],
        dispatch: ([out]: Tensor[]) => [
          {
            label: 'world frame',
            code: linkFrame(graph.conditions),
            entryPoint: 'main',
            constants: tables.at,
            bindings: [...inputs, out],
            uniforms,
            workgroups,
            flops: 0,
            bytes: 4 * count * (REC_WORDS + spec.width * spec.height),
          },
        ],
      });
      return { pixels };
    },
    want: () => ({ pixels: { words: pixelWords(cpu.render(recs)) } }),
  };
}

function frameCase(name: string, spec: FrameSpec, count: number, from: number): KernelCase {
  const dims = { frames: count, width: spec.width, height: spec.height, view: spec.viewDistance };
  return { name, dims, make: () => frameTrial(spec, count, from) };
}

const mini = worldConfig('mini').frame;

/** `count` frames of the first sample states at this size: cost against pixels. */
export const frameBench = (width: number, height: number, count = 4): KernelCase =>
  frameCase(`${count} frames of ${width} x ${height}`, frameSpec({ ...mini, width, height }), count, 0);

function outputTrial(kind: 'rgb' | 'floats', pixels: number): Trial {
  const count = kind === 'rgb' ? (pixels * 3) / 4 : pixels;
  const rgb = Uint8Array.from({ length: pixels * 3 }, (_, i) => (i * 37 + (i >> 4) * 5) & 255);
  const { uniforms, workgroups } = outputLaunch(count);
  return {
    inputs: { pixels: words([pixels], pixelWords(rgb)) },
    build: (t, graph) => {
      const [out] = graph.add({
        name: `frame ${kind}`,
        inputs: [t.pixels],
        outputs: [[kind === 'rgb' ? count : pixels * 3]],
        dispatch: ([o]: Tensor[]) => [
          {
            label: `frame ${kind}`,
            code: linkOutput(graph.conditions),
            entryPoint: kind,
            bindings: [t.pixels, o],
            uniforms,
            workgroups,
            flops: kind === 'rgb' ? 0 : pixels * 3,
            bytes: pixels * (kind === 'rgb' ? 7 : 16),
          },
        ],
      });
      return { out };
    },
    want: () =>
      kind === 'rgb'
        ? { out: { words: new Uint32Array(rgb.buffer) } }
        : { out: { values: Array.from(rgb, (v) => v / 255), share: TOLERANCE.f32.rounding } },
  };
}

const outputCase = (kind: 'rgb' | 'floats', pixels: number): KernelCase => ({
  name: `${pixels} pixels`,
  dims: { pixels },
  make: () => outputTrial(kind, pixels),
});

const output = (kind: 'rgb' | 'floats'): KernelEntry => ({
  name: `frame ${kind === 'rgb' ? 'bytes' : 'tensor'}`,
  family: 'world',
  about: kind === 'rgb' ? 'Pixel words to RGB bytes, four to a word.' : 'Pixel words to f32 in 0..1.',
  label: `frame ${kind}`,
  bindings: kind === 'rgb' ? 'pixels bytes' : 'pixels tensor',
  uniform: 'count u32, row u32, first u32, pad u32',
  dispatch: kind === 'rgb' ? 'One invocation per word written.' : 'One invocation per pixel.',
  flops: kind === 'rgb' ? '0' : '3*pixels',
  bytes: kind === 'rgb' ? '7*pixels' : '16*pixels',
  variants: single('world/frame-output.wgsl', kind),
  cases: [outputCase(kind, 4), outputCase(kind, 3072)],
  bench: outputCase(kind, 1 << 18),
});

export const WORLD: readonly KernelEntry[] = [
  {
    name: 'ray caster',
    family: 'world',
    about: 'What an agent sees of the voxel world; integers only, equal byte for byte to raycast.ts.',
    label: 'world frame',
    bindings: 'recs cells tables depth1 pixels',
    uniform:
      'width u32, height u32, view_height u32, ssaa u32, view_distance i32, fog_start16 i32, mip_depth i32, icon_scale u32, frames u32, pad0 u32, pad1 u32, pad2 u32',
    dispatch: 'One invocation per pixel, 8 x 8 to a workgroup, one layer of workgroups per frame. Integer work only.',
    flops: '0',
    bytes: '4*frames*(576 + width*height)',
    variants: [
      keptVersion(
        'frame_naive',
        {
          name: 'naive',
          entryPoint: 'naive',
          idea: 'One loop for everything: a cell a turn, with its look-up, its boxes and its shading.',
          lost: `${slower(1.1, 1.8, '4 frames of 64 x 48')}: invocations run together, so each pays for the shading of all.`,
          takes: ({ width }) => width === 64,
        },
        ({ workgroups }) => ({ code: naiveLink(), workgroups }),
      ),
      {
        ...single('world/frame.wgsl', 'main')[0],
        idea: 'The march is a tight loop that looks up nothing but the cell; boxes and shading stand outside it. On lavapipe 1.1, on SwiftShader 1.8 times faster than the naive one (4 frames of 64 x 48).',
      },
    ],
    cases: [
      frameCase('8 states at 64 x 48, 2 x 2 samples', frameSpec(mini), 8, 0),
      frameCase('8 states at 64 x 48, 1 sample', frameSpec(worldConfig('ci').frame), 8, 100),
      frameCase('2 states at 96 x 64', frameSpec({ ...mini, width: 96, height: 64 }), 2, 200),
    ],
    bench: frameBench(64, 48),
  },
  output('rgb'),
  output('floats'),
];
