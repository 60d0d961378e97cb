/**
 * What a run is judged by: frozen probes on order and on appearance for every encoder, beside encoders that learned nothing, pixels,
 * and clips whose frames are shuffled; spread and rank of the features; the paper's figures in a table of their own.
 */
import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { pairedBootstrap, wilson } from '../../lm/statistics.ts';
import { ParamStore, type Slab } from '../../nn/params.ts';
import { APPEARANCE_CLASSES, type Clip, clipOf, ORDER_CLASSES, renderClip, shuffleFrames } from './clips.ts';
import type { Network, SaltConfig } from './config.ts';
import { encodeClips, type Features, featureStd, pixelFeatures, rankMe } from './features.ts';
import { PAPER } from './paper.ts';
import { hits, type ProbeResult, type ProbeTask, type Split, trainProbes } from './probe.ts';

export interface ResultTable {
  name: string;
  columns: string[];
  rows: (number | string)[][];
}

/** An encoder that a run made: which weights of which store. */
export interface Encoder {
  name: string;
  store: ParamStore;
  network: Network;
  slab: Slab;
}

/** Encoders of a run; `controls`: on an untrained teacher, and without a moving average. */
export interface Encoders {
  teacher: Encoder;
  student: Encoder;
  average: Encoder;
  controls: readonly Encoder[];
}

/** Streams of clips that no training step draws from. */
const STREAM: Record<Split, number> = { train: 0x7470, dev: 0x6470, test: 0x6570 };
const SHUFFLED = 0x73687566;

type Sets<T> = Record<Split, T>;

const each = <T>(of: (split: Split) => T): Sets<T> => ({ train: of('train'), dev: of('dev'), test: of('test') });

/** Seed of the clips of an evaluation; apart from those of every training seed below 2^20. */
export const clipSeed = (seed: number, split: Split): number => mix32(seed, STREAM[split], 0, 0x65766c) | 0x8000_0000;

export interface Evaluation {
  metrics: Record<string, number>;
  tables: ResultTable[];
}

export async function evaluate(
  gpu: Gpu,
  c: SaltConfig,
  encoders: Encoders,
  options: { seed: number; progress?: (text: string) => void },
): Promise<Evaluation> {
  const { seed, progress } = options;
  const clips: Sets<Clip[]> = each((split) =>
    Array.from({ length: c.probe[split] }, (_, i) => clipOf(clipSeed(seed, split), i)),
  );
  const pixels = each((split) => clips[split].map(({ program }) => renderClip(program, c.frames, c.size)));
  const shuffled = each((split) =>
    pixels[split].map((clip, i) => shuffleFrames(clip, c.frames, mix32(seed, i, STREAM[split], SHUFFLED))),
  );
  const tasks: ProbeTask[] = [
    { name: 'order', classes: ORDER_CLASSES.length, labels: each((s) => clips[s].map((x) => x.order)) },
    { name: 'appearance', classes: APPEARANCE_CLASSES.length, labels: each((s) => clips[s].map((x) => x.appearance)) },
  ];
  const random: Encoder = { ...encoders.student, name: 'random encoder', store: new ParamStore(), slab: 'value' };
  const encoded = async (encoder: Encoder, of: Sets<Uint8Array[]>): Promise<Sets<Features>> => ({
    train: await encodeClips(gpu, c, encoder, of.train),
    dev: await encodeClips(gpu, c, encoder, of.dev),
    test: await encodeClips(gpu, c, encoder, of.test),
  });
  const arms = new Map<string, () => Promise<Sets<Features>>>();
  for (const e of [encoders.student, encoders.average, encoders.teacher, ...encoders.controls, random]) {
    arms.set(e.name, () => encoded(e, pixels));
  }
  arms.set('pixels', async () => each((split) => pixelFeatures(c, pixels[split])));
  arms.set(`${encoders.student.name}, frames shuffled`, () => encoded(encoders.student, shuffled));
  const rows: ResultTable['rows'] = [];
  const spread: ResultTable['rows'] = [];
  const metrics: Record<string, number> = {};
  const right = new Map<string, number[]>();
  const { order, appearance } = Object.fromEntries(tasks.map((t) => [t.name, t.labels.test]));
  for (const [name, make] of arms) {
    const features = await make();
    const results = await trainProbes(gpu, features, tasks, { ...c.probe, seed: mix32(seed, 1, 0, 0x7072) });
    for (const r of results) {
      const share = (of: readonly boolean[]): number => of.filter(Boolean).length / of.length;
      const labels = r.task === 'order' ? order : appearance;
      const all = hits(r.logits, r.classes, labels);
      const pair = r.task === 'order' ? hits(r.logits, r.classes, labels, 2) : null;
      const { lower, upper } = wilson(all.filter(Boolean).length, all.length);
      rows.push([name, r.task, r.kind, share(all), lower, upper, pair ? share(pair) : '', r.rate]);
      const key = `${nameOf(name)}.${r.task}.${r.kind}`;
      metrics[key] = share(all);
      if (pair) metrics[`${key}.pair`] = share(pair);
      right.set(`${name} ${r.task} ${r.kind}`, all.map(Number));
      if (pair) right.set(`${name} pair ${r.kind}`, pair.map(Number));
    }
    spread.push([name, featureStd(features.test), rankMe(features.test)]);
    metrics[`${nameOf(name)}.std`] = featureStd(features.test);
    metrics[`${nameOf(name)}.rankMe`] = rankMe(features.test);
    progress?.(`probed ${name}: ${results.map((r) => summary(r, order, appearance)).join(', ')}`);
  }
  random.store.dispose();
  return {
    metrics,
    tables: [probesTable(rows), differences(right, encoders, seed), spreadTable(spread), paperTable()],
  };
}

