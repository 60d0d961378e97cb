/**
 * Rungs of a ladder that no adapter chooses: texts under shaders/versions, proven and timed like those in use. What they cost
 * stands in their words, as times of the version in use by tests/bench/processor-time.mjs; the GPU tab measures it anew.
 */
import type { Dispatch } from '../kernel.ts';
import type { Variant } from './entry.ts';

/**
 * A text in the place of the kernel's own dispatch, whose bindings and uniforms it keeps. Versions of one kernel are told apart
 * by their entry points.
 */
export const keptVersion = (
  file: string,
  words: Pick<Variant, 'name' | 'entryPoint' | 'idea' | 'lost' | 'takes'>,
  change: (d: Dispatch) => Pick<Dispatch, 'code' | 'workgroups'>,
): Variant => ({
  ...words,
  when: 'no adapter: kept to measure against',
  files: [`versions/${file}.wgsl`],
  chosen: () => false,
  force: {},
  instead: (d) => ({ ...d, entryPoint: words.entryPoint, ...change(d) }),
});

/** A constant of a dispatch's text, for another text of the same kernel. */
export function constantOf(d: Dispatch, name: string): number {
  const value = new RegExp(`const ${name}: u32 = (\\d+)u`).exec(d.code)?.[1];
  if (value === undefined) throw new Error(`${d.label}: no constant ${name} in its text`);
  return Number(value);
}

/** How many times as long as the version in use it takes. */
export const slower = (lavapipe: number, swiftShader: number, at: string): string =>
  `On lavapipe ${lavapipe}, on SwiftShader ${swiftShader} times slower than the one in use there (${at})`;
