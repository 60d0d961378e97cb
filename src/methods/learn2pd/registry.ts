/** The kernels that only this method needs. The references are the plain loop's own parts (reference.ts). */
import { mix32, uniform01 } from '../../gpu/rng.ts';
import { EOT, MASK } from '../../lm/tokenizers/closed.ts';
import { casesOf, floats, type KernelEntry, random, single, type Trial, words } from '../../tensor/registry/entry.ts';
import { TOLERANCE } from '../../tensor/registry/tolerance.ts';
import { filterColumns, filterSize, layersOf, newFilter } from './filter.ts';
import { filterSlopes, filterUpdate } from './filter-ops.ts';
import { FILTER_TRAINING, type FilterRecord, filterLoss, pickRecords, sigmoid } from './filter-training.ts';
import { AT, chooseRows, finalize, guessTokens, recordWords, STATE_WORDS } from './loop-ops.ts';
import { DECODE_DEFAULTS, type DecodeSpec, type Policy, packSettings, scheduled, stepsPerBlock } from './policy.ts';
import { guessOf, policyChoice } from './reference.ts';

const FAMILY = 'learn2pd';
const STREAM = 0x66696c74;

type Rows = { sequences: number; queries: number; capacity: number; kind: number; block: number };

const rowsTrial = ({ sequences, queries, capacity, kind, block }: Rows): Trial => {
  const tokens = Uint32Array.from({ length: sequences * capacity }, (_, i) => (i * 7 + 3) % 101);
  const states = Array.from({ length: sequences }, (_, s) => ({
    first: s % 3,
    block: Math.min(3 + block * (s % 2), capacity - queries),
    length: capacity - (s % 4),
    next: s % 3,
  }));
  const state = new Uint32Array(sequences * STATE_WORDS);
  states.forEach((t, s) => {
    for (const [name, value] of Object.entries(t)) state[s * STATE_WORDS + AT[name as keyof typeof AT]] = value;
  });
  return {
    inputs: { tokens: words([sequences, capacity], tokens), state: words([sequences, STATE_WORDS], state) },
    build: (t) => ({ ...chooseRows(t.tokens, t.state, queries, kind === 1 ? 1 : 2, block) }),
    want: () => {
      const start = (s: number): number => (kind === 1 ? 0 : states[s].block);
      const rows = Array.from({ length: sequences * queries }, (_, r) => {
        const s = Math.floor(r / queries);
        const { first, length, next } = states[s];
        const p = start(s) + (r % queries);
        const busy = next === kind && p >= first && p < length;
        return {
          id: tokens[s * capacity + Math.min(p, capacity - 1)],
          p: busy ? p : capacity,
          seen: busy ? [first, length] : [0, 0],
        };
      });
      const pick = Array.from({ length: sequences * block }, (_, i) => {
        const s = Math.floor(i / block);
        return s * queries + Math.min(states[s].block - start(s) + (i % block), queries - 1);
      });
      return {
        ids: { words: rows.map((r) => r.id) },
        positions: { words: rows.map((r) => r.p) },
        bounds: { words: rows.flatMap((r) => r.seen) },
        pick: { words: pick },
      };
    },
  };
};

const confidenceTrial = ({ rows, vocab }: { rows: number; vocab: number }): Trial => {
  const logits = random([rows, vocab], 4, 6);
  // Equal logits: the lowest id wins.
  if (vocab > 5) logits.data[5] = logits.data[4] = 7;
  const settings = packSettings({ ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 1 } }, 1, false);
  return {
    inputs: { logits, settings: words([settings.length], settings) },
    build: (t) => ({ guesses: guessTokens(t.logits, t.settings) }),
    want: () => {
      const all = Array.from({ length: rows }, (_, r) => guessOf(logits.data.subarray(r * vocab, (r + 1) * vocab)));
      // Ids are words and the rest are floats: the tests of the loop compare the exact ids.
      const bits = new Uint32Array(3 * rows);
      const view = new Float32Array(bits.buffer);
      all.forEach((g, r) => {
        bits[3 * r] = g.id;
        view[3 * r + 1] = g.c;
        view[3 * r + 2] = g.margin;
      });
      return { guesses: { values: view, share: TOLERANCE.f32.sum, scale: 1 } };
    },
  };
};

