/** The two dispatches of a training step of the filter; buffers as in filter_train.wgsl and filter_update.wgsl. */
import trainLink from '../../../shaders/methods/learn2pd/filter_train.wgsl?link';
import updateLink from '../../../shaders/methods/learn2pd/filter_update.wgsl?link';
import type { Tensor } from '../../tensor/graph.ts';
import { launch } from '../../tensor/ops/launch.ts';
import { filterSize } from './filter.ts';

export interface FilterBatch {
  /** [depth * (block * block + block)] */
  filter: Tensor;
  /** [records, block], u32 marks beside them: 1 = the guess is right, 2 = masked. */
  confidence: Tensor;
  marks: Tensor;
  /** u32 [batch] */
  picks: Tensor;
  /** [5]: rate, 1 - 0.9^t, 1 - 0.999^t, weight decay, 1 / positions that count. */
  hyper: Tensor;
}

/** Inputs [batch, depth, block] of every layer, slopes of the loss by their outputs, and the loss [batch] of every record. */
export function filterSlopes(
  { filter, confidence, marks, picks, hyper }: FilterBatch,
  depth: number,
  maskedOnly: boolean,
): { inputs: Tensor; slopes: Tensor; losses: Tensor } {
  const block = confidence.shape[1];
  const batch = picks.size;
  const [inputs, slopes, losses] = launch(picks.graph, {
    label: 'filter records',
    link: trainLink,
    entryPoint: 'records',
    inputs: [filter, confidence, marks, picks, hyper],
    outputs: [[batch, depth, block], [batch, depth, block], [batch]],
    uniforms: [batch, Number(maskedOnly), block, depth],
    threads: batch,
    flops: 4 * batch * filter.size,
  });
  return { inputs, slopes, losses };
}

/** Moves filter and both moments by one step of AdamW. */
export function filterUpdate(
  grads: { inputs: Tensor; slopes: Tensor },
  hyper: Tensor,
  state: { filter: Tensor; first: Tensor; second: Tensor },
): void {
  const { inputs, slopes } = grads;
  const [batch, depth, block] = inputs.shape;
  const { filter, first, second } = state;
  launch(inputs.graph, {
    label: 'filter update',
    link: updateLink,
    entryPoint: 'update',
    inputs: [inputs, slopes, hyper, filter, first, second],
    outputs: [],
    uniforms: [batch, block, depth],
    threads: filterSize(block, depth),
    flops: 2 * batch * filterSize(block, depth),
    effect: true,
  });
}
