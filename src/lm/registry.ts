/** The kernels of resident decoding; the sampler's reference is its TypeScript twin. */
import { add } from '../tensor/ops/pointwise.ts';
import { casesOf, floats, type KernelEntry, random, single, type Trial, words } from '../tensor/registry/entry.ts';
import { TOLERANCE } from '../tensor/registry/tolerance.ts';
import { decodeRows, markFilled, STATE_WORDS, sampleTokens } from './decode-ops.ts';
import { packSampling, type Sampling, sampleToken } from './sampler.ts';
import { policyLoss, policyToken } from './train/policy-loss.ts';

const FAMILY = 'language model';
const [CURSOR, LIMIT, DONE, SEED, FILLED] = [0, 1, 2, 3, 4];

type State = Partial<Record<'cursor' | 'limit' | 'done' | 'seed' | 'filled', number>>;

function stateWords(rows: readonly State[]): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(rows.length * STATE_WORDS);
  rows.forEach((s, r) => {
    out.set([s.cursor ?? 0, s.limit ?? 0, s.done ?? 0, s.seed ?? 0, s.filled ?? 0], r * STATE_WORDS);
  });
  return out;
}

type Rows = { sequences: number; queries: number; capacity: number; prefill: number };

const rowsTrial = ({ sequences, queries, capacity, prefill }: Rows): Trial => {
  const tokens = Uint32Array.from({ length: sequences * capacity }, (_, i) => (i * 7 + 3) % 101);
  const states = Array.from({ length: sequences }, (_, s) => ({
    cursor: (3 * s + 2) % capacity,
    done: s % 3 === 2 ? 1 : 0,
    filled: s % 2,
  }));
  return {
    inputs: {
      tokens: words([sequences, capacity], tokens),
      state: words([sequences, STATE_WORDS], stateWords(states)),
    },
    build: (t) => ({ ...decodeRows(t.tokens, t.state, queries, prefill === 1) }),
    want: () => {
      const rows = Array.from({ length: sequences * queries }, (_, r) => {
        const s = Math.floor(r / queries);
        const { cursor, done, filled } = states[s];
        const index = prefill ? filled + (r % queries) : cursor;
        const busy = prefill ? index < cursor : done === 0;
        const here = s * capacity + Math.min(index, capacity - 1);
        return {
          id: tokens[here],
          previous: index > 0 ? tokens[Math.max(here, 1) - 1] : 0xffffffff,
          position: busy ? index : capacity,
          bounds: [0, busy ? index + 1 : 0],
        };
      });
      return {
        ids: { words: rows.map((r) => r.id) },
        previous: { words: rows.map((r) => r.previous) },
        positions: { words: rows.map((r) => r.position) },
        bounds: { words: rows.flatMap((r) => r.bounds) },
      };
    },
  };
};

const filledTrial = ({ sequences, queries }: { sequences: number; queries: number }): Trial => {
  const before = stateWords(Array.from({ length: sequences }, (_, s) => ({ cursor: 9, filled: s })));
  return {
    inputs: { state: words([sequences, STATE_WORDS], before) },
    writes: ['state'],
    build: (t) => {
      markFilled(t.state, sequences, queries);
      return {};
    },
    want: () => ({
      state: { words: before.map((v, i) => (i % STATE_WORDS === FILLED ? v + queries : v)) },
    }),
  };
};

const STOP = 3;
const CAPACITY = 12;

