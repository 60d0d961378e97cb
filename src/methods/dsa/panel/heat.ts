// Numbers of the maps and how they are drawn: attention in ink, what the indexer makes of it in the accent, as on the whole page.

import type { LayerProbe } from '../inspect.ts';

export type Channel = 'attention' | 'indexer' | 'selected' | 'difference';

export interface HeatMap {
  channel: Channel;
  title: string;
  /** [time, time], query by key; NaN above the diagonal. */
  values: Float32Array;
  /** Largest magnitude. */
  most: number;
}

/** Softmax over the past of every row; NaN behind it. */
function softmaxRows(scores: Float32Array, time: number): Float32Array {
  const out = new Float32Array(time * time).fill(Number.NaN);
  for (let t = 0; t < time; t++) {
    const row = scores.subarray(t * time, t * time + t + 1);
    const most = row.reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY);
    const total = row.reduce((sum, v) => sum + Math.exp(v - most), 0);
    row.forEach((v, s) => {
      out[t * time + s] = Math.exp(v - most) / total;
    });
  }
  return out;
}

/** `chosenAt(t)`: keys that the indexer selects for query t. */
export function heatMaps(layer: LayerProbe, time: number, chosenAt: (t: number) => readonly number[]): HeatMap[] {
  const blank = (): Float32Array => new Float32Array(time * time).fill(Number.NaN);
  const attention = blank();
  const selected = blank();
  const difference = blank();
  const indexer = softmaxRows(layer.scores, time);
  for (let t = 0; t < time; t++) {
    for (let s = 0; s <= t; s++) {
      const at = t * time + s;
      attention[at] = layer.p[at];
      difference[at] = layer.p[at] - indexer[at];
      selected[at] = 0;
    }
    for (const s of chosenAt(t)) selected[t * time + s] = 1;
  }
  const of = (channel: Channel, title: string, values: Float32Array): HeatMap => ({
    channel,
    title,
    values,
    most: values.reduce((m, v) => (Number.isNaN(v) ? m : Math.max(m, Math.abs(v))), 0),
  });
  return [
    of('attention', 'attention p', attention),
    of('indexer', 'softmax(I)', indexer),
    of('selected', 'selected', selected),
    of('difference', 'p − softmax(I)', difference),
  ];
}

/** Part of a map that is shown: `size` rows and columns from (top, left). */
export interface Window {
  top: number;
  left: number;
  size: number;
}

/** Around a query and a key. */
export function windowAt(time: number, zoom: number, query: number, key: number): Window {
  const size = Math.max(1, Math.round(time / zoom));
  const from = (centre: number): number => Math.max(0, Math.min(time - size, centre - (size >> 1)));
  return { top: from(query), left: from(key), size };
}

export interface Palette {
  ground: Rgb;
  ink: Rgb;
  accent: Rgb;
}
export type Rgb = readonly [number, number, number];

/** RGBA of the window, one pixel a cell. Shares are drawn on a square-root scale: most of them are small. */
export function pixelsOf(map: HeatMap, time: number, view: Window, palette: Palette): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(view.size * view.size * 4);
  const { ground, ink, accent } = palette;
  for (let y = 0; y < view.size; y++) {
    for (let x = 0; x < view.size; x++) {
      const value = map.values[(view.top + y) * time + view.left + x];
      if (Number.isNaN(value)) continue;
      const share = map.most > 0 ? Math.sqrt(Math.abs(value) / map.most) : 0;
      const full = map.channel === 'attention' || (map.channel === 'difference' && value > 0) ? ink : accent;
      const at = 4 * (y * view.size + x);
      for (let c = 0; c < 3; c++) out[at + c] = ground[c] + (full[c] - ground[c]) * share;
      out[at + 3] = 255;
    }
  }
  return out;
}

export interface LayerFigures {
  /** Mean over queries that have to choose: share of the dense attention on the selected keys, and the most k keys can have. */
  recall: number;
  best: number;
  /** Mean KL(p || softmax(I)) over all queries, in nats. */
  kl: number;
  /** How often the first four tokens are selected by queries that have to choose. */
  sinks: number;
  /** Median distance from a query to what it selects. */
  age: number;
}

export function figuresOf(maps: readonly HeatMap[], time: number, k: number): LayerFigures {
  const values = (channel: Channel): Float32Array => maps.find((m) => m.channel === channel)!.values;
  const [p, q, mask] = [values('attention'), values('indexer'), values('selected')];
  let [recall, best, kl, sinks, queries] = [0, 0, 0, 0, 0];
  const ages: number[] = [];
  for (let t = 0; t < time; t++) {
    const row = p.subarray(t * time, t * time + t + 1);
    row.forEach((share, s) => {
      if (share > 0) kl += (share * Math.log(share / Math.max(q[t * time + s], 1e-30))) / time;
    });
    if (t + 1 <= k) continue;
    queries += 1;
    row.forEach((share, s) => {
      if (mask[t * time + s] !== 1) return;
      recall += share;
      ages.push(t - s);
      if (s < 4) sinks += 1 / 4;
    });
    best += [...row]
      .sort((a, b) => b - a)
      .slice(0, k)
      .reduce((sum, v) => sum + v, 0);
  }
  ages.sort((a, b) => a - b);
  return {
    recall: recall / queries,
    best: best / queries,
    kl,
    sinks: sinks / queries,
    age: ages[ages.length >> 1] ?? 0,
  };
}
