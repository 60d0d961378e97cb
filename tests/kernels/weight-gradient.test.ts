// The gradient of a weight over many tokens: a GPU cuts the sum into slices, a CPU adapter does not; both are the same sum.

import { expect, test } from 'vitest';
import { linear } from '../../src/tensor/ops/matmul.ts';
import { compile } from '../../src/tensor/program.ts';
import { gpuAs, pullBack, random } from '../support/compute.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const [TOKENS, K, N] = [768, 12, 20];

async function gradient(software: boolean): Promise<{ dw: Float32Array; dispatches: number }> {
  const gpu = await gpuAs({ software });
  const program = compile(gpu, (graph) => {
    const x = graph.input('x', [TOKENS, K]);
    const w = graph.input('w', [K, N]);
    const dy = graph.input('dy', [TOKENS, N]);
    graph.output('dw', pullBack(graph, linear(x, w), dy, [w])[0]);
  });
  program.run({ x: random([TOKENS, K], 1).data, w: random([K, N], 2).data, dy: random([TOKENS, N], 3).data });
  const dw = await program.read('dw');
  const { dispatches } = program.stats;
  program.dispose();
  return { dw, dispatches };
}

test('a sum cut into slices equals the float64 sum', async () => {
  const [x, dy] = [random([TOKENS, K], 1).data, random([TOKENS, N], 3).data];
  const want = Array.from({ length: K * N }, (_, i) => {
    const [k, n] = [Math.floor(i / N), i % N];
    let sum = 0;
    for (let t = 0; t < TOKENS; t++) sum += x[t * K + k] * dy[t * N + n];
    return sum;
  });
  const cut = await gradient(false);
  const whole = await gradient(true);
  expect(cut.dispatches).toBeGreaterThan(whole.dispatches);
  expectClose(cut.dw, want, TOLERANCE.f32.sum);
  expectClose(whole.dw, want, TOLERANCE.f32.sum);
});
