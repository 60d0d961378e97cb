// Token assembly refuses what does not fit. Values and derivatives: registry.test.ts.

import { expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { joinSlots, takeSlots } from '../../src/tensor/ops/slots.ts';
import { testGpu } from '../support/gpu.ts';

test('slots outside of a tensor and parts of another width are refused', async () => {
  const graph = new Graph((await testGpu()).gpu.conditions);
  const x = graph.input('x', [3, 5, 8]);
  expect(() => takeSlots(x, 4, 2)).toThrow('4..6 is outside [3,5,8]');
  expect(() => joinSlots([x, graph.input('y', [3, 1, 6])], 3, 8)).toThrow('part 1 is [3,1,6]');
  expect(() => graph.reshape(x, [3, 5, 7])).toThrow('[3,5,8] has 120 elements, [3,5,7] does not');
});
