/**
 * Frozen probes (salt.md 8.3): small classifiers on features that no longer change. `attentive`: one cross-attention block with a
 * single learned query per head, whose key projection is part of the query; `linear`: on the mean over tokens. Several rates are
 * trained at once in one program; the one that is best on the development clips is judged on the test clips.
 */
import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { dense, fanIn, norm, Scope } from '../../nn/layers.ts';
import { ParamStore } from '../../nn/params.ts';
import type { Tensor } from '../../tensor/graph.ts';
import { latentAttention } from '../../tensor/ops/latent-attention.ts';
import { softmaxCrossEntropy } from '../../tensor/ops/loss.ts';
import { add } from '../../tensor/ops/pointwise.ts';
import { joinSlots } from '../../tensor/ops/slots.ts';
import { compile } from '../../tensor/program.ts';
import { adamw, backward, hyper } from '../../train/optimiser.ts';
import { type Features, meanTokens } from './features.ts';

export const PROBE_KINDS = ['attentive', 'linear'] as const;
export type ProbeKind = (typeof PROBE_KINDS)[number];

export interface ProbeTask {
  name: string;
  classes: number;
  /** Class of every clip of the three sets. */
  labels: Readonly<Record<Split, readonly number[]>>;
}

export type Split = 'train' | 'dev' | 'test';

/** The probe of a task that was best on the development clips. */
export interface ProbeResult {
  task: string;
  kind: ProbeKind;
  rate: number;
  /** Share of the development clips that it gets right. */
  dev: number;
  /** Logits of the test clips, [clips, classes]. */
  logits: Float32Array<ArrayBuffer>;
  classes: number;
}

const RATES = [1e-2, 3e-3, 1e-3];
const HEADS = 4;
const DECAY = 0.01;

interface Head {
  task: ProbeTask;
  kind: ProbeKind;
  rate: number;
  name: string;
}

const headsOf = (tasks: readonly ProbeTask[]): Head[] =>
  tasks.flatMap((task) =>
    PROBE_KINDS.flatMap((kind) => RATES.map((rate, i) => ({ task, kind, rate, name: `${task.name}.${kind}.${i}` }))),
  );

/** Logits [rows, classes] of one head on tokens [rows, tokens, d] or their means [rows, d]. */
function traceHead(scope: Scope, head: Head, tokens: Tensor, means: Tensor): Tensor {
  const { graph } = scope;
  const [rows, count, d] = tokens.shape;
  let x = means;
  if (head.kind === 'attentive') {
    const query = scope.get(`${head.name}.query`, [1, HEADS * d], fanIn(d), false);
    const q = graph.reshape(joinSlots([query], rows, HEADS * d), [rows, HEADS, d]);
    const bounds = graph.table('bounds', [rows, 2], () =>
      Uint32Array.from({ length: 2 * rows }, (_, i) => (i % 2) * count),
    );
    const shape = { heads: HEADS, groups: 1, key: d, value: d, offset: 0, scale: 1 };
    const keys = graph.reshape(tokens, [rows, count, 1, d]);
    const { out } = latentAttention(q, keys, shape, { sequences: rows, view: { bounds } });
    x = norm(
      scope,
      `${head.name}.norm`,
      dense(scope, `${head.name}.out`, graph.reshape(out, [rows, HEADS * d]), d, true),
    );
  }
  return dense(scope, `${head.name}.classes`, x, head.task.classes, true);
}

/** Channels brought to mean 0 and deviation 1 over the training clips, in place: encoders and pixels then meet the same rates. */
function standardise(sets: readonly Float32Array[], width: number): void {
  const [train] = sets;
  const rows = train.length / width;
  for (let i = 0; i < width; i++) {
    let [sum, squares] = [0, 0];
    for (let r = 0; r < rows; r++) {
      const v = train[r * width + i];
      sum += v;
      squares += v * v;
    }
    const mean = sum / rows;
    const scale = 1 / Math.sqrt(Math.max(0, squares / rows - mean * mean) + 1e-6);
    for (const set of sets) for (let at = i; at < set.length; at += width) set[at] = (set[at] - mean) * scale;
  }
}

