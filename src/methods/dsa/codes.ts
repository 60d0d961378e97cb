/**
 * One row of numbers through the indexer's own 8-bit path, for the bench of the page: Hadamard (or not), block scale, codes,
 * what they stand for, and back. The same kernels that the model runs.
 */
import type { Gpu } from '../../gpu/device.ts';
import { compile, type Program } from '../../tensor/program.ts';
import { hadamard, type Quant, quantise } from './ops.ts';

export interface CodedRow {
  hadamard: boolean;
  /** The row as it is coded: rotated, or itself. */
  given: number[];
  scale: number;
  codes: number[];
  /** What the codes stand for, and that rotated back. */
  decoded: number[];
  back: number[];
}

/** Codes rows of `dim` channels, a power of two. */
export class CodesBench {
  private readonly program: Program;
  private readonly dim: number;

  constructor(gpu: Gpu, dim: number, quant: Exclude<Quant, 'f32'>) {
    this.dim = dim;
    this.program = compile(gpu, (g) => {
      const x = g.input('x', [1, dim]);
      for (const spread of [false, true]) {
        const given = spread ? hadamard(x, dim) : x;
        const { codes, scales, values } = quantise(given, dim, quant);
        // The matrix is its own inverse.
        const back = spread ? hadamard(values, dim) : values;
        if (spread) g.output('given', given);
        for (const [name, t] of Object.entries({ codes, scales, values })) g.output(`${name} ${spread}`, t);
        if (spread) g.output('back', back);
      }
    });
  }

  async run(x: readonly number[]): Promise<CodedRow[]> {
    if (x.length !== this.dim) throw new Error(`${x.length} numbers: a row has ${this.dim}.`);
    const { program } = this;
    program.run({ x: Float32Array.from(x) });
    const read = async (name: string): Promise<number[]> => [...(await program.read(name))];
    const rows: CodedRow[] = [];
    for (const spread of [false, true]) {
      const words = new Uint32Array(await program.readBytes(`codes ${spread}`));
      const decoded = await read(`values ${spread}`);
      rows.push({
        hadamard: spread,
        given: spread ? await read('given') : [...Float32Array.from(x)],
        scale: (await read(`scales ${spread}`))[0],
        codes: Array.from({ length: this.dim }, (_, i) => (words[i >> 2] >>> (8 * (i & 3))) & 0xff),
        decoded,
        back: spread ? await read('back') : decoded,
      });
    }
    return rows;
  }

  dispose(): void {
    this.program.dispose();
  }
}

/** Root mean square of the error, as a share of the root mean square of the values. */
export function relativeError(x: readonly number[], back: readonly number[]): number {
  const power = (v: readonly number[]): number => v.reduce((sum, a) => sum + a * a, 0);
  return Math.sqrt(power(x.map((v, i) => v - back[i])) / Math.max(power(x), 1e-30));
}
