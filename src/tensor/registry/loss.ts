/** Row losses, softmax cross-entropy and the loss normaliser, with their derivatives. */
import { normaliseLoss, rowLoss, softmaxCrossEntropy } from '../ops/loss.ts';
import { add } from '../ops/pointwise.ts';
import { crossEntropyReference, rowLossReference } from '../reference/loss.ts';
import { casesOf, eachSerialOrTree, floats, type KernelEntry, random, single, type Trial, words } from './entry.ts';
import { slower } from './kept.ts';
import { TOLERANCE } from './tolerance.ts';

type Kind = 'squared' | 'absolute';
type Rows = { rows: number; c: number };
const ROWS: Rows[] = [
  { rows: 1, c: 1 },
  { rows: 6, c: 10 },
  { rows: 300, c: 7 },
];
const BENCH: Rows = { rows: 6144, c: 192 };
const one = floats([1], [1]);

const rowTrial =
  (kind: Kind) =>
  ({ rows, c }: Rows): Trial => {
    const [p, t] = [random([rows, c], 1), random([rows, c], 2)];
    const w = floats(
      [rows],
      Array.from({ length: rows }, (_, r) => (r * 7) % 4),
    );
    return {
      inputs: { p, t, w, one },
      build: (x, graph) => {
        const [loss, losses] = rowLoss(kind, x.p, x.t, x.w);
        const [dp] = graph.gradients(loss, [x.p], x.one, add);
        if (!dp) throw new Error('row loss: no gradient');
        return { loss, losses, dp };
      },
      want: () => {
        const r = rowLossReference(kind, p.data, t.data, w.data as Float32Array);
        const share = TOLERANCE.f32.sum;
        return {
          loss: { values: [r.mean], share },
          losses: { values: r.losses, share },
          dp: { values: r.gradient, share },
        };
      },
    };
  };

const rowEntry = (kind: Kind, back: boolean): KernelEntry => ({
  name: `${kind} row loss${back ? ' backward' : ''}`,
  family: 'loss',
  about: back
    ? 'Gradient with respect to the prediction.'
    : `weight[r] times the mean of ${kind === 'squared' ? '(p - t)^2' : '|p - t|'} over each row.`,
  label: `loss ${kind}${back ? ' backward' : ''}`,
  bindings: back ? 'prediction target_ weight upstream gradient' : 'prediction target_ weight loss',
  uniform: 'rows u32, c u32, scale f32',
  dispatch: back ? 'One invocation per element.' : 'CPU adapters: one invocation per row; GPUs: one workgroup of 64.',
  flops: back ? '2*rows*c' : '3*rows*c',
  bytes: back ? '4*(3*rows*c + rows + 1)' : '4*(2*rows*c + 2*rows)',
  variants: back
    ? single('ops/row_loss_backward.wgsl', kind)
    : eachSerialOrTree('ops/row_loss.wgsl', kind, `${kind}_tree`, 'row', slower(3.3, 4.8, '6144 rows of 192')),
  cases: casesOf(ROWS, rowTrial(kind)),
  bench: casesOf([BENCH], rowTrial(kind))[0],
});

type Logits = { rows: number; vocab: number; size: number };
const LOGITS: Logits[] = [
  { rows: 1, vocab: 2, size: 1 },
  { rows: 8, vocab: 6, size: 1 },
  { rows: 130, vocab: 64, size: 90 },
];

const xentTrial = ({ rows, vocab, size }: Logits): Trial => {
  const x = random([rows, vocab], 1, size);
  // The last row has no class: it counts in the mean and receives nothing.
  const ids = Array.from({ length: rows }, (_, r) => (r > 0 && r === rows - 1 ? vocab + 5 : (r * 5) % vocab));
  return {
    inputs: { x, ids: words([rows], ids), one },
    build: (t, graph) => {
      const loss = softmaxCrossEntropy(t.x, t.ids);
      const [dx] = graph.gradients(loss, [t.x], t.one, add);
      if (!dx) throw new Error('cross-entropy: no gradient');
      return { loss, dx };
    },
    want: () => {
      const r = crossEntropyReference(x.data, ids, vocab);
      return {
        loss: { values: [r.mean], share: TOLERANCE.f32.sum },
        // exp(logit - lse) with an lse near 100 keeps five digits.
        dx: { values: r.gradient, share: 3e-5 },
      };
    },
  };
};

const xentCases = casesOf(LOGITS, xentTrial);
const xentBench = casesOf([{ rows: 1024, vocab: 512, size: 4 }], xentTrial)[0];

const normaliseTrial = ({ steps }: { steps: number }): Trial => {
  const [loss, weight, rho] = [0.75, 0.2, 0.9];
  const before = 0.4;
  const mean = rho * before + (1 - rho) * loss * loss;
  const factor = weight / Math.sqrt(mean / (1 - rho ** (steps + 1)));
  return {
    inputs: { loss: floats([1], [loss]), state: floats([2], [before, steps]), one },
    writes: ['state'],
    build: (t, graph) => {
      const value = normaliseLoss(t.loss, t.state, weight, rho);
      const [gradient] = graph.gradients(value, [t.loss], t.one, add);
      if (!gradient) throw new Error('normaliser: no gradient');
      return { value, gradient };
    },
    want: () => ({
      value: { values: [loss * factor], share: TOLERANCE.f32.sum },
      // The running mean is a constant to differentiation.
      gradient: { values: [factor], share: TOLERANCE.f32.sum },
      state: { values: [mean, steps + 1], share: TOLERANCE.f32.map },
    }),
  };
};

export const LOSS: readonly KernelEntry[] = [
  rowEntry('squared', false),
  rowEntry('absolute', false),
  rowEntry('squared', true),
  rowEntry('absolute', true),
  {
    name: 'softmax cross-entropy',
    family: 'loss',
    about: 'logsumexp minus the logit of the right class, per row; ids outside the vocabulary count nothing.',
    label: 'softmax xent',
    bindings: 'logits ids loss lse',
    uniform: 'rows u32, vocab u32, scale f32',
    dispatch: 'One invocation per row.',
    flops: '4*rows*vocab',
    bytes: '4*(rows*vocab + 3*rows)',
    variants: single('ops/softmax_xent.wgsl', 'forward'),
    cases: xentCases,
    bench: xentBench,
  },
  {
    name: 'softmax cross-entropy backward',
    family: 'loss',
    about: 'softmax minus one hot, times the upstream number.',
    label: 'softmax xent backward',
    bindings: 'logits ids lse upstream gradient',
    uniform: 'rows u32, vocab u32, scale f32',
    dispatch: 'One invocation per element.',
    flops: '2*rows*vocab',
    bytes: '4*(2*rows*vocab + 2*rows + 1)',
    variants: single('ops/softmax_xent_backward.wgsl', 'backward'),
    cases: xentCases,
    bench: xentBench,
  },
  {
    name: 'normalise loss',
    family: 'loss',
    about: 'Divides a loss by its running root mean square.',
    label: 'normalise loss',
    bindings: 'loss state value factor',
    uniform: 'weight f32, rho f32',
    dispatch: 'One invocation.',
    flops: '4',
    bytes: '20',
    variants: single('train/normalise_loss.wgsl', 'normalise'),
    cases: casesOf([{ steps: 0 }, { steps: 7 }], normaliseTrial),
    bench: casesOf([{ steps: 7 }], normaliseTrial)[0],
  },
];
