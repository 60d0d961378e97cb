// A training of all stages that stops where a test looks at it, and the bars of dsa.md sections 3 and 9 up to the sparse stage.

import { expect } from 'vitest';
import type { Gpu } from '../../../src/gpu/device.ts';
import type { DsaConfig } from '../../../src/methods/dsa/config.ts';
import { evaluate } from '../../../src/methods/dsa/eval.ts';
import { DsaSession } from '../../../src/methods/dsa/session.ts';

type Metrics = Record<string, number>;

export class StagesRun {
  readonly session: DsaSession;
  private readonly gpu: Gpu;
  private readonly config: DsaConfig;
  private readonly kl: number[] = [];

  constructor(gpu: Gpu, config: DsaConfig) {
    this.gpu = gpu;
    this.config = config;
    this.session = new DsaSession(
      {
        gpu,
        seed: 1,
        signal: new AbortController().signal,
        emit: (event) => {
          if (event.kind === 'metrics' && event.phase === 'warmup') this.kl.push(event.values.kl);
        },
      },
      config,
    );
  }

  async reach(phase: string): Promise<void> {
    while (this.session.state().phase !== phase) await this.session.advance({ steps: 1 });
  }

  /** Figures of fresh rows. */
  async judge(seed: number, rows: number): Promise<Metrics> {
    return (await evaluate(this.gpu, this.config, this.session.stores, { seed, rows, brief: true })).metrics;
  }

  /** Trains up to the sparse stage: the dense base answers, the untrained indexer does not, the warmed one does. */
  async warmUp(): Promise<{ untrained: Metrics; warmed: Metrics }> {
    await this.reach('warmup');
    const untrained = await this.judge(11, 64);
    expect(untrained.accuracyDense).toBeGreaterThanOrEqual(0.95);
    expect(untrained.accuracySparse).toBeLessThanOrEqual(0.5);
    await this.reach('sparse');
    const warmed = await this.judge(11, 64);
    expect(this.kl[this.kl.length - 1]).toBeLessThan(this.kl[0] / 2);
    expect(warmed.accuracySparse).toBeGreaterThanOrEqual(0.95);
    return { untrained, warmed };
  }
}

/** What holds at the end of the sparse stage. */
export function expectParity(ended: Metrics, { untrained, warmed }: { untrained: Metrics; warmed: Metrics }): void {
  for (const { massRecall, massRecallAsked, massOracle } of [warmed, ended]) {
    expect(massRecallAsked).toBeGreaterThan(2 * untrained.massRecallAsked);
    expect(massRecall).toBeGreaterThan(0.9 * massOracle);
  }
  expect(Math.abs(ended.accuracySparse - ended.accuracyDense)).toBeLessThanOrEqual(0.03);
  expect(ended.accuracyLastK).toBeLessThan(0.5);
  expect(ended.accuracyRandomK).toBeLessThan(0.5);
}