function sampleCase(name: string, sequences: number, vocab: number, sampling: Sampling) {
  return {
    name,
    dims: { sequences, vocab },
    make: (): Trial => {
      const logits = random([sequences, vocab], 5, 6);
      const states = Array.from({ length: sequences }, (_, s) => ({
        cursor: 2 + (s % 3),
        limit: s % 4 === 1 ? 4 : CAPACITY,
        done: s % 5 === 4 ? 2 : 0,
        seed: 1000 + s,
      }));
      const tokens = new Uint32Array(sequences * CAPACITY);
      const logProbs = random([sequences, CAPACITY], 6);
      const before = stateWords(states);
      return {
        inputs: {
          logits,
          settings: words([12], packSampling(sampling, [STOP, 1])),
          tokens: words([sequences, CAPACITY], tokens),
          logProbs,
          state: words([sequences, STATE_WORDS], before),
        },
        writes: ['tokens', 'logProbs', 'state'],
        build: (t) => {
          sampleTokens(t.logits, t.settings, { tokens: t.tokens, logProbs: t.logProbs, state: t.state });
          return {};
        },
        want: () => {
          const [nextTokens, nextState] = [tokens.slice(), before.slice()];
          const nextLogProbs = Float64Array.from(logProbs.data);
          states.forEach((s, r) => {
            if (s.done !== 0) return;
            const index = s.cursor + 1;
            const row = logits.data.subarray(r * vocab, (r + 1) * vocab);
            const { id, logProb } = sampleToken(row, sampling, s.seed, index);
            nextTokens[r * CAPACITY + index] = id;
            nextLogProbs[r * CAPACITY + index] = logProb;
            nextState[r * STATE_WORDS + CURSOR] = index;
            const stopped = id === STOP || id === 1;
            nextState[r * STATE_WORDS + DONE] = stopped ? 1 : index + 1 >= nextState[r * STATE_WORDS + LIMIT] ? 2 : 0;
            nextState[r * STATE_WORDS + SEED] = s.seed;
          });
          return {
            tokens: { words: nextTokens },
            state: { words: nextState },
            logProbs: { values: nextLogProbs, share: TOLERANCE.f32.sum },
          };
        },
      };
    },
  };
}

const SAMPLE_CASES = [
  sampleCase('greedy', 5, 33, { temperature: 0, topK: 0, topP: 1 }),
  sampleCase('plain, one class', 1, 1, { temperature: 1, topK: 0, topP: 1 }),
  sampleCase('temperature 0.7', 9, 300, { temperature: 0.7, topK: 0, topP: 1 }),
  sampleCase('top-k 5', 9, 300, { temperature: 1, topK: 5, topP: 1 }),
  sampleCase('top-p 0.8', 9, 41, { temperature: 1.3, topK: 0, topP: 0.8 }),
  sampleCase('top-k and top-p', 9, 300, { temperature: 1, topK: 20, topP: 0.9 }),
  // The vocabulary of Qwen3.
  sampleCase('151,936 classes', 1, 151_936, { temperature: 0.8, topK: 50, topP: 0.9 }),
];

const CLIP = { low: 0.2, high: 0.3, beta: 0.1 };

const policyTrial = ({ n }: { n: number }): Trial => {
  const [logProbs, old, reference, advantages, weights] = [1, 2, 3, 4, 5].map((salt) => random([n], salt));
  for (let i = 0; i < n; i += 3) weights.data[i] = 0;
  return {
    inputs: { logProbs, old, reference, advantages, weights, one: floats([1], [2]) },
    build: (t, graph) => {
      const { loss, kl, clipped } = policyLoss(
        { logProbs: t.logProbs, old: t.old, reference: t.reference, advantages: t.advantages, weights: t.weights },
        CLIP,
      );
      const [slope] = graph.gradients(loss, [t.logProbs], t.one, add);
      if (!slope) throw new Error('policy loss: no gradient');
      return { loss, kl, clipped, slope };
    },
    want: () => {
      const each = Array.from(logProbs.data, (v, i) =>
        policyToken(v, old.data[i], reference.data[i], advantages.data[i], CLIP),
      );
      const sum = (f: (t: (typeof each)[number]) => number): number[] => [
        each.reduce((a, t, i) => a + weights.data[i] * f(t), 0),
      ];
      const share = TOLERANCE.f32.sum;
      return {
        loss: { values: sum((t) => t.loss), share, scale: Math.max(1, n / 8) },
        kl: { values: sum((t) => t.kl), share, scale: Math.max(1, n / 8) },
        clipped: { values: sum((t) => Number(t.clipped)), share, scale: Math.max(1, n / 8) },
        slope: { values: each.map((t, i) => 2 * weights.data[i] * t.slope), share },
      };
    },
  };
};