type Decision = { sequences: number; queries: number; vocab: number; block: number; depth: number; policy: number };

const policyOf = ({ block, depth, policy }: Decision): Policy => {
  const filter = newFilter(block, depth, 3);
  const all: Policy[] = [
    { kind: 'static', perStep: 3 },
    { kind: 'threshold', tau: 0.5 },
    { kind: 'egp' },
    { kind: 'learn2pd', tau: 0.51, filter },
    { kind: 'margin', m: 0.3 },
    { kind: 'random', tau: 0.51, filter },
  ];
  return all[policy];
};

const decisionTrial =
  (split: boolean) =>
  (dims: Decision): Trial => {
    const { sequences, queries, vocab, block, depth } = dims;
    const policy = policyOf(dims);
    const spec: DecodeSpec = { ...DECODE_DEFAULTS, policy, eotp: 'strict', cache: 'dual' };
    const capacity = block + 6;
    const logits = random([sequences * queries, vocab], 8, 5);
    const reference = Uint32Array.from({ length: sequences * capacity }, (_, i) => i % vocab);
    const tokens = Uint32Array.from({ length: sequences * capacity }, (_, i) => (i % 3 === 1 ? 2 : MASK));
    const state = new Uint32Array(sequences * STATE_WORDS);
    for (let s = 0; s < sequences; s++) {
      const at = s * STATE_WORDS;
      // The last of several blocks is short; one sequence waits for another kind of pass.
      state[at + AT.block] = 2;
      state[at + AT.end] = 2 + block - (s % 2);
      state[at + AT.length] = 2 + block + (s % 2 === 0 ? 3 : -1);
      state[at + AT.masked] = block - (s % 2);
      state[at + AT.step] = s % 2;
      state[at + AT.next] = s % 5 === 4 ? 2 : 1;
      state[at + AT.seed] = 100 + s;
    }
    const settings = packSettings(spec, block, false);
    const filter = 'filter' in policy ? policy.filter : newFilter(block, depth, 3);
    return {
      inputs: {
        logits,
        settings: words([settings.length], settings),
        filter: floats([filter.values.length], filterColumns(filter)),
        reference: words([sequences, capacity], reference),
        trace: words([sequences, 1, recordWords(block)], new Uint32Array(sequences * recordWords(block))),
        tokens: words([sequences, capacity], tokens),
        state: words([sequences, STATE_WORDS], state),
      },
      writes: ['tokens', 'state'],
      build: (t) => {
        const { settings: s, filter: f, reference: y, tokens: x, state: q, trace } = t;
        const buffers = { settings: s, filter: f, reference: y, tokens: x, state: q, trace };
        finalize(t.logits, buffers, { kind: 1, block, depth, allRows: false, split });
        return {};
      },
      want: () => {
        const [nextTokens, next] = [tokens.slice(), state.slice()];
        for (let s = 0; s < sequences; s++) {
          const word = (name: keyof typeof AT): number => state[s * STATE_WORDS + AT[name]];
          const put = (name: keyof typeof AT, value: number): void => {
            next[s * STATE_WORDS + AT[name]] = value;
          };
          if (word('next') !== 1) continue;
          const n = word('end') - word('block');
          const here = s * capacity + word('block');
          const rows = Array.from({ length: n }, (_, i) => {
            const at = (s * queries + i) * vocab;
            return guessOf(logits.data.subarray(at, at + vocab));
          });
          const masked = rows.map((_, i) => i).filter((i) => tokens[here + i] === MASK);
          const y = Array.from(reference.subarray(here, here + n));
          const chosen = policyChoice(policy, rows, masked, y, (i) => mix32(word('seed'), 0, i, STREAM));
          const surest = [...masked].sort((a, b) => rows[b].c - rows[a].c || a - b);
          const top = surest.slice(0, scheduled(word('masked'), stepsPerBlock(policy, block), word('step')));
          const oracle = policy.kind === 'egp';
          const extra = oracle && chosen.length > 0 ? [] : top.filter((i) => !chosen.includes(i));
          const final = [...chosen, ...extra];
          for (const i of final) nextTokens[here + i] = oracle ? y[i] : rows[i].id;
          const ends = final.filter((i) => nextTokens[here + i] === EOT);
          const cut = ends.length > 0 ? word('block') + Math.min(...ends) : null;
          const length = cut === null ? word('length') : cut + 1;
          if (cut !== null) {
            put('cut', word('length') - length);
            put('eotAt', cut);
          }
          put('length', length);
          put('byPolicy', chosen.length);
          put('byTop', extra.length);
          if (oracle) put('guarded', extra.length);
          put('passes', 1);
          put('full', 1);
          const end = Math.min(word('end'), length);
          const left = masked.filter((i) => !final.includes(i) && word('block') + i < end).length;
          const after = Math.min(end + block, length);
          put('step', left > 0 ? word('step') + 1 : 0);
          put('block', left > 0 ? word('block') : end);
          put('end', left > 0 ? end : after);
          put('masked', left > 0 ? word('masked') : after - end);
          put('next', left > 0 ? 2 : end < length ? 1 : 0);
        }
        return { tokens: { words: nextTokens }, state: { words: next } };
      },
    };
  };

