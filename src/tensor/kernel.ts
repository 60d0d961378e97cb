/** One dispatch of one kernel, before buffers are known; and the packing of its uniform struct. */
import { type Conditions, halfCache } from '../gpu/device.ts';
import type { Tensor } from './graph.ts';

export interface Dispatch {
  label: string;
  code: string;
  entryPoint: string;
  constants?: Record<string, number>;
  /** Tensors in binding order; the uniform struct follows them. */
  bindings: Tensor[];
  uniforms: Uint32Array<ArrayBuffer>;
  workgroups: [number, number, number];
  /** Work of this dispatch: floating point operations and bytes that must cross memory at least once. */
  flops: number;
  bytes: number;
}

const scratch = new DataView(new ArrayBuffer(4));

/** Bits of a number as f32, for a u32 word of a uniform struct. */
export function f32bits(x: number): number {
  scratch.setFloat32(0, x, true);
  return scratch.getUint32(0, true);
}

/** Packs words (u32) and `{ f }` (f32) into a uniform struct of 4-byte members, padded to 16 bytes. */
export function pack(...members: (number | { f: number })[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(members.length / 4) * 4);
  members.forEach((m, i) => {
    words[i] = typeof m === 'number' ? m >>> 0 : f32bits(m.f);
  });
  return words;
}

/** Threads per workgroup of the one-dimensional kernels, and their widest row of workgroups (see lib/index.wgsl). */
export const GROUP = 64;
const MAX_ROW = 65535;

/** Workgroups that cover `threads` invocations of a one-dimensional kernel, folded into rows. */
export function cover(threads: number, group = GROUP): [number, number, number] {
  const groups = Math.max(1, Math.ceil(threads / group));
  return groups <= MAX_ROW ? [groups, 1, 1] : [MAX_ROW, Math.ceil(groups / MAX_ROW), 1];
}

/** Sets `const NAME: u32 = <n>u;` lines of a WGSL text: sizes that must be compile-time constants (register tiles). */
export function specialise(code: string, constants: Record<string, number>): string {
  let out = code;
  for (const [name, value] of Object.entries(constants)) {
    const pattern = new RegExp(`(const\\s+${name}\\s*(?::\\s*u32)?\\s*=\\s*)\\d+u?;`);
    if (!pattern.test(out)) throw new Error(`specialise: no constant ${name} in this kernel`);
    out = out.replace(pattern, `$1${value}u;`);
  }
  return out;
}

/**
 * Writes out loops `for (var c = 0u; c < N; c++)` over a compile-time constant N, and turns arrays of length N that only
 * such loops index into N variables. Compilers of CPU adapters keep indexed arrays in memory and named values in registers.
 * `name` is the constant; loops may stand on one line or span a braced block.
 */
export function unrollLoops(code: string, name: string): string {
  const value = new RegExp(`const\\s+${name}\\s*(?::\\s*u32)?\\s*=\\s*(\\d+)u;`).exec(code)?.[1];
  if (value === undefined) throw new Error(`unrollLoops: no constant ${name} in this kernel`);
  const count = Number(value);
  const head = new RegExp(`for \\(var (\\w+) = 0u; \\1 < ${name}; \\1\\+\\+\\) \\{`);
  const arrays: string[] = [];
  let out = code.replace(
    new RegExp(`var (\\w+): array<(\\w+|array<\\w+, \\w+>), ${name}>;`, 'g'),
    (_, array: string, type: string) => {
      arrays.push(array);
      return Array.from({ length: count }, (_, i) => `var ${array}_${i}: ${type};`).join(' ');
    },
  );
  for (let match = head.exec(out); match; match = head.exec(out)) {
    const start = match.index;
    let end = start + match[0].length;
    for (let depth = 1; depth > 0; end++) depth += out[end] === '{' ? 1 : out[end] === '}' ? -1 : 0;
    const body = out.slice(start + match[0].length, end - 1);
    const index = match[1];
    const copies = Array.from({ length: count }, (_, i) => {
      let copy = body;
      for (const array of arrays) copy = copy.replace(new RegExp(`\\b${array}\\[${index}\\]`, 'g'), `${array}_${i}`);
      return `{${copy.replace(new RegExp(`\\b${index}\\b`, 'g'), `${i}u`)}}`;
    });
    out = out.slice(0, start) + copies.join('\n') + out.slice(end);
  }
  return out;
}

/** What chooses lines of a linked text (`@if`): its `f16` is what was asked for, not what the adapter has. */
export const textConditions = (c: Conditions): Conditions => ({ ...c, f16: halfCache(c) });

/** Subgroups that the kernels of whole rows (kernels/row-block.ts) are written for: those of lavapipe on 256-bit vectors. */
export const ROW_BLOCK_LANES = 8;

/** Not for other adapters of that width: instead of barriers the text relies on what lavapipe's compiler does with it. */
export const hasRowBlocks = (c: Conditions): boolean =>
  c.software && c.lavapipe === true && c.subgroupSize === ROW_BLOCK_LANES;