/** Names as keys of metrics: letters only, words joined. */
const nameOf = (name: string): string =>
  name.replace(/[^a-zA-Z]+([a-zA-Z])/g, (_, next: string) => next.toUpperCase()).replace(/[^a-zA-Z]/g, '');

function summary(r: ProbeResult, order: readonly number[], appearance: readonly number[]): string {
  const all = hits(r.logits, r.classes, r.task === 'order' ? order : appearance);
  return `${r.task} ${r.kind} ${(all.filter(Boolean).length / all.length).toFixed(3)}`;
}

const probesTable = (rows: ResultTable['rows']): ResultTable => ({
  name: 'probes',
  columns: ['features', 'task', 'probe', 'top-1', 'lower 95 %', 'upper 95 %', 'within a pair', 'rate'],
  rows: [
    ['chance', 'order', '', 1 / ORDER_CLASSES.length, '', '', 0.5, ''],
    ['chance, action known', 'order', '', 0.5, '', '', 0.5, ''],
    ['chance', 'appearance', '', 1 / APPEARANCE_CLASSES.length, '', '', '', ''],
    ...rows,
  ],
});

/** SALT against the others on the same test clips, in points. Says nothing about other seeds. */
function differences(right: ReadonlyMap<string, number[]>, encoders: Encoders, seed: number): ResultTable {
  const rows: ResultTable['rows'] = [];
  for (const other of [encoders.average, encoders.teacher, ...encoders.controls]) {
    for (const what of ['order', 'pair', 'appearance']) {
      const of = (e: Encoder): number[] => right.get(`${e.name} ${what} attentive`) as number[];
      const { value, lower, upper } = pairedBootstrap(of(encoders.student), of(other), seed);
      const verdict = lower > 0 ? 'better' : upper < 0 ? 'worse' : 'no difference shown';
      rows.push([`${encoders.student.name} minus ${other.name}`, what, 100 * value, 100 * lower, 100 * upper, verdict]);
    }
  }
  return {
    name: 'differences',
    columns: ['what', 'task', 'points', 'lower 95 %', 'upper 95 %', 'this run'],
    rows,
  };
}

const spreadTable = (rows: ResultTable['rows']): ResultTable => ({
  name: 'spread',
  columns: ['features', 'deviation of a channel', 'RankMe'],
  rows,
});

const paperTable = (): ResultTable => ({
  name: 'paper',
  columns: [`arXiv ${PAPER.arxiv}`, 'compute, 1e21 FLOP', 'SSv2, %', 'K400, %'],
  rows: PAPER.frozen.map(({ model, compute, ssv2, k400 }) => [model, compute, ssv2, k400]),
});