const DECISIONS: Decision[] = [0, 1, 2, 3, 4, 5].map((policy) => {
  return { sequences: 6, queries: 8, vocab: 13, block: 8, depth: 2, policy };
});
DECISIONS.push({ sequences: 3, queries: 32, vocab: 48, block: 32, depth: 2, policy: 3 });
DECISIONS.push({ sequences: 2, queries: 16, vocab: 20, block: 16, depth: 4, policy: 3 });
DECISIONS.push({ sequences: 2, queries: 64, vocab: 20, block: 64, depth: 1, policy: 3 });
const BENCH: Decision = { sequences: 1, queries: 32, vocab: 128, block: 32, depth: 2, policy: 3 };
const FILTER_SIZE = 'depth*(block*block + block)';

type Training = { records: number; batch: number; block: number; depth: number; masked: number };

const trainingData = ({ records, batch, block, depth }: Training) => {
  const all = Array.from({ length: records }, (_, k): FilterRecord => {
    const word = (i: number): number => mix32(k, i, 0, 0x747261);
    return {
      prompt: k,
      c: Float32Array.from({ length: block }, (_, i) => uniform01(word(i))),
      label: Uint8Array.from({ length: block }, (_, i) => word(i + 100) & 1),
      masked: Uint8Array.from({ length: block }, (_, i) => Number(word(i + 200) % 3 > 0)),
    };
  });
  const picks = pickRecords({ ...FILTER_TRAINING, batch }, 1, records);
  return { all, picks, chosen: Array.from(picks, (k) => all[k]), filter: newFilter(block, depth, 3) };
};

/** Inputs of every layer and slopes of the loss, [batch, depth, block], and the losses: one record at a time. */
function slopesOf({ chosen, filter }: ReturnType<typeof trainingData>, maskedOnly: boolean, scale: number) {
  const { B, depth, values } = filter;
  const [inputs, slopes, losses]: [number[], number[], number[]] = [[], [], []];
  for (const r of chosen) {
    const layers = layersOf(filter, r.c);
    const own: number[][] = [];
    let slope = Array.from(layers[depth], (z, i) =>
      maskedOnly && !r.masked[i] ? 0 : (sigmoid(z) - r.label[i]) * scale,
    );
    for (let d = depth - 1; d >= 0; d--) {
      own.unshift(slope);
      const w = d * (B * B + B);
      slope = Array.from(layers[d], (x, i) =>
        x > 0 ? slope.reduce((sum, s, o) => sum + s * values[w + o * B + i], 0) : 0,
      );
    }
    inputs.push(...layers.slice(0, depth).flatMap((x) => Array.from(x)));
    slopes.push(...own.flat());
    const { loss } = filterLoss(filter, [r], maskedOnly);
    losses.push(loss * scale * (maskedOnly ? r.masked.reduce((a, b) => a + b, 0) : B));
  }
  return { inputs, slopes, losses };
}