export const LM: readonly KernelEntry[] = [
  {
    name: 'decode rows',
    family: FAMILY,
    about: 'Which tokens the next pass feeds: one per sequence, or a stretch of every prompt.',
    label: 'decode rows',
    bindings: 'tokens state ids previous at bounds',
    uniform: 'rows u32, queries u32, capacity u32, prefill u32',
    dispatch: 'One invocation per row.',
    flops: '0',
    bytes: `4*(5*sequences*queries + sequences*capacity + ${STATE_WORDS}*sequences)`,
    variants: single('lm/decode_rows.wgsl', 'choose'),
    cases: casesOf(
      [
        { sequences: 1, queries: 1, capacity: 4, prefill: 0 },
        { sequences: 7, queries: 1, capacity: 30, prefill: 0 },
        { sequences: 7, queries: 5, capacity: 30, prefill: 1 },
      ],
      rowsTrial,
    ),
    bench: casesOf([{ sequences: 64, queries: 64, capacity: 256, prefill: 1 }], rowsTrial)[0],
  },
  {
    name: 'prefill mark',
    family: FAMILY,
    about: 'Notes how far the prefill has come.',
    label: 'filled',
    bindings: 'state unused',
    uniform: 'sequences u32, queries u32',
    dispatch: 'One invocation per sequence.',
    flops: '8',
    bytes: `4*(4 + ${STATE_WORDS}*sequences)`,
    variants: single('lm/prefill_mark.wgsl', 'filled'),
    cases: casesOf(
      [
        { sequences: 1, queries: 3 },
        { sequences: 70, queries: 16 },
      ],
      filledTrial,
    ),
    bench: casesOf([{ sequences: 64, queries: 16 }], filledTrial)[0],
  },
  {
    name: 'sample',
    family: FAMILY,
    about: 'Draws the next token: greedy, temperature, top-k, top-p, by Gumbel-max.',
    label: 'sample',
    bindings: 'logits settings state tokens logprobs',
    uniform: 'sequences u32, vocab u32, capacity u32',
    dispatch: 'CPU adapters: one invocation per sequence. GPUs: one workgroup of 256 per sequence.',
    flops: '8*sequences*vocab',
    bytes: '4*sequences*vocab',
    variants: [
      {
        name: 'serial',
        when: 'CPU adapters',
        files: ['lm/sample.wgsl'],
        entryPoint: 'serial',
        chosen: (c) => c.software,
        force: { software: true },
      },
      {
        name: 'spread',
        when: 'graphics processors',
        files: ['lm/sample.wgsl'],
        entryPoint: 'spread',
        chosen: (c) => !c.software,
        force: { software: false },
      },
    ],
    cases: SAMPLE_CASES,
    bench: sampleCase('64 rows of 512, top-k 20', 64, 512, { temperature: 1, topK: 20, topP: 0.9 }),
  },
  {
    name: 'policy loss',
    family: FAMILY,
    about: 'Clipped policy objective and KL estimate per token, with their derivative.',
    label: 'policy loss',
    bindings: 'logprob old reference advantage weight loss slope kl clipped',
    uniform: 'n u32, low f32, high f32, beta f32',
    dispatch: 'One invocation per token.',
    flops: '24*n',
    bytes: '36*n',
    variants: single('lm/policy_loss.wgsl', 'forward'),
    cases: casesOf([{ n: 2 }, { n: 200 }], policyTrial),
    bench: casesOf([{ n: 1 << 16 }], policyTrial)[0],
  },
];
