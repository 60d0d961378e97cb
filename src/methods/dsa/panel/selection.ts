// What the inspector says about one query, from a probe: which keys a k selects, in which order, and what they hold.

import { topKReference } from '../../../tensor/reference/topk.ts';
import type { LayerProbe } from '../inspect.ts';

export interface Chosen {
  place: number;
  score: number;
  /** By indexer head. */
  terms: number[];
  p: number;
}

export interface Selection {
  /** Largest score first. */
  chosen: Chosen[];
  /** Share of the dense attention on them, and the most that as many keys can have. */
  mass: number;
  best: number;
}

export function selectionAt(layer: LayerProbe, time: number, heads: number, t: number, k: number): Selection {
  const scores = layer.scores.subarray(t * time, (t + 1) * time);
  const p = layer.p.subarray(t * time, (t + 1) * time);
  const sum = (places: number[]): number => places.reduce((total, s) => total + p[s], 0);
  const places = topKReference(scores, 0, t + 1, k);
  const chosen = places.map((place) => ({
    place,
    score: scores[place],
    terms: Array.from({ length: heads }, (_, j) => layer.terms[(t * heads + j) * time + place]),
    p: p[place],
  }));
  chosen.sort((a, b) => b.score - a.score || b.place - a.place);
  return { chosen, mass: sum(places), best: sum(topKReference(p, 0, t + 1, k)) };
}
