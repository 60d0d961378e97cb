/** Scalar losses: mean over rows of a weighted row loss; softmax cross-entropy; loss normalisation. */
import rowLossLink from '../../../shaders/ops/row_loss.wgsl?link';
import rowLossBackwardLink from '../../../shaders/ops/row_loss_backward.wgsl?link';
import xentLink from '../../../shaders/ops/softmax_xent.wgsl?link';
import xentBackwardLink from '../../../shaders/ops/softmax_xent_backward.wgsl?link';
import normaliseLink from '../../../shaders/train/normalise_loss.wgsl?link';
import type { Tensor } from '../graph.ts';
import { launch } from './launch.ts';
import { mul } from './pointwise.ts';
import { meanOf } from './reduce.ts';

/**
 * Mean over rows of weight[r] * mean_c of (p - t)^2 or |p - t|. `weight` [R] splits prediction and target into R rows
 * and is a constant. Returns the loss [1] and the row losses [R].
 */
export function rowLoss(
  kind: 'squared' | 'absolute',
  prediction: Tensor,
  target: Tensor,
  weight: Tensor,
): [Tensor, Tensor] {
  const graph = prediction.graph;
  const rows = weight.size;
  const c = prediction.size / rows;
  if (prediction.size !== target.size || !Number.isInteger(c)) {
    throw new Error(`rowLoss: [${prediction.shape}], [${target.shape}] and ${rows} weights do not fit`);
  }
  const serial = graph.conditions.software;
  const [losses] = launch(graph, {
    label: `loss ${kind}`,
    link: rowLossLink,
    entryPoint: serial ? kind : `${kind}_tree`,
    inputs: [prediction, target, weight],
    outputs: [[rows]],
    uniforms: [rows, c, { f: 1 / rows }],
    threads: rows,
    group: serial ? 64 : 1,
    flopsEach: 3 * c,
  });
  return [
    meanOf(losses, [prediction], (dl) => {
      const [dp] = launch(graph, {
        label: `loss ${kind} backward`,
        link: rowLossBackwardLink,
        entryPoint: kind,
        inputs: [prediction, target, weight, dl],
        outputs: [prediction.shape],
        uniforms: [rows, c, { f: 1 / rows }],
        threads: prediction.size,
      });
      return [dp];
    }),
    losses,
  ];
}

/** Mean cross-entropy over all rows; ids >= vocab are left out of the sum but not of the count. */
export function softmaxCrossEntropy(logits: Tensor, ids: Tensor): Tensor {
  const graph = logits.graph;
  const vocab = logits.shape[logits.shape.length - 1];
  const rows = logits.size / vocab;
  const [losses, lse] = launch(graph, {
    label: 'softmax xent',
    link: xentLink,
    entryPoint: 'forward',
    inputs: [logits, ids],
    outputs: [[rows], [rows]],
    uniforms: [rows, vocab, { f: 1 / rows }],
    threads: rows,
    flopsEach: 2 * vocab,
  });
  return meanOf(losses, [logits], (dl) => {
    const [dx] = launch(graph, {
      label: 'softmax xent backward',
      link: xentBackwardLink,
      entryPoint: 'backward',
      inputs: [logits, ids, lse, dl],
      outputs: [logits.shape],
      uniforms: [rows, vocab, { f: 1 / rows }],
      threads: logits.size,
    });
    return [dx];
  });
}

/** Divides a loss by its running RMS (state [2] lives across runs) and multiplies by `weight`. */
export function normaliseLoss(loss: Tensor, state: Tensor, weight: number, rho = 0.99): Tensor {
  const [value] = launch(loss.graph, {
    label: 'normalise loss',
    link: normaliseLink,
    entryPoint: 'normalise',
    inputs: [loss, state],
    outputs: [[1], [1]],
    uniforms: [{ f: weight }, { f: rho }],
    threads: 1,
    group: 1,
    effect: true,
    backward: ([dl], [, factor]) => [dl && mul(dl, factor), null],
  });
  return value;
}