const slopesTrial = (dims: Training): Trial => {
  const data = trainingData(dims);
  const { records, block, depth } = dims;
  const scale = 1 / (dims.batch * block);
  const marks = data.all.flatMap((r) => Array.from(r.label, (y, i) => y + 2 * r.masked[i]));
  return {
    inputs: {
      filter: floats([data.filter.values.length], data.filter.values),
      confidence: floats(
        [records, block],
        data.all.flatMap((r) => Array.from(r.c)),
      ),
      marks: words([records, block], marks),
      picks: words([dims.batch], data.picks),
      hyper: floats([5], [1e-3, 0.1, 1e-3, 0.01, scale]),
    },
    build: (t) => {
      const { filter, confidence, marks: m, picks, hyper } = t;
      return { ...filterSlopes({ filter, confidence, marks: m, picks, hyper }, depth, dims.masked === 1) };
    },
    want: () => {
      const { inputs, slopes, losses } = slopesOf(data, dims.masked === 1, scale);
      const share = TOLERANCE.f32.sum;
      return {
        inputs: { values: inputs, share },
        slopes: { values: slopes, share },
        losses: { values: losses, share },
      };
    },
  };
};

const updateTrial = (dims: Training): Trial => {
  const { batch, block, depth } = dims;
  const n = filterSize(block, depth);
  const [inputs, slopes] = [random([batch, depth, block], 1), random([batch, depth, block], 2, 0.1)];
  const [filter, first, second] = [random([n], 3), random([n], 4, 0.1), random([n], 5, 0.1)];
  second.data.forEach((v, i) => {
    second.data[i] = v * v;
  });
  const hyper = [0.01, 0.3, 0.02, 0.05, 1];
  return {
    inputs: { inputs, slopes, hyper: floats([5], hyper), filter, first, second },
    writes: ['filter', 'first', 'second'],
    build: (t) => {
      filterUpdate({ inputs: t.inputs, slopes: t.slopes }, t.hyper, {
        filter: t.filter,
        first: t.first,
        second: t.second,
      });
      return {};
    },
    want: () => {
      const out = { filter: new Float64Array(n), first: new Float64Array(n), second: new Float64Array(n) };
      for (let p = 0; p < n; p++) {
        const at = p % (block * block + block);
        const bias = at >= block * block;
        const [o, i] = bias ? [at - block * block, 0] : [Math.floor(at / block), at % block];
        let g = 0;
        for (let r = 0; r < batch; r++) {
          const own = (r * depth + Math.floor(p / (block * block + block))) * block;
          g += slopes.data[own + o] * (bias ? 1 : inputs.data[own + i]);
        }
        out.first[p] = 0.9 * first.data[p] + 0.1 * g;
        out.second[p] = 0.999 * second.data[p] + 0.001 * g * g;
        const move = out.first[p] / hyper[1] / (Math.sqrt(out.second[p] / hyper[2]) + 1e-8);
        out.filter[p] = filter.data[p] - hyper[0] * (move + hyper[3] * filter.data[p]);
      }
      const share = TOLERANCE.f32.sum;
      return {
        filter: { values: out.filter, share },
        first: { values: out.first, share },
        second: { values: out.second, share },
      };
    },
  };
};

const TRAINING: Training[] = [
  { records: 7, batch: 5, block: 8, depth: 2, masked: 0 },
  { records: 9, batch: 9, block: 16, depth: 1, masked: 1 },
  { records: 70, batch: 65, block: 32, depth: 4, masked: 0 },
];
const TRAINING_BENCH: Training = { records: 4096, batch: 256, block: 32, depth: 2, masked: 0 };

