/** Log-probabilities of chosen tokens, and weighted sums of them. */
import { add } from '../ops/pointwise.ts';
import { tokenLogProbs, weightedSum } from '../ops/token-logprobs.ts';
import { logProbReference } from '../reference/loss.ts';
import { sumOf } from '../reference/pointwise.ts';
import { casesOf, floats, type KernelEntry, random, single, type Trial, words } from './entry.ts';
import { slower } from './kept.ts';
import { pullBack } from './pull-back.ts';
import { TOLERANCE } from './tolerance.ts';

type Logits = { rows: number; vocab: number; size: number };
const LOGITS: Logits[] = [
  { rows: 1, vocab: 2, size: 1 },
  { rows: 9, vocab: 37, size: 8 },
  { rows: 3, vocab: 1031, size: 8 },
  // The vocabulary of Qwen3.
  { rows: 2, vocab: 151_936, size: 8 },
];
const WIDE = 1024;

const logProbTrial = ({ rows, vocab, size }: Logits): Trial => {
  const x = random([rows, vocab], 1, size);
  const probe = random([rows], 2);
  // One row chooses nothing.
  const ids = Array.from({ length: rows }, (_, r) => (r === 1 ? vocab : (r * 5 + 1) % vocab));
  return {
    inputs: { x, ids: words([rows], ids), probe },
    build: (t, graph) => {
      const { logProbs, entropy } = tokenLogProbs(t.x, t.ids);
      return { logProbs, entropy, dx: pullBack(graph, logProbs, t.probe, [t.x])[0] };
    },
    want: () => {
      const r = logProbReference(x.data, ids, vocab, probe.data);
      const share = TOLERANCE.f32.sum;
      return {
        logProbs: { values: r.logProbs, share },
        entropy: { values: r.entropy, share },
        // exp(logit - lse) with an lse near 15 keeps six digits.
        dx: { values: r.gradient, share },
      };
    },
  };
};

const logProbCases = casesOf(LOGITS, logProbTrial);
const logProbBench = casesOf([{ rows: 1024, vocab: 2048, size: 4 }], logProbTrial)[0];

const sumTrial = ({ n }: { n: number }): Trial => {
  const x = random([n], 1);
  const weight = random([n], 2);
  // A weight of zero leaves an element out even when it is not a number.
  if (n > 2) {
    x.data[1] = Number.NaN;
    weight.data[1] = 0;
  }
  return {
    inputs: { x, weight, one: floats([1], [3]) },
    build: (t, graph) => {
      const y = weightedSum(t.x, t.weight, 0.5);
      const [dx] = graph.gradients(y, [t.x], t.one, add);
      if (!dx) throw new Error('weighted sum: no gradient');
      return { y, dx };
    },
    want: () => {
      const products = Array.from(x.data, (v, i) => (weight.data[i] === 0 ? 0 : v * weight.data[i]));
      return {
        y: { values: [0.5 * sumOf(products)], share: TOLERANCE.f32.sum, scale: sumOf(products, Math.abs) },
        dx: { values: Array.from(weight.data, (w) => 1.5 * w), share: TOLERANCE.f32.rounding },
      };
    },
  };
};

const weighted = (entryPoint: 'products' | 'spread'): KernelEntry => ({
  name: entryPoint === 'products' ? 'weighted sum' : 'weighted sum backward',
  family: 'loss',
  about:
    entryPoint === 'products'
      ? 'x times weight; zero weights leave elements out.'
      : 'The upstream number times the weights.',
  label: entryPoint === 'products' ? 'weighted sum' : 'weighted sum backward',
  bindings: 'x weight y',
  uniform: 'n u32, scale f32',
  dispatch: 'One invocation per element.',
  flops: '2*n',
  bytes: entryPoint === 'products' ? '12*n' : '8*n + 4',
  variants: single('ops/weighted_sum.wgsl', entryPoint),
  cases: casesOf([{ n: 1 }, { n: 300 }], sumTrial),
  bench: casesOf([{ n: 1 << 20 }], sumTrial)[0],
});

export const LOGPROBS: readonly KernelEntry[] = [
  {
    name: 'token logprob',
    family: 'loss',
    about: 'Log-probability of one chosen class per row, with the row’s log-sum-exp and entropy.',
    label: 'token logprob',
    bindings: 'logits ids logprob lse entropy',
    uniform: 'rows u32, vocab u32',
    dispatch: 'One invocation per row; large vocabularies on GPUs: one workgroup of 256 per row.',
    flops: '4*rows*vocab',
    bytes: '4*rows*vocab',
    variants: [
      {
        name: 'rows',
        idea: 'One invocation per row: two passes, largest logit first, then the sums.',
        when: 'CPU adapters, and vocabularies below 1024',
        files: ['ops/token_logprob.wgsl'],
        entryPoint: 'rows',
        chosen: (c) => c.software,
        force: { software: true },
      },
      {
        name: 'wide',
        idea: `One workgroup of 256 per row: long vocabularies keep a GPU busy with few rows. ${slower(5.4, 24, '32 rows of 2048')}: barriers.`,
        when: 'graphics processors, from 1024 classes on',
        files: ['ops/token_logprob.wgsl'],
        entryPoint: 'wide',
        chosen: (c) => !c.software,
        force: { software: false },
        takes: ({ vocab }) => vocab >= WIDE,
      },
    ],
    cases: logProbCases,
    bench: logProbBench,
    // The barriers of the wide one take minutes on SwiftShader.
    ladder: (software) => (software ? casesOf([{ rows: 32, vocab: 2048, size: 4 }], logProbTrial)[0] : logProbBench),
  },
  {
    name: 'token logprob backward',
    family: 'loss',
    about: 'One hot minus softmax, times the upstream number of the row.',
    label: 'token logprob backward',
    bindings: 'logits ids lse upstream gradient',
    uniform: 'rows u32, vocab u32',
    dispatch: 'One invocation per element.',
    flops: '2*rows*vocab',
    bytes: '4*(2*rows*vocab + 3*rows)',
    variants: single('ops/token_logprob_backward.wgsl', 'backward'),
    cases: logProbCases,
    bench: logProbBench,
  },
  weighted('products'),
  weighted('spread'),
];
