// What the inspector says about one query, from a probe: which keys a k selects, in which order, and what they hold.

import { topKReference } from '../../../tensor/reference/topk.ts';
import type { LayerProbe } from '../inspect.ts';

export interface Chosen {
  place: number;
  score: number;
  /** By indexer head. */
  terms: number[];
  /** Dense attention, and the attention that this model pays (NaN until the device has measured this k). */
  p: number;
  paid: number;
}

export interface Selection {
  /** Largest score first. */
  chosen: Chosen[];
  /** Share of the dense attention on the k keys of the largest scores, and the most that as many keys can have. */
  mass: number;
  best: number;
}

/** `dense`: everything that the query sees is read; the k keys then only say what the indexer would have taken. */
export function selectionAt(
  layer: LayerProbe,
  time: number,
  heads: number,
  t: number,
  k: number,
  dense = false,
): Selection {
  const row = (x: Float32Array): Float32Array => x.subarray(t * time, (t + 1) * time);
  const [scores, p] = [row(layer.scores), row(layer.p)];
  const measured = layer.paid && row(layer.paid);
  const sum = (places: number[]): number => places.reduce((total, s) => total + p[s], 0);
  const places = topKReference(scores, 0, t + 1, k);
  const mass = sum(places);
  const read = dense ? Array.from({ length: t + 1 }, (_, s) => s) : places;
  const chosen = read.map((place) => ({
    place,
    score: scores[place],
    terms: Array.from({ length: heads }, (_, j) => layer.terms[(t * heads + j) * time + place]),
    p: p[place],
    paid: dense ? p[place] : measured && measured[place] >= 0 ? measured[place] : Number.NaN,
  }));
  chosen.sort((a, b) => b.score - a.score || b.place - a.place);
  return { chosen, mass, best: sum(topKReference(p, 0, t + 1, k)) };
}