const decision = (split: boolean): KernelEntry => ({
  name: split ? 'finalize filter, given confidences' : 'finalize filter',
  family: FAMILY,
  about: split
    ? 'Policy, tokens, end of text and next block from confidences that another kernel has made.'
    : 'Confidence, learned filter, decision and state of a decoding pass in one dispatch.',
  label: 'finalize filter',
  bindings: `${split ? 'guesses' : 'logits'} settings filter_ reference tokens state trace`,
  uniform:
    'sequences u32, queries u32, vocab u32, capacity u32, kind u32, whole u32, records u32, block u32, depth u32',
  dispatch: 'One workgroup of 64 per sequence, one lane per position of the block.',
  flops: split ? `2*sequences*${FILTER_SIZE}` : `4*sequences*block*vocab + 2*sequences*${FILTER_SIZE}`,
  bytes: `4*sequences*queries*${split ? '3' : 'vocab'} + 4*${FILTER_SIZE}`,
  variants: single('methods/learn2pd/finalize_filter.wgsl', split ? 'decide' : 'fused'),
  cases: casesOf(DECISIONS, decisionTrial(split)),
  bench: casesOf([BENCH], decisionTrial(split))[0],
});

export const LEARN2PD: readonly KernelEntry[] = [
  {
    name: 'choose rows',
    family: FAMILY,
    about: 'Which canvas rows the next pass feeds: everything, block and suffix, or the block alone.',
    label: 'choose rows',
    bindings: 'tokens state ids positions bounds pick',
    uniform: 'rows u32, queries u32, capacity u32, kind u32, block u32',
    dispatch: 'One invocation per row.',
    flops: '0',
    bytes: `4*(4*sequences*queries + sequences*block + sequences*capacity + ${STATE_WORDS}*sequences)`,
    variants: single('methods/learn2pd/choose_rows.wgsl', 'choose'),
    cases: casesOf(
      [
        { sequences: 1, queries: 4, capacity: 12, kind: 2, block: 4 },
        { sequences: 7, queries: 20, capacity: 30, kind: 1, block: 8 },
        { sequences: 7, queries: 8, capacity: 30, kind: 2, block: 4 },
      ],
      rowsTrial,
    ),
    bench: casesOf([{ sequences: 16, queries: 256, capacity: 320, kind: 1, block: 32 }], rowsTrial)[0],
  },
  {
    name: 'confidence',
    family: FAMILY,
    about: 'Most probable token of every row, its probability and its lead over the second.',
    label: 'confidence',
    bindings: 'logits settings guesses',
    uniform: 'rows u32, vocab u32',
    dispatch: 'One workgroup of 64 per row.',
    flops: '4*rows*vocab',
    bytes: '4*rows*vocab',
    variants: single('methods/learn2pd/confidence.wgsl', 'guess'),
    cases: casesOf(
      [
        { rows: 3, vocab: 48 },
        { rows: 5, vocab: 128 },
        { rows: 2, vocab: 1000 },
        { rows: 1, vocab: 151_936 },
      ],
      confidenceTrial,
    ),
    bench: casesOf([{ rows: 32, vocab: 32768 }], confidenceTrial)[0],
  },
  decision(false),
  decision(true),
  {
    name: 'filter records',
    family: FAMILY,
    about: 'Training of the filter: loss of every record of a batch, and its slopes by the outputs of all layers.',
    label: 'filter records',
    bindings: 'filter_ confidence marks picks hyper inputs slopes losses',
    uniform: 'batch u32, masked_only u32, block u32, depth u32',
    dispatch: 'One invocation per record of the batch.',
    flops: `4*batch*${FILTER_SIZE}`,
    bytes: `4*(${FILTER_SIZE} + 2*records*block + 2*batch + 5 + 2*batch*depth*block)`,
    variants: single('methods/learn2pd/filter_train.wgsl', 'records'),
    cases: casesOf(TRAINING, slopesTrial),
    bench: casesOf([TRAINING_BENCH], slopesTrial)[0],
  },
  {
    name: 'filter update',
    family: FAMILY,
    about: 'Training of the filter: gradients summed over the batch, AdamW.',
    label: 'filter update',
    bindings: 'inputs slopes hyper filter_ first second',
    uniform: 'batch u32, block u32, depth u32',
    dispatch: 'One invocation per parameter.',
    flops: `2*batch*${FILTER_SIZE}`,
    bytes: `4*(2*batch*depth*block + 5 + 3*${FILTER_SIZE})`,
    variants: single('methods/learn2pd/filter_update.wgsl', 'update'),
    cases: casesOf(TRAINING, updateTrial),
    bench: casesOf([TRAINING_BENCH], updateTrial)[0],
  },
];
