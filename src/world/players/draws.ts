// A player's private random numbers: the counter hash of gpu/rng.ts with a running counter. The simulator has its own streams and never sees these.

import { mix32, uniform01 } from '../../gpu/rng.ts';

export class Draws {
  private readonly seed: number;
  private readonly stream: number;
  private count = 0;

  constructor(seed: number, stream: number) {
    this.seed = seed >>> 0;
    this.stream = stream >>> 0;
  }

  u32(): number {
    return mix32(this.seed, this.count++, this.stream, 0x7e4f01d5);
  }

  /** [0, 1) */
  unit(): number {
    return uniform01(this.u32());
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** Integer in [low, high], both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(p: number): boolean {
    return this.unit() < p;
  }

  /** Mean 0, deviation 1; the sum of four uniforms, so it never strays past 3.5. */
  normal(): number {
    return (this.unit() + this.unit() + this.unit() + this.unit() - 2) * Math.sqrt(3);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)];
  }

  /** An index, drawn in proportion to its weight. */
  weighted(weights: readonly number[]): number {
    let left = this.unit() * weights.reduce((a, b) => a + b, 0);
    for (let i = 0; i < weights.length; i++) {
      left -= weights[i];
      if (left < 0) return i;
    }
    return weights.length - 1;
  }
}