/** Trains all probes on the features of the training clips and judges them. `steps` of `batch` clips each. */
export async function trainProbes(
  gpu: Gpu,
  features: Readonly<Record<Split, Features>>,
  tasks: readonly ProbeTask[],
  { steps, batch: asked, seed }: { steps: number; batch: number; seed: number },
): Promise<ProbeResult[]> {
  const heads = headsOf(tasks);
  const store = new ParamStore();
  const { tokens: count, width: d, clips } = features.train;
  const batch = Math.min(asked, clips);
  const splits = ['train', 'dev', 'test'] as const;
  const means = Object.fromEntries(splits.map((s) => [s, meanTokens(features[s])])) as Record<
    Split,
    Float32Array<ArrayBuffer>
  >;
  const values = Object.fromEntries(splits.map((s) => [s, features[s].values.slice()])) as typeof means;
  standardise(
    splits.map((s) => means[s]),
    d,
  );
  standardise(
    splits.map((s) => values[s]),
    d,
  );

  const trace = (scope: Scope): { head: Head; logits: Tensor }[] => {
    const tokens = scope.graph.input('tokens', [batch, count, d]);
    const mean = scope.graph.input('means', [batch, d]);
    return heads.map((head) => ({ head, logits: traceHead(scope, head, tokens, mean) }));
  };
  const training = compile(gpu, (graph) => {
    const scope = new Scope(graph, store);
    const ids = new Map(tasks.map((t) => [t.name, graph.input(`labels ${t.name}`, [batch])]));
    const losses = trace(scope).map(({ head, logits }) =>
      softmaxCrossEntropy(logits, ids.get(head.task.name) as Tensor),
    );
    const loss = losses.reduce((a, b) => add(a, b));
    graph.output('loss', loss);
    adamw(graph, store, backward(graph, loss, scope.used(), store));
    store.allocate(gpu, seed);
  });
  const reading = compile(gpu, (graph) => {
    for (const { head, logits } of trace(new Scope(graph, store))) graph.output(head.name, logits);
  });
  const inputsAt = (split: Split, chosen: readonly number[]) => {
    const rows = (from: Float32Array, width: number): Float32Array<ArrayBuffer> => {
      const out = new Float32Array(batch * width);
      for (const [i, n] of chosen.entries()) out.set(from.subarray(n * width, (n + 1) * width), i * width);
      return out;
    };
    return { tokens: rows(values[split], count * d), means: rows(means[split], d) };
  };
  try {
    store.setRates((name) => (heads.find((h) => name.startsWith(`${h.name}.`)) as Head).rate / RATES[0]);
    // Heads are independent: no norm is shared, so nothing is clipped.
    const optimiser = { beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: DECAY, clip: 1e9, ema: 0 };
    for (let t = 1; t <= steps; t++) {
      const chosen = Array.from({ length: batch }, (_, i) => mix32(seed, t, i, 0x70726f62) % clips);
      const labels = tasks.map((task) => [
        `labels ${task.name}`,
        Uint32Array.from(chosen, (n) => task.labels.train[n]),
      ]);
      const rate = RATES[0] * 0.5 * (1 + Math.cos((Math.PI * (t - 1)) / steps));
      training.run({
        ...inputsAt('train', chosen),
        ...Object.fromEntries(labels),
        one: new Float32Array([1]),
        hyper: hyper(optimiser, t, rate),
      });
      await training.throttle();
    }
    const read = async (split: Split): Promise<Map<string, Float32Array<ArrayBuffer>>> => {
      const all = new Map(heads.map((h) => [h.name, new Float32Array(features[split].clips * h.task.classes)]));
      for (let first = 0; first < features[split].clips; first += batch) {
        const some = Math.min(batch, features[split].clips - first);
        reading.run(
          inputsAt(
            split,
            Array.from({ length: some }, (_, i) => first + i),
          ),
        );
        for (const h of heads) {
          const part = (await reading.read(h.name)).subarray(0, some * h.task.classes);
          all.get(h.name)?.set(part, first * h.task.classes);
        }
      }
      return all;
    };
    const [dev, test] = [await read('dev'), await read('test')];
    return tasks.flatMap((task) =>
      PROBE_KINDS.map((kind) => {
        const own = heads
          .filter((h) => h.task === task && h.kind === kind)
          .map((h) => {
            const right = hits(dev.get(h.name) as Float32Array, task.classes, task.labels.dev);
            return { h, share: right.filter(Boolean).length / right.length };
          });
        const best = own.reduce((a, b) => (b.share > a.share ? b : a));
        const logits = test.get(best.h.name) as Float32Array<ArrayBuffer>;
        return { task: task.name, kind, rate: best.h.rate, dev: best.share, logits, classes: task.classes };
      }),
    );
  } finally {
    training.dispose();
    reading.dispose();
    store.dispose();
  }
}

/**
 * Whether the right class has the largest logit of every row. With `group`, only classes of the right one's group of that many
 * compete: 2 asks for the direction of an action that is known.
 */
export function hits(logits: Float32Array, classes: number, labels: readonly number[], group = classes): boolean[] {
  return labels.map((label, n) => {
    const first = Math.floor(label / group) * group;
    const row = logits.subarray(n * classes + first, n * classes + first + group);
    return row.every((v, i) => i === label - first || v < row[label - first]);
  });
}
